"""How the time of a meeting goes."""

from __future__ import annotations

import pytest

from pipeline.review.meetings.agenda import LENGTHS, agenda


@pytest.mark.parametrize("minutes", LENGTHS)
def test_the_parts_fill_the_meeting_without_a_gap(minutes: int) -> None:
    parts = agenda(minutes)
    before = [sum(earlier.minutes for earlier in parts[:at]) for at in range(len(parts))]
    assert [part.begin for part in parts] == before
    assert parts[-1].begin + parts[-1].minutes == minutes


@pytest.mark.parametrize("minutes", LENGTHS)
def test_the_interviewer_speaks_before_the_observers(minutes: int) -> None:
    names = [part.name for part in agenda(minutes)]
    assert names.index("The tape") < names.index("The interviewer") < names.index("The observers")


def test_only_a_long_meeting_reads_something() -> None:
    assert [any("read" in part.name for part in agenda(minutes)) for minutes in LENGTHS] == [False, False, True]
