"""Who comes in: passwords, second steps, links, sessions, limits."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from pipeline.review.auth import credentials, limits
from pipeline.review.auth.credentials import closed
from pipeline.review.auth.current_user import SESSION
from pipeline.review.auth.login import safe
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import AuditRow, Person
from tests.review.conftest import PASSWORD, Browser, Room

SECRET = "A" * 32


def login(browser: Browser, email: str, password: str = PASSWORD):
    return browser.post("/login", {"email": email, "password": password, "way_on": "/account"}, page="/login")


def test_a_member_signs_in_and_out(room: Room) -> None:
    room.person("Ada", room.group())
    browser = room.browser()
    answer = login(browser, "ADA@example.org ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Ada" in browser.get("/account").text
    before = browser.client.cookies[SESSION]
    assert browser.post("/logout").status_code == 303
    browser.client.cookies.set(SESSION, before)
    assert browser.get("/account").status_code == 303


def test_signing_in_gives_a_new_session_and_ends_the_old_one(room: Room) -> None:
    room.person("Ada")
    browser = room.browser()
    login(browser, "ada@example.org")
    first = browser.client.cookies[SESSION]
    token = browser.token("/account")
    browser.client.post("/login", data={"email": "ada@example.org", "password": PASSWORD, "csrf": token})
    assert browser.client.cookies[SESSION] != first
    browser.client.cookies.clear()
    browser.client.cookies.set(SESSION, first)
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize(("pause", "status"), [(15 * MINUTE - 1, 200), (15 * MINUTE, 303)])
def test_a_session_ends_by_idleness(room: Room, pause: int, status: int) -> None:
    browser = room.signed_in(room.person("Ada"))
    room.clock.advance(pause)
    assert browser.get("/account").status_code == status


def test_a_session_ends_by_age_however_busy_it_is(room: Room) -> None:
    browser = room.signed_in(room.person("Ada"))
    for _ in range(12 * 6 - 1):
        room.clock.advance(10 * MINUTE)
        assert browser.get("/account").status_code == 200
    room.clock.advance(10 * MINUTE)
    assert browser.get("/account").status_code == 303


def test_whose_session_ended_signs_in_again_in_the_same_browser(room: Room) -> None:
    browser = room.signed_in(room.person("Ada"))
    form = browser.token("/account")
    browser.post("/account/sign-out-everywhere")
    left_open = browser.client.post("/account/sign-out-everywhere", data={"csrf": form})
    assert (left_open.status_code, left_open.headers["location"]) == (303, "/login")
    assert login(browser, "ada@example.org").headers["location"] == "/account"
    assert browser.get("/account").status_code == 200


def test_a_closed_account_is_out_at_once(room: Room) -> None:
    person = room.person("Ada")
    browser = room.signed_in(person)
    with room.home.database.writing() as database:
        database.get_one(Person, person).disabled_at = room.clock()
    assert browser.get("/account").status_code == 303
    assert login(room.browser(), "ada@example.org").status_code == 401


def test_whether_an_account_exists_is_not_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.person("Ada")
    invited = room.person("Ben")
    with room.home.database.writing() as database:
        database.get_one(Person, invited).password_hash = None
    work: list[str] = []
    hasher = room.app.state.context.passwords._hasher
    verify = type(hasher).verify

    def counted(self: object, stored: str, password: str) -> bool:
        work.append(stored.rpartition("$")[0].rpartition("$")[0])
        return verify(self, stored, password)

    monkeypatch.setattr(type(hasher), "verify", counted)
    emails = ("a@b.org", "ada@example.org", "ben@example.org")
    answers = [login(room.browser(), email, "a wrong password") for email in emails]
    pages = {
        re.sub(rf'(content|value)="([0-9a-f]{{64}}|{email})"', "", answer.text)
        for email, answer in zip(emails, answers, strict=True)
    }
    assert {answer.status_code for answer in answers} == {401}
    assert len(pages) == 1
    assert len(work) == 3
    assert len(set(work)) == 1  # the same algorithm with the same parameters


@pytest.mark.parametrize(("role", "is_admin"), [("coach", False), ("member", True)])
def test_coaches_and_administrators_need_a_second_step(room: Room, role: str, is_admin: bool) -> None:
    room.person("Ada", room.group(), role=role, is_admin=is_admin)  # type: ignore[arg-type]
    browser = room.browser()
    answer = login(browser, "ada@example.org")
    assert answer.headers["location"] == "/login/enroll?next=/account"
    assert browser.get("/account").headers["location"].startswith("/login/enroll")
    page = browser.get("/login/enroll").text
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    assert secret
    code = pyotp.TOTP(secret[1]).at(room.clock() // 1000)
    form = {"secret": secret[1], "code": "000000" if code != "000000" else "1", "way_on": "/account"}
    assert browser.post("/login/enroll", form, page="/login/enroll").status_code == 401
    assert browser.post("/login/enroll", form | {"code": code}, page="/login/enroll").status_code == 303
    assert browser.get("/account").status_code == 200

    again = room.browser()
    assert login(again, "ada@example.org").headers["location"] == "/login/code?next=/account"
    half = again.client.cookies[SESSION]
    assert again.post("/login/code", {"code": code}, page="/login/code").status_code == 401  # each code works once
    room.clock.advance(30_000)
    code = pyotp.TOTP(secret[1]).at(room.clock() // 1000)
    assert again.post("/login/code", {"code": code}, page="/login/code").status_code == 303
    assert again.client.cookies[SESSION] != half
    assert again.get("/account").status_code == 200
    again.client.cookies.clear()
    again.client.cookies.set(SESSION, half)
    assert again.get("/account").headers["location"] == "/login?next=/account"


def test_codes_cannot_be_guessed(room: Room) -> None:
    room.person("Ada", is_admin=True)
    with room.home.database.writing() as database:
        database.query(Person).one().totp_secret = credentials.closed(room.home, pyotp.random_base32())
    browser = room.browser()
    login(browser, "ada@example.org")
    form = {"code": "12 34 5"}
    here = limits.CODE.from_origin
    statuses = [browser.post("/login/code", form, page="/login/code").status_code for _ in range(here + 1)]
    assert statuses == [401] * here + [429]


def enrolling(room: Room, browser: Browser) -> dict[str, object]:
    """The form of a new authenticator, with its code of this moment."""
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', browser.get("/account/second-step").text)
    assert secret
    return {"secret": secret[1], "code": pyotp.TOTP(secret[1]).at(room.clock() // 1000)}


def stored_secret(room: Room, person: str) -> str:
    with room.home.database.reading() as database:
        stored = database.get_one(Person, person).totp_secret
    return credentials.opened(room.home, stored) if stored else ""


def test_signing_in_is_audited(room: Room) -> None:
    ada = room.person("Ada")
    browser = room.browser()
    login(browser, "ada@example.org")
    browser.post("/logout")
    with room.home.database.reading() as database:
        rows = [(row.actor_id, row.action, row.thing) for row in database.query(AuditRow).order_by(AuditRow.seq)]
    assert rows == [(ada, "login", "POST /login"), (ada, "logout", "")]


def test_the_audit_tells_by_what_somebody_signed_in(room: Room) -> None:
    ada = room.person("Ada", is_admin=True)
    with room.home.database.writing() as database:
        database.get_one(Person, ada).totp_secret = closed(room.home, SECRET)
    browser = room.browser()
    login(browser, "ada@example.org")
    code = pyotp.TOTP(SECRET).at(room.clock() // 1000)
    assert browser.post("/login/code", {"code": code}, page="/login/code").status_code == 303
    with room.home.database.reading() as database:
        [row] = database.query(AuditRow).where(AuditRow.action == "login")
    assert (row.actor_id, row.thing, row.why) == (ada, "POST /login/code", "second step")


def test_the_way_on_is_one_page_through_the_second_step_too(room: Room) -> None:
    ada = room.person("Ada", is_admin=True)
    with room.home.database.writing() as database:
        database.get_one(Person, ada).totp_secret = closed(room.home, SECRET)
    form = {"email": "ada@example.org", "password": PASSWORD, "way_on": "/growth?note=saved&next=//evil.example#x"}
    asked = room.browser().post("/login", form, page="/login").headers["location"]
    assert parse_qs(urlsplit(asked).query) == {"next": [form["way_on"]]}


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/tapes/1", "/tapes/1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\nb", "/"),
        ("/logout", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_goes_on_to_a_page_of_ours(path: str, kept: str) -> None:
    assert safe(path) == kept
