"""Authorization by itself: who comes to a tape, its codes, a pass or a group, why not, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pipeline.review import authorization
from pipeline.review.auth.current_user import Viewer
from pipeline.review.authorization import SEEN, Admitted, admit
from pipeline.review.errors import NotYetError
from pipeline.tapes import audit_log, request_trail
from pipeline.tapes.clock import DAY
from pipeline.tapes.consent.consent import Use
from pipeline.tapes.db.records import AuditRow, Consent, Group, Membership, Pass, Person, Review, Tape, TapeState
from pipeline.tapes.request_trail import Trail
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

    def at(self, database: Session, person: str, *uses: Use, own_tape: bool = False, opened: bool = False) -> str:
        """Why somebody is refused; "" where they are let by."""
        left = Trail("test")
        token = request_trail.current.set(left)
        viewer, now = Viewer(person, "", "", False, ""), self.room.clock()
        try:
            if own_tape:
                reached = authorization.own_tape(database, viewer, self.tape, uses[0], now)
            elif opened:
                reached = authorization.opened(database, viewer, self.tape, uses[0], now, *uses[1:])
            else:
                reached = authorization.tape(database, viewer, self.tape, uses[0], now, *uses[1:])
        except NotYetError as early:
            return early.reason if (early.status_code, early.detail) == (403, authorization.FIRST) else "otherwise"
        except HTTPException as refused:
            return left.reason if (refused.status_code, left.refused) == (404, True) else "otherwise"
        finally:
            request_trail.current.reset(token)
        assert reached.id == self.tape
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
    assert door.at(database, door.ada, "show", own_tape=True) == ""
    assert door.at(database, door.ben, "show", own_tape=True) == "interviewer"
    assert door.at(database, door.sam, "show", own_tape=True) == "audience"
    assert door.at(database, door.root, "withdraw", own_tape=True) == "interviewer"


@pytest.mark.parametrize("state", STATES)
def test_a_tape_in_one_of_some_states(state: TapeState) -> None:
    tape = Tape(group_id="", interviewer_id="", created_at=0, state=state)
    for states in (("ready",), ("draft", "failed"), ()):
        if state in states:
            assert authorization.in_state(tape, *states) is tape
        else:
            left = Trail("test")
            token = request_trail.current.set(left)
            with pytest.raises(HTTPException) as refused:
                authorization.in_state(tape, *states)
            request_trail.current.reset(token)
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
        assert authorization.is_open(database, door.ben, database.get_one(Tape, door.tape)) is is_open


@pytest.mark.parametrize("state", STATES)
def test_codes_and_measures_are_there_once_a_tape_is_ready(room: Room, door: Door, state: TapeState) -> None:
    with room.home.database.writing() as database:
        database.add(Review(tape_id=door.tape, stage="x", waived_at=1))
    door.become(state)
    with room.home.database.reading() as database:
        tape, ada = database.get_one(Tape, door.tape), database.get_one(Person, door.ada)
        assert door.at(database, door.ada, "show", opened=True) == ("" if state == "ready" else "state")
        assert door.at(database, door.ada, "show", "adapt_tagger", opened=True) == "use"
        assert authorization.all_open(database, ada, [tape], room.clock()) == ([tape] if state == "ready" else [])


def test_of_some_tapes_those_are_open_that_one_may_see_and_whose_interviewer_has_looked(room: Room, door: Door) -> None:
    other, foreign = room.tape(door.group, door.ada), room.tape(room.group("Third"), room.person("Kim"))
    with room.home.database.writing() as database:
        database.add_all(Review(tape_id=tape, stage="x", waived_at=1) for tape in (door.tape, foreign))
    with room.home.database.reading() as database:
        tapes = [database.get_one(Tape, tape) for tape in (other, door.tape, foreign)]

        def open_to(person: str) -> list[str]:
            asker = database.get_one(Person, person)
            return [tape.id for tape in authorization.all_open(database, asker, tapes, room.clock())]

        assert open_to(door.ada) == [other, door.tape]
        assert open_to(door.ben) == [door.tape]
        assert open_to(door.sam) == []


def test_a_list_has_what_one_may_see_and_no_draft_of_somebody_else(room: Room, door: Door) -> None:
    room.clock.advance(1)
    draft = room.tape(door.group, door.ada, state="draft")
    room.clock.advance(1)
    mine = room.tape(door.group, door.ben, state="draft")
    with room.home.database.reading() as database:

        def shown(person: str) -> list[str]:
            asker = database.get_one(Person, person)
            return [tape.id for tape in authorization.listed(database, asker, room.clock())]

        assert shown(door.ada) == [draft, door.tape]
        assert shown(door.ben) == [mine, door.tape]
        assert shown(door.sam) == []


def test_a_page_that_stays_leaves_no_trace_and_ends_for_whom_its_tape_is_none(room: Room, door: Door) -> None:
    """The page of somebody else's draft may not stay either: it does not exist."""
    ada, ben = room.signed_in(door.ada), room.signed_in(door.ben)
    page = f"/here?tape={door.tape}"
    with room.home.database.reading() as database:
        before = database.query(AuditRow).count()
    assert [browser.get(page).status_code for browser in (ada, ben)] == [204, 204]
    with room.home.database.reading() as database:
        assert database.query(AuditRow).count() == before
    door.become("draft")
    assert [browser.get(page).status_code for browser in (ada, ben)] == [204, 404]
    assert room.signed_in(door.sam).get(page).status_code == 404


