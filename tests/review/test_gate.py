"""The gate by itself: who is let by to a tape in which way, why not, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review import gate
from pipeline.review.access.viewer import Viewer
from pipeline.tapes import trail
from pipeline.tapes.clock import DAY
from pipeline.tapes.consent import Use
from pipeline.tapes.records import AuditRow, Consent, Membership, Person, Review, Tape, TapeState
from pipeline.tapes.trail import Trail
from tests.review.conftest import Room

STATES: tuple[TapeState, ...] = ("draft", "queued", "running", "ready", "failed")


class Door:
    """A tape of Ada's in a group with Ben; Sam is elsewhere, Root administers."""

    def __init__(self, room: Room) -> None:
        self.room, self.group = room, room.group()
        self.ada, self.ben = room.person("Ada", self.group), room.person("Ben", self.group)
        self.sam, self.root = room.person("Sam", room.group("Elsewhere")), room.person("Root", is_admin=True)
        self.tape = room.tape(self.group, self.ada)

    def become(self, state: TapeState) -> None:
        with self.room.home.database.writing() as database:
            database.get_one(Tape, self.tape).state = state

    def at(self, database: Session, person: str, *uses: Use, own: bool = False, opened: bool = False) -> str:
        """Why somebody is refused; "" where they are let by."""
        left = Trail("test")
        token = trail.current.set(left)
        viewer, now = Viewer(person, "", "", False, ""), self.room.clock()
        try:
            if own:
                found = gate.own(database, viewer, self.tape, uses[0], now)
            elif opened:
                found = gate.opened(database, viewer, self.tape, uses[0], now)
            else:
                found = gate.tape(database, viewer, self.tape, uses[0], now, *uses[1:])
        except HTTPException as refused:
            return left.reason if (refused.status_code, left.refused) == (404, True) else "otherwise"
        finally:
            trail.current.reset(token)
        assert found.id == self.tape
        assert (left.tapes, left.refused) == ({self.tape}, False)
        return ""


@pytest.fixture
def door(room: Room) -> Door:
    return Door(room)


@pytest.fixture
def database(room: Room) -> Iterator[Session]:
    with room.home.database.reading() as session:
        yield session


@pytest.mark.parametrize("state", STATES)
def test_a_draft_is_its_interviewer_s_alone_but_for_its_end(room: Room, door: Door, state: TapeState) -> None:
    door.become(state)
    is_draft = state == "draft"
    with room.home.database.reading() as database:
        assert door.at(database, door.ada, "show") == ""
        assert door.at(database, door.ben, "show") == ("draft" if is_draft else "")
        assert door.at(database, door.sam, "show") == "audience"
        assert door.at(database, door.root, "show") == "audience"
        for use in ("withdraw", "destroy"):
            assert door.at(database, door.root, use) == ""
            assert door.at(database, door.ada, use) == ""
            assert door.at(database, door.ben, use) == "role"


def test_several_uses_must_all_be_allowed(door: Door, database: Session) -> None:
    assert door.at(database, door.ben, "show", "code", "play") == ""
    assert door.at(database, door.ben, "show", "export") == "role"
    assert door.at(database, door.ben, "export", "show") == "role"
    assert door.at(database, door.ada, "show", "adapt_tagger") == "use"


def test_nobody_and_nothing_is_refused(door: Door, database: Session) -> None:
    assert door.at(database, "0" * 16, "process") == "unknown"  # not taken for the program, which has no id
    door.tape = "0" * 16
    assert door.at(database, door.ada, "show") == "unknown"


def test_what_is_one_s_own(door: Door, database: Session) -> None:
    assert door.at(database, door.ada, "show", own=True) == ""
    assert door.at(database, door.ben, "show", own=True) == "interviewer"
    assert door.at(database, door.sam, "show", own=True) == "audience"
    assert door.at(database, door.root, "withdraw", own=True) == "interviewer"


@pytest.mark.parametrize("state", STATES)
def test_a_tape_in_one_of_some_states(state: TapeState) -> None:
    tape = Tape(group_id="", interviewer_id="", created_at=0, state=state)
    for states in (("ready",), ("draft", "failed"), ()):
        if state in states:
            assert gate.in_state(tape, *states) is tape
        else:
            left = Trail("test")
            token = trail.current.set(left)
            with pytest.raises(HTTPException) as refused:
                gate.in_state(tape, *states)
            trail.current.reset(token)
            assert (refused.value.status_code, left.reason) == (404, "state")


