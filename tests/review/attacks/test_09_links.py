"""A link gives a password and nothing else; nobody takes a second step away alone, and the owner is told."""

from __future__ import annotations

import hashlib
import re

import pyotp
import pytest
from sqlalchemy import select

from pipeline.review.auth import credentials
from pipeline.tapes import accounts, second_step
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import AuditRow, Person, RecoveryCode
from tests.review.attacks.test_03_takeover import chosen, link
from tests.review.auth.test_login import login
from tests.review.conftest import PASSWORD, Browser, Room

SECRET = "C" * 32
NEW = "nine yellow submarines"


class Accounts:
    """A member with a second step, and two administrators."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.ada = room.person("Ada", room.group())
        with room.home.database.writing() as database:
            database.get_one(Person, self.ada).totp_secret = credentials.closed(room.home, SECRET)
        self.ids = [room.person(name, is_admin=True) for name in ("Root", "Rita")]

    def administrator(self, number: int = 0) -> Browser:
        return self.room.signed_in(self.ids[number])

    def code(self) -> str:
        self.room.clock.advance(30_000)
        return pyotp.TOTP(SECRET).at(self.room.clock() // 1000)

    def at_the_second_step(self, password: str = PASSWORD) -> Browser:
        browser = self.room.browser()
        assert login(browser, "ada@example.org", password).headers["location"].startswith("/login/code")
        return browser

    def whole(self, password: str = PASSWORD) -> Browser:
        browser = self.at_the_second_step(password)
        assert browser.post("/login/code", {"code": self.code()}, page="/login/code").status_code == 303
        return browser

    def lift(self, number: int):
        return self.administrator(number).post(f"/people/{self.ada}/second-step")

    @property
    def enrolled(self) -> bool:
        with self.room.home.database.reading() as database:
            return database.get_one(Person, self.ada).totp_secret is not None


@pytest.fixture
def people(room: Room) -> Accounts:
    return Accounts(room)


def test_a_reset_link_keeps_the_second_step(people: Accounts) -> None:
    path = link(people.administrator().post(f"/people/{people.ada}/link").text)
    browser = people.room.browser()
    answer = browser.post(path, {"password": NEW, "again": NEW}, page=path)
    assert answer.headers["location"].startswith("/login/code")
    assert browser.get("/").headers["location"].startswith("/login/code")
    assert people.enrolled


def test_a_changed_password_ends_open_links(people: Accounts) -> None:
    path = link(people.administrator().post(f"/people/{people.ada}/link").text)
    assert people.room.browser().get(path).status_code == 200
    form = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert people.whole().post("/account/password", form).status_code == 303
    assert people.room.browser().get(path).status_code == 404
    assert chosen(people.room.browser(), path).status_code == 404


def test_who_has_no_password_ends_open_links_by_signing_out_everywhere(people: Accounts) -> None:
    path = link(people.administrator().post(f"/people/{people.ada}/link").text)
    assert people.room.signed_in(people.ada).post("/account/sign-out-everywhere").status_code == 303
    assert people.room.browser().get(path).status_code == 404


def test_a_link_that_was_used_ends_every_other_one(people: Accounts) -> None:
    first = link(people.administrator().post(f"/people/{people.ada}/link").text)
    second = link(people.administrator(1).post(f"/people/{people.ada}/link").text)
    assert people.room.browser().get(first).status_code == 404
    assert chosen(people.room.browser(), second).status_code == 303
    assert people.room.browser().get(second).status_code == 404


def test_the_owner_is_told_of_a_link_and_of_its_use_until_that_was_read(people: Accounts) -> None:
    path = link(people.administrator().post(f"/people/{people.ada}/link").text)
    people.room.browser().post(path, {"password": NEW, "again": NEW}, page=path)
    browser = people.whole(NEW)
    assert "Your account has changed" in browser.get("/").text
    told = browser.get("/account").text
    assert 'someone made a link to choose a new password (<span class="name">Root</span>)' in told
    assert "someone used a link to choose a new password" in told
    assert browser.post("/account/notices").status_code == 303
    assert "Your account has changed" not in browser.get("/").text
    assert "someone made a link to choose a new password" in browser.get("/account").text  # for good


def test_one_administrator_alone_lifts_no_second_step(people: Accounts) -> None:
    assert people.lift(0).status_code == 303
    assert people.lift(0).status_code == 422
    people.room.clock.advance(30 * DAY)
    assert people.lift(0).status_code == 422
    people.at_the_second_step()
    assert people.enrolled


def test_a_second_administrator_and_a_day_lift_it(people: Accounts) -> None:
    assert [people.lift(0).status_code, people.lift(1).status_code] == [303, 303]
    assert "Two administrators agreed to remove your second step" in people.at_the_second_step().get("/login/code").text
    people.room.clock.advance(DAY - 1)
    people.at_the_second_step()
    people.room.clock.advance(1)
    half = people.at_the_second_step  # the next sign-in is whole
    browser = people.room.browser()
    assert login(browser, "ada@example.org").headers["location"] == "/account"
    assert not people.enrolled
    told = browser.get("/account").text
    assert "your second step was removed" in told
    with pytest.raises(AssertionError):
        half()


def test_lifting_ends_sessions_that_were_there_and_asks_who_needs_one_to_set_it_up(people: Accounts) -> None:
    with people.room.home.database.writing() as database:
        database.get_one(Person, people.ada).is_admin = True
    before = people.room.signed_in(people.ada)
    people.lift(0)
    people.lift(1)
    people.room.clock.advance(14 * 60_000)
    assert before.get("/account").status_code == 200
    people.room.clock.advance(DAY)
    assert login(people.room.browser(), "ada@example.org").headers["location"].startswith("/login/enroll")


@pytest.mark.parametrize("way", ["keep", "code"])
def test_the_owner_stops_it(people: Accounts, way: str) -> None:
    people.lift(0)
    people.lift(1)
    browser = people.room.signed_in(people.ada)
    assert "Your second step will be removed" in browser.get("/account").text
    if way == "keep":
        assert browser.post("/account/second-step/keep").status_code == 303
    else:
        people.whole()
    people.room.clock.advance(2 * DAY)
    people.at_the_second_step()
    assert people.enrolled


def test_nobody_lifts_the_own_one_or_one_that_is_not_there(people: Accounts) -> None:
    with people.room.home.database.writing() as database:
        database.get_one(Person, people.ids[0]).totp_secret = credentials.closed(people.room.home, SECRET)
    assert people.administrator().post(f"/people/{people.ids[0]}/second-step").status_code == 422
    assert people.administrator().post(f"/people/{people.ids[1]}/second-step").status_code == 422
    member = people.room.signed_in(people.ada)
    assert member.post(f"/people/{people.ids[0]}/second-step").status_code == 404


def test_an_administrator_who_asked_confirms_nothing_under_another_role(people: Accounts) -> None:
    """The owner cannot be the second one either."""
    with people.room.home.database.writing() as database:
        database.get_one(Person, people.ada).is_admin = True
    assert people.lift(0).status_code == 303
    assert people.room.signed_in(people.ada).post(f"/people/{people.ada}/second-step").status_code == 422


def codes(people: Accounts, browser: Browser) -> list[str]:
    text = browser.post("/account/recovery-codes", {"current": PASSWORD}).text
    return re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){5}", text)


def test_a_recovery_code_lifts_the_second_step_once(people: Accounts) -> None:
    recovery_codes = codes(people, people.whole())
    assert len(set(recovery_codes)) == 10
    assert all(len(code.replace("-", "")) * 5 == 120 for code in recovery_codes)  # bits: a plain hash needs 112
    with people.room.home.database.reading() as database:
        stored = {row.code_hash for row in database.query(RecoveryCode)}
    assert len(stored) == 10
    assert not stored & {code.replace("-", "") for code in recovery_codes}
    there = people.room.signed_in(people.ada)
    browser = people.at_the_second_step()
    wrong = "-".join(["aaaa"] * 6)
    assert browser.post("/login/recovery", {"code": wrong}, page="/login/code").status_code == 401
    assert people.enrolled
    spelled = recovery_codes[0].upper().replace("-", " ")
    assert browser.post("/login/recovery", {"code": spelled}, page="/login/code").status_code == 303
    assert browser.get("/account").status_code == 200
    assert not people.enrolled
    assert there.get("/account").status_code == 303
    with people.room.home.database.writing() as database:
        database.get_one(Person, people.ada).totp_secret = credentials.closed(people.room.home, SECRET)
    browser = people.at_the_second_step()
    assert browser.post("/login/recovery", {"code": recovery_codes[0]}, page="/login/code").status_code == 401
    assert people.enrolled


def test_a_recovery_code_of_an_earlier_version_still_works(people: Accounts) -> None:
    people.whole()
    old = "abcd-efgh-ijkl-mnop"
    with people.room.home.database.writing() as database:
        hashed = hashlib.sha256(old.replace("-", "").encode()).hexdigest()
        database.add(RecoveryCode(code_hash=hashed, person_id=people.ada, made_at=people.room.clock()))
    browser = people.at_the_second_step()
    assert browser.post("/login/recovery", {"code": old}, page="/login/code").status_code == 303
    assert not people.enrolled


def test_another_person_s_recovery_code_lifts_nothing(people: Accounts) -> None:
    recovery_codes = codes(people, people.whole())
    with people.room.home.database.writing() as database:
        database.get_one(Person, people.ids[0]).totp_secret = credentials.closed(people.room.home, SECRET)
    browser = people.room.browser()
    assert login(browser, "root@example.org").headers["location"].startswith("/login/code")
    assert browser.post("/login/recovery", {"code": recovery_codes[0]}, page="/login/code").status_code == 401


def test_new_recovery_codes_end_the_old_ones_and_need_the_password(people: Accounts) -> None:
    browser = people.whole()
    old = codes(people, browser)
    assert browser.post("/account/recovery-codes", {"current": "wrong"}).status_code == 422
    assert len(codes(people, browser)) == 10
    half = people.at_the_second_step()
    assert half.post("/login/recovery", {"code": old[0]}, page="/login/code").status_code == 401


def test_recovery_codes_cannot_be_guessed(people: Accounts) -> None:
    browser = people.at_the_second_step()
    statuses = [
        browser.post("/login/recovery", {"code": f"aaaa-aaaa-aaaa-aa{number:02d}"}, page="/login/code").status_code
        for number in range(11)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_who_runs_the_machine_waits_too_and_the_owner_is_told(people: Accounts) -> None:
    with people.room.home.database.writing() as database:
        ada = database.get_one(Person, people.ada)
        lift = second_step.ask_to_lift(database, ada, people.room.clock(), None)
        assert second_step.due(lift) == people.room.clock() + DAY
        told = [(notice.kind, by) for notice, by in accounts.notices(database, people.ada)]
    assert sorted(told) == [("lift-asked", ""), ("lift-confirmed", "")]
    people.at_the_second_step()


def test_each_step_stands_in_the_audit(people: Accounts) -> None:
    people.lift(0)
    people.lift(1)
    people.room.clock.advance(DAY)
    login(people.room.browser(), "ada@example.org")
    with people.room.home.database.reading() as database:
        rows = database.scalars(select(AuditRow).where(AuditRow.thing == people.ada).order_by(AuditRow.seq))
        told = [(row.actor_id, row.action) for row in rows]
    assert told == [
        (people.ids[0], "login.lift.ask"),
        (people.ids[1], "login.lift.confirm"),
        (None, "login.lift"),
    ]