def test_who_comes_to_codes_too_early_is_told_the_same_on_every_page(room: Room, door: Door) -> None:
    """Feedback and summary answered 404, the coding 403, to the same person at the same tape."""
    ben = room.signed_in(door.ben)
    for page in ("feedback", "summary", "summary.pdf", "coding", "together", "names"):
        answer = ben.get(f"/tapes/{door.tape}/{page}")
        assert answer.status_code == 403, page
        assert authorization.FIRST in answer.text, page
    assert ben.post(f"/tapes/{door.tape}/feedback", {"kind": "strength", "text": "x"}).status_code == 403
    assert room.signed_in(door.sam).get(f"/tapes/{door.tape}/summary").status_code == 404


@pytest.mark.parametrize("verb", ["play", "close", "reopen"])
def test_a_round_of_feedback_is_that_of_a_tape_that_is_ready(room: Room, door: Door, verb: str) -> None:
    """A draft's round could be closed before anybody heard the tape."""
    ada, path = room.signed_in(door.ada), f"/tapes/{door.tape}/feedback/{verb}"
    for state in ("draft", "queued", "running", "failed"):
        door.become(state)
        assert ada.post(path).status_code == 404, state
    door.become("ready")
    assert ada.post(path).status_code == 303


def test_without_a_review_only_the_interviewer_comes(door: Door, database: Session) -> None:
    assert door.at(database, door.ben, "show", opened=True) == "first"
    assert door.at(database, door.ada, "show", opened=True) == ""


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
        assert authorization.is_member(database, ada, group, now) is is_in
        assert not authorization.is_member(database, ada, other, now)
        assert not authorization.is_member(database, ben, group, now)


@pytest.mark.parametrize("role", ["member", "coordinator", "coach"])
def test_a_group_is_there_for_whom_is_in_it_and_a_role_s_pages_for_that_role(room: Room, role: str) -> None:
    group, other, now = room.group(), room.group("Other"), room.clock()
    kim = room.person("Kim", group, role)  # type: ignore[arg-type]
    room.person("Lou", group, "coach")
    viewer = Viewer(kim, "", "", False, "")

    def refused(database: Session, group_id: str, *wanted: str) -> str:
        left = Trail("test")
        token = request_trail.current.set(left)
        try:
            assert authorization.group(database, viewer, group_id, now, *wanted).id == group_id  # type: ignore[arg-type]
        except HTTPException as missing:
            return left.reason if missing.status_code == 404 else "otherwise"
        finally:
            request_trail.current.reset(token)
        return left.reason

    with room.home.database.reading() as database:
        assert refused(database, group) == ""
        for wanted in ("member", "coordinator", "coach"):
            assert refused(database, group, wanted) == ("" if wanted == role else "role")
            assert authorization.is_member(database, kim, group, now, wanted) is (wanted == role)  # type: ignore[arg-type]
        assert refused(database, other) == "group"
        assert refused(database, "0" * 16) == "group"
        assert database.get(Group, other) is not None


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
        authorization.read(database, Viewer(door.ben, "", "", False, ""), door.tape, "feedback", 7)
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


