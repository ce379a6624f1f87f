"""A coordinator invites into the own group, and gets nothing else by it."""

from __future__ import annotations

import re

import pytest

from pipeline.tapes.db.records import Person
from tests.review.conftest import PASSWORD, Browser, Room


class Peers:
    """A group with a coordinator and a member, and another group."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.group, self.other = room.group(), room.group("Elsewhere")
        self.ada = room.signed_in(room.person("Ada", self.group, role="coordinator"))
        self.ben = room.signed_in(room.person("Ben", self.group))

    def invite(self, email: str, group: str = "", browser: Browser | None = None):
        form = {"name": "Eve", "email": email}
        return (browser or self.ada).post(f"/groups/{group or self.group}/members", form)


def link(text: str) -> str:
    match = re.search(r"/invitation/[\w-]{43}", text)
    return match[0] if match else ""


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room)


def test_the_link_makes_a_member_of_the_group(room: Room, peers: Peers) -> None:
    assert "Invite someone to the group" in peers.ada.get(f"/groups/{peers.group}").text
    path = link(peers.invite("Eve@example.org").text)
    eve = room.browser()
    assert eve.post(path, {"password": PASSWORD, "again": PASSWORD}, page=path).headers["location"] == "/"
    page = eve.get(f"/groups/{peers.group}").text
    assert "Eve" in page
    assert "Invite someone" not in page
    assert eve.get(f"/groups/{peers.other}").status_code == 404
    again = peers.invite("eve@example.org")
    assert again.status_code == 422
    assert "in group" in again.text
    assert "TR-" not in peers.ada.get(f"/groups/{peers.group}").text
    assert peers.invite("no address").status_code == 422


def test_only_coordinators_and_only_into_their_own_group(room: Room, peers: Peers) -> None:
    assert "Invite someone" not in peers.ben.get(f"/groups/{peers.group}").text
    assert peers.invite("eve@example.org", browser=peers.ben).status_code == 404
    assert peers.invite("eve@example.org", group=peers.other).status_code == 404
    admin = room.signed_in(room.person("Root", is_admin=True))
    assert peers.invite("eve@example.org", browser=admin).status_code == 404
    for path in ("/people", "/program", f"/groups/{peers.group}/visit"):
        assert peers.ada.get(path).status_code == 404
    with room.home.database.reading() as database:
        assert not database.query(Person).filter(Person.name == "Eve").count()


def test_no_account_can_be_taken_over_by_inviting_it(room: Room, peers: Peers) -> None:
    """Neither one that is in use, nor one that somebody else invited, nor an administrator's."""
    room.person("Eve", peers.other)
    assert link(peers.invite("eve@example.org").text) == ""
    admin = room.signed_in(room.person("Root", is_admin=True))
    form = {"name": "Ida", "email": "ida@example.org", "group_id": peers.other, "role": "member"}
    assert link(admin.post("/people", form).text)
    answer = peers.invite("ida@example.org")
    assert answer.status_code == 200
    assert "Added." in answer.text
    assert link(answer.text) == ""
