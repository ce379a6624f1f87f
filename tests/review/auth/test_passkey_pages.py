"""Passkeys: made on the account page, used in place of a code, and each way in which one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.review.auth import limits
from pipeline.tapes import passkeys, second_step
from pipeline.tapes.clock import DAY, MINUTE
from pipeline.tapes.db.records import AuditRow, Passkey, Person
from tests.review.auth.soft_authenticator import SoftAuthenticator
from tests.review.auth.test_login import enrolling
from tests.review.conftest import PASSWORD, Browser, Room


def named(browser: Browser) -> Browser:
    """A browser that opened the room by its name, not by its number."""
    browser.client.headers["host"] = "localhost:8787"
    return browser


def options(browser: Browser, path: str, page: str) -> dict[str, Any]:
    answer = browser.client.post(path, headers={"X-CSRF-Token": browser.token(page)}, json={})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def added(browser: Browser, device: SoftAuthenticator, current: str = PASSWORD) -> int:
    asked = options(browser, "/account/passkeys/challenge", "/account")
    form = {"name": "My phone", "current": current, "answer": device.made(asked)}
    return browser.post("/account/passkeys", form, page="/account").status_code


def half(room: Room, name: str = "ada") -> Browser:
    """A browser that has given the password, and not the second step."""
    browser = named(room.browser())
    answer = browser.post("/login", {"email": f"{name}@example.org", "password": PASSWORD}, page="/login")
    assert answer.headers["location"].startswith("/login/code")
    return browser


def challenge(browser: Browser) -> dict[str, Any]:
    return options(browser, "/login/passkey/challenge", "/login/code")


def sent(browser: Browser, answer: str) -> int:
    return browser.post("/login/passkey", {"answer": answer}, page="/login/code").status_code


def with_passkey(room: Room, name: str = "Ada", credential_id: bytes = b"a passkey of a test") -> SoftAuthenticator:
    device = SoftAuthenticator(credential_id)
    assert added(named(room.signed_in(room.person(name))), device) == 303
    return device


def records(room: Room) -> list[Passkey]:
    with room.home.database.reading() as database:
        return list(database.query(Passkey))


def test_a_passkey_is_made_and_signs_in_instead_of_a_code(room: Room) -> None:
    ada, device = room.person("Ada"), SoftAuthenticator()
    here, there = named(room.signed_in(ada)), named(room.signed_in(ada))
    assert added(here, device) == 303
    assert "My phone" in here.get("/account").text
    assert there.get("/account").status_code == 303  # signed out
    browser = half(room)
    page = browser.get("/login/code").text
    assert "Use a passkey" in page
    assert 'action="/login/code"' not in page  # there is no authenticator
    assert "Passkeys need JavaScript" in page
    assert browser.get("/account").status_code == 303
    asked = challenge(browser)
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "preferred")
    assert sent(browser, device.signed(asked)) == 303
    assert browser.get("/account").status_code == 200
    assert [(row.sign_count, row.used_at) for row in records(room)] == [(1, room.clock())]
    with room.home.database.reading() as database:
        actions = [row.action for row in database.query(AuditRow)]
    assert "login.passkey.add" in actions


def test_no_passkey_is_made_without_the_password(room: Room) -> None:
    here = named(room.signed_in(room.person("Ada")))
    assert added(here, SoftAuthenticator(), current="wrong") == 422
    assert records(room) == []


def test_an_account_without_a_password_needs_an_authenticator_first(room: Room) -> None:
    ada = room.person("Ada")
    with room.home.database.writing() as database:
        database.get_one(Person, ada).password_hash = None
    here = named(room.signed_in(ada))
    assert "set up an authenticator first" in here.get("/account").text
    assert added(here, SoftAuthenticator()) == 422
    assert records(room) == []


def test_the_page_leads_from_a_number_to_the_name(room: Room) -> None:
    here = room.signed_in(room.person("Ada"))
    assert 'href="http://localhost:8787/account"' in here.get("/account").text
    answer = here.client.post("/account/passkeys/challenge", headers={"X-CSRF-Token": here.token("/account")}, json={})
    assert answer.status_code == 409


@pytest.mark.parametrize("kind", ["origin", "name", "challenge", "late", "credential", "garbage", "deep", "nothing"])
def test_no_passkey_is_made_elsewhere_or_later_or_twice(room: Room, kind: str) -> None:
    with_passkey(room, "Ben", b"Ben's")
    here = named(room.signed_in(room.person("Ada")))
    device = SoftAuthenticator(b"Ben's" if kind == "credential" else b"Ada's")
    device.origin = "http://evil.example" if kind == "origin" else device.origin
    device.rp_id = "evil.example" if kind == "name" else device.rp_id
    asked = options(here, "/account/passkeys/challenge", "/account")
    if kind == "late":
        room.clock.advance(passkeys.CHALLENGE_LASTS)
    answer = device.made(asked | ({"challenge": "AAAA"} if kind == "challenge" else {}))
    answer = {"garbage": '{"id": [1]}', "deep": "[" * 3000, "nothing": ""}.get(kind, answer)
    form = {"name": "My phone", "current": PASSWORD, "answer": answer}
    assert here.post("/account/passkeys", form, page="/account").status_code == 422
    assert [row.name for row in records(room)] == ["My phone"]  # Ben's


@pytest.mark.parametrize("kind", ["origin", "name", "stranger's key", "garbage", "list", "deep", "nothing"])
def test_a_wrong_answer_signs_nobody_in(room: Room, kind: str) -> None:
    device = with_passkey(room)
    browser = half(room)
    asked = challenge(browser)
    device.origin = "http://evil.example" if kind == "origin" else device.origin
    device.rp_id = "evil.example" if kind == "name" else device.rp_id
    device = SoftAuthenticator() if kind == "stranger's key" else device
    odd = {"garbage": '{"id": "x', "list": "[1]", "deep": "[" * 3000, "nothing": ""}
    assert sent(browser, odd.get(kind, device.signed(asked))) == 401
    assert browser.get("/account").status_code == 303


def test_a_challenge_is_signed_once_in_its_own_session_and_soon(room: Room) -> None:
    device = with_passkey(room)
    first, second = half(room), half(room)
    asked = challenge(first)
    challenge(second)
    assert sent(second, device.signed(asked)) == 401  # the challenge of another session
    assert sent(second, device.signed(challenge(second) | {"challenge": ""})) == 401
    answer = device.signed(challenge(first))
    assert sent(first, answer) == 303
    assert sent(half(room), answer) == 401  # seen on its way, and sent again
    third = half(room)
    asked = challenge(third)
    assert sent(third, "x") == 401
    assert sent(third, device.signed(asked)) == 401  # used up by the wrong answer
    asked = challenge(third)
    room.clock.advance(passkeys.CHALLENGE_LASTS)
    assert sent(third, device.signed(asked)) == 401


def test_another_member_s_passkey_signs_nobody_in(room: Room) -> None:
    bens = with_passkey(room, "Ben", b"Ben's")
    with_passkey(room)
    browser = half(room)
    assert sent(browser, bens.signed(challenge(browser))) == 401


def test_a_counter_that_went_back_is_a_copied_passkey(room: Room) -> None:
    device = with_passkey(room)
    browser = half(room)
    device.count = 6
    assert sent(browser, device.signed(challenge(browser))) == 303
    for counted in (7, 3, 8):  # how often it says that it has signed
        browser, device.count = half(room), counted - 1
        assert sent(browser, device.signed(challenge(browser))) == (303 if counted == 8 else 401)


def test_a_removed_passkey_signs_nobody_in(room: Room) -> None:
    ada = room.person("Ada")
    device, other = SoftAuthenticator(), SoftAuthenticator(b"the other")
    here = named(room.signed_in(ada))
    assert added(here, device) == added(here, other) == 303
    browser = half(room)
    asked = challenge(browser)
    assert len(asked["allowCredentials"]) == 2
    first = records(room)[0]
    path = f"/account/passkeys/{first.id}/remove"
    assert named(room.signed_in(room.person("Ben"))).post(path, {"current": PASSWORD}).status_code == 404
    assert here.post(path, {"current": "wrong"}, page="/account").status_code == 422
    assert here.post(path, {"current": PASSWORD}, page="/account").status_code == 303
    removed = device if first.credential_id != records(room)[0].credential_id and len(records(room)) == 1 else other
    assert sent(browser, removed.signed(asked)) == 401


def test_who_removes_the_last_passkey_signs_in_with_the_password_alone_if_that_is_allowed(room: Room) -> None:
    with_passkey(room)
    ada = room.signed_in(records(room)[0].person_id)
    path = f"/account/passkeys/{records(room)[0].id}/remove"
    with room.home.database.writing() as database:
        database.query(Person).one().is_admin = True
    assert ada.post(path, {"current": PASSWORD}).status_code == 422
    with room.home.database.writing() as database:
        database.query(Person).one().is_admin = False
    assert ada.post(path, {"current": PASSWORD}).status_code == 303
    answer = named(room.browser()).post("/login", {"email": "ada@example.org", "password": PASSWORD})
    assert answer.headers["location"] == "/"


def test_wrong_passkeys_count_as_wrong_codes_do(room: Room) -> None:
    device = with_passkey(room)
    browser = half(room)
    for _ in range(limits.CODE.from_origin):
        assert sent(browser, "x") == 401
    assert sent(browser, device.signed(challenge(browser))) == 429
    room.clock.advance(MINUTE)
    assert sent(browser, device.signed(challenge(browser))) == 303


def test_a_code_is_refused_where_there_are_passkeys_only(room: Room) -> None:
    with_passkey(room)
    assert half(room).post("/login/code", {"code": "123456"}, page="/login/code").status_code == 401


@pytest.mark.parametrize("way", ["recovery code", "two administrators", "turned off"])
def test_what_takes_the_second_step_away_takes_passkeys_too(room: Room, way: str) -> None:
    with_passkey(room)
    ada = records(room)[0].person_id
    whole = named(room.signed_in(ada))
    assert whole.post("/account/second-step", enrolling(room, whole) | {"current": PASSWORD}).status_code == 303
    if way == "recovery code":
        with room.home.database.writing() as database:
            code = second_step.recovery_codes(database, ada, room.clock())[0]
        answer = half(room).post("/login/recovery", {"code": code}, page="/login/code")
    elif way == "two administrators":
        with room.home.database.writing() as database:
            second_step.ask_to_lift(database, database.get_one(Person, ada), room.clock(), None)
        room.clock.advance(2 * DAY)
        form = {"email": "ada@example.org", "password": PASSWORD}
        answer = named(room.browser()).post("/login", form, page="/login")
    else:
        answer = whole.post("/account/second-step/remove", {"current": PASSWORD}, page="/account")
    assert answer.status_code == 303
    assert records(room) == []
    with room.home.database.reading() as database:
        assert database.get_one(Person, ada).totp_secret is None


def test_a_coach_with_a_passkey_is_not_sent_to_set_up_an_authenticator(room: Room) -> None:
    with_passkey(room)
    with room.home.database.writing() as database:
        database.query(Person).one().is_admin = True
    half(room)
