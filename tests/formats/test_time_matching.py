from dataclasses import replace

import pytest

from pipeline.errors import FormatError
from pipeline.formats import registry, time_matching
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Role, Span, Word


def unit(start: int, end: int, role: Role = "unknown", *codes: str) -> CodedUtterance:
    return CodedUtterance("", Span(start, end), role, role, "", tuple(Mark(code) for code in codes))


TAPE = ordered_transcript(
    "walk",
    [
        unit(0, 1000, "interviewer", "machine's"),
        unit(1000, 3000, "client"),
        unit(2500, 2700, "interviewer"),
        unit(3500, 5000, "client"),
        unit(9000, 9500, "client"),
    ],
)


def codes(*units: CodedUtterance) -> list[list[str]]:
    matched = time_matching.match(TAPE, ordered_transcript("c", units), "ana", "coach").transcript
    return [[mark.code for mark in utterance.given if mark.coder] for utterance in matched.utterances]


def test_a_stretch_goes_where_it_shares_most() -> None:
    assert codes(unit(900, 2900, "unknown", "x")) == [[], ["x"], [], [], []]
    assert codes(unit(2500, 2700, "unknown", "x")) == [[], [], ["x"], [], []]  # 200 ms of both: the shorter
    assert codes(unit(2500, 2700, "interviewer", "x")) == [[], [], ["x"], [], []]
    assert codes(unit(2600, 4300, "client", "x")) == [[], [], [], ["x"], []]


def test_a_stretch_that_shares_less_than_half_goes_nowhere() -> None:
    matched = time_matching.match(
        TAPE, ordered_transcript("c", [unit(4700, 5400, "client", "x"), unit(3600, 4000, "client", "y")])
    )
    assert [utterance.span for utterance in matched.lost] == [Span(4700, 5400)]
    assert matched.number == 1


def test_a_moment_goes_to_what_holds_it_or_to_what_just_ended() -> None:
    assert codes(unit(1000, 1000, "unknown", "x")) == [[], ["x"], [], [], []]
    assert codes(unit(1000, 1000, "interviewer", "x")) == [["x"], [], [], [], []]
    assert codes(unit(2600, 2600, "unknown", "x")) == [[], [], ["x"], [], []]  # the later of two that hold it
    assert codes(unit(3200, 3200, "unknown", "x")) == [[], ["x"], [], [], []]
    assert codes(unit(6999, 6999, "unknown", "x")) == [[], [], [], ["x"], []]


def test_a_moment_too_late_or_too_early_goes_nowhere() -> None:
    for time in (7000, 8999, 11_500):
        assert len(time_matching.match(TAPE, ordered_transcript("c", [unit(time, time, "unknown", "x")])).lost) == 1


def test_codes_are_signed_once_and_silence_between_them_is_heard() -> None:
    foreign = ordered_transcript(
        "c", [unit(100, 200, "unknown", "x"), unit(300, 900, "unknown", "x", "y"), unit(4000, 4500, "client", "z")]
    )
    matched = time_matching.match(TAPE, foreign, "ana", "coach").transcript
    assert [utterance.marks for utterance in matched.utterances] == [
        (Mark("machine's"), Mark("x", "ana", "coach"), Mark("y", "ana", "coach")),
        (Mark("", "ana", "coach"),),
        (Mark("", "ana", "coach"),),
        (Mark("z", "ana", "coach"),),
        (),
    ]


def test_units_without_codes_are_no_codes() -> None:
    matched = time_matching.match(TAPE, ordered_transcript("c", [unit(0, 1000)]))
    assert (matched.number, matched.lost) == (0, ())
    assert matched.transcript == TAPE


def test_more_coders_than_a_group_has_are_refused() -> None:
    crowd = tuple(Mark("x", f"coder {number}") for number in range(201))
    with pytest.raises(FormatError, match="TR-F02 .*more than 200 coders"):
        time_matching.match(TAPE, ordered_transcript("c", [CodedUtterance("", Span(0, 1000), marks=crowd)]))


def test_many_units_take_a_moment() -> None:
    tape = ordered_transcript("t", [unit(n * 1000, n * 1000 + 900, "client") for n in range(3000)])
    foreign = ordered_transcript("c", [unit(n * 1000, n * 1000 + 900, "client", "x") for n in range(3000)])
    matched = time_matching.match(tape, foreign)
    assert matched.number == 3000
    assert isinstance(matched.transcript, CodedTranscript)


CUT = replace(TAPE, zero=30_000)
"""The same tape, cut from half a minute on."""


def at(*spans: tuple[int, int], zero: int | None = None) -> CodedTranscript:
    return ordered_transcript(
        "c", [unit(*span, "client", f"x{number}") for number, span in enumerate(spans)], zero=zero
    )


def spans(shifted: time_matching.ShiftedTranscript) -> list[tuple[int, int]]:
    return [(utterance.span.start, utterance.span.end) for utterance in shifted.transcript.utterances]


def test_codes_of_the_whole_recording_are_brought_to_a_tape_that_was_cut() -> None:
    shifted = time_matching.to_tape_zero(CUT, at((31_000, 33_000), (33_500, 35_000), zero=0), "coach.eaf")
    assert (spans(shifted), shifted.moved, shifted.assumed) == ([(1000, 3000), (3500, 5000)], -30_000, False)
    shifted = time_matching.to_tape_zero(CUT, at((500, 1000), zero=31_500), "coach.eaf")
    assert (spans(shifted), shifted.moved) == ([(2000, 2500)], 1500)


