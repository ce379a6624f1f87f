"""Everybody at every door: each verb of each route, eleven kinds of people, seven states of a tape.

What is expected is written by hand: what each route needs, and who may what with a tape in each state. Each answer must
have the status that follows, and each that concerns a tape, and each refusal, its row in the audit with the reason that
follows. Nothing that a request changes is kept, so that every request finds the same room.

There are thousands: a third of them is sent here, so that each route meets each kind in some states and each state with
some kinds; CI, where ``TAPE_REVIEW_EXAMPLES`` is 100, sends all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy.orm import Session

from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import AuditRow, Consent, Group, Membership, Person, Review, Share, Tape
from tests.conftest import EXAMPLES
from tests.review.conftest import Browser, Room
from tests.review.routes import NOBODY, Call, calls

KINDS = (
    *("anonymous", "disabled", "former", "coming", "elsewhere", "administrator"),
    *("member", "coordinator", "coach", "named", "interviewer"),
)
STATES = ("draft", "first", "open", "text", "withdrawn", "past", "destroyed")
"""Of a tape: being handed in; its interviewer has not looked at it; has; the same without sound; consent withdrawn;
consent over; destroyed."""

EVERY = 1 if EXAMPLES >= 100 else 3
"""One of how many requests with a tape is sent."""

GUESTS = ("anonymous", "disabled")
AUDIENCE = ("member", "coordinator", "coach", "named", "interviewer")
GROUP = ("member", "coordinator", "coach", "interviewer")

# What each route with a tape needs. "show": to be in the consent's audience; "own": to be the interviewer; "ending":
# the interviewer or an administrator, whom a client must always reach; "code": the audience, with the interviewer
# first. After a comma: the state in which a tape must be; "blind": whoever may still code the tape is kept from others'
# codes; "coach": the coaches of the tape's group alone.
TAPES = {
    "/tapes/{tape_id}": "show",
    "/tapes/{tape_id}/progress": "show",
    **dict.fromkeys(("/tapes/{tape_id}/cancel", "/tapes/{tape_id}/retry"), "process"),
    **dict.fromkeys(("/tapes/{tape_id}/withdraw", "/tapes/{tape_id}/destroy"), "ending"),
    **dict.fromkeys(("/tapes/{tape_id}/recording", "/tapes/{tape_id}/recording/discard"), "store,draft"),
    **dict.fromkeys(("/tapes/{tape_id}/part", "/tapes/{tape_id}/part/peaks"), "store,draft"),
    **dict.fromkeys(("/tapes/{tape_id}/part/sound", "/tapes/{tape_id}/part/suggestion"), "store,draft"),
    **dict.fromkeys((f"/tapes/{{tape_id}}/{what}" for what in ("another", "another/discard", "files")), "store,draft"),
    **dict.fromkeys(
        (f"/uploads/{{tape_id}}{what}" for what in ("", "/check", "/form", "/scan", "/transcript")), "store,draft"
    ),
    **dict.fromkeys(("/tapes/{tape_id}/transcript", "/tapes/{tape_id}/transcript/discard"), "store,draft"),
    **dict.fromkeys(("/tapes/{tape_id}/permission", "/tapes/{tape_id}/permission/sheet"), "store"),
    **dict.fromkeys(("/tapes/{tape_id}/voices", "/tapes/{tape_id}/first"), "own,ready"),
    **dict.fromkeys((f"/tapes/{{tape_id}}/feedback/{verb}" for verb in ("play", "close", "reopen")), "own,ready"),
    **dict.fromkeys(("/tapes/{tape_id}/feedback", "/tapes/{tape_id}/feedback/draft"), "opened,ready"),
    "/tapes/{tape_id}/feedback/{feedback_id}/remove": "opened,ready",
    "/tapes/{tape_id}/notes": "opened,ready",
    "/tapes/{tape_id}/moment": "opened,ready",
    **dict.fromkeys(
        (f"/tapes/{{tape_id}}/notes/{{note_id}}/{verb}" for verb in ("share", "unshare", "remove")), "opened,ready"
    ),
    **dict.fromkeys((f"/tapes/{{tape_id}}/summary{kind}" for kind in ("", ".pdf", ".docx")), "opened,ready"),
    **dict.fromkeys(
        (f"/tapes/{{tape_id}}/{what}" for what in ("coding", "peaks", "sound", "names", "definitions")), "code"
    ),
    "/tapes/{tape_id}/codebooks": "code,group",
    "/tapes/{tape_id}/together": "code",
    "/tapes/{tape_id}/together/look": "code",
    **dict.fromkeys(
        (f"/tapes/{{tape_id}}/together/{what}" for what in ("state", "mark", "ratings", "live")), "code,blind"
    ),
    **dict.fromkeys(
        (f"/tapes/{{tape_id}}/passes/{{pass_id}}{what}" for what in ("", "/state", "/mark", "/changes")), "code"
    ),
    **dict.fromkeys(
        (f"/tapes/{{tape_id}}/passes/{{pass_id}}/{what}" for what in ("lock", "unlock", "keys", "ratings")), "code"
    ),
    "/tapes/{tape_id}/passes/{pass_id}/codes.{kind}": "code",
    "/tapes/{tape_id}/codebooks/{codebook_id}/remove": "code,group",
    "/tapes/{tape_id}/calibration/passes": "code",
    "/tapes/{tape_id}/calibration": "code,coach,blind",
    "/tapes/{tape_id}/calibration/end": "code,coach",
}

VERBS = {"POST /tapes/{tape_id}/together": "code,blind"}
"""Verbs that need more than the route's others: to have coded the tape, or to have looked at others' codes."""

# Who may come in by the other routes; "all" is everybody, signed in or not.
SIGNED_IN = tuple(kind for kind in KINDS if kind not in GUESTS)
OTHERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("/login", "/logout", "/healthz", "/readyz"), KINDS),
    "/metrics": (),  # off, unless the settings want it: tests/review/operation/test_metrics.py
    **dict.fromkeys(
        ("/", "/account", "/account/password", "/account/second-step", "/account/second-step/remove"),
        SIGNED_IN,
    ),
    **dict.fromkeys((f"/account/{what}" for what in ("second-step/keep", "recovery-codes", "notices")), SIGNED_IN),
    "/account/passkeys/{passkey_id}/remove": (),  # nobody has this one
    "/here": (),  # it is asked for a tape that nobody has
    "/account/sessions/{session_id}/end": ("interviewer",),
    **dict.fromkeys(("/account/sign-out-everywhere", "/account/organization/forget"), SIGNED_IN),
    **dict.fromkeys(("/people", "/groups", "/first-steps/close"), ("administrator",)),
    **dict.fromkeys(
        (f"/people/{{person_id}}/{what}" for what in ("link", "second-step", "disable", "leave")), ("administrator",)
    ),
    **dict.fromkeys(("/tapes/new", "/meetings", "/growth", "/growth/unshare"), SIGNED_IN),
    **dict.fromkeys(("/consent-sheet", "/destroyed"), SIGNED_IN),
    **dict.fromkeys(("/destroyed/{certificate_id}", "/destroyed/{certificate_id}/file"), ()),  # nobody has this one
    "/tapes": ("member", "coordinator", "interviewer"),
    "/growth/share": ("member", "coordinator", "coach"),
    "/growth/{person_id}": ("member",),
    "/meetings/{meeting_id}": GROUP,
    "/meetings/{meeting_id}/meeting.ics": GROUP,
    **dict.fromkeys(
        (f"/groups/{{group_id}}/{what}" for what in ("time-zone", "turns", "calendar", "calendar/stop")), GROUP
    ),
    **dict.fromkeys(
        (f"/meetings/{{meeting_id}}/{what}" for what in ("when", "where", "cancel", "roles", "tape", "notes", "end")),
        GROUP,
    ),
    **dict.fromkeys(
        ("/groups/{group_id}", *(f"/groups/{{group_id}}/{what}" for what in ("agreements", "terms", "agreement"))),
        GROUP,
    ),
    "/groups/{group_id}/members": ("coordinator",),
    **dict.fromkeys((f"/groups/{{group_id}}/{what}" for what in ("visit", "recalibrated", "pairs")), ("coach",)),
    "/program": ("administrator",),
    **dict.fromkeys(("/codebooks/{codebook_name}", "/practice", "/practice/skills"), SIGNED_IN),
    "/practice/role-plays/{script}": SIGNED_IN,
    **dict.fromkeys(
        (
            f"/practice/passes/{{calibration_pass_id}}{what}"
            for what in ("", "/state", "/mark", "/changes", "/keys", "/lock", "/peaks", "/sound")
        ),
        ("interviewer",),
    ),
}

ELSEWHERE = {"/login/code", "/login/recovery", "/login/enroll", "/oidc/start", "/oidc/back", "/invitation/{token}"}
ELSEWHERE |= {"/calendar/{token}.ics"}  # for whoever has the address: tests/review/meetings/test_calendar_feed.py
ELSEWHERE |= {"/login/passkey", "/login/passkey/challenge"}  # tests/review/auth/test_passkey_pages.py
ELSEWHERE |= {"/account/passkeys", "/account/passkeys/challenge"}  # and a device's answer: the same file
ELSEWHERE |= {"POST /login", "POST /account/second-step"}
ELSEWHERE |= {
    "/certificate",
    "/certificate/tape-review.crt",
}  # for everybody: tests/review/network/test_certificate_page.py
"""Doors that ask for something else than who is signed in: a password, a code; other tests stand before them."""

PLANS: dict[str, tuple[str, ...]] = {"POST /meetings": GROUP, "GET /groups/{group_id}/pairs": ()}
"""Verbs that need more than the route's others; no two coders differ here, so that there is no pair to look at."""