class Coding:
    """A tape of Ivy's that Ada and Ben may code, and another one."""

    def __init__(self, room: Room) -> None:
        self.room, self.group = room, room.group()
        self.people = {name: room.person(name, self.group) for name in ("Ivy", "Ada", "Ben")}
        self.tape, self.other = (room.tape(self.group, self.people["Ivy"]) for _ in range(2))
        with room.home.database.writing() as database:
            database.add_all(Review(tape_id=tape, stage="open", waived_at=1) for tape in (self.tape, self.other))

    def add(self, who: str, locked: int | None, layer: str = "member", tape: str = "") -> str:
        with self.room.home.database.writing() as database:
            row = Pass(
                tape_id=tape or self.tape,
                person_id=self.people[who],
                layer=layer,  # type: ignore[arg-type]
                codebook="pretags",
                task="all",
                seed=1,
                codebook_version="1",
                started_at=1,
                locked_at=locked,
            )
            database.add(row)
        return row.id

    def record(self, who: str, action: str = SEEN, tape: str = "") -> None:
        with self.room.home.database.writing() as database:
            audit_log.record(database, 1, self.people[who], action, tape or self.tape)

    def admitted(self, who: str, see: Callable[[Admitted], object], *uses: Use, tape: str = "") -> object:
        request = Request({"type": "http", "app": self.room.app, "headers": []})
        viewer = Viewer(self.people.get(who, who), who, "", False, "")
        with self.room.home.database.reading() as database:
            return see(admit(request, database, viewer, tape or self.tape, *(uses or ("show", "code"))))

    def unseen(self, who: str) -> set[str]:
        with self.room.home.database.reading() as database:
            tapes = [database.get_one(Tape, tape) for tape in (self.tape, self.other)]
            return set(authorization.unseen(database, self.people[who], tapes))


@pytest.fixture
def coding(room: Room) -> Coding:
    return Coding(room)


@pytest.mark.parametrize("state", ["draft", "queued", "running", "ready", "failed", "destroyed"])
@pytest.mark.parametrize("who", ["Ivy", "Ada"])
def test_only_a_tape_that_is_ready_is_coded(coding: Coding, state: TapeState, who: str) -> None:
    with coding.room.home.database.writing() as database:
        database.get_one(Tape, coding.tape).state = state
    if state == "ready":
        assert coding.admitted(who, lambda admitted: admitted.tape.id) == coding.tape
        return
    with pytest.raises(HTTPException) as refused:
        coding.admitted(who, lambda admitted: admitted)
    assert refused.value.status_code == 404


def test_what_is_unknown_is_not_there(coding: Coding) -> None:
    for who, tape in (("Ada", "0" * 16), ("0" * 16, coding.tape)):
        with pytest.raises(HTTPException) as refused:
            coding.admitted(who, lambda admitted: admitted, tape=tape)
        assert refused.value.status_code == 404


def test_every_use_must_be_allowed_and_the_interviewer_goes_first(coding: Coding) -> None:
    assert coding.admitted("Ada", lambda admitted: admitted.person.name, "show", "code", "play") == "Ada"
    for uses in (("show", "export"), ("export", "show")):
        with pytest.raises(HTTPException) as refused:
            coding.admitted("Ada", lambda admitted: admitted, *uses)  # type: ignore[arg-type]
        assert refused.value.status_code == 404
    with coding.room.home.database.writing() as database:
        database.query(Review).delete()
    with pytest.raises(NotYetError) as early:
        coding.admitted("Ada", lambda admitted: admitted)
    assert (early.value.status_code, early.value.reason) == (403, "first")
    assert early.value.detail == "The interviewer reviews their own work first. You can go on as soon as that is done."
    assert coding.admitted("Ivy", lambda admitted: admitted.is_interviewer) is True
    with coding.room.home.database.writing() as database:
        database.query(Consent).filter(Consent.tape_id == coding.tape).delete()
    with pytest.raises(HTTPException) as refused:
        coding.admitted("Ivy", lambda admitted: admitted)
    assert refused.value.status_code == 404


