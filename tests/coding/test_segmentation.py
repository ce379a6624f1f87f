"""Turns split into utterances, with and without the transcriber's punctuation."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coding.segmentation import MAX_WORDS, split_turn, utterances
from pipeline.speech.turns import turns
from pipeline.timeline import UNKNOWN, Role, Span, Turn, Word

USUAL_PAUSE = 60


def spoken(line: str) -> tuple[tuple[Word, ...], set[int]]:
    """The words of a line of `thoughts.txt`, and the indices of those before which it marks a boundary."""
    words: list[Word] = []
    cuts: set[int] = set()
    time, pause = 0, 0
    for sign in line.split():
        if sign == "|":
            cuts.add(len(words))
        elif sign.startswith("{"):
            pause = int(sign[1:-1])
        else:
            start = time + pause
            time, pause = start + 60 + 60 * len(sign), USUAL_PAUSE
            words.append(Word(Span(start, time), sign, 0.9, "S1"))
    return tuple(words), cuts


def blocks() -> list[list[str]]:
    """The lines of `thoughts.txt` by block: with punctuation, without, and the held-out one."""
    text = (Path(__file__).parent / "thoughts.txt").read_text(encoding="utf-8")
    result: list[list[str]] = []
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        result += [lines] if lines else []
    return result


def cuts_of(words: tuple[Word, ...], starts: list[int]) -> set[int]:
    parts = split_turn(words, starts)
    assert tuple(word for part in parts for word in part) == words
    return {sum(len(part) for part in parts[:at]) for at in range(1, len(parts))}


def f1(lines: list[str], starts: list[list[int]] | None = None) -> float:
    """Boundary F1 over lines, with a language model's sentence starts or without."""
    right = predicted = expected = 0
    for at, (words, truth) in enumerate(map(spoken, lines)):
        cuts = cuts_of(words, starts[at] if starts else [])
        right, predicted, expected = right + len(cuts & truth), predicted + len(cuts), expected + len(truth)
    return 2 * right / (predicted + expected)


def parted(line: str) -> str:
    """A line without its marks, parted by ``thoughts`` alone."""
    return " | ".join(" ".join(word.text for word in part) for part in split_turn(spoken(line)[0], []))


def test_the_score_is_right() -> None:
    # Expected cuts: 3 and 6. Found: 3 alone. Precision 1, recall 1/2, F1 2/3.
    assert f1(["So you stopped. | That was hard | and then it was not"]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("block", "least"), [(0, 0.97), (1, 0.86), (2, 0.86)])
def test_thoughts_end_where_people_hear_them_end(block: int, least: float) -> None:
    assert f1(blocks()[block]) >= least


def test_there_are_enough_examples() -> None:
    assert [len(block) for block in blocks()] == [24, 24, 15]


def test_a_question_after_a_reflection_stands_alone() -> None:
    assert parted("So you feel torn. What would help?") == "So you feel torn. | What would help?"
    assert parted("so you feel torn {400} what would help") == "so you feel torn | what would help"
    assert parted("So you feel torn, what would help?") == "So you feel torn, | what would help?"


def test_an_embedded_question_does_not_part_its_sentence() -> None:
    assert parted("I don't know what would help") == "I don't know what would help"
    assert parted("how many drinks do you have on a day") == "how many drinks do you have on a day"
    assert parted("When you think of it, what do you see?") == "When you think of it, what do you see?"


def test_a_question_that_goes_on_or_starts_again_stays_whole() -> None:
    assert parted("Will you come back, and tell me more?") == "Will you come back, and tell me more?"
    assert parted("What do you, um, what do you like?") == "What do you, um, what do you like?"


def test_a_question_may_follow_a_statement_without_a_subject() -> None:
    assert (
        parted("a month without a drink {460} how did you do that") == "a month without a drink | how did you do that"
    )
    assert parted("on a scale from zero to ten {460} how did you do") == "on a scale from zero to ten how did you do"


