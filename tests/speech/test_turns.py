"""Words meet voices, and become turns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.turns import attribute, turns
from pipeline.timeline import UNKNOWN, Span, Turn, Word


def word(start: int, end: int, text: str = "so", speaker: str = UNKNOWN) -> Word:
    return Word(Span(start, end), text, 0.9, speaker)


def diarization_of(
    *voices: tuple[int, int, str], exclusive: Sequence[tuple[int, int, str]] | None = None
) -> Diarization:
    def all_of(spans: Sequence[tuple[int, int, str]]) -> tuple[SpeakerSegment, ...]:
        return tuple(SpeakerSegment(Span(start, end), speaker) for start, end, speaker in spans)

    return Diarization(all_of(voices), all_of(voices if exclusive is None else exclusive), (), {})


def words_of(*lines: tuple[str, int, str], length: int = 300, gap: int = 50) -> list[Word]:
    """Words of lines (speaker, start, text), each ``length`` long and ``gap`` apart."""
    return [
        word(start + at * (length + gap), start + at * (length + gap) + length, text, speaker)
        for speaker, start, line in lines
        for at, text in enumerate(line.split())
    ]


def speakers(words: Sequence[Word]) -> list[str]:
    return [token.speaker for token in words]


def lines(parts: Sequence[Turn]) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in parts]


def shifted(words: Sequence[Word], by: int) -> list[Word]:
    return [Word(token.span.shift(by), token.text, token.probability, token.speaker) for token in words]


# attribute: one word at a time


def test_a_word_goes_to_the_voice_that_it_overlaps_most() -> None:
    voices = diarization_of((0, 1000, "S1"), (1000, 2000, "S2"))
    assert speakers(attribute([word(800, 1100), word(1100, 1300)], voices)) == ["S1", "S2"]
    assert speakers(attribute([word(800, 1250)], voices)) == ["S2"]


def test_overlaps_with_several_stretches_of_a_voice_add_up() -> None:
    voices = diarization_of((0, 300, "S1"), (300, 700, "S2"), (700, 1000, "S1"))
    assert speakers(attribute([word(0, 1000)], voices)) == ["S1"]


def test_a_tie_goes_to_the_speaker_whose_name_sorts_first() -> None:
    assert speakers(attribute([word(900, 1100)], diarization_of((0, 1000, "S2"), (1000, 2000, "S1")))) == ["S1"]


@pytest.mark.parametrize(("start", "speaker"), [(1400, "S1"), (1401, UNKNOWN)])
def test_a_word_beside_all_voices_goes_to_the_nearest_within_reach(start: int, speaker: str) -> None:
    assert speakers(attribute([word(start, start + 200)], diarization_of((0, 1000, "S1")))) == [speaker]
    before = 10_000 - start  # as far before a voice as it was behind one
    assert speakers(attribute([word(before - 200, before)], diarization_of((9000, 9900, "S1")))) == [speaker]


def test_of_two_voices_the_nearer_counts() -> None:
    assert speakers(attribute([word(1100, 1200)], diarization_of((0, 1000, "S1"), (1250, 2000, "S2")))) == ["S2"]


def test_a_word_without_length_has_a_speaker() -> None:
    assert speakers(attribute([word(500, 500)], diarization_of((0, 1000, "S1")))) == ["S1"]


def test_without_voices_every_word_is_unknown() -> None:
    assert speakers(attribute(words_of(("S9", 0, "so it is")), diarization_of())) == ["S9"] * 3
    assert speakers(attribute(words_of((UNKNOWN, 0, "so it is")), diarization_of())) == [UNKNOWN] * 3


def test_words_of_a_channel_keep_their_speaker() -> None:
    words = [word(0, 200, "so", "S2"), word(450, 600, "it"), word(850, 900, "is", "S2")]
    assert speakers(attribute(words, diarization_of((0, 1000, "S1")))) == ["S2", "S1", "S2"]


def test_a_backchannel_under_two_voices_is_the_brief_one() -> None:
    voices = diarization_of((0, 5000, "S1"), (2000, 2500, "S2"), exclusive=[(0, 5000, "S1")])
    words = [word(1500, 1900, "stopped."), word(2050, 2400, "Mm-hm."), word(2600, 2900, "And")]
    assert speakers(attribute(words, voices)) == ["S1", "S2", "S1"]


def test_an_ordinary_word_under_two_voices_is_the_exclusive_one() -> None:
    voices = diarization_of((0, 5000, "S1"), (2000, 2500, "S2"), exclusive=[(0, 5000, "S1")])
    assert speakers(attribute([word(2050, 2400, "wine")], voices)) == ["S1"]


def test_a_backchannel_a_little_beside_its_voice_still_belongs_to_it() -> None:
    words = [word(1000, 1300, "stopped."), word(1350, 1600, "Yeah."), word(2300, 2600, "And")]
    assert speakers(attribute(words, diarization_of((0, 1700, "S1"), (1750, 2100, "S2"), (2200, 9000, "S1")))) == [
        "S1",
        "S2",
        "S1",
    ]


# attribute: what the neighbors tell


@pytest.mark.parametrize(("hums", "says"), [("S1", "S2"), ("S2", "S1")])
def test_words_that_begin_under_the_others_noise_go_to_whoever_goes_on(hums: str, says: str) -> None:
    """One hums from 900 to 1500; the engine lets "She never", which the other says from 1500 on, begin with it."""
    words = [word(0, 400, "Ever."), word(900, 1300, "She"), word(1300, 1500, "never"), word(1500, 1900, "stops.")]
    voices = [(0, 500, says), (900, 1500, hums), (1500, 4000, says)]
    assert speakers(attribute(words, diarization_of(*voices))) == [says] * 4
    # Nor does it matter that whoever goes on is heard, at length, under the hum.
    over = [(0, 500, says), (900, 1500, hums), (890, 4000, says)]
    assert speakers(attribute(words, diarization_of(*over, exclusive=voices))) == [says] * 4


def test_a_noise_before_them_stays() -> None:
    words = [word(0, 400, "Ever."), word(900, 1200, "Mm-hm."), word(1250, 1500, "She"), word(1500, 1900, "stops.")]
    voices = diarization_of((0, 500, "S2"), (900, 1500, "S1"), (1500, 4000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", "S1", "S2", "S2"]


@pytest.mark.parametrize(
    ("text", "end", "voice"),
    [
        ("Never.", 1490, 900),  # a sentence of its own
        ("never", 1250, 900),  # a pause before the other goes on
        ("never", 1490, -200),  # the end of a longer turn
    ],
)
def test_what_stands_for_itself_is_no_false_start(text: str, end: int, voice: int) -> None:
    words = [word(0, 400, "Ever."), word(900, end, text), word(1500, 1900, "She"), word(1900, 2300, "stops.")]
    voices = diarization_of((-1000, -500, "S2"), (voice, 1490, "S1"), (1500, 4000, "S2"))
    assert speakers(attribute(words, voices))[1] == "S1"


def test_more_words_than_a_false_start_has_stay() -> None:
    words = [word(0, 400, "Ever."), *words_of((UNKNOWN, 500, "and he had it"), length=200), word(1500, 1900, "all.")]
    voices = diarization_of((-1000, 450, "S2"), (480, 1490, "S1"), (1500, 4000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", "S1", "S1", "S1", "S1", "S2"]


def test_words_come_out_in_order_of_start() -> None:
    words = [word(500, 600, "two"), word(0, 100, "one")]
    assert [token.text for token in attribute(words, diarization_of((0, 1000, "S1")))] == ["one", "two"]


# turns


def test_turns_change_with_the_speaker() -> None:
    parts = turns(words_of(("S1", 0, "So you feel torn."), ("S2", 2000, "I do."), ("S1", 4000, "What would help?")))
    assert lines(parts) == [("S1", "So you feel torn."), ("S2", "I do."), ("S1", "What would help?")]


def test_a_backchannel_does_not_break_the_turn() -> None:
    words = words_of(("S1", 0, "I stopped."), ("S2", 900, "Mm-hm."), ("S1", 1500, "And then it came back."))
    parts = turns(words)
    assert lines(parts) == [("S1", "I stopped. And then it came back."), ("S2", "Mm-hm.")]
    assert parts[0].span == Span(0, 3200)


def test_a_backchannel_that_answers_a_question_breaks_the_turn() -> None:
    words = words_of(("S1", 0, "Did you stop?"), ("S2", 1200, "Yeah."), ("S1", 2000, "Tell me more."))
    assert lines(turns(words)) == [("S1", "Did you stop?"), ("S2", "Yeah."), ("S1", "Tell me more.")]


def test_a_question_that_asks_nobody_wants_no_answer() -> None:
    words = words_of(("S1", 0, "It is hard, you know?"), ("S2", 2000, "Yeah."), ("S1", 2600, "I try."))
    assert lines(turns(words)) == [("S1", "It is hard, you know? I try."), ("S2", "Yeah.")]


def test_several_backchannels_leave_one_turn() -> None:
    words = words_of(
        ("S2", 0, "I used to run."),
        ("S1", 1500, "Mm-hm."),
        ("S2", 2000, "Then I stopped."),
        ("S1", 3200, "Okay, right."),
        ("S2", 4000, "Now I walk."),
    )
    assert lines(turns(words)) == [
        ("S2", "I used to run. Then I stopped. Now I walk."),
        ("S1", "Mm-hm."),
        ("S1", "Okay, right."),
    ]


def test_more_than_a_noise_breaks_the_turn() -> None:
    words = words_of(("S2", 0, "I used to run."), ("S1", 1500, "Yeah, you told me."), ("S2", 3200, "Now I walk."))
    assert [turn.speaker for turn in turns(words)] == ["S2", "S1", "S2"]


def test_a_noise_before_anybody_has_the_floor_is_its_own_turn() -> None:
    words = words_of(("S1", 0, "Okay."), ("S2", 500, "Right."), ("S1", 1000, "What brings you here?"))
    assert lines(turns(words)) == [("S1", "Okay."), ("S2", "Right."), ("S1", "What brings you here?")]


def test_speech_within_the_others_speech_does_not_break_it() -> None:
    words = words_of(("S1", 0, "on a scale from zero to ten how ready are you"), ("S2", 1500, "not that again"))
    assert lines(turns(words)) == [
        ("S1", "on a scale from zero to ten how ready are you"),
        ("S2", "not that again"),
    ]


def test_speech_that_outlasts_the_others_takes_over() -> None:
    words = words_of(("S1", 0, "on a scale from zero"), ("S2", 1500, "not that again please"), ("S1", 3000, "to ten"))
    assert lines(turns(words)) == [("S1", "on a scale from zero"), ("S2", "not that again please"), ("S1", "to ten")]


def test_one_stray_word_does_not_break_the_turn_but_three_do() -> None:
    stray = words_of(("S1", 0, "so you"), (UNKNOWN, 800, "tried"), ("S1", 1300, "to stop"))
    assert lines(turns(stray)) == [("S1", "so you to stop"), (UNKNOWN, "tried")]
    more = words_of(("S1", 0, "so you"), (UNKNOWN, 800, "tried and tried"), ("S1", 2000, "to stop"))
    assert lines(turns(more)) == [("S1", "so you"), (UNKNOWN, "tried and tried"), ("S1", "to stop")]


def test_no_words_make_no_turns() -> None:
    assert turns([]) == ()
    assert attribute([], diarization_of((0, 1000, "S1"))) == ()


# what always holds

TEXTS = ["Mm-hm.", "yeah", "so", "what?", "I", "stopped.", "do", "you", "right?", "", "—"]
WORDS = st.lists(
    st.builds(
        lambda start, length, text, speaker: word(start, start + length, text, speaker),
        st.integers(0, 8000),
        st.integers(0, 700),
        st.sampled_from(TEXTS),
        st.sampled_from(["S1", "S2", "S3", UNKNOWN]),
    ),
    max_size=30,
)
VOICES = st.lists(
    st.builds(
        lambda start, length, speaker: (start, start + length, speaker),
        st.integers(0, 8000),
        st.integers(1, 3000),
        st.sampled_from(["S1", "S2", "S3"]),
    ),
    max_size=12,
)


def counted(words: Sequence[Word], with_speaker: bool = True) -> list[tuple[object, ...]]:
    return sorted((w.span, w.text, w.probability, w.speaker if with_speaker else "") for w in words)


@given(WORDS, VOICES)
def test_attribution_loses_no_word_and_keeps_speakers_that_are_known(
    words: list[Word], voices: list[tuple[int, int, str]]
) -> None:
    attributed = attribute(words, diarization_of(*voices))
    assert counted(attributed, with_speaker=False) == counted(words, with_speaker=False)
    ordered = sorted(words, key=lambda token: token.span.start)
    assert [word.text for word in attributed] == [word.text for word in ordered]
    for before, after in zip(ordered, attributed, strict=True):
        assert before.speaker in {UNKNOWN, after.speaker}


@given(WORDS, VOICES)
def test_attribution_is_stable(words: list[Word], voices: list[tuple[int, int, str]]) -> None:
    diarization = diarization_of(*voices)
    once = attribute(words, diarization)
    assert attribute(once, diarization) == once


@given(WORDS, VOICES, st.integers(0, 100_000))
def test_attribution_moves_with_time(words: list[Word], voices: list[tuple[int, int, str]], by: int) -> None:
    later = diarization_of(*((start + by, end + by, speaker) for start, end, speaker in voices))
    assert attribute(shifted(words, by), later) == tuple(shifted(attribute(words, diarization_of(*voices)), by))


@given(WORDS)
def test_turns_hold_each_word_once_in_order_and_one_speaker_each(words: list[Word]) -> None:
    parts = turns(words)
    assert counted([token for turn in parts for token in turn.words]) == counted(words)
    assert [turn.span.start for turn in parts] == sorted(turn.span.start for turn in parts)
    for turn in parts:
        assert {token.speaker for token in turn.words} == {turn.speaker}
        assert [token.span.start for token in turn.words] == sorted(token.span.start for token in turn.words)


@given(WORDS)
def test_turns_keep_each_speakers_words_in_order(words: list[Word]) -> None:
    for speaker in {token.speaker for token in words}:
        ordered = sorted((token for token in words if token.speaker == speaker), key=lambda token: token.span.start)
        assert [token for turn in turns(words) if turn.speaker == speaker for token in turn.words] == ordered


@given(WORDS)
@example([word(1, 1, "Mm-hm.", name) for name in ("S1", "S2", "S1")] + [word(0, 0, "so", "S2")])
def test_turns_of_turns_are_the_same(words: list[Word]) -> None:
    parts = turns(words)
    assert turns([token for turn in parts for token in turn.words]) == parts


@given(WORDS, st.integers(0, 100_000))
def test_turns_move_with_time(words: list[Word], by: int) -> None:
    assert turns(shifted(words, by)) == tuple(Turn(t.speaker, tuple(shifted(t.words, by))) for t in turns(words))


# turns: the end of a turn


def test_a_turn_does_not_shrink_when_its_last_word_ends_before_another() -> None:
    """S1's drawn-out "so" lasts until 3000; what S2 says from 1000 to 1800 begins and ends while that goes on."""
    words = [
        word(0, 3000, "so", "S1"),
        word(100, 500, "well", "S1"),
        *words_of(("S2", 1000, "not that again"), length=200),
        word(3200, 3500, "anyway", "S1"),
    ]
    parts = turns(words)
    assert lines(parts) == [("S1", "so well anyway"), ("S2", "not that again")]
    assert parts[0].span == Span(0, 3500)


