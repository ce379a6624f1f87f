"""Utterances and volleys: what gets counted."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coding.volleys import utterances, volleys
from pipeline.measures.session.counts import COMPLEX, OPEN, CountingRule
from pipeline.speech.turns import turns
from pipeline.timeline import UNKNOWN, Role, Span, Turn, Word


class Known:
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


# utterances


def test_utterances_know_their_turn_speaker_and_role() -> None:
    tape = [turn("S1", 0, "You feel torn. What would help?"), turn("S2", 3000, "I guess."), turn("S3", 5000, "Sorry!")]
    found = utterances(tape, Known(), no_sentences)
    assert [(each.turn, each.speaker, each.role, each.text) for each in found] == [
        (0, "S1", "interviewer", "You feel torn."),
        (0, "S1", "interviewer", "What would help?"),
        (1, "S2", "client", "I guess."),
        (2, "S3", "unknown", "Sorry!"),
    ]


def test_a_backchannel_is_an_utterance_between_those_of_the_turn_around_it() -> None:
    tape = [turn("S2", 0, "It was hard. I stopped drinking wine then."), turn("S1", 1100, "Mm-hm.")]
    assert [each.text for each in utterances(tape, Known(), no_sentences)] == [
        "It was hard.",
        "I stopped drinking wine then.",
        "Mm-hm.",
    ]


def test_the_sentence_model_reads_each_turn_once() -> None:
    asked: list[list[str]] = []

    def sentences(texts: list[str]) -> list[list[int]]:
        asked.append(texts)
        return [[2], []]

    tape = [turn("S2", 0, "he drank my mother left"), turn("S1", 3000, "Mm-hm.")]
    assert [each.text for each in utterances(tape, Known(), sentences)] == ["he drank my mother left", "Mm-hm."]
    assert asked == [["he drank my mother left", "Mm-hm."]]


def test_no_turns_make_no_utterances() -> None:
    assert utterances([], Known(), no_sentences) == ()


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
    found = utterances(tape, Known(), lambda texts: [starts for _ in texts])
    for number, each in enumerate(tape):
        parts = [utterance for utterance in found if utterance.turn == number]
        assert tuple(word for part in parts for word in part.words) == each.words
        assert {part.speaker for part in parts} == {each.speaker}
    assert [each.span.start for each in found] == sorted(each.span.start for each in found)


# volleys

ME, YOU, THIRD = "interviewer", "client", "unknown"


def coded(*rows: tuple[str, str, str], **columns: list[object]) -> pd.DataFrame:
    """A table of rows (role, text, codes), each in a turn of its own unless ``turn_id`` says otherwise."""
    table = pd.DataFrame(rows, columns=["role", "text", "codes"])
    return table.assign(**({"turn_id": range(len(rows))} | columns))


def numbers(table: pd.DataFrame) -> list[int | None]:
    return [None if pd.isna(number) else int(number) for number in volleys(table)]


def test_the_interviewers_rows_up_to_the_clients_answer_are_one_volley() -> None:
    table = coded(
        (ME, "You feel torn.", "reflection_complex"),
        (ME, "What would help?", "question_open"),
        (YOU, "Walking, I think.", "change"),
        (ME, "Walking.", "reflection_simple"),
    )
    assert numbers(table) == [1, 1, None, 2]


@pytest.mark.parametrize(
    ("codes", "after"),
    [
        ("information", 1),
        ("other", 1),
        ("", 1),
        ("question_open", 2),
        ("question_closed", 2),
        ("reflection_simple", 2),
        ("information|reflection_complex", 2),
    ],
)
def test_a_yeah_ends_the_volley_only_where_it_answers(codes: str, after: int) -> None:
    table = coded((ME, "Something.", codes), (YOU, "Yeah.", "neutral"), (ME, "And more.", "information"))
    assert numbers(table) == [1, None, after]


def test_what_the_yeah_answers_is_the_row_right_before() -> None:
    table = coded(
        (ME, "You feel torn.", "reflection_complex"),
        (ME, "The clinic opens at nine.", "information"),
        (YOU, "Right.", "neutral"),
        (YOU, "Mm-hm.", "neutral"),
        (ME, "And it is free.", "information"),
    )
    assert numbers(table) == [1, 1, None, None, 1]


def test_an_answer_ends_the_volley_though_a_noise_follows_it() -> None:
    table = coded(
        (ME, "It is free.", "information"),
        (YOU, "I doubt it.", "sustain"),
        (YOU, "Yeah.", "neutral"),
        (ME, "It is.", "other"),
    )
    assert numbers(table) == [1, None, None, 2]


def test_a_noise_that_is_part_of_a_longer_turn_ends_the_volley() -> None:
    table = coded(
        (ME, "It is free.", "information"),
        (YOU, "Yeah.", "neutral"),
        (ME, "Take this.", "information"),
        (YOU, "I doubt it.", "sustain"),
        turn_id=[0, 1, 2, 1],
    )
    assert numbers(table) == [1, None, 2, None]


def test_words_of_a_third_voice_end_the_volley_and_have_no_number() -> None:
    table = coded((ME, "It is free.", "information"), (THIRD, "Coffee, anyone?", ""), (ME, "Thank you.", "other"))
    assert numbers(table) == [1, None, 2]


def test_missing_codes_are_no_codes() -> None:
    table = coded((ME, "It is free.", "information"), (YOU, "Yeah.", "neutral"), (ME, "It is.", "other"))
    table.loc[0, "codes"] = None
    assert numbers(table) == [1, None, 1]


def test_each_tape_starts_anew() -> None:
    rows = [(ME, "What else?", "question_open"), (YOU, "Nothing.", "neutral"), (ME, "Fine then.", "other")]
    table = coded(*rows, *rows, tape_id=["a"] * 3 + ["b"] * 3, turn_id=[0, 1, 2] * 2)
    assert numbers(table) == [1, None, 2, 1, None, 2]


def test_the_series_fits_the_table() -> None:
    table = coded((YOU, "Hello.", "neutral"), (ME, "Hello.", "other"))
    table.index = pd.Index([7, 9])
    series = volleys(table)
    assert series.dtype == "Int64"
    assert series.name == "volley"
    assert list(series.index) == [7, 9]
    assert numbers(table) == [None, 1]
    assert volleys(table.iloc[:0]).empty


@pytest.mark.parametrize("missing", ["", " ", None, float("nan"), pd.NA])
def test_rows_without_a_turn_are_turns_of_their_own(missing: object) -> None:
    """Joined they would be one long turn, no listening, and end the volley."""
    table = coded(
        (ME, "It is free.", "information"),
        (YOU, "Yeah.", "neutral"),
        (ME, "And close by.", "information"),
        (YOU, "I doubt that it helps me.", "sustain"),
        (ME, "You doubt it.", "reflection_simple"),
        turn_id=[missing] * 5,
    )
    assert numbers(table) == [1, None, 1, None, 2]
    assert numbers(table.drop(columns="turn_id")) == [1, None, 1, None, 2]


def test_turns_of_several_tapes_are_not_joined() -> None:
    rows = [(ME, "It is free.", "information"), (YOU, "Yeah.", "neutral"), (ME, "And close by.", "information")]
    loud = [rows[0], (YOU, "Yeah, I doubt that it helps.", "neutral"), rows[2]]
    table = coded(*rows, *loud, tape_id=["a"] * 3 + ["b"] * 3, turn_id=[0, 1, 2] * 2)
    assert numbers(table) == [1, None, 1, 1, None, 2]


def test_what_is_a_question_or_a_reflection_depends_on_the_codebook() -> None:
    """Under CACTI's names "OQ" is a question, to which a "yeah" is an answer."""
    rule = CountingRule(codes_by_meaning={OPEN: ("OQ", "question_open"), COMPLEX: ("CR",)})
    for codes, after in (("OQ", 2), ("question_open", 2), ("CR|GI", 2), ("GI", 1), ("question_closed", 1)):
        table = coded((ME, "Something.", codes), (YOU, "Yeah.", "neutral"), (ME, "And more.", "GI"))
        assert [None if pd.isna(number) else int(number) for number in volleys(table, rule)] == [1, None, after]


