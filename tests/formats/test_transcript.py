"""The one shape of every format: order, ids, ends that are missing, and roles by name."""

from __future__ import annotations

import pytest

from pipeline.formats.transcript import (
    CodedUtterance,
    Mark,
    fill_times,
    ordered_transcript,
    role_named,
    split_codes,
    successive,
)
from pipeline.timeline import Span


def test_utterances_stand_in_order_of_start_and_no_id_is_there_twice() -> None:
    spoken = [
        CodedUtterance("b", Span(900, 1000), text="second"),
        CodedUtterance("b", Span(0, 900), text="first"),
        CodedUtterance("", Span(2000, 2100), text="third"),
    ]
    utterances = ordered_transcript("t", spoken).utterances
    assert [each.text for each in utterances] == ["first", "second", "third"]
    assert len({each.id for each in utterances}) == 3
    assert all(each.id for each in utterances)


def test_a_transcript_is_untimed_where_all_stands_at_zero() -> None:
    still = CodedUtterance("", Span(0, 0), text="x")
    assert ordered_transcript("t", [still, still]).is_untimed
    assert not ordered_transcript("t", [still, CodedUtterance("", Span(500, 600), text="y")]).is_untimed
    assert not ordered_transcript("t", []).is_untimed


def test_an_empty_code_says_that_it_was_heard_and_is_not_given() -> None:
    assert CodedUtterance("", Span(0, 1), marks=(Mark("", "ana"), Mark("change"))).given == (Mark("change"),)


@pytest.mark.parametrize(
    ("times", "spans"),
    [
        ([(0, 900), (1000, None), (2000, 3000)], [Span(0, 900), Span(1000, 2000), Span(2000, 3000)]),
        ([(None, None), (None, None)], [Span(0, 0), Span(0, 0)]),
        ([(500, None)], [Span(500, 500)]),
    ],
)
def test_an_end_that_is_missing_is_where_the_next_begins(
    times: list[tuple[int | None, int | None]], spans: list[Span]
) -> None:
    assert list(fill_times(times)) == spans


def test_what_starts_together_starts_a_millisecond_apart() -> None:
    assert [span.start for span in successive([Span(0, 900), Span(0, 500), Span(0, 1000)])] == [0, 1, 2]


@pytest.mark.parametrize(("name", "role"), [("Therapist", "interviewer"), ("PATIENT", "client"), ("Ann", "unknown")])
def test_a_role_is_known_by_its_word(name: str, role: str) -> None:
    assert role_named(name) == role


def test_codes_are_parted_by_bars_and_have_no_blanks() -> None:
    assert tuple(split_codes(" change | sustain ||")) == ("change", "sustain")