def reason(kind: str, state: str, need: str) -> str:
    """Why somebody is refused, "" where they are let by; worked out from what the pages promise."""
    what, _, states = need.partition(",")
    state = "open" if state == "text" else state  # who may do what does not depend on there being sound
    if kind in GUESTS:
        return "sign-in"
    if state == "destroyed":
        return "destroyed"
    if what == "ending":
        return "" if kind in ("interviewer", "administrator") else "role"
    if state in ("withdrawn", "past"):
        return {"withdrawn": "withdrawn", "past": "expired"}[state]
    if kind not in AUDIENCE:
        return "audience"
    if kind != "interviewer":
        if what in ("store", "process"):
            return "role"
        if state == "draft":
            return "draft"
        if what == "own":
            return "interviewer"
    if kind != "interviewer" and state == "open" and need == "code,blind":
        return "blind"
    if (
        states.startswith("coach")
        and kind != "coach"
        and (state == "open" or (kind, state) == ("interviewer", "first"))
    ):
        return "group" if kind == "named" else "role"
    if need == "code,coach,blind" and state == "open":
        return "blind"
    allowed = "ready" if what == "code" else states
    is_state = "draft" if state == "draft" else "ready"
    if what == "opened" and kind != "interviewer" and state == "first":
        return "first"
    if allowed and allowed != is_state:
        return "state"
    if what == "code" and kind != "interviewer" and state == "first":
        return "first"
    return "group" if need == "code,group" and kind == "named" else ""


