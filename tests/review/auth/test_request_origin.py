"""Where a request comes from: an address as far as it tells senders apart, and a device that is known again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.review.auth import request_origin
from pipeline.review.auth.request_origin import KEPT, Origin, told_apart
from pipeline.tapes.db.records import KnownPlace
from tests.review.conftest import PASSWORD, Room


@pytest.mark.parametrize(
    ("host", "sender"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_address_counts_as_far_as_it_tells_senders_apart(host: str, sender: str) -> None:
    assert told_apart(host) == sender


def known(room: Room, origin: Origin, account: str = "ada@example.org") -> tuple[bool, bool]:
    now = room.clock()
    with room.home.database.reading() as database:
        return (
            request_origin.knows_device(database, account, origin, now),
            request_origin.knows_address(database, account, origin, now),
        )


def test_who_signed_in_is_no_stranger_there_for_half_a_year_and_others_are(room: Room) -> None:
    room.person("Ada")
    browser = room.browser()
    browser.post("/login", {"email": "ada@example.org", "password": PASSWORD}, page="/login")
    device = browser.client.cookies["tape_review_device"]
    here = Origin("testclient", device)
    assert known(room, here) == (True, True)
    assert known(room, Origin("testclient", "")) == (False, True)
    assert known(room, Origin("192.0.2.9", device)) == (True, False)
    assert known(room, here, "ben@example.org") == (False, False)
    room.clock.advance(KEPT)
    assert known(room, here) == (False, False)


def test_places_are_kept_as_hashes_and_forgotten_with_the_password(room: Room) -> None:
    ada = room.person("Ada")
    browser = room.browser()
    browser.post("/login", {"email": "ada@example.org", "password": PASSWORD}, page="/login")
    with room.home.database.writing() as database:
        keys = database.scalars(select(KnownPlace.key_hash)).all()
        assert len(keys) == 2
        assert not any("testclient" in key or "ada" in key for key in keys)
        request_origin.forget(database, ada)
        assert database.scalars(select(KnownPlace)).all() == []