def test_words_move_with_their_utterance() -> None:
    utterance = unit(31_000, 33_000, "client", "x")
    spoken = replace(utterance, words=(Word(Span(31_000, 31_200), "so", 1.0),))
    (moved,) = time_matching.to_tape_zero(CUT, ordered_transcript("c", [spoken], zero=0), "c").transcript.utterances
    assert moved.words == (Word(Span(1000, 1200), "so", 1.0),)


@pytest.mark.parametrize(
    ("zero", "moved"), [("recording", -30_000), ("segment", 0), (0, -30_000), (30_000, 0), (29_000, -1000)]
)
def test_what_somebody_says_by_hand_holds(zero: time_matching.TimeOrigin, moved: int) -> None:
    for expected in (None, 0, 5000):
        shifted = time_matching.to_tape_zero(CUT, at((31_000, 33_000), zero=expected), "coach.eaf", zero)
        assert (spans(shifted), shifted.moved) == ([(31_000 + moved, 33_000 + moved)], moved)


def test_a_file_that_does_not_say_is_believed_where_it_fits() -> None:
    shifted = time_matching.to_tape_zero(CUT, at((1000, 3000), (3500, 5000)), "coach.eaf")
    assert (spans(shifted), shifted.moved, shifted.assumed) == ([(1000, 3000), (3500, 5000)], 0, True)


@pytest.mark.parametrize(
    "foreign",
    [
        at((31_000, 33_000), (33_500, 35_000)),  # beyond the tape's end
        at((1000, 3000), (33_500, 35_000)),  # one of them
        at((9000, 9500), (39_000, 39_500), (60_000, 61_000)),
    ],
)
def test_a_file_that_does_not_say_and_does_not_fit_is_refused_with_the_offset(foreign: CodedTranscript) -> None:
    with pytest.raises(FormatError, match=r"TR-F12 file coach.eaf .* 30.000 s .*--zero recording, or --zero segment"):
        time_matching.to_tape_zero(CUT, foreign, "coach.eaf")


def test_a_file_that_would_fit_better_from_the_start_of_the_recording_is_refused() -> None:
    """Both zeros put the codes within the tape, but only one of them puts the codes on utterances."""
    cut = replace(TAPE, zero=1500)
    time_matching.to_tape_zero(cut, at((1000, 3000), (3500, 5000)), "coach.eaf")
    with pytest.raises(FormatError, match=r"TR-F12 .* 1.500 s"):
        time_matching.to_tape_zero(cut, at((2500, 4500), (5000, 6500)), "coach.eaf")


def test_of_a_whole_recording_nothing_needs_to_be_said() -> None:
    for tape in (TAPE, replace(TAPE, zero=0)):
        shifted = time_matching.to_tape_zero(tape, at((1000, 3000), (60_000, 61_000)), "coach.eaf")
        assert (spans(shifted), shifted.moved) == ([(1000, 3000), (60_000, 61_000)], 0)


def test_a_tape_that_does_not_say_takes_only_what_fits() -> None:
    assert time_matching.to_tape_zero(TAPE, at((1000, 3000), zero=30_000), "coach.eaf").moved == 0
    with pytest.raises(FormatError, match=r"TR-F12 tape walk .*coach.eaf count from 30.000 s .*provenance.json"):
        time_matching.to_tape_zero(TAPE, at((31_000, 33_000), zero=30_000), "coach.eaf")
    with pytest.raises(FormatError, match="TR-F12 tape walk"):
        time_matching.to_tape_zero(TAPE, at((1000, 3000)), "coach.eaf", "recording")


def test_who_coded_before_and_after_the_tape_heard_all_of_it() -> None:
    """The coach coded the whole recording: the tape's first and last utterances were left without a code."""
    whole = at((-5000, -4000), (3500, 5000), (12_000, 13_000))
    matched = time_matching.match(TAPE, whole, "ana", "coach").transcript
    assert [utterance.marks[-1:] for utterance in matched.utterances] == [
        (Mark("", "ana", "coach"),),
        (Mark("", "ana", "coach"),),
        (Mark("", "ana", "coach"),),
        (Mark("x1", "ana", "coach"),),
        (Mark("", "ana", "coach"),),
    ]


@pytest.mark.parametrize("name", ["elan", "textgrid", "chat", "cacti", "csv", "label-studio", "refi-qda", "webvtt"])
def test_a_tape_without_times_gets_its_codes_by_what_is_said(name: str) -> None:
    """A tape that was coded from its text alone could go to a coach in no program, nor come back from one."""
    talk: list[tuple[Role, str]] = [
        ("client", "I walk."),
        ("interviewer", "Mm-hm."),
        ("client", "Daily."),
        ("interviewer", "Mm-hm."),
        ("client", "Well."),
    ]
    tape = ordered_transcript("walk", [CodedUtterance("", Span(0, 0), role, role, text) for role, text in talk])
    given = {1: "FA", 4: "C"}
    coded = [
        replace(each, marks=(Mark(given[n], "ana"),) if n in given else ()) for n, each in enumerate(tape.utterances)
    ]
    format_ = registry.format_named(name)
    back = format_.read(Source(f"walk{format_.ending}", format_.write(replace(tape, utterances=tuple(coded)))))
    matched = time_matching.match(tape, time_matching.to_tape_zero(tape, back, "walk").transcript, "ana", "coach")
    # In CACTI, what got no code is not there, so that the first "Mm-hm." is the one.
    assert [[mark.code for mark in each.marks] for each in matched.transcript.utterances] == [
        [],
        ["FA"],
        [""],
        [""],
        ["C"],
    ]
    assert not matched.lost