@dataclass
class House:
    """A room with one of each kind, a tape in each state, and the rows that the last request would have left."""

    room: Room
    people: dict[str, str]
    browsers: dict[str, Browser]
    tokens: dict[str, str]
    ids: dict[str, str]
    tapes: dict[str, str]
    rows: list[AuditRow] = field(default_factory=list)

    def ask(self, call: Call, kind: str, **ids: str) -> int:
        self.rows.clear()
        self.room.app.state.context.decisions.flush()  # so that nothing is only counted
        self.rows.clear()
        return call.ask(self.browsers[kind], self.tokens[kind], self.ids | ids).status_code


@pytest.fixture
def house(room: Room, monkeypatch: pytest.MonkeyPatch) -> House:
    now, group = room.clock(), room.group("Ours")
    roles = {"coordinator": "coordinator", "coach": "coach", "interviewer": "member", "member": "member"}
    people = {
        kind: room.person(kind, group if kind in roles else None, roles.get(kind, "member"), kind == "administrator")  # type: ignore[arg-type]
        for kind in KINDS
        if kind != "anonymous"
    }
    tapes = {
        state: room.tape(group, people["interviewer"], state="draft" if state == "draft" else "ready")
        for state in STATES
    }
    with room.home.database.writing() as database:
        database.get_one(Person, people["disabled"]).disabled_at = now
        spans = {"disabled": (0, None), "former": (now - DAY, now), "coming": (now + DAY, None)}
        for kind, (since, until) in spans.items():
            database.add(Membership(group_id=group, person_id=people[kind], role="member", since=since, until=until))
        for consent in database.query(Consent):
            consent.uses, consent.person_ids = ["group_review", "coach_check"], [people["named"]]
        past = database.query(Consent).filter(Consent.tape_id == tapes["past"]).one()
        past.destroy_by = now - 3 * DAY
        for state in ("open", "text", "withdrawn", "past", "destroyed"):
            database.add(Review(tape_id=tapes[state], stage="open", waived_at=now))
        database.get_one(Tape, tapes["text"]).from_text = True
        database.get_one(Tape, tapes["destroyed"]).state = "destroyed"
        database.get_one(Tape, tapes["withdrawn"]).withdrawn_at = now
        database.add(Share(person_id=people["interviewer"], with_person_id=people["member"], at=now))
        elsewhere = Membership(
            group_id=other_group(database, now), person_id=people["elsewhere"], role="member", since=now
        )
        database.add(elsewhere)
    owner = room.signed_in(people["interviewer"])
    meeting = owner.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    practiced = owner.post("/practice/role-plays/roleplay-alcohol", {"codebook": "pretags"}).headers["location"]
    ids = {
        "calibration_pass_id": practiced.rpartition("/")[2],
        "group_id": group,
        "person_id": people["interviewer"],
        "meeting_id": meeting.split("/")[-1].partition("?")[0],
        "pass_id": NOBODY,
        "feedback_id": NOBODY,
        "session_id": room.app.state.context.sessions.of(people["interviewer"], now)[0].id,
    }
    browsers = {kind: room.browser() for kind in KINDS}
    for kind, person in people.items():
        browsers[kind].client.cookies.set(
            SESSION, room.app.state.context.sessions.start(person, now, second_factor=True)
        )
    browsers["interviewer"] = owner
    tokens = {kind: browsers[kind].token("/login" if kind in GUESTS else "/account") for kind in KINDS}
    made = House(room, people, browsers, tokens, ids, tapes)
    monkeypatch.setattr(Database, "writing", forgetting(made))
    return made