@pytest.mark.parametrize(
    ("done", "waived", "is_open"), [(None, None, False), (1, None, True), (None, 1, True), (1, 1, True)]
)
def test_others_come_once_the_interviewer_has_looked_or_waived(
    room: Room, door: Door, done: int | None, waived: int | None, is_open: bool
) -> None:
    other = room.tape(door.group, door.ada)
    with room.home.database.writing() as database:
        database.add(Review(tape_id=other, stage="x", interviewer_done_at=None if is_open else 1))
        database.flush()
        database.add(Review(tape_id=door.tape, stage="x", interviewer_done_at=done, waived_at=waived))
    with room.home.database.reading() as database:
        assert door.at(database, door.ada, "show", opened=True) == ""
        assert door.at(database, door.ben, "show", opened=True) == ("" if is_open else "first")
        assert door.at(database, door.sam, "show", opened=True) == "audience"
        assert gate.is_open(database, door.ben, database.get_one(Tape, door.tape)) is is_open


def test_without_a_review_only_the_interviewer_comes(door: Door, database: Session) -> None:
    assert door.at(database, door.ben, "show", opened=True) == "first"
    assert door.at(database, door.ada, "show", opened=True) == ""


def test_the_title_has_this_tape_s_newest_pseudonym(room: Room, door: Door) -> None:
    other = room.tape(door.group, door.ben)
    with room.home.database.writing() as database:
        first = database.query(Consent).filter(Consent.tape_id == door.tape).one()
        again = {
            name: getattr(first, name)
            for name in ("uses", "group_ids", "destroy_by", "method", "signed_at", "signed_form")
        }
        values = again | {"tape_id": door.tape, "pseudonym": "Kim", "given_at": first.given_at - 5}
        database.add(Consent(**values))
        database.query(Consent).filter(Consent.tape_id == other).one().pseudonym = "Lou"
    with room.home.database.reading() as database:
        assert gate.title(database, database.get_one(Tape, door.tape)) == "Ada with Kim"
        assert gate.title(database, database.get_one(Tape, other)) == "Ben with Lou"


def test_a_title_without_a_pseudonym_is_the_interviewer_s_name(room: Room, door: Door) -> None:
    with room.home.database.writing() as database:
        database.query(Consent).delete()
        left = Trail("test")
        token = trail.current.set(left)
        assert gate.title(database, database.get_one(Tape, door.tape)) == "Ada"
        trail.current.reset(token)
    assert left.tapes == {door.tape}  # who reads a title has come to the tape


@pytest.mark.parametrize(
    ("since", "until", "is_in"),
    [(-DAY, None, True), (0, None, True), (1, None, False), (-DAY, 0, False), (-DAY, -1, False), (-DAY, DAY, False)],
)
@pytest.mark.parametrize("role", ["member", "coordinator", "coach"])
def test_who_is_in_a_group(room: Room, since: int, until: int | None, is_in: bool, role: str) -> None:
    """An end is a fact, not a time: who was let go stays out where a clock is set back."""
    group, other, now = room.group(), room.group("Other"), room.clock()
    ada, ben = room.person("Ada"), room.person("Ben")
    with room.home.database.writing() as database:
        ended = None if until is None else now + until
        database.add(Membership(group_id=group, person_id=ada, role=role, since=now + since, until=ended))  # type: ignore[arg-type]
    with room.home.database.reading() as database:
        assert gate.is_member(database, ada, group, now) is is_in
        assert not gate.is_member(database, ada, other, now)
        assert not gate.is_member(database, ben, group, now)


@pytest.mark.parametrize("role", ["member", "coach"])
@pytest.mark.parametrize("when", ["former", "coming"])
def test_meetings_and_the_coach_s_pages_are_for_whom_belongs_to_the_group_now(room: Room, role: str, when: str) -> None:
    group, now = room.group(), room.clock()
    ada, kim = room.person("Ada", group), room.person("Kim")
    meeting = room.signed_in(ada).post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    since, until = (now - DAY, now) if when == "former" else (now + DAY, None)
    with room.home.database.writing() as database:
        database.add(Membership(group_id=group, person_id=kim, role=role, since=since, until=until))  # type: ignore[arg-type]
    browser = room.signed_in(kim)
    for path in (
        meeting,
        *(
            f"/groups/{group}{page}"
            for page in ("", "/agreement", "/visit", "/pairs?family=question&coder=Ada&a=x&b=y")
        ),
    ):
        assert browser.get(path).status_code == 404, path


def test_what_was_read_is_told(room: Room, door: Door) -> None:
    with room.home.database.writing() as database:
        gate.read(database, Viewer(door.ben, "", "", False, ""), door.tape, "feedback", 7, span=(1, 2))
    with room.home.database.reading() as database:
        row = database.query(AuditRow).order_by(AuditRow.seq.desc()).first()
        assert row is not None
        assert (row.at, row.actor_id, row.action, row.tape_id, row.thing) == (
            7,
            door.ben,
            "read",
            door.tape,
            "feedback",
        )
        assert (row.span_start, row.span_end) == (1, 2)
        assert database.get(Person, door.ben) is not None