@pytest.mark.parametrize(("end", "taken_over"), [(2000, False), (2001, True)])
def test_what_ends_with_the_turn_at_the_latest_does_not_take_over(end: int, taken_over: bool) -> None:
    words = [
        *[word(0, 2000, "so", "S1"), word(100, 300, "then", "S1")],
        *[word(500, 700, "not", "S2"), word(800, end, "that", "S2")],
        word(2500, 2700, "anyway", "S1"),
    ]
    assert [turn.speaker for turn in turns(words)] == (["S1", "S2", "S1"] if taken_over else ["S1", "S2"])


@pytest.mark.parametrize(("gap", "parts"), [(199, 1), (200, 2)])
def test_speech_over_speech_goes_on_through_a_breath_and_ends_at_a_pause(gap: int, parts: int) -> None:
    """Both speak at once; S1's second word comes ``gap`` after the first, which S2's word overlaps."""
    words = [
        word(0, 1000, "so", "S1"),
        word(500, 2000, "wait a", "S2"),
        word(1000 + gap, 3000, "then", "S1"),
        word(2500, 4000, "minute please", "S2"),
    ]
    assert sum(turn.speaker == "S1" for turn in turns(words)) == parts


def test_exactly_two_stray_words_leave_the_turn_whole() -> None:
    stray = words_of(("S1", 0, "so you"), (UNKNOWN, 800, "tried it"), ("S1", 1600, "to stop"))
    assert lines(turns(stray)) == [("S1", "so you to stop"), (UNKNOWN, "tried it")]