def other_group(database: Session, now: int) -> str:
    group = Group(name="Theirs", created_at=now)
    database.add(group)
    database.flush()
    return group.id


def forgetting(house: House):
    """Writing that keeps the audit's rows for the test, and takes everything back."""

    @contextmanager
    def writing(self: Database) -> Iterator[Session]:
        with self._taking_turns(), Session(self._writer, expire_on_commit=False) as session:
            self._begin(session)
            yield session
            session.flush()
            house.rows += session.info.get("audit", [])
            self._before_commit(session)
            session.rollback()

    return writing


def test_everybody_with_every_tape(house: House) -> None:
    wrong, asked = [], 0
    for number, call in enumerate(calls(house.room.app)):
        if "tape_id" not in call.named:
            continue
        need = VERBS.get(f"{call.method} {call.path}", TAPES[call.path])  # a new route says there what it needs
        for order, kind in enumerate(KINDS):
            for state in STATES[(number + order) % EVERY :: EVERY]:
                expected = reason(kind, state, need)
                if not expected and need == "ending" and not call.safe:
                    continue  # it would take the tape's files, which no rollback brings back
                asked += 1
                status = house.ask(call, kind, tape_id=house.tapes[state])
                if told := differs(house, need, kind, house.tapes[state], status, expected):
                    wrong.append(f"{call.method} {call.path}, {kind}, {state}: {told}")
    assert wrong == []
    assert asked > 3000 // EVERY


def differs(house: House, need: str, kind: str, tape_id: str, status: int, expected: str) -> str:
    """What is otherwise than expected."""
    deeds = [row for row in house.rows if row.action != "destroy"]  # the program's own, where a last day is over
    rows = [(row.actor_id, row.action, row.tape_id, row.why) for row in deeds]
    actor = None if kind in GUESTS else house.people[kind]
    if not expected:
        let_by = status < 400 or status in (404, 409, 413, 415, 422, 500)
        refused = [
            row for row in rows if row[1] == "refuse" and row[3] not in ("404", "404 pass")
        ]  # there is no such pass
        named = [row for row in rows if row[0] == actor and row[2] == tape_id]
        return "" if let_by and not refused and (named or status == 500) else f"{status} {rows}, not let by"
    answer = {"sign-in": 303, "blind": 403, "first": 403}.get(expected, 404)
    row = (actor, "refuse", tape_id, f"{status} {expected}")
    if expected == "sign-in" and status in (401, 403):
        return "" if [entry[:3] for entry in rows] == [row[:3]] else f"{status} {rows}, not the guest's row"
    return "" if status == answer and rows == [row] else f"{status} {rows}, not {answer} {expected}"


def test_everybody_at_every_other_door(house: House) -> None:
    wrong, asked = [], 0
    for call in calls(house.room.app):
        if "tape_id" in call.named or {call.path, f"{call.method} {call.path}"} & ELSEWHERE:
            continue
        may = PLANS.get(f"{call.method} {call.path}", OTHERS[call.path])
        for kind in KINDS:
            asked += 1
            status = house.ask(call, kind, tape_id=house.tapes["open"])
            refused = status in (401, 403, 404) or (
                kind in GUESTS and status == 303 and call.path not in ("/login", "/logout")
            )
            rows = [(row.actor_id, row.action, row.tape_id) for row in house.rows if row.action == "refuse"]
            actor = None if kind in GUESTS else house.people[kind]
            told = rows == ([(actor, "refuse", None)] if refused else [])
            if refused != (kind not in may) or not told:
                wrong.append(f"{call.method} {call.path}, {kind}: {status} {rows}")
    assert wrong == []
    assert asked > 400
