"""A coordinator who invites an address gets no link to an account that opens more than the coordinator's own group."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select
from starlette.requests import Request

from pipeline.review.auth.invitations import invite, setup_link
from pipeline.review.auth.login import start
from pipeline.tapes import people
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Consent, Membership, Person, Tape
from tests.review.conftest import PASSWORD, Browser, Room


def link(text: str) -> str:
    match = re.search(r"/invitation/[\w-]{43}", text)
    return match[0] if match else ""


def chosen(browser: Browser, path: str):
    return browser.post(path, {"password": PASSWORD, "again": PASSWORD}, page="/login")


class Groups:
    """A group with a coordinator who attacks, another group, and an account that nobody has used yet."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.group, self.other = room.group("Mine"), room.group("Theirs")
        self.eve = room.person("Eve", self.group, role="coordinator")
        self.ada = room.person("Ada", self.other)
        self.tape = room.tape(self.other, self.ada)
        self.victim = self.account("Ida")

    def account(self, name: str, made_in: str | None = None) -> str:
        """An account as an administrator or a command makes it, or a group's coordinator."""
        with self.room.home.database.writing() as database:
            person = people.add(database, name, f"{name.lower()}@example.org", self.room.clock())
            person.made_in_group_id = made_in
        return person.id

    def change(self, what: Callable[[Person], None]) -> None:
        with self.room.home.database.writing() as database:
            what(database.get_one(Person, self.victim))

    def member(self, group: str, role: str = "member", left: bool = False) -> None:
        with self.room.home.database.writing() as database:
            now = self.room.clock()
            until = now - 1 if left else None
            database.add(
                Membership(group_id=group, person_id=self.victim, role=role, since=now - DAY, until=until)  # type: ignore[arg-type]
            )

    def named(self) -> None:
        with self.room.home.database.writing() as database:
            database.scalars(select(Consent)).one().person_ids = [self.victim]

    def interviewed(self) -> None:
        with self.room.home.database.writing() as database:
            database.get_one(Tape, self.tape).interviewer_id = self.victim

    def invited(self, email: str = "ida@example.org", by: str | None = None, group: str | None = None) -> str:
        browser = self.room.signed_in(by or self.eve)
        answer = browser.post(f"/groups/{group or self.group}/members", {"name": "X", "email": email})
        assert answer.status_code == 200
        return link(answer.text)


@pytest.fixture
def groups(room: Room) -> Groups:
    return Groups(room)


WAYS: dict[str, Callable[[Groups], None]] = {
    "made by an administrator": lambda groups: None,
    "named in a consent": lambda groups: groups.named(),
    "an interviewer": lambda groups: groups.interviewed(),
    "a member elsewhere": lambda groups: groups.member(groups.other),
    "once a member elsewhere": lambda groups: groups.member(groups.other, left=True),
    "once a coach here": lambda groups: groups.member(groups.group, "coach", left=True),
    "an administrator": lambda groups: groups.change(lambda person: setattr(person, "is_admin", True)),
    "disabled": lambda groups: groups.change(lambda person: setattr(person, "disabled_at", 1)),
    "used without a password": lambda groups: groups.change(lambda person: setattr(person, "first_signed_in_at", 1)),
    "with a password": lambda groups: groups.change(lambda person: setattr(person, "password_hash", "x")),
    "with an authenticator": lambda groups: groups.change(lambda person: setattr(person, "totp_secret", "x")),
    "made by another group's coordinator": lambda groups: groups.change(
        lambda person: setattr(person, "made_in_group_id", groups.other)
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_link_to_an_account_that_is_not_this_group_s_alone(groups: Groups, way: str) -> None:
    if not way.startswith("made by"):
        groups.change(lambda person: setattr(person, "made_in_group_id", groups.group))
    WAYS[way](groups)
    assert groups.invited() == ""


def test_a_link_to_an_account_that_a_coordinator_of_this_group_made_and_nobody_used(groups: Groups) -> None:
    first = groups.invited("new@example.org")
    assert first
    with groups.room.home.database.writing() as database:
        database.query(Membership).filter(Membership.person_id.not_in([groups.eve, groups.ada])).delete()
    second = groups.invited("new@example.org", by=groups.room.person("Dan", groups.group, role="coordinator"))
    assert second not in ("", first)
    assert groups.room.browser().get(first).status_code == 404
    assert chosen(groups.room.browser(), second).status_code == 303
    assert groups.room.browser().get(second).status_code == 404


@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("made by")])
def test_a_link_made_before_ends_when_the_account_comes_to_open_more(groups: Groups, way: str) -> None:
    path = groups.invited("new@example.org")
    with groups.room.home.database.reading() as database:
        groups.victim = database.scalars(select(Person.id).where(Person.email == "new@example.org")).one()
    assert groups.room.browser().get(path).status_code == 200
    WAYS[way](groups)
    assert groups.room.browser().get(path).status_code == 404
    assert chosen(groups.room.browser(), path).status_code == 404


def test_an_administrator_s_link_works_for_whom_a_consent_names(groups: Groups) -> None:
    groups.named()
    root = groups.room.signed_in(groups.room.person("Root", is_admin=True))
    path = link(root.post(f"/people/{groups.victim}/link").text)
    assert chosen(groups.room.browser(), path).status_code == 303


def test_the_first_sign_in_by_an_organization_ends_every_link(groups: Groups) -> None:
    path = groups.invited("new@example.org")
    room = groups.room

    with room.home.database.reading() as database:
        person = database.scalars(select(Person).where(Person.email == "new@example.org")).one()
    assert person.first_signed_in_at is None
    start(request_of(room), person, "/")
    with room.home.database.reading() as database:
        assert database.get_one(Person, person.id).first_signed_in_at == room.clock()
    assert room.browser().get(path).status_code == 404
    with room.home.database.writing() as database:
        database.query(Membership).filter(Membership.person_id == person.id).delete()
    assert groups.invited("new@example.org") == ""


def request_of(room: Room) -> Request:
    """A request to the room, as far as signing in reads it."""
    scope = {"type": "http", "app": room.app, "headers": [], "client": ("192.0.2.1", 1), "query_string": b""}
    route = APIRoute("/oidc/back", lambda: None)
    return Request(scope | {"method": "GET", "route": route})


def test_no_link_sets_the_room_up_while_its_administrator_comes_in_by_an_organization(room: Room) -> None:
    with room.home.database.writing() as database:
        root = people.add(database, "Root", "root@example.org", room.clock(), is_admin=True)
    assert setup_link(room.home, room.clock())
    with room.home.database.writing() as database:
        database.get_one(Person, root.id).first_signed_in_at = room.clock()
    assert setup_link(room.home, room.clock()) is None


def test_closing_an_account_ends_its_links(groups: Groups) -> None:
    with groups.room.home.database.writing() as database:
        path = invite(database, groups.room.clock(), "join", groups.victim)
    root = groups.room.signed_in(groups.room.person("Root", is_admin=True))
    for _ in range(2):
        assert root.post(f"/people/{groups.victim}/disable").status_code == 303
    assert groups.room.browser().get(path).status_code == 404
