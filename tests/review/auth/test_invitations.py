"""Links that work once: to set up, to come in, to choose a new password."""

from __future__ import annotations

import re

from pipeline.review.auth import invitations
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.db.records import Membership, Person
from tests.review.auth.test_login import login
from tests.review.conftest import PASSWORD, Room


def test_a_setup_link_works_once_and_not_after_an_hour(room: Room) -> None:
    late = invitations.setup_link(room.home, room.clock())
    assert late
    room.clock.advance(HOUR)
    assert room.browser().get(late).status_code == 404
    path = invitations.setup_link(room.home, room.clock())
    assert path
    browser = room.browser()
    form = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "again": PASSWORD, "group": "Peers"}
    assert "The two passwords are not the same." in browser.post(path, form | {"again": "x"}, page=path).text
    assert browser.post(path, form, page=path).headers["location"].startswith("/login/enroll")
    assert room.browser().get(path).status_code == 404
    assert room.browser().post(path, form).status_code == 404
    assert invitations.setup_link(room.home, room.clock()) is None


def test_an_administrator_invites_and_the_link_works_once(room: Room) -> None:
    group = room.group()
    admin = room.signed_in(room.person("Ada", is_admin=True))
    form = {"name": "Ben", "email": "Ben@Example.org", "group_id": group, "role": "member"}
    path = "/invitation/" + re.search(r"/invitation/([\w-]{43})", admin.post("/people", form).text)[1]  # type: ignore[index]
    browser = room.browser()
    answer = browser.post(path, {"password": PASSWORD, "again": PASSWORD}, page=path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    guest = room.browser()
    guest.get("/login")
    again, unknown = guest.get(path), guest.get(f"{path[:-1]}{'x' if path[-1] != 'x' else 'y'}")
    assert (again.status_code, unknown.status_code) == (404, 404)
    assert "This link was already used or has expired." in again.text
    assert again.text == unknown.text
    assert login(room.browser(), "ben@example.org").status_code == 303
    # whoever has an account needs no link, and whoever is in the group keeps the role
    assert "/invitation/" not in admin.post("/people", form | {"role": "coordinator"}).text
    with room.home.database.reading() as database:
        assert [row.role for row in database.query(Membership).join(Person).filter(Person.name == "Ben")] == ["member"]


def test_a_new_link_replaces_password_and_authenticator(room: Room) -> None:
    ben = room.person("Ben")
    admin = room.signed_in(room.person("Ada", is_admin=True))
    old = room.signed_in(ben)
    text = admin.post(f"/people/{ben}/link").text
    path = "/invitation/" + re.search(r"/invitation/([\w-]{43})", text)[1]  # type: ignore[index]
    new = "nine yellow submarines"
    room.browser().post(path, {"password": new, "again": new}, page=path)
    assert old.get("/account").status_code == 303
    assert login(room.browser(), "ben@example.org").status_code == 401
    assert login(room.browser(), "ben@example.org", new).status_code == 303
    later = admin.post(f"/people/{ben}/link").text
    room.clock.advance(DAY)
    path = "/invitation/" + re.search(r"/invitation/([\w-]{43})", later)[1]  # type: ignore[index]
    assert room.browser().get(path).status_code == 404
