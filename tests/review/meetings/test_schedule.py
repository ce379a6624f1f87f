"""A meeting's steps by the clock, and the pages that they lead to."""

from __future__ import annotations

import pytest

from pipeline.review.meetings.meeting_time import moment
from pipeline.review.meetings.schedule import schedule, seconds_each
from pipeline.tapes.db.records import Meeting, Tape


def meeting(minutes: int = 90, tape_id: str | None = None) -> Meeting:
    return Meeting(group_id="g", at=moment("2026-01-13T18:00", "UTC"), minutes=minutes, tape_id=tape_id)


@pytest.mark.parametrize(
    ("minutes", "clocks"),
    [  # each the sum of the minutes before
        (60, ["18:00", "18:05", "18:25", "18:30", "18:45", "18:55"]),
        (90, ["18:00", "18:05", "18:30", "18:40", "19:00", "19:20"]),
        (120, ["18:00", "18:10", "18:35", "18:45", "19:10", "19:40", "19:50"]),
    ],
)
def test_each_step_has_the_time_that_the_clock_shows(minutes: int, clocks: list[str]) -> None:
    steps = schedule(meeting(minutes), "UTC")
    assert [step.clock for step in steps] == clocks
    assert [step.ends_at for step in steps[:-1]] == [step.begins_at for step in steps[1:]]


def pages(tape_id: str | None = None, tape: Tape | None = None, **given: bool) -> dict[str, list[str]]:
    steps = schedule(meeting(tape_id=tape_id), "UTC", tape, **given)
    return {step.item.name: [page for _, page in step.pages] for step in steps}


def test_steps_lead_to_pages_that_the_viewer_may_open() -> None:
    tape = Tape(id="t", group_id="g", interviewer_id="ada", created_at=0)
    assert pages()["The tape"] == ["#tape-heading"]
    assert pages("t")["The tape"] == []  # a tape that this viewer may not see
    assert pages("t", tape)["The observers"] == ["/tapes/t"]
    opened = pages("t", tape, is_open=True)
    assert opened["The tape"] == ["/tapes/t/coding", "/tapes/t/together"]
    assert opened["The interviewer"] == opened["The observers"] == ["/tapes/t/feedback"]
    assert opened["Practice"] == ["/practice/skills"]
    assert opened["Close"] == ["/tapes/t/summary", "#notes-heading", "/meetings#plan"]
    mine = pages("t", tape, is_open=True, is_mine=True)
    assert mine["The interviewer"] == ["/tapes/t/first", "/tapes/t/feedback"]
    assert mine["The observers"] == ["/tapes/t/feedback"]


def test_the_check_in_leaves_a_minute_for_the_thanks() -> None:
    assert seconds_each(5, 8) == 30  # 240 / 8
    assert seconds_each(5, 7) == 30  # 34.3
    assert seconds_each(10, 15) == 35  # 36
    assert seconds_each(5, 0) == 240
