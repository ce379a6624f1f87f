"""The steps of one meeting by the clock, each with the pages that it uses."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.review.meetings.agenda import AgendaItem, agenda
from pipeline.review.meetings.meeting_time import clock_time
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import Meeting, Tape

_WHOLE_SECONDS = 5  # to which the time of each person at the check-in is rounded down; chosen here


@dataclass(frozen=True)
class MeetingStep:
    """A step: when it begins and ends, in ms since 1970; what the clock then shows; and (text, address) of pages."""

    item: AgendaItem
    begins_at: int
    ends_at: int
    clock: str
    pages: tuple[tuple[str, str], ...]


def schedule(
    meeting: Meeting, zone: str, tape: Tape | None = None, is_open: bool = False, is_mine: bool = False
) -> list[MeetingStep]:
    """The steps of a meeting.

    Parameters
    ----------
    zone: the group's time zone.
    tape: the one that the group listens to, if the viewer may see it.
    is_open: whether the viewer may see its codes and measures. is_mine: whether the viewer is its interviewer.
    """
    steps = []
    for item in agenda(meeting.minutes):
        begins_at = meeting.at + item.begin * MINUTE
        pages = _pages(item.uses, meeting, tape, is_open, is_mine)
        steps.append(
            MeetingStep(item, begins_at, begins_at + item.minutes * MINUTE, clock_time(begins_at, zone), pages)
        )
    return steps


def seconds_each(minutes: int, count: int) -> int:
    """How long each of some people may speak at a check-in of so many minutes, one of which is for the thanks."""
    return (minutes - 1) * 60 // max(count, 1) // _WHOLE_SECONDS * _WHOLE_SECONDS


def _pages(uses: str, meeting: Meeting, tape: Tape | None, is_open: bool, is_mine: bool) -> tuple[tuple[str, str], ...]:
    if uses == "practice":
        return (("Skill practice", "/practice/skills"),)
    if uses == "notes":
        summary = (("The tape's summary", f"/tapes/{tape.id}/summary"),) if tape and is_open else ()
        return (*summary, ("Notes", "#notes-heading"), ("Plan the next meeting", "/meetings#plan"))
    if uses not in ("tape", "interviewer", "feedback"):
        return ()
    if tape is None:
        return () if meeting.tape_id else (("Choose the tape", "#tape-heading"),)
    page = f"/tapes/{tape.id}"
    if not is_open:
        return (("The tape", page),)
    if uses == "tape":
        return (("Code the tape", f"{page}/coding"), ("Listen together", f"{page}/together"))
    answers = (("Your own answers", f"{page}/first"),) if is_mine and uses == "interviewer" else ()
    return (*answers, ("Feedback", f"{page}/feedback"))
