"""An invitation: what stands on its card, and what becomes of the one before."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pipeline.review.network.reach import Reach
from pipeline.tapes.db.records import AuditRow, Person
from tests.review.conftest import PASSWORD, Browser, Room

ADDRESS = "https://192.168.1.5:8787"
FOR_GROUP = Reach(ADDRESS, ("https://ada.local:8787",), "AA:BB", 8787)


def link(text: str) -> str:
    match = re.search(r"/invitation/[\w-]{43}", text)
    return match[0] if match else ""


@pytest.fixture
def admin(room: Room) -> Browser:
    return room.signed_in(room.person("Root", is_admin=True))


def invite(room: Room, admin: Browser, name: str = "Eve", email: str = "eve@example.org", group: str = ""):
    with room.home.database.reading() as database:
        group = group or database.connection().exec_driver_sql("select id from groups").scalar() or ""
    return admin.post("/people", {"name": name, "email": email, "group_id": group, "role": "member"})


def test_a_link_to_this_computer_is_given_to_nobody_elsewhere(room: Room, admin: Browser) -> None:
    room.group()
    page = invite(room, admin).text
    assert "http://127.0.0.1:8787/invitation/" in page
    assert "This link opens on this computer only." in page
    assert "serve --for-my-group" in page
    assert "mailto:" not in page
    assert 'class="qr"' not in page


def test_no_page_shows_this_computer_s_address_as_that_of_others(room: Room, admin: Browser) -> None:
    room.group()
    room.app.state.context.reach = FOR_GROUP
    for page in (admin.get("/people").text, invite(room, admin).text):
        assert ADDRESS in page
        assert "127.0.0.1" not in page


def test_the_card_has_a_prepared_mail_and_a_picture(room: Room, admin: Browser) -> None:
    room.group("Tuesday peers")
    room.app.state.context.reach = FOR_GROUP
    page = invite(room, admin, "Eve & Söhne", "eve+mi@example.org").text
    mail = urlsplit(unescape(re.search(r'href="(mailto:[^"]+)"', page)[1]))  # type: ignore[index]
    assert unquote(mail.path) == "eve+mi@example.org"
    fields = parse_qs(mail.query, strict_parsing=True)
    assert fields["subject"] == ["Your invitation to Tape Review"]
    body = fields["body"][0]
    assert body.startswith("Hello Eve & Söhne,\r\n")
    assert f"{ADDRESS}{link(page)}\r\n" in body
    assert f"{ADDRESS}/certificate\r\n" in body
    assert "AA:BB" in body
    assert "data:image/svg+xml" in page
    assert 'data-copy="invitation-link"' in page
    assert "copy.js" in page


def test_inviting_again_takes_the_new_name_and_ends_the_earlier_link(room: Room, admin: Browser) -> None:
    room.group()
    first = invite(room, admin, "Evee")
    assert "no longer works" not in first.text
    second = invite(room, admin, "Eve Miller")
    assert "The earlier link for this person no longer works." in second.text
    assert "Invitation for <span" in second.text
    guest = room.browser()
    assert guest.get(link(first.text)).status_code == 404
    page = guest.get(link(second.text)).text
    assert "Eve Miller" in page
    assert "Evee" not in page
    with room.home.database.reading() as database:
        assert database.query(AuditRow).filter(AuditRow.action == "person.rename").count() == 1


def test_a_coordinator_invites_again_and_takes_the_new_name(room: Room) -> None:
    group = room.group()
    ada = room.signed_in(room.person("Ada", group, role="coordinator"))
    form = {"name": "Evee", "email": "eve@example.org"}
    first = ada.post(f"/groups/{group}/members", form)
    again = ada.post(f"/groups/{group}/members", form | {"name": "Eve"})
    assert again.status_code == 200
    assert "The earlier link for this person no longer works." in again.text
    guest = room.browser()
    assert guest.get(link(first.text)).status_code == 404
    assert "Eve" in guest.get(link(again.text)).text
    assert "Evee" not in again.text


def test_nobody_who_came_in_is_renamed_by_an_invitation(room: Room, admin: Browser) -> None:
    group = room.group()
    path = link(invite(room, admin).text)
    guest = room.browser()
    guest.post(path, {"password": PASSWORD, "again": PASSWORD}, page=path)
    answer = invite(room, admin, "Mallory")
    assert "needs no link" in answer.text
    coordinator = room.signed_in(room.person("Ada", group, role="coordinator"))
    coordinator.post(f"/groups/{group}/members", {"name": "Mallory", "email": "eve@example.org"})
    with room.home.database.reading() as database:
        assert database.query(Person.name).filter(Person.email == "eve@example.org").scalar() == "Eve"


def test_a_name_that_is_none_is_refused_and_keeps_the_earlier_link(room: Room, admin: Browser) -> None:
    room.group()
    first = link(invite(room, admin).text)
    assert invite(room, admin, "x" * 101).status_code == 422
    assert room.browser().get(first).status_code == 200
