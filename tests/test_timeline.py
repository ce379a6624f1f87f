"""Spans, words, turns and utterances."""

from __future__ import annotations

import doctest
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import timeline
from pipeline.timeline import UNKNOWN, Span, Turn, Utterance, Word, clock, merge, to_ms, to_seconds, typed

SPANS = st.tuples(st.integers(-5000, 5000), st.integers(0, 5000)).map(lambda pair: Span(pair[0], sum(pair)))


def word(start: int, end: int, text: str = "so") -> Word:
    return Word(Span(start, end), text, 0.5, "S1")


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(timeline).failed == 0


# seconds


@pytest.mark.parametrize(
    ("seconds", "ms"),
    [(0.0, 0), (1.5, 1500), (0.0004, 0), (0.0006, 1), (0.0005, 0), (0.0015, 2), (-1.25, -1250), (1200.0, 1_200_000)],
)
def test_seconds_round_to_milliseconds(seconds: float, ms: int) -> None:
    assert to_ms(seconds) == ms
    assert isinstance(to_ms(seconds), int)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.000"),
        (5, "0.005"),
        (999, "0.999"),
        (1000, "1.000"),
        (61_234, "61.234"),
        (-1, "-0.001"),
        (-1500, "-1.500"),
    ],
)
def test_milliseconds_are_written_with_three_decimals(ms: int, text: str) -> None:
    assert to_seconds(ms) == text


@given(st.integers(-(10**10), 10**10))
def test_what_is_written_reads_back_as_it_was(ms: int) -> None:
    assert to_ms(float(to_seconds(ms))) == ms


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_there_is_no_time_that_is_no_number(seconds: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        to_ms(seconds)


# spans


def test_a_span_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match=r"span ends \(4\) before it starts \(5\)"):
        Span(5, 4)


def test_a_span_may_be_empty() -> None:
    assert Span(5, 5).duration == 0


def test_a_span_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        Span(0, 1).start = 1  # type: ignore[misc]


def test_spans_are_ordered_by_start_and_then_by_end() -> None:
    assert sorted([Span(2, 3), Span(1, 9), Span(1, 4)]) == [Span(1, 4), Span(1, 9), Span(2, 3)]


def test_duration_and_middle() -> None:
    assert Span(100, 350).duration == 250
    assert Span(100, 351).middle == 225


@pytest.mark.parametrize(
    ("first", "other", "shared", "overlap", "gap"),
    [
        (Span(0, 400), Span(250, 900), Span(250, 400), 150, 0),
        (Span(0, 400), Span(400, 900), None, 0, 0),
        (Span(0, 400), Span(700, 900), None, 0, 300),
        (Span(0, 900), Span(200, 300), Span(200, 300), 100, 0),
        (Span(0, 900), Span(300, 300), None, 0, 0),
        (Span(0, 0), Span(500, 500), None, 0, 500),
    ],
)
def test_two_spans(first: Span, other: Span, shared: Span | None, overlap: int, gap: int) -> None:
    for left, right in ((first, other), (other, first)):
        assert left & right == shared
        assert left.overlap(right) == overlap
        assert left.gap(right) == gap


def test_a_union_holds_what_lies_between() -> None:
    assert Span(0, 100) | Span(400, 900) == Span(0, 900)


def test_a_span_holds_its_start_and_not_its_end() -> None:
    assert 0 in Span(0, 400)
    assert 399 in Span(0, 400)
    assert 400 not in Span(0, 400)
    assert -1 not in Span(0, 400)
    assert 5 not in Span(5, 5)


def test_a_span_holds_spans() -> None:
    assert Span(0, 400) in Span(0, 400)
    assert Span(100, 200) in Span(0, 400)
    assert Span(100, 401) not in Span(0, 400)
    assert Span(-1, 100) not in Span(0, 400)


def test_shifting_keeps_the_duration() -> None:
    assert Span(100, 300).shift(-150) == Span(-50, 150)


@given(SPANS, SPANS)
def test_overlap_and_gap_exclude_each_other(first: Span, other: Span) -> None:
    shared = first & other
    assert first.overlap(other) == (shared.duration if shared else 0)
    assert first.overlap(other) == 0 or first.gap(other) == 0
    assert first in (first | other)
    assert other in (first | other)
    if shared:
        assert shared in first
        assert shared in other


@given(SPANS, SPANS, st.integers(-5000, 5000))
def test_measures_do_not_depend_on_the_clock(first: Span, other: Span, by: int) -> None:
    assert first.shift(by).overlap(other.shift(by)) == first.overlap(other)
    assert first.shift(by).gap(other.shift(by)) == first.gap(other)


# words, turns, utterances


def test_a_word_is_unknown_until_somebody_said_it() -> None:
    unclaimed = Word(Span(0, 300), "so", 0.5)
    assert unclaimed.speaker == UNKNOWN == "unknown"
    assert unclaimed.by("S2") == Word(Span(0, 300), "so", 0.5, "S2")
    assert unclaimed.speaker == UNKNOWN


@pytest.mark.parametrize(
    "unit",
    [
        Turn("S1", (word(0, 300, "So"), word(350, 500, "it"))),
        Utterance(0, "S1", "client", (word(0, 300, "So"), word(350, 500, "it"))),
    ],
)
def test_turns_and_utterances_read_as_their_words(unit: Turn | Utterance) -> None:
    assert unit.text == "So it"
    assert unit.span == Span(0, 500)


def test_a_word_that_outlasts_the_next_still_counts() -> None:
    words = (word(0, 900), word(350, 500))
    assert Turn("S1", words).span == Span(0, 900)
    assert Utterance(3, "S1", "unknown", words).span == Span(0, 900)


def test_turns_and_utterances_are_never_empty() -> None:
    with pytest.raises(ValueError, match="a turn holds at least one word"):
        Turn("S1", ())
    with pytest.raises(ValueError, match="an utterance holds at least one word"):
        Utterance(0, "S1", "client", ())


def test_nothing_on_the_timeline_changes() -> None:
    turn = Turn("S1", (word(0, 300),))
    with pytest.raises(FrozenInstanceError):
        turn.speaker = "S2"  # type: ignore[misc]
    assert hash(turn) == hash(Turn("S1", (word(0, 300),)))


def test_clock_writes_hours_only_when_there_are_any() -> None:
    assert [clock(0), clock(65_999), clock(3_725_000)] == ["0:00", "1:05", "1:02:05"]


def test_a_time_is_read_as_it_is_written() -> None:
    assert [typed(clock(ms)) for ms in (0, 65_000, 3_725_000)] == [0, 65_000, 3_725_000]
    assert [typed(text) for text in ("90", " 2:30 ", "0:01:30.5", "2:75", "a", "")] == [
        90_000,
        150_000,
        90_500,
        *3 * [None],
    ]


def test_spans_closer_than_the_gap_become_one() -> None:
    spans = [Span(0, 400), Span(499, 600), Span(700, 900)]
    assert merge(spans, 100) == [Span(0, 600), Span(700, 900)]
    assert merge(spans, 99) == spans
    assert merge([], 100) == []


def test_a_span_within_another_leaves_it_as_long_as_it_is() -> None:
    assert merge([Span(0, 900), Span(100, 200), Span(900, 950), Span(951, 960)], 1) == [Span(0, 950), Span(951, 960)]
