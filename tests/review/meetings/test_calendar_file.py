"""Meetings as calendars read them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar

from pipeline.review.meetings.calendar_file import calendar_file
from pipeline.review.meetings.meeting_time import moment
from pipeline.tapes.db.records import Group, Meeting

BERLIN = "Europe/Berlin"


def test_a_meeting_comes_back_with_its_time_zone_over_the_change_of_clocks() -> None:
    group = Group(name="Tuesday; peers, all", created_at=0, time_zone=BERLIN)
    meeting = Meeting(
        id="a" * 16, group_id=group.id, at=moment("2026-03-29T01:30", BERLIN), minutes=90, location="Room 3, Town Hall"
    )
    answer = calendar_file(group, [meeting], "https://room.example.org")
    assert answer.headers["content-type"].startswith("text/calendar")
    text = bytes(answer.body).decode()
    assert "DTSTART;TZID=Europe/Berlin:20260329T013000" in text
    assert "BEGIN:VTIMEZONE" in text
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["DTSTART"].dt == datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo(BERLIN))
    assert event["DTEND"].dt.strftime("%H:%M %z") == "04:00 +0200"  # 90 minutes, and the hour that is skipped
    assert event["SUMMARY"] == "Tuesday; peers, all: peer meeting"
    assert event["LOCATION"] == "Room 3, Town Hall"
    assert event["URL"] == f"https://room.example.org/meetings/{meeting.id}"


def test_without_a_time_zone_times_are_utc_and_without_an_address_nothing_leads_here() -> None:
    group = Group(name="Peers", created_at=0)
    meeting = Meeting(
        group_id=group.id, at=moment("2026-03-29T01:30", "UTC"), minutes=60, location="https://call.example.org/x"
    )
    text = bytes(calendar_file(group, [meeting]).body).decode()
    assert "DTSTART:20260329T013000Z" in text
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["DESCRIPTION"] == "Video call: https://call.example.org/x"
    assert "URL" not in event


def test_a_calendar_without_meetings_is_one() -> None:
    group = Group(name="Peers", created_at=0, time_zone=BERLIN)
    calendar = Calendar.from_ical(bytes(calendar_file(group, []).body))
    assert (calendar["X-WR-CALNAME"], calendar.walk("VEVENT")) == ("Peers", [])
