"""A session has the rights of this moment: a role given today asks for today's second step; a code works once."""

from __future__ import annotations

import pyotp
import pytest

from pipeline.review import app as application
from pipeline.review.auth import credentials
from pipeline.tapes import people
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Group, Membership, Person, Role
from pipeline.tapes.home import Home
from tests.review.auth.test_login import enrolling, login
from tests.review.conftest import PASSWORD, QUICK, Browser, Room


def password_only(room: Room, name: str) -> Browser:
    browser = room.browser()
    assert login(browser, f"{name.lower()}@example.org").status_code == 303
    return browser


@pytest.mark.parametrize("way", ["joins elsewhere", "changes here"])
def test_who_is_made_a_coach_is_signed_out(room: Room, way: str) -> None:
    group, other = room.group(), room.group("Other")
    ada = room.person("Ada", group)
    browser = password_only(room, "Ada")
    assert browser.get("/account").status_code == 200
    with room.home.database.writing() as database:
        person = database.get_one(Person, ada)
        if way == "joins elsewhere":
            people.join(database, database.get_one(Group, other), person, "coach", room.clock())
        else:
            people.change_role(database, database.get_one(Group, group), person, "coach", room.clock())
    assert browser.get("/account").headers["location"].startswith("/login?")
    assert login(room.browser(), "ada@example.org").headers["location"].startswith("/login/enroll")


def grown(room: Room, ada: str, group: str, right: str) -> None:
    """Give a right behind the back of everything that could end sessions."""
    with room.home.database.writing() as database:
        person = database.get_one(Person, ada)
        if right == "administrator":
            person.is_admin = True
        elif right == "authenticator":
            person.totp_secret = credentials.closed(room.home, "A" * 32)
        else:
            since = room.clock() + (DAY if right == "coming coach" else 0)
            until = room.clock() if right == "former coach" else room.clock() + 2 * DAY
            database.add(Membership(group_id=group, person_id=ada, role="coach", since=since, until=until))


@pytest.mark.parametrize(
    ("right", "step"),
    [
        ("administrator", "/login/enroll"),
        ("coach", "/login/enroll"),
        ("authenticator", "/login/code"),
        ("coming coach", ""),
        ("former coach", ""),
    ],
)
def test_each_request_asks_for_the_second_step_that_is_needed_now(room: Room, right: str, step: str) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    browser = password_only(room, "Ada")
    grown(room, ada, room.group("Other"), right)
    answer = browser.get("/account")
    assert (answer.headers.get("location", "").partition("?")[0], answer.status_code) == (step, 303 if step else 200)


def test_a_coach_to_be_is_asked_from_the_moment_on_in_which_it_begins(room: Room) -> None:
    ada = room.person("Ada", room.group())
    browser = password_only(room, "Ada")
    with room.home.database.writing() as database:
        soon = room.clock() + 60_000
        database.add(Membership(group_id=database.query(Group).one().id, person_id=ada, role="coach", since=soon))
    room.clock.advance(59_999)
    assert browser.get("/account").status_code == 200
    room.clock.advance(1)
    assert browser.get("/account").headers["location"].startswith("/login/enroll")


