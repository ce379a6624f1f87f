"""A group's meetings at a secret address, for a calendar that cannot sign in."""

from __future__ import annotations

import re

import pytest
from icalendar import Calendar, Event

from pipeline.tapes import people
from pipeline.tapes.db.records import AuditRow, CalendarFeed, Group, Person
from tests.review.conftest import ADDRESS, Browser, Room
from tests.review.peers import Peers


def made(browser: Browser, group: str) -> str:
    """The path of a new feed, as the group's page shows it once."""
    page = browser.post(f"/groups/{group}/calendar").text
    link = re.search(r'id="calendar-link">([^<]+)<', page)
    assert link
    assert link[1].startswith(f"{ADDRESS}/calendar/")
    assert "calendar-link" not in browser.get(f"/groups/{group}").text
    return link[1].removeprefix(ADDRESS)


def events(browser: Browser, path: str) -> list[Event]:
    answer = browser.get(path)
    assert answer.status_code == 200
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def plan(browser: Browser, group: str, at: str) -> str:
    return str(browser.post("/meetings", {"group_id": group, "at": at}).headers["location"]).partition("?")[0]


def test_a_feed_follows_its_group_s_meetings_and_no_other_s(room: Room, peers: Peers) -> None:
    ada, calendar = room.signed_in(peers.ada), room.browser()
    elsewhere = room.group("Elsewhere")
    plan(room.signed_in(room.person("Zoe", elsewhere)), elsewhere, "2030-01-01T18:00")
    ada.post(f"/groups/{peers.group}/time-zone", {"time_zone": "Europe/Berlin"})
    path, feed = plan(ada, peers.group, "2030-01-08T18:00"), made(ada, peers.group)
    (event,) = events(calendar, feed)
    assert event["DTSTART"].dt.isoformat() == "2030-01-08T18:00:00+01:00"
    assert event["SEQUENCE"] == 0
    ada.post(f"{path}/when", {"at": "2030-07-09T19:30"})
    ada.post(f"{path}/where", {"location": "Town Hall"})
    (moved,) = events(calendar, feed)
    assert moved["UID"] == event["UID"]
    assert moved["DTSTART"].dt.isoformat() == "2030-07-09T19:30:00+02:00"
    assert (moved["SEQUENCE"], moved["LOCATION"]) == (2, "Town Hall")
    ada.post(f"{path}/cancel")
    assert events(calendar, feed) == []


def test_a_feed_says_nothing_of_a_tape(room: Room, peers: Peers) -> None:
    ada, calendar = room.signed_in(peers.ada), room.browser()
    path = plan(ada, peers.group, "2030-01-08T18:00")
    ada.post(f"{path}/tape", {"tape_id": peers.tape})
    ada.post(f"{path}/notes", {"notes": "She waited."})
    for address, browser in ((made(ada, peers.group), calendar), (f"{path}/meeting.ics", ada)):
        text = browser.get(address).text
        assert "BEGIN:VEVENT" in text
        assert not re.search(f"drinking|Robin|She waited|{peers.tape}", text)


def left(room: Room, peers: Peers) -> None:
    with room.home.database.writing() as database:
        group, ben = database.get_one(Group, peers.group), database.get_one(Person, peers.ben)
        people.leave(database, group, ben, room.clock())


def disabled(room: Room, peers: Peers) -> None:
    with room.home.database.writing() as database:
        people.disable(database, database.get_one(Person, peers.ben), room.clock())


def stopped(room: Room, peers: Peers) -> None:
    room.signed_in(peers.ben).post(f"/groups/{peers.group}/calendar/stop")


def replaced(room: Room, peers: Peers) -> None:
    made(room.signed_in(peers.ben), peers.group)


@pytest.mark.parametrize("deed", [left, disabled, stopped, replaced])
def test_a_feed_ends_with_what_it_hangs_on_and_no_one_else_s_does(room: Room, peers: Peers, deed: object) -> None:
    calendar = room.browser()
    ada, ben = (made(room.signed_in(person), peers.group) for person in (peers.ada, peers.ben))
    assert calendar.get(ben).status_code == 200
    assert callable(deed)
    deed(room, peers)
    assert calendar.get(ben).status_code == 404
    assert calendar.get(ada).status_code == 200


def test_the_address_lies_nowhere_and_others_get_nothing_by_guessing(room: Room, peers: Peers) -> None:
    feed = made(room.signed_in(peers.ada), peers.group)
    secret = feed.removeprefix("/calendar/").removesuffix(".ics")
    browser = room.browser()
    for wrong in ("x" * 43, "x", secret[:-1], secret.swapcase()):
        assert browser.get(f"/calendar/{wrong}.ics").status_code in (404, 422)
    assert browser.post(f"/groups/{peers.group}/calendar").status_code in (303, 401, 403)
    stranger = room.signed_in(room.person("Zoe", room.group("Elsewhere")))
    assert stranger.post(f"/groups/{peers.group}/calendar").status_code == 404
    with room.home.database.reading() as database:
        assert secret not in {feed.token_hash for feed in database.query(CalendarFeed)}
        assert not any(secret in f"{row.thing} {row.why}" for row in database.query(AuditRow))