def test_two_words_of_a_known_voice_are_no_strays() -> None:
    words = words_of(("S1", 0, "so you"), ("S2", 800, "tried it"), ("S1", 1600, "to stop"))
    assert lines(turns(words)) == [("S1", "so you"), ("S2", "tried it"), ("S1", "to stop")]


def test_a_question_that_comes_after_the_noise_began_is_not_answered_by_it() -> None:
    """The "yeah" starts at 200, the "?" of the turn that goes on at 500."""
    words = [
        *[word(0, 190, "hard,", "S1"), word(200, 400, "yeah", "S2"), word(500, 700, "right", "S1")],
        *[word(750, 900, "then?", "S1"), word(1000, 1200, "tell", "S1")],
    ]
    assert lines(turns(words)) == [("S1", "hard, right then? tell"), ("S2", "yeah")]


@pytest.mark.parametrize(("number", "turn_ends"), [(40, True), (41, False)])
def test_a_question_opens_within_the_last_words_of_the_turn(number: int, turn_ends: bool) -> None:
    words = words_of(("S1", 0, " ".join(["do", "you", *["wine"] * (number - 2)])), ("S2", 20_000, "Yeah."))
    words += words_of(("S1", 21_000, "tell me"))
    assert len(turns(words)) == (3 if turn_ends else 2)