def test_a_changed_password_does_not_stand_for_a_second_step(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    browser = password_only(room, "Ada")
    new = "nine yellow submarines"
    assert browser.post("/account/password", {"current": PASSWORD, "password": new, "again": new}).status_code == 303
    assert browser.get("/account").status_code == 200
    grown(room, ada, group, "administrator")
    assert browser.get("/account").headers["location"].startswith("/login/enroll")


@pytest.mark.parametrize(
    ("role", "is_admin", "status"),
    [("coach", False, 422), ("member", True, 422), ("member", False, 303), ("coordinator", False, 303)],
)
def test_who_must_have_a_second_step_keeps_it(room: Room, role: Role, is_admin: bool, status: int) -> None:
    """A plain member may do without, also where the group has a coach."""
    group = room.group()
    room.person("Kim", group, role="coach")
    ada = room.person("Ada", group, role, is_admin)
    grown(room, ada, group, "authenticator")
    browser = room.signed_in(ada)
    assert browser.post("/account/second-step/remove", {"current": PASSWORD}).status_code == status
    with room.home.database.reading() as database:
        assert (database.get_one(Person, ada).totp_secret is None) == (status == 303)
    if status == 303:
        assert browser.get("/account").status_code == 200


def test_a_former_coach_may_do_without(room: Room) -> None:
    ada = room.person("Ada", room.group(), role="coach")
    grown(room, ada, "", "authenticator")
    with room.home.database.writing() as database:
        database.query(Membership).one().until = room.clock()
    assert room.signed_in(ada).post("/account/second-step/remove", {"current": PASSWORD}).status_code == 303


def test_what_a_removed_authenticator_let_pass_is_not_passed_any_more(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    grown(room, ada, group, "authenticator")
    browser = room.signed_in(ada)
    assert browser.post("/account/second-step/remove", {"current": PASSWORD}).status_code == 303
    grown(room, ada, group, "administrator")
    assert browser.get("/account").headers["location"].startswith("/login/enroll")


def test_a_code_works_once_in_whichever_process(room: Room) -> None:
    room.person("Ada", is_admin=True)
    here = password_only(room, "Ada")
    secret = "B" * 32
    grown_secret(room, secret)
    code = pyotp.TOTP(secret).at(room.clock() // 1000)
    assert here.post("/login/code", {"code": code}, page="/login/code").status_code == 303
    home = Home.open(room.home.settings)
    try:
        again = Browser(application.create(home, room.app.state.context.settings, clock=room.clock, passwords=QUICK))
        login(again, "ada@example.org")
        assert again.post("/login/code", {"code": code}, page="/login/code").status_code == 401
        room.clock.advance(30_000)
        later = pyotp.TOTP(secret).at(room.clock() // 1000)
        assert again.post("/login/code", {"code": later}, page="/login/code").status_code == 303
    finally:
        home.close()


def test_an_earlier_code_does_not_work_after_a_later_one(room: Room) -> None:
    room.person("Ada", is_admin=True)
    secret = "B" * 32
    grown_secret(room, secret)
    statuses = []
    for step in (1, 0, -1, 1):
        browser = password_only(room, "Ada")
        code = pyotp.TOTP(secret).at(room.clock() // 1000 + 30 * step)
        statuses.append(browser.post("/login/code", {"code": code}, page="/login/code").status_code)
    assert statuses == [303, 401, 401, 401]


def test_nobody_with_only_the_password_puts_another_authenticator_in_the_place_of_the_first(room: Room) -> None:
    """Two half sessions at once: the one that enrolls first wins, the other is asked for its code."""
    room.person("Ada", is_admin=True)
    owner, thief = password_only(room, "Ada"), password_only(room, "Ada")
    forms = []
    for browser in (owner, thief):
        text = browser.get("/login/enroll").text
        secret = text.split('name="secret" value="')[1][:32]
        forms.append({"secret": secret, "code": pyotp.TOTP(secret).at(room.clock() // 1000)})
    assert owner.post("/login/enroll", forms[0], page="/login/enroll").status_code == 303
    token = thief.token("/login/code")
    answer = thief.client.post("/login/enroll", data=forms[1] | {"csrf": token})
    assert answer.headers["location"].startswith("/login/code")
    with room.home.database.reading() as database:
        assert credentials.opened(room.home, database.query(Person).one().totp_secret or "") == forms[0]["secret"]


def grown_secret(room: Room, secret: str) -> None:
    with room.home.database.writing() as database:
        database.query(Person).one().totp_secret = credentials.closed(room.home, secret)


def test_a_new_authenticator_starts_with_its_first_code_used(room: Room) -> None:
    ada = room.person("Ada", room.group())
    form = enrolling(room, room.signed_in(ada))
    browser = room.signed_in(ada)
    assert browser.post("/account/second-step", form | {"current": PASSWORD}).status_code == 303
    browser = password_only(room, "Ada")
    assert browser.post("/login/code", {"code": form["code"]}, page="/login/code").status_code == 401
