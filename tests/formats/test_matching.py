import pytest

from pipeline.errors import FormatError
from pipeline.formats import matching
from pipeline.formats.coded import CodedTranscript, CodedUtterance, Mark, transcript
from pipeline.timeline import Role, Span


def unit(start: int, end: int, role: Role = "unknown", *codes: str) -> CodedUtterance:
    return CodedUtterance("", Span(start, end), role, role, "", tuple(Mark(code) for code in codes))


TAPE = transcript(
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
    found = matching.onto(TAPE, transcript("c", units), "ana", "coach").transcript
    return [[mark.code for mark in one.given if mark.coder] for one in found.utterances]


def test_a_stretch_goes_where_it_shares_most() -> None:
    assert codes(unit(900, 2900, "unknown", "x")) == [[], ["x"], [], [], []]
    assert codes(unit(2500, 2700, "unknown", "x")) == [[], [], ["x"], [], []]  # 200 ms of both: the shorter
    assert codes(unit(2500, 2700, "interviewer", "x")) == [[], [], ["x"], [], []]
    assert codes(unit(2600, 4300, "client", "x")) == [[], [], [], ["x"], []]


def test_a_stretch_that_shares_less_than_half_goes_nowhere() -> None:
    found = matching.onto(TAPE, transcript("c", [unit(4700, 5400, "client", "x"), unit(3600, 4000, "client", "y")]))
    assert [one.span for one in found.lost] == [Span(4700, 5400)]
    assert found.number == 1


def test_a_moment_goes_to_what_holds_it_or_to_what_just_ended() -> None:
    assert codes(unit(1000, 1000, "unknown", "x")) == [[], ["x"], [], [], []]
    assert codes(unit(1000, 1000, "interviewer", "x")) == [["x"], [], [], [], []]
    assert codes(unit(2600, 2600, "unknown", "x")) == [[], [], ["x"], [], []]  # the later of two that hold it
    assert codes(unit(3200, 3200, "unknown", "x")) == [[], ["x"], [], [], []]
    assert codes(unit(6999, 6999, "unknown", "x")) == [[], [], [], ["x"], []]


def test_a_moment_too_late_or_too_early_goes_nowhere() -> None:
    for time in (7000, 8999, 11_500):
        assert len(matching.onto(TAPE, transcript("c", [unit(time, time, "unknown", "x")])).lost) == 1


def test_codes_are_signed_once_and_silence_between_them_is_heard() -> None:
    foreign = transcript(
        "c", [unit(100, 200, "unknown", "x"), unit(300, 900, "unknown", "x", "y"), unit(4000, 4500, "client", "z")]
    )
    found = matching.onto(TAPE, foreign, "ana", "coach").transcript
    assert [one.marks for one in found.utterances] == [
        (Mark("machine's"), Mark("x", "ana", "coach"), Mark("y", "ana", "coach")),
        (Mark("", "ana", "coach"),),
        (Mark("", "ana", "coach"),),
        (Mark("z", "ana", "coach"),),
        (),
    ]


def test_units_without_codes_are_no_codes() -> None:
    found = matching.onto(TAPE, transcript("c", [unit(0, 1000)]))
    assert (found.number, found.lost) == (0, ())
    assert found.transcript == TAPE


def test_more_coders_than_a_group_has_are_refused() -> None:
    crowd = tuple(Mark("x", f"coder {number}") for number in range(201))
    with pytest.raises(FormatError, match="TR-F02 .*more than 200 coders"):
        matching.onto(TAPE, transcript("c", [CodedUtterance("", Span(0, 1000), marks=crowd)]))


def test_many_units_take_a_moment() -> None:
    tape = transcript("t", [unit(n * 1000, n * 1000 + 900, "client") for n in range(3000)])
    foreign = transcript("c", [unit(n * 1000, n * 1000 + 900, "client", "x") for n in range(3000)])
    found = matching.onto(tape, foreign)
    assert found.number == 3000
    assert isinstance(found.transcript, CodedTranscript)