ROWS = st.lists(
    st.tuples(
        st.sampled_from([ME, ME, YOU, THIRD]),
        st.sampled_from(["Yeah.", "Mm-hm.", "It is hard for me."]),
        st.sampled_from(["question_open", "reflection_simple|information", "other", ""]),
    ),
    max_size=12,
)


@given(ROWS)
def test_volleys_number_the_interviewers_rows_alone_and_in_order(rows: list[tuple[str, str, str]]) -> None:
    found = numbers(coded(*rows))
    mine = [number for number, (role, *_) in zip(found, rows, strict=True) if role == ME]
    assert [number is not None for number in found] == [role == ME for role, *_ in rows]
    assert mine[:1] in ([], [1])
    assert all(after - before in (0, 1) for before, after in pairwise(mine))
    for at, (before, (_, text, _), after) in enumerate(zip(rows, rows[1:], rows[2:], strict=False)):
        if before[0] == after[0] == ME and rows[at + 1][0] != ME:
            answers = "question" in before[2] or "reflection" in before[2]
            same = text != "It is hard for me." and not answers
            assert (found[at] == found[at + 2]) == same
        if before[0] == rows[at + 1][0] == ME:
            assert found[at] == found[at + 1]


def test_tapes_one_after_another_are_numbered_as_each_alone() -> None:
    rows = [(ME, "Hello.", "other"), (YOU, "No idea.", "neutral"), (ME, "Well.", "other")]
    both = coded(*rows, *rows[::-1], tape_id=["a"] * 3 + ["b"] * 3)
    assert numbers(both) == numbers(coded(*rows)) + numbers(coded(*rows[::-1]))
