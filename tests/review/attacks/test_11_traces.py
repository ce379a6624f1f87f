"""Whatever is refused or shown leaves a row in the audit, with where it came from; masses of it leave one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.errors import TapesError
from pipeline.review.middleware.decision_audit import WINDOW, AuditedDecision, Decisions
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import AuditRow, Person
from tests.review.auth.test_login import login
from tests.review.conftest import Browser, Room
from tests.review.routes import NOBODY, Call, calls
from tests.review.test_foreign import theirs as theirs

Told = tuple[str | None, str, str, str | None, str, int | None]


def rows(room: Room, after: int = 0) -> list[AuditRow]:
    with room.home.database.reading() as database:
        return list(database.scalars(select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq)))


def told(room: Room, after: int = 0) -> list[Told]:
    return [(row.actor_id, row.action, row.thing, row.tape_id, row.why, row.times) for row in rows(room, after)]


def last(room: Room) -> int:
    return max((row.seq for row in rows(room)), default=0)


def of_tapes(room: Room) -> list[Call]:
    tape_calls = [call for call in calls(room.app) if "tape_id" in call.named]
    assert len(tape_calls) > 45
    return tape_calls


def test_every_route_with_a_tape_leaves_a_row_that_names_it_for_whom_it_is_refused(
    room: Room, theirs: dict[str, str]
) -> None:
    ben = room.person("Ben", room.group("Mine"))
    for who, browser in ((ben, room.signed_in(ben)), (None, room.browser())):
        token = browser.token("/account" if who else "/login")
        for call in of_tapes(room):
            before = last(room)
            status = call.ask(browser, token, theirs).status_code
            named = [row for row in rows(room, before) if row.tape_id == theirs["tape_id"]]
            assert named, f"{call.method} {call.path}: {status}"
            assert {(row.actor_id, row.action, row.source) for row in named} == {(who, "refuse", "testclient")}
            assert all(row.thing == f"{call.method} {call.path}" and row.why for row in named)


def test_every_page_of_a_tape_leaves_a_row_that_names_it_for_whom_it_is_shown(
    room: Room, theirs: dict[str, str]
) -> None:
    """Whatever the answer: pages, parts of pages, files, forms that were not taken."""
    ending = ("/withdraw", "/destroy", "/discard")
    asked = 0
    for call in sorted(of_tapes(room), key=lambda call: (not call.safe, call.path)):
        if not call.safe and call.path.endswith(ending):
            continue
        room.clock.advance(WINDOW)
        owner = room.signed_in(theirs["person_id"])
        token = owner.token("/account")
        before = last(room)
        status = call.ask(owner, token, theirs).status_code
        assert status < 500, f"{call.method} {call.path}"
        named = [row for row in rows(room, before) if row.tape_id == theirs["tape_id"]]
        assert named, f"{call.method} {call.path}: {status}"
        assert {row.actor_id for row in named} == {theirs["person_id"]}
        asked += 1
    assert asked > 40


@pytest.mark.parametrize(
    "path", ["/", "/meetings/{meeting_id}", "/tapes/{tape_id}/progress", "/tapes/{tape_id}/withdraw"]
)
def test_pages_that_show_a_client_s_pseudonym_leave_a_row(room: Room, theirs: dict[str, str], path: str) -> None:
    owner = room.signed_in(theirs["person_id"])
    before = last(room)
    page = owner.get(path.format(**theirs))
    assert page.status_code == 200
    named = {(row.actor_id, row.tape_id) for row in rows(room, before)}
    assert named == {(theirs["person_id"], theirs["tape_id"])}


def test_why_a_tape_was_refused_stands_in_the_audit_alone(room: Room, theirs: dict[str, str]) -> None:
    group = theirs["group_id"]
    draft = room.tape(group, theirs["person_id"], state="draft")
    closed = room.tape(group, theirs["person_id"])
    stranger, member = room.signed_in(room.person("Sam")), room.signed_in(room.person("Ben", group))
    before = last(room)
    asked = [
        (stranger, f"/tapes/{theirs['tape_id']}", "404 audience"),
        (member, f"/tapes/{draft}", "404 draft"),
        (member, f"/tapes/{theirs['tape_id']}/first", "404 interviewer"),
        (member, f"/tapes/{closed}/feedback", "403 first"),
        (member, f"/tapes/{closed}/coding", "403 first"),
        (member, f"/tapes/{NOBODY}", "404 unknown"),
        (room.browser(), f"/tapes/{closed}", "303 sign-in"),
    ]
    texts = []
    for browser, path, _ in asked:
        texts.append(browser.get(path).text)
    assert [row.why for row in rows(room, before)] == [why for _, _, why in asked]
    assert not [text for text in texts if "audience" in text]


def test_failed_sign_ins_leave_a_row_each_quarter_of_an_hour(room: Room) -> None:
    ada = room.person("Ada")
    browser = room.browser()
    for _ in range(4):
        login(browser, "ada@example.org", "a wrong password")
    login(browser, "nobody@example.org", "a wrong password")
    known = (None, "login.refuse", f"POST /login {ada}", None, "401")
    unknown = (None, "login.refuse", "POST /login", None, "401")
    assert told(room) == [(*known, None), (*unknown, None)]
    room.clock.advance(WINDOW)
    login(browser, "ada@example.org", "a wrong password")
    assert told(room)[2:] == [(*known, 3), (*known, None)]
    assert {row.source for row in rows(room)} == {"testclient"}


def test_a_limit_that_is_reached_leaves_a_row(room: Room) -> None:
    ada = room.person("Ada")
    browser = room.browser()
    statuses = [login(browser, "ada@example.org", "wrong").status_code for _ in range(70)]
    assert 429 in statuses
    assert (None, "login.refuse", f"POST /login {ada}", None, "429", None) in told(room)


def test_wrong_codes_and_passwords_of_the_account_page_leave_a_row(room: Room) -> None:
    ada = room.person("Ada", is_admin=True)
    with room.home.database.writing() as database:
        from pipeline.review.auth.credentials import closed

        database.get_one(Person, ada).totp_secret = closed(room.home, "A" * 32)
    half = room.browser()
    login(half, "ada@example.org")
    half.post("/login/code", {"code": "x"}, page="/login/code")
    half.post("/login/recovery", {"code": "x"}, page="/login/code")
    room.signed_in(ada).post("/account/password", {"current": "wrong", "password": "x", "again": "x"})
    assert [entry[:5] for entry in told(room)] == [
        (ada, "login.refuse", f"POST /login/code {ada}", None, "401"),
        (ada, "login.refuse", f"POST /login/recovery {ada}", None, "401"),
        (ada, "refuse", "POST /account/password", None, "422 password"),
    ]


def test_signing_out_everywhere_and_ending_a_session_leave_a_row(room: Room) -> None:
    ada = room.person("Ada")
    here = room.signed_in(ada)
    room.clock.advance(1)
    room.signed_in(ada)
    other = room.app.state.context.sessions.of(ada, room.clock())[0].id
    here.post(f"/account/sessions/{other}/end")
    here.post("/account/sign-out-everywhere")
    assert [(row.actor_id, row.action, row.thing, row.source) for row in rows(room)] == [
        (ada, "logout.session", other, "testclient"),
        (ada, "logout.everywhere", "", "testclient"),
    ]


def test_a_page_that_asks_again_and_again_is_one_row_and_its_count(room: Room, theirs: dict[str, str]) -> None:
    owner = room.signed_in(theirs["person_id"])
    before = last(room)
    for _ in range(5):
        owner.get(f"/tapes/{theirs['tape_id']}/progress", headers={"X-Unattended": "1"})
    entry = (theirs["person_id"], "read", "GET /tapes/{tape_id}/progress", theirs["tape_id"], "")
    assert told(room, before) == [(*entry, None)]
    room.clock.advance(WINDOW)
    assert room.browser().get("/growth").status_code == 303
    assert told(room, before)[:2] == [(*entry, None), (*entry, 4)]


def test_a_stranger_s_made_up_ids_and_paths_leave_one_row(room: Room) -> None:
    browser = room.browser()
    for number in range(30):
        browser.get(f"/tapes/{number:016x}")
        browser.get(f"/nowhere/{number}")
    assert [entry[:5] for entry in told(room)] == [(None, "refuse", "GET /tapes/{tape_id}", None, "303 sign-in")]


def test_what_was_counted_is_written_when_the_program_ends(room: Room) -> None:
    with room.browser().client as client:
        for _ in range(3):
            client.get("/growth")
        assert len(rows(room)) == 1
    assert [row.times for row in rows(room)] == [None, 2]


DECISION = AuditedDecision("ada", "refuse", "GET /", None, "404", "192.0.2.1")


def test_two_people_or_two_addresses_are_not_counted_together(room: Room) -> None:
    decisions = Decisions(room.home, room.clock)
    others = [
        AuditedDecision("ben", "refuse", "GET /", None, "404", "192.0.2.1"),
        AuditedDecision("ada", "refuse", "GET /", None, "404", "192.0.2.2"),
    ]
    for _ in range(2):
        decisions.note(DECISION, *others)
    assert len(rows(room)) == 3
    decisions.flush()
    assert [row.times for row in rows(room)] == [None] * 3 + [1] * 3
    decisions.flush()
    assert len(rows(room)) == 6


def test_nobody_reads_what_the_audit_cannot_tell_of(
    room: Room, theirs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is answered all the same."""
    owner, stranger = room.signed_in(theirs["person_id"]), room.signed_in(room.person("Sam"))

    def busy(self: Decisions, *decided: AuditedDecision) -> None:
        raise TapesError("K04", "database", "is busy", "try again")

    monkeypatch.setattr(Decisions, "note", busy)
    page = owner.get(f"/tapes/{theirs['tape_id']}/progress")
    assert page.status_code >= 500
    assert "Robin" not in page.text
    assert stranger.get(f"/tapes/{theirs['tape_id']}").status_code == 404


def test_a_row_that_could_not_be_written_is_written_the_next_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    decisions = Decisions(room.home, room.clock)

    def busy(self: Database) -> None:
        raise TapesError("K04", "database", "is busy", "try again")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", busy)
        with pytest.raises(TapesError, match="TR-K04"):
            decisions.note(DECISION)
    decisions.note(DECISION)
    assert [row.times for row in rows(room)] == [None]


def test_a_browser_that_is_signed_in_by_half_is_named(room: Room) -> None:
    ada = room.person("Ada", is_admin=True)
    browser = room.browser()
    login(browser, "ada@example.org")
    assert isinstance(browser, Browser)
    browser.get("/people")
    assert told(room) == [(ada, "refuse", "GET /people", None, "303 enroll", None)]