def test_tags_stay_with_their_statement() -> None:
    assert parted("You cut down. Didn't you? You worked hard.") == "You cut down. Didn't you? | You worked hard."
    assert parted("It was hard {700} right?") == "It was hard right?"
    assert parted("It was hard. {700} You know?") == "It was hard. You know?"


def test_fillers_go_with_the_thought_that_follows() -> None:
    assert parted("I stopped drinking. Um. {900} Well, I tried to.") == "I stopped drinking. | Um. Well, I tried to."
    assert parted("i stopped drinking um {900} i tried to") == "i stopped drinking | um i tried to"


def test_a_trailing_then_is_no_filler() -> None:
    assert parted("what happened then {500} did you go back") == "what happened then | did you go back"


def test_lists_and_hesitations_stay_whole() -> None:
    assert parted("i had beer {600} wine {600} gin {600} whatever") == "i had beer wine gin whatever"
    assert parted("it's my {900} it's the {800} the job") == "it's my it's the the job"
    assert parted("I was going- {900} I went home") == "I was going- I went home"


def test_a_short_answer_joins_what_follows_unless_a_pause_parts_them() -> None:
    assert parted("Yeah. {200} I tried that once.") == "Yeah. I tried that once."
    assert parted("No. {800} I tried that once.") == "No. | I tried that once."
    assert parted("I tried that once. {200} Honestly.") == "I tried that once. Honestly."
    assert parted("I tried that once. {800} Honestly.") == "I tried that once. | Honestly."


def test_a_short_question_stands_alone() -> None:
    assert parted("You tried that once. Why?") == "You tried that once. | Why?"


def test_a_trailing_off_alone_does_not_part() -> None:
    assert parted("I thought that... {100} maybe later") == "I thought that... maybe later"


def test_one_word_is_one_thought() -> None:
    assert parted("Mm-hm.") == "Mm-hm."
    assert parted("um") == "um"


def test_a_language_model_counts_only_where_no_marks_are() -> None:
    bare, _ = spoken("he drank {800} my mother left")
    assert cuts_of(bare, []) == set()
    assert cuts_of(bare, [2]) == {2}
    marked, _ = spoken("he drank {800} my mother left.")
    assert cuts_of(marked, [2]) == set()


def test_an_endless_stretch_is_parted_at_its_best_place() -> None:
    half = "and the house and the car and the dog and the job and the garden and the money and the friends"
    words, cuts = spoken(f"he lost it all {half} | {{900}} {half} and everything")
    assert len(words) > MAX_WORDS
    assert cuts_of(words, []) == cuts


def test_starts_beyond_the_text_do_no_harm() -> None:
    words, _ = spoken("so it goes")
    assert cuts_of(words, [0, 1, 7]) <= {1, 2}


def test_a_trailer_after_a_mark_leads_into_what_follows() -> None:
    """Without the mark, a pause behind "then" would tell "what then" from "then what"."""
    assert parted("I tried it once. Then {900} what helped you?") == "I tried it once. | Then what helped you?"
    assert parted("what helped you then {900} did you try it") == "what helped you then | did you try it"


@pytest.mark.parametrize(("opening", "parts"), [("how many more drinks", 1), ("how many more cold drinks", 2)])
def test_a_question_word_up_to_four_words_before_embeds_a_question(opening: str, parts: int) -> None:
    assert parted(f"{opening} {{100}} do you have").count("|") == parts - 1


def test_an_auxiliary_between_ends_what_a_question_word_embeds() -> None:
    assert parted("what did he drink {140} do you know") == "what did he drink | do you know"


def test_where_the_marks_end_other_hints_have_to_do() -> None:
    """A pause of a quarter of a second and a question's opening are enough there, and nowhere else."""
    assert parted("we went home {250} what would help then.") == "we went home what would help then."
    assert parted("We did. we went home {250} what would help then") == "We did. | we went home | what would help then"


@pytest.mark.parametrize(("words", "parts"), [(25, 1), (26, 2)])
def test_after_25_words_without_a_mark_the_marks_are_not_trusted(words: int, parts: int) -> None:
    """The mark stands behind word ``words`` counted from 0."""
    line = [*DISTINCT[: words - 3], "{250}", "what", "would", "help", "then."]
    assert parted(" ".join(line)).count("|") == parts - 1


