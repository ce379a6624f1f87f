"""Meetings as an iCalendar file (RFC 5545), for a calendar to take in.

It holds when and where a group meets, and nothing of any tape: no title, pseudonym or target behavior. Times stand by
the group's clock, with its time zone described; UTC where the group has chosen none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fastapi.responses import Response
from icalendar import Calendar, Event

from pipeline.review.meetings import location
from pipeline.review.meetings.meeting_time import local
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import Group, Meeting

_REFRESH = timedelta(hours=4)  # how often a calendar reads a feed anew; chosen here: plans change by the day
_YEAR = timedelta(days=366)  # how far around the meetings a time zone's changes are described


def calendar_file(group: Group, meetings: Sequence[Meeting], address: str = "") -> Response:
    """An answer that holds some meetings of a group.

    Parameters
    ----------
    address: of this room, for links to the meetings' pages; "" where others do not get to it.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Tape Review//Meetings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", group.name)
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT4H")  # the same for calendars older than RFC 7986
    for meeting in meetings:
        calendar.add_component(_event(group, meeting, address))
    if group.time_zone and meetings:
        times = [local(meeting.at, group.time_zone) for meeting in meetings]
        calendar.add_missing_timezones((min(times) - _YEAR).date(), (max(times) + _YEAR).date())
    headers = {"Content-Disposition": 'attachment; filename="meetings.ics"', "Cache-Control": "private, no-store"}
    return Response(calendar.to_ical(), media_type="text/calendar; charset=utf-8", headers=headers)


def _event(group: Group, meeting: Meeting, address: str) -> Event:
    event, zone = Event(), group.time_zone or "UTC"
    changed = datetime.fromtimestamp(meeting.changed_at // 1000, UTC)
    event.add("uid", f"{meeting.id}@tape-review")
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", meeting.sequence)
    event.add("status", "CONFIRMED")
    event.add("dtstart", local(meeting.at, zone))
    event.add("dtend", local(meeting.at + meeting.minutes * MINUTE, zone))
    event.add("summary", f"{group.name}: peer meeting")
    lines = []
    if meeting.location:
        event.add("location", meeting.location)
    if location.link(meeting.location):
        lines.append(f"Video call: {meeting.location}")
    if address:
        page = f"{address}/meetings/{meeting.id}"
        event.add("url", page)
        lines.append(f"Agenda and roles: {page}")
    if lines:
        event.add("description", "\n".join(lines))
    return event
