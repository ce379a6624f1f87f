"""Who comes in: passwords, second steps, links, sessions, limits."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from pipeline.review.auth import credentials, invitations, limits
from pipeline.review.auth.credentials import closed, objection
from pipeline.review.auth.current_user import SESSION
from pipeline.review.auth.login import safe
from pipeline.tapes.clock import DAY, HOUR, MINUTE
from pipeline.tapes.db.records import AuditRow, Membership, Person, WebSession
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


def test_the_cookie_is_secure_behind_tls(room: Room) -> None:
    room.person("Ada")
    room.app.state.context.https = True
    assert "Secure" in login(room.browser(), "ada@example.org").headers["set-cookie"]


def test_the_database_holds_no_token(room: Room) -> None:
    room.person("Ada")
    browser = room.browser()
    login(browser, "ada@example.org")
    with room.home.database.reading() as database:
        stored = database.query(WebSession).one()
    assert browser.client.cookies[SESSION] not in (stored.token_hash, stored.csrf)


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


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(room: Room) -> None:
    browser = room.signed_in(room.person("Ada"))
    seen = []
    for _ in range(2):
        room.clock.advance(10 * MINUTE)
        seen.append(browser.get("/growth", headers={"X-Unattended": "1"}).status_code)
    assert seen == [200, 303]


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


def test_only_administrators_see_the_people_page(room: Room) -> None:
    member = room.signed_in(room.person("Ben", room.group()))
    assert member.get("/people").status_code == 404
    for path in ("/people", "/groups", f"/people/{'0' * 16}/link", f"/people/{'0' * 16}/disable"):
        assert member.post(path, {"name": "x", "email": "y", "group_id": "0" * 16, "role": "coach"}).status_code == 404


def test_changing_the_password_signs_out_everywhere_else(room: Room) -> None:
    ada = room.person("Ada")
    here, there = room.signed_in(ada), room.signed_in(ada)
    new = "nine yellow submarines"
    form = {"current": "wrong", "password": new, "again": new}
    assert here.post("/account/password", form).status_code == 422
    assert here.post("/account/password", form | {"current": PASSWORD}).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def enrolling(room: Room, browser: Browser) -> dict[str, object]:
    """The form of a new authenticator, with its code of this moment."""
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', browser.get("/account/second-step").text)
    assert secret
    return {"secret": secret[1], "code": pyotp.TOTP(secret[1]).at(room.clock() // 1000)}


def stored_secret(room: Room, person: str) -> str:
    with room.home.database.reading() as database:
        stored = database.get_one(Person, person).totp_secret
    return credentials.opened(room.home, stored) if stored else ""


def test_a_new_authenticator_needs_the_password_and_signs_out_everywhere_else(room: Room) -> None:
    """Else whoever finds a browser unattended could lock its owner out."""
    ada = room.person("Ada")
    here, there = room.signed_in(ada), room.signed_in(ada)
    form = enrolling(room, here)
    for wrong in ({}, {"current": ""}, {"current": "wrong"}):
        refused = here.post("/account/second-step", form | wrong)
        assert refused.status_code == 422
        assert "The current password is wrong." in refused.text
        assert f'value="{form["secret"]}"' in refused.text  # the app has read this one
    assert stored_secret(room, ada) == ""
    assert here.post("/account/second-step", form | {"current": PASSWORD, "code": "x"}).status_code == 401
    assert there.get("/account").status_code == 200
    done = here.post("/account/second-step", form | {"current": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/account?note=second-factor")
    assert stored_secret(room, ada) == form["secret"]
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_who_has_no_password_shows_the_current_authenticator_s_code_for_a_new_one(room: Room) -> None:
    ada = room.person("Ada")
    with room.home.database.writing() as database:
        database.get_one(Person, ada).password_hash = None
    here = room.signed_in(ada)
    first = enrolling(room, here)
    assert 'name="current"' not in here.get("/account/second-step").text  # there is nothing to ask for
    assert here.post("/account/second-step", first).status_code == 303
    room.clock.advance(MINUTE)
    here = room.signed_in(ada)
    second, present = enrolling(room, here), pyotp.TOTP(str(first["secret"])).at(room.clock() // 1000)
    assert "current authenticator" in here.get("/account/second-step").text
    for wrong in ({}, {"current": second["code"]}):
        assert here.post("/account/second-step", second | wrong).status_code == 422
    assert stored_secret(room, ada) == first["secret"]
    assert here.post("/account/second-step", second | {"current": present}).status_code == 303
    assert stored_secret(room, ada) == second["secret"]


@pytest.mark.parametrize("path", ["/account/password", "/account/second-step", "/account/second-step/remove"])
def test_the_current_password_cannot_be_guessed(room: Room, path: str) -> None:
    here = room.signed_in(room.person("Ada"))
    new = "nine yellow submarines"
    form = {"current": "wrong", "password": new, "again": new, "secret": "A" * 32, "code": "x"}
    for _ in range(limits.PASSWORD.from_origin):
        assert here.post(path, form).status_code == 422
    refused = here.post(path, form | {"current": PASSWORD})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    other = room.signed_in(room.person("Ben"))
    form["code"] = pyotp.TOTP("A" * 32).at(room.clock() // 1000)
    assert other.post(path, form | {"current": PASSWORD}).status_code == 303


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


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 12"),
        ("my name is adalovelace", "your name"),
        ("lovelace1815 rules", "your name"),
        ("aaaaaaaaaaaaaaaa", "repeats the same characters"),
        ("passwordpassword", "repeats the same characters"),
        ("iloveyou iloveyou", "repeats the same characters"),
        ("Password2024!", "a common password"),
        ("1q2w3e4r5t6y", "a common password"),
        ("motivational interviewing", "a common password"),
        ("abcdefghijkl", "the alphabet"),
        ("zxcvbnm,./zxc", "keys on a keyboard"),
        (" " * 20, "easy to guess"),
        ("kq8#" * 200, "repeats the same characters"),
    ],
)
def test_easy_passwords_are_refused_with_the_reason(password: str, reason: str) -> None:
    assert reason in objection(password, "Ada Lovelace", "adalovelace@example.org")


@pytest.mark.parametrize(
    "password", [PASSWORD, "nine yellow submarines", "vK2$mq9!Lp4z", "j4hd8fk2l5qp", "ü" + PASSWORD]
)
def test_passwords_that_nobody_guesses_are_taken(password: str) -> None:
    assert objection(password, "Ada Lovelace", "adalovelace@example.org") == ""