@pytest.mark.parametrize(("before", "after", "parts"), [(600, 600, 3), (200, 600, 2), (600, 200, 2), (200, 200, 2)])
def test_a_listening_noise_stands_alone_only_between_two_pauses(before: int, after: int, parts: int) -> None:
    pieces = parted(f"I tried that once. {{{before}}} Mm-hm. {{{after}}} It was hard.")
    assert pieces.count("|") == parts - 1
    assert ("Mm-hm. It" in pieces) == (after == 200)
    assert ("once. Mm-hm." in pieces) == (before == 200 and after == 600)


@pytest.mark.parametrize(("pause", "alone"), [(499, False), (500, True)])
def test_half_a_second_parts_a_word_from_its_neighbors(pause: int, alone: bool) -> None:
    assert (parted(f"No. {{{pause}}} I tried that once.") == "No. | I tried that once.") == alone
    assert (parted(f"I tried that once. {{{pause}}} Honestly.") == "I tried that once. | Honestly.") == alone


DISTINCT = [f"{first}{last}" for first in "bdfgklmnp" for last in ("ak", "ek", "uk", "ox", "yx")]
"""45 words that are no word of any list."""


@pytest.mark.parametrize(
    ("number", "pause_before", "pause", "parts"),
    [
        (MAX_WORDS, 20, 900, 1),  # not too long
        (MAX_WORDS + 1, 20, 900, 2),
        (MAX_WORDS + 1, 20, 330, 1),  # .3 and .198: too little
        (MAX_WORDS + 1, 20, 340, 2),  # .3 and .204
        (MAX_WORDS + 1, 5, 900, 2),
        (MAX_WORDS + 1, 4, 900, 1),  # too near the start
        (MAX_WORDS + 1, MAX_WORDS + 1 - 5, 900, 2),
        (MAX_WORDS + 1, MAX_WORDS + 1 - 4, 900, 1),  # too near the end
    ],
)
def test_a_piece_of_more_than_40_words_is_parted_at_its_best_place(
    number: int, pause_before: int, pause: int, parts: int
) -> None:
    line = [*DISTINCT[:pause_before], f"{{{pause}}}", *DISTINCT[pause_before:number]]
    pieces = parted(" ".join(line)).split(" | ")
    assert len(pieces) == parts
    assert parts == 1 or len(pieces[0].split()) == pause_before


def test_a_long_piece_at_the_end_of_a_turn_is_parted_too() -> None:
    line = ["We", "did.", *DISTINCT[:20], "{900}", *DISTINCT[20:41]]
    assert [len(part.split()) for part in parted(" ".join(line)).split(" | ")] == [2, 20, 21]


def test_what_trails_off_embeds_no_question() -> None:
    assert parted("I don't know… {300} what would help then") == "I don't know… | what would help then"


def test_two_words_after_a_sentence_are_the_start_of_the_question_that_follows() -> None:
    assert parted("We did. good times {460} how did you do that") == "We did. | good times how did you do that"
    assert (
        parted("We did. good old times {460} how did you do that") == "We did. | good old times | how did you do that"
    )


def test_forty_words_are_not_too_long_wherever_they_begin() -> None:
    line = ["We", "did", "it", "all", "in", "the", "old", "days.", *DISTINCT[:20], "{900}", *DISTINCT[20:40]]
    assert [len(part.split()) for part in parted(" ".join(line)).split(" | ")] == [8, 40]


class FixedRoles:
    """S1 interviews S2."""

    def role(self, speaker: str) -> Role:
        roles: dict[str, Role] = {"S1": "interviewer", "S2": "client"}
        return roles.get(speaker, "unknown")


def no_sentences(texts: list[str]) -> list[list[int]]:
    return [[] for _ in texts]


def turn(speaker: str, start: int, text: str) -> Turn:
    return Turn(
        speaker,
        tuple(
            Word(Span(start + 350 * at, start + 350 * at + 300), word, 0.9, speaker)
            for at, word in enumerate(text.split())
        ),
    )


