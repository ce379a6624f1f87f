"""The clock that a group meets by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.review.meetings import meeting_time
from pipeline.review.meetings.meeting_time import NoSuchTimeError, clock_time, day_and_time, field_value, moment
from pipeline.tapes.clock import HOUR


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "zone", "there"),
    [
        ("2026-01-13T18:00", "Europe/Berlin", "2026-01-13T17:00"),  # one hour ahead in winter
        ("2026-07-14T18:00", "Europe/Berlin", "2026-07-14T16:00"),  # two in summer
        ("2026-07-14T18:00", "America/New_York", "2026-07-14T22:00"),
        ("2026-07-14T18:00", "Asia/Kolkata", "2026-07-14T12:30"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),  # it comes twice; the first is meant
    ],
)
def test_a_time_is_by_the_clock_of_the_group_and_comes_back_as_it_was_typed(text: str, zone: str, there: str) -> None:
    assert moment(text, zone) == utc(there)
    assert field_value(moment(text, zone), zone) == text


def test_a_meeting_over_the_change_of_clocks_shows_what_the_clock_shows() -> None:
    begin = moment("2026-03-29T01:30", "Europe/Berlin")
    assert clock_time(begin + HOUR, "Europe/Berlin") == "03:30"
    assert day_and_time(begin, "Europe/Berlin") == "March 29, 2026, 01:30"


def test_a_time_that_the_clocks_skip_is_refused_with_the_reason() -> None:
    with pytest.raises(NoSuchTimeError, match="skip 02:30"):
        moment("2026-03-29T02:30", "Europe/Berlin")
    assert moment("2026-03-29T02:30", "Asia/Tokyo")


@pytest.mark.parametrize("wrong", ["soon", "", "9999-12-31T23:59", "1960-01-01T18:00", "2026-01-13T18:00+05:00"])
def test_what_is_no_time_is_refused(wrong: str) -> None:
    with pytest.raises(NoSuchTimeError, match="Enter the day and time"):
        moment(wrong, "Europe/Berlin")


def test_places_can_be_chosen_and_abbreviations_cannot() -> None:
    zones = meeting_time.time_zones()
    assert {"Europe/Berlin", "America/New_York", "Australia/Sydney"} <= set(zones)
    assert not {"EST", "Etc/GMT+5", "UTC"} & set(zones)