def test_who_is_admitted_is_told_apart_from_the_interviewer(coding: Coding) -> None:
    seen = coding.admitted("Ada", lambda admitted: (admitted.is_interviewer, admitted.now, admitted.home))
    assert seen == (False, coding.room.clock(), coding.room.home)


def reached(coding: Coding, who: str, pass_id: str, tape: str = "") -> int:
    try:
        reached_id = coding.admitted(who, lambda admitted: authorization.own_pass(admitted, pass_id).id, tape=tape)
    except HTTPException as refused:
        return refused.status_code
    assert reached_id == pass_id
    return 200


@pytest.mark.parametrize(("layer", "status"), [("member", 200), ("coach", 200), ("machine", 404), ("consensus", 404)])
def test_one_reaches_one_s_own_passes_that_a_person_codes(coding: Coding, layer: str, status: int) -> None:
    mine = coding.add("Ada", None, layer)
    assert reached(coding, "Ada", mine) == status
    assert reached(coding, "Ben", mine) == 404
    assert reached(coding, "Ada", coding.add("Ada", None, layer, tape=coding.other)) == 404
    assert reached(coding, "Ada", "0" * 16) == 404


def test_a_pass_is_that_of_one_tape_and_one_person(coding: Coding) -> None:
    """Whichever id comes first: each of four passes is reached from its own tape by its own coder alone."""
    keys = [(coder, tape) for coder in ("Ada", "Ben") for tape in (coding.tape, coding.other)]
    passes = {(coder, tape): coding.add(coder, None, tape=tape) for coder, tape in keys}
    for coder, tape in keys:
        for key, pass_id in passes.items():
            assert reached(coding, coder, pass_id, tape) == (200 if key == (coder, tape) else 404)


def test_others_codes_are_unseen_until_the_own_pass_is_locked(coding: Coding) -> None:
    """Each tape by itself; another's pass, and another's look, change nothing."""
    both = {coding.tape, coding.other}
    assert coding.unseen("Ivy") == set()
    coding.add("Ben", 5)
    coding.record("Ben")
    assert coding.unseen("Ada") == both
    mine = coding.add("Ada", None)
    assert coding.unseen("Ada") == both
    with coding.room.home.database.writing() as database:
        database.get_one(Pass, mine).locked_at = 5
    assert coding.unseen("Ada") == {coding.other}
    coding.add("Ada", None)  # coding it once more
    assert coding.unseen("Ada") == both


@pytest.mark.parametrize(
    ("layer", "counts"), [("member", True), ("coach", True), ("consensus", False), ("machine", False)]
)
@pytest.mark.parametrize("locked", [None, 5])
def test_only_what_a_person_codes_alone_counts(coding: Coding, layer: str, counts: bool, locked: int | None) -> None:
    coding.add("Ada", locked, layer)
    assert (coding.tape in coding.unseen("Ada")) is not (counts and locked is not None)
    coding.add("Ivy", None, layer)
    assert (coding.tape in coding.unseen("Ivy")) is counts  # an interviewer with an open pass is blind, too


@pytest.mark.parametrize(
    ("action", "elsewhere", "counts"), [(SEEN, False, True), (SEEN, True, False), ("read", False, False)]
)
def test_who_looked_without_coding_has_seen_them_from_then_on(
    coding: Coding, action: str, elsewhere: bool, counts: bool
) -> None:
    def seen() -> object:
        return coding.admitted(
            "Ada", lambda admitted: (authorization.has_seen(admitted), authorization.sees_codes(admitted))
        )

    assert seen() == (False, False)
    coding.record("Ada", action, coding.other if elsewhere else "")
    assert seen() == (counts, counts)
    coding.add("Ada", None)
    assert seen() == (counts, False)  # while coding, blind all the same