def test_utterances_know_their_turn_speaker_and_role() -> None:
    tape = [turn("S1", 0, "You feel torn. What would help?"), turn("S2", 3000, "I guess."), turn("S3", 5000, "Sorry!")]
    result = utterances(tape, FixedRoles(), no_sentences)
    assert [(utterance.turn, utterance.speaker, utterance.role, utterance.text) for utterance in result] == [
        (0, "S1", "interviewer", "You feel torn."),
        (0, "S1", "interviewer", "What would help?"),
        (1, "S2", "client", "I guess."),
        (2, "S3", "unknown", "Sorry!"),
    ]


def test_a_backchannel_is_an_utterance_between_those_of_the_turn_around_it() -> None:
    tape = [turn("S2", 0, "It was hard. I stopped drinking wine then."), turn("S1", 1100, "Mm-hm.")]
    assert [utterance.text for utterance in utterances(tape, FixedRoles(), no_sentences)] == [
        "It was hard.",
        "I stopped drinking wine then.",
        "Mm-hm.",
    ]


def test_the_sentence_model_reads_each_turn_once() -> None:
    batches: list[list[str]] = []

    def sentences(texts: list[str]) -> list[list[int]]:
        batches.append(texts)
        return [[2], []]

    tape = [turn("S2", 0, "he drank my mother left"), turn("S1", 3000, "Mm-hm.")]
    assert [utterance.text for utterance in utterances(tape, FixedRoles(), sentences)] == [
        "he drank my mother left",
        "Mm-hm.",
    ]
    assert batches == [["he drank my mother left", "Mm-hm."]]


def test_no_turns_make_no_utterances() -> None:
    assert utterances([], FixedRoles(), no_sentences) == ()


TEXTS = [
    "Mm-hm.",
    "yeah",
    "so",
    "what?",
    "I",
    "stopped.",
    "do",
    "you",
    "right?",
    "um",
    "and",
    "—",
    "isn't",
    "it?",
    "...",
]
WORDS = st.lists(
    st.builds(
        lambda start, length, text, speaker: Word(Span(start, start + length), text, 0.9, speaker),
        st.integers(0, 60_000),
        st.integers(0, 700),
        st.sampled_from(TEXTS),
        st.sampled_from(["S1", "S2", UNKNOWN]),
    ),
    max_size=60,
)


@given(WORDS, st.lists(st.integers(0, 70)))
def test_every_word_is_in_one_utterance_of_its_turn_in_order(words: list[Word], starts: list[int]) -> None:
    tape = turns(words)
    result = utterances(tape, FixedRoles(), lambda texts: [starts for _ in texts])
    for number, spoken_turn in enumerate(tape):
        parts = [utterance for utterance in result if utterance.turn == number]
        assert tuple(word for part in parts for word in part.words) == spoken_turn.words
        assert {part.speaker for part in parts} == {spoken_turn.speaker}
    assert [utterance.span.start for utterance in result] == sorted(utterance.span.start for utterance in result)


def test_no_utterance_is_in_two_languages() -> None:
    texts = ["So", "how", "was", "it?", "Pues", "la", "verdad", "es", "que", "bien.", "No", "lo", "sé", "Okay", "then"]
    foreign = range(4, 13)
    words = tuple(
        Word(Span(300 * at, 300 * at + 250), text, 1.0, "S1", "es" if at in foreign else "en")
        for at, text in enumerate(texts)
    )
    seen: list[list[str]] = []

    def find_sentences(parts: list[str]) -> list[list[int]]:
        seen.append(parts)
        return [[0] for _ in parts]

    split = utterances([Turn("S1", words)], FixedRoles(), find_sentences)
    assert [(each.text, each.language) for each in split] == [
        ("So how was it?", "en"),
        ("Pues la verdad es que bien.", "es"),
        ("No lo sé", "es"),
        ("Okay then", "en"),
    ]
    assert seen == [["So how was it?", "Okay then"]]  # the English model reads English
