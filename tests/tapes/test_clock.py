"""A day lasts as long as it lasts where the tapes are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from pipeline.review import templating
from pipeline.tapes.clock import at_end_of, day_of, over_here, today
from pipeline.tapes.consent import consent, consent_form
from pipeline.tapes.home import Home
from pipeline.tapes.retention import retention
from tests.tapes.group import make_tape, sample_group

LAST = date(2025, 12, 24)
PLACES = [("UTC", 0), ("Pacific/Auckland", 13), ("America/Los_Angeles", -8), ("Pacific/Kiritimati", 14)]


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def allowed(**changes: str) -> consent_form.Terms:
    values = {
        "uses": ["group_review"],
        "groups": ["Thursday group"],
        "destroy_by": str(LAST),
        "method": "deleted",
        "signed_on": "2025-10-01",
        "signed_form": "electronic",
        "pseudonym": "Robin",
    }
    return consent_form.check({**values, **changes})


@pytest.mark.parametrize(("name", "hours"), PLACES)
def test_the_last_day_ends_when_it_ends_here(home: Home, zone: Callable[[str], None], name: str, hours: int) -> None:
    zone(name)
    here = timezone(timedelta(hours=hours))
    begun, midnight = ms(datetime(2025, 12, 1, tzinfo=here)), ms(datetime(2025, 12, 25, tzinfo=here))
    with home.database.writing() as session:
        sample = sample_group(session, begun)
        tape = make_tape(session, sample, begun)
        given = consent_form.give(session, tape, allowed(), begun, None)
        assert templating.date(given.destroy_by) == "December 24, 2025"
    with home.database.reading() as session:
        for now, kept in ((midnight - 1, True), (midnight, False)):
            assert consent.allows(session, sample.interviewer, "show", tape, now).allowed == kept
            assert retention.due(session, now) == ([] if kept else [retention.Due(tape.id, "due", midnight - 1)])
            assert [warned.tape_id for warned in retention.warnings(session, now)] == ([tape.id] if kept else [])


@pytest.mark.parametrize(("name", "hours"), PLACES)
def test_a_client_can_sign_today_and_the_tape_be_kept_today(
    home: Home, zone: Callable[[str], None], name: str, hours: int
) -> None:
    zone(name)
    here = timezone(timedelta(hours=hours))
    with home.database.writing() as session:
        begun = ms(datetime(2025, 12, 1, tzinfo=here))
        tape = make_tape(session, sample_group(session, begun), begun)
        for hour in (0, 8, 23):
            now = ms(datetime(2025, 12, 24, hour, 30, tzinfo=here))
            assert today(now) == LAST
            consent_form.give(session, tape, allowed(signed_on=str(today(now))), now, None)


def test_a_morning_that_has_begun_elsewhere_counts_on_a_machine_in_utc(home: Home) -> None:
    now = ms(datetime(2025, 12, 23, 20, tzinfo=UTC))  # 9 o'clock on the 24th in Auckland
    with home.database.writing() as session:
        tape = make_tape(session, sample_group(session, now), now)
        consent_form.give(session, tape, allowed(signed_on="2025-12-24"), now, None)


@pytest.mark.parametrize("day", [date(2025, 10, 5), date(2025, 4, 5), date(9999, 12, 31), date(1, 1, 1)])
@pytest.mark.parametrize("name", ["UTC", "America/Santiago", "Africa/Cairo", "Pacific/Auckland"])
def test_every_day_comes_back_and_has_an_end(zone: Callable[[str], None], name: str, day: date) -> None:
    zone(name)
    assert day_of(at_end_of(day)) == day
    assert abs(over_here(at_end_of(day)) - at_end_of(day)) <= 15 * 3_600_000