def test_a_look_is_that_of_the_person_who_looked_alone(coding: Coding) -> None:
    """Of two people each has looked at one tape: whoever comes first by name or id, neither has seen the other one."""
    coding.record("Ada")
    coding.record("Ben", tape=coding.other)
    assert coding.unseen("Ada") == {coding.other}
    assert coding.unseen("Ben") == {coding.tape}


def test_an_interviewer_who_codes_the_own_tape_sees_others_codes_once_the_pass_is_locked(coding: Coding) -> None:
    coding.add("Ivy", 5)
    assert coding.unseen("Ivy") == set()


def test_looks_of_homes_that_exist_count_for_ever(coding: Coding) -> None:
    """What the audit calls a look cannot change: whoever looked would be taken for blind again."""
    coding.record("Ada", "codes.show")
    assert coding.unseen("Ada") == {coding.other}


def test_why_somebody_is_kept_from_a_pass_a_group_s_codebooks_or_others_codes_stands_in_the_audit(
    coding: Coding,
) -> None:
    room = coding.room
    kim = room.person("Kim", room.group("Elsewhere"))
    with room.home.database.writing() as database:
        for consent in database.query(Consent):
            consent.person_ids = [kim]
    ada, named = room.signed_in(coding.people["Ada"]), room.signed_in(kim)
    path, upload = f"/tapes/{coding.tape}", {"file": ("a.xml", b"<a/>", "text/xml")}
    begun = ada.post(f"{path}/coding", {"task": "all", "codebook": "pretags"}).headers["location"]
    others, shared = coding.add("Ben", None), coding.add("Ada", None, "consensus")
    answers = [
        ada.get(f"{path}/passes/{others}"),
        ada.get(f"{path}/passes/{shared}"),
        named.post(f"{path}/codebooks", {"label": "Ours"}, files=upload),
        ada.get(f"{path}/together/state?codebook=pretags", headers={"accept": "application/json"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 403]
    assert answers[-1].json()["detail"] == (
        "Lock your own pass first. Until then you do not see the others' codes, so that nobody is biased."
    )
    room.app.state.context.decisions.flush()
    with room.home.database.reading() as database:
        rows = database.query(AuditRow).where(AuditRow.action == "refuse").order_by(AuditRow.seq)
        why = [(row.actor_id, row.tape_id, row.why) for row in rows if not (row.times or 0)]
        counted = [row.why for row in rows if row.times]
    who = coding.people["Ada"]
    assert why == [
        (who, coding.tape, "404 pass"),
        (kim, coding.tape, "404 group"),
        (who, coding.tape, "403 blind"),
    ]
    assert counted == ["404 pass"]
    assert ada.get(begun).status_code == 200


def test_what_was_read_or_done_is_told_of_this_tape_and_person(coding: Coding) -> None:
    request = Request({"type": "http", "app": coding.room.app, "headers": []})
    viewer = Viewer(coding.people["Ada"], "Ada", "", False, "")
    with coding.room.home.database.writing() as database:
        admitted = admit(request, database, viewer, coding.tape, "code")
        admitted.record("pass.begin")
        admitted.record("pass.lock", "a pass", (3, 4))
    authorization.note(request, viewer, coding.other, "tape.play", "sound", (1, 2))
    with coding.room.home.database.reading() as database:
        rows = database.query(AuditRow).order_by(AuditRow.seq.desc()).limit(3).all()
        told = [
            (row.at, row.actor_id, row.action, row.tape_id, row.thing, row.span_start, row.span_end) for row in rows
        ]
        assert database.get(Person, coding.people["Ada"])
    now, ada = coding.room.clock(), coding.people["Ada"]
    assert told == [
        (now, ada, "tape.play", coding.other, "sound", 1, 2),
        (now, ada, "pass.lock", coding.tape, "a pass", 3, 4),
        (now, ada, "pass.begin", coding.tape, "", None, None),
    ]