# attribute: to the millisecond


@pytest.mark.parametrize(("length", "speaker"), [(149, "S1"), (150, "S2"), (1500, "S2"), (1501, "S1")])
def test_a_backchannel_goes_to_a_voice_as_brief_as_a_noise(length: int, speaker: str) -> None:
    voices = diarization_of((0, 9000, "S1"), (2000, 2000 + length, "S2"), exclusive=[(0, 9000, "S1")])
    assert speakers(attribute([word(1500, 1900, "stopped."), word(2010, 2100, "Mm-hm.")], voices))[1] == speaker


@pytest.mark.parametrize(("gap", "speaker"), [(200, "S2"), (201, "S1")])
def test_a_backchannel_goes_to_a_brief_voice_right_there(gap: int, speaker: str) -> None:
    voices = diarization_of((0, 9000, "S1"), (2000, 2500, "S2"), exclusive=[(0, 9000, "S1")])
    words = [word(1000, 1500, "stopped."), word(2500 + gap, 2900 + gap, "Mm-hm.")]
    assert speakers(attribute(words, voices))[1] == speaker


@pytest.mark.parametrize(("number", "returned"), [(1, True), (2, True), (3, True), (4, False)])
def test_three_words_at_most_return_to_whoever_goes_on(number: int, returned: bool) -> None:
    texts = ["and", "she", "had", "never"][:number]
    early = [word(900 + 150 * at, 900 + 150 * at + 140, text) for at, text in enumerate(texts)]
    end = early[-1].span.end
    words = [word(0, 400, "Ever."), *early, word(end + 10, end + 400, "stopped.")]
    voices = diarization_of((0, 500, "S2"), (890, end, "S1"), (end, 9000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", *["S2" if returned else "S1"] * number, "S2"]


@pytest.mark.parametrize(("length", "speaker"), [(1500, "S2"), (1501, "S1")])
def test_words_return_from_a_voice_as_brief_as_a_noise_alone(length: int, speaker: str) -> None:
    words = [word(0, 400, "Ever."), word(2300, 2490, "She"), word(2500, 2900, "stops.")]
    voices = diarization_of((0, 500, "S2"), (2495 - length, 2495, "S1"), (2495, 9000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", speaker, "S2"]


@pytest.mark.parametrize(("gap", "speaker"), [(199, "S2"), (200, "S1")])
def test_words_return_only_where_the_other_goes_on_in_one_breath(gap: int, speaker: str) -> None:
    words = [word(0, 400, "Ever."), word(1000, 1300, "She"), word(1300 + gap, 2000, "stops.")]
    voices = diarization_of((0, 500, "S2"), (1000, 1300, "S1"), (1300 + gap, 9000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", speaker, "S2"]


@pytest.mark.parametrize(
    ("text", "voice", "speaker"),
    [("Fine.", "S3", "S1"), ("Fine.", "S0", "S1"), ("Fine.", "S2", "S2"), ("Yeah.", "S3", "S2")],
)
def test_whether_a_false_start_returns_is_decided_by_the_word_directly_before(
    text: str, voice: str, speaker: str
) -> None:
    """A third voice's word before it makes "She" a sentence that S1 began; a backchannel or the other's does not."""
    words = [word(0, 400, "Ever."), word(900, 1300, text), word(2000, 2290, "She"), word(2300, 2900, "stops.")]
    voices = diarization_of((0, 500, "S2"), (800, 1400, voice), (1990, 2295, "S1"), (2295, 9000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", voice, speaker, "S2"]


def test_a_noise_of_two_words_is_judged_by_when_it_begins() -> None:
    """ "mm-hm yeah" begins at 200, before the question at 300 that it brackets: it answers nothing."""
    words = [word(0, 250, "hard", "S1"), word(200, 290, "mm-hm", "S2"), word(300, 390, "then?", "S1")]
    words += [word(310, 420, "yeah", "S2"), word(900, 1000, "Tell", "S1")]
    assert [turn.speaker for turn in turns(words)] == ["S1", "S2"]


@pytest.mark.parametrize(
    ("start", "end", "parts"), [(1020, 1120, True), (1000, 1150, True), (999, 1150, False), (1000, 1151, False)]
)
def test_a_word_within_the_others_pause_parts_it(start: int, end: int, parts: bool) -> None:
    words = [word(0, 1000, "so", "S1"), word(start, end, "wait", "S2"), word(1150, 2000, "then", "S1")]
    assert [turn.speaker for turn in turns(words)] == (["S1", "S2", "S1"] if parts else ["S1", "S2"])


def test_a_question_whose_last_word_begins_with_the_answer_is_answered() -> None:
    words = words_of(("S1", 0, "You did"), length=90, gap=10)
    words += [word(200, 300, "stop?", "S1"), word(200, 400, "Yeah.", "S2"), word(1000, 1200, "Tell", "S1")]
    assert lines(turns(words)) == [("S1", "You did stop?"), ("S2", "Yeah."), ("S1", "Tell")]


def test_a_false_start_takes_no_word_that_carries_its_speaker() -> None:
    words = [word(0, 400, "Ever."), word(900, 1000, "and"), word(1010, 1100, "she", "S1"), word(1110, 1900, "stops.")]
    voices = diarization_of((0, 500, "S2"), (890, 1105, "S1"), (1105, 9000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", "S1", "S1", "S2"]


@pytest.mark.parametrize(("hums", "says"), [("S1", "S2"), ("S2", "S1")])
def test_a_false_start_in_the_middle_of_a_sentence_returns(hums: str, says: str) -> None:
    words = [word(800, 1000, "and"), word(1010, 1100, "she"), word(1110, 1900, "stops.")]
    voices = diarization_of((0, 1005, says), (1005, 1105, hums), (1105, 9000, says))
    assert speakers(attribute(words, voices)) == [says] * 3


def test_no_word_goes_to_whoever_hums_next() -> None:
    words = [word(0, 400, "Ever."), word(1010, 1100, "she"), word(1110, 1900, "Mm-hm.")]
    voices = diarization_of((0, 500, "S2"), (1005, 1105, "S1"), (1105, 9000, "S2"))
    assert speakers(attribute(words, voices)) == ["S2", "S1", "S2"]


def test_a_word_that_no_voice_is_near_stays_unknown_and_takes_no_other_along() -> None:
    alone = [word(0, 400, "Ever.", "S2"), word(1010, 1100, "she"), word(1110, 1900, "stops.", "S2")]
    assert speakers(attribute(alone, diarization_of())) == ["S2", UNKNOWN, "S2"]
    around = [word(0, 100, "Ever."), word(1000, 1600, "she"), word(1650, 2000, "stops.")]
    assert speakers(attribute(around, diarization_of((900, 1050, "S1")))) == [UNKNOWN, "S1", UNKNOWN]


def test_a_word_that_carries_a_speaker_stays_whatever_it_is_called() -> None:
    words = [word(0, 300), word(350, 650, "never", "zoe"), word(700, 1000), word(1050, 2000)]
    assert speakers(attribute(words, diarization_of((0, 2000, "S1")))) == ["S1", "zoe", "S1", "S1"]
