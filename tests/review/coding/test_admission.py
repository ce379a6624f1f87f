"""Admission by itself: which states and uses let somebody to a tape's codes, and when others' codes are unseen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pipeline.review.access.viewer import Viewer
from pipeline.review.coding import admission
from pipeline.review.coding.admission import SEEN, Admitted, admit
from pipeline.review.problems import NotYetError
from pipeline.tapes import audit
from pipeline.tapes.consent import Use
from pipeline.tapes.records import AuditRow, Consent, Pass, Person, Review, Tape, TapeState
from tests.review.conftest import Room


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
            audit.record(database, 1, self.people[who], action, tape or self.tape)

    def admitted(self, who: str, see: Callable[[Admitted], object], *uses: Use, tape: str = "") -> object:
        request = Request({"type": "http", "app": self.room.app, "headers": []})
        viewer = Viewer(self.people.get(who, who), who, "", False, "")
        with self.room.home.database.reading() as database:
            return see(admit(request, database, viewer, tape or self.tape, *(uses or ("show", "code"))))

    def unseen(self, who: str) -> set[str]:
        with self.room.home.database.reading() as database:
            tapes = [database.get_one(Tape, tape) for tape in (self.tape, self.other)]
            return set(admission.unseen(database, self.people[who], tapes))


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
    assert early.value.detail == "The interviewer looks at the tape first. You can code it as soon as that is done."
    assert coding.admitted("Ivy", lambda admitted: admitted.is_interviewer) is True
    with coding.room.home.database.writing() as database:
        database.query(Consent).filter(Consent.tape_id == coding.tape).delete()
    with pytest.raises(HTTPException) as refused:
        coding.admitted("Ivy", lambda admitted: admitted)
    assert refused.value.status_code == 404


def test_who_is_admitted_is_told_apart_from_the_interviewer(coding: Coding) -> None:
    seen = coding.admitted("Ada", lambda admitted: (admitted.is_interviewer, admitted.now, admitted.home))
    assert seen == (False, coding.room.clock(), coding.room.home)


def reached(coding: Coding, who: str, pass_id: str) -> int:
    try:
        found = coding.admitted(who, lambda admitted: admission.own_pass(admitted, pass_id).id)
    except HTTPException as refused:
        return refused.status_code
    assert found == pass_id
    return 200


@pytest.mark.parametrize(("layer", "status"), [("member", 200), ("coach", 200), ("machine", 404), ("consensus", 404)])
def test_one_reaches_one_s_own_passes_that_a_person_codes(coding: Coding, layer: str, status: int) -> None:
    mine = coding.add("Ada", None, layer)
    assert reached(coding, "Ada", mine) == status
    assert reached(coding, "Ben", mine) == 404
    assert reached(coding, "Ada", coding.add("Ada", None, layer, tape=coding.other)) == 404
    assert reached(coding, "Ada", "0" * 16) == 404


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
        return coding.admitted("Ada", lambda admitted: (admission.has_seen(admitted), admission.sees_codes(admitted)))

    assert seen() == (False, False)
    coding.record("Ada", action, coding.other if elsewhere else "")
    assert seen() == (counts, counts)
    coding.add("Ada", None)
    assert seen() == (counts, False)  # while coding, blind all the same


def test_what_was_read_or_done_is_told_of_this_tape_and_person(coding: Coding) -> None:
    request = Request({"type": "http", "app": coding.room.app, "headers": []})
    viewer = Viewer(coding.people["Ada"], "Ada", "", False, "")
    with coding.room.home.database.writing() as database:
        admitted = admit(request, database, viewer, coding.tape, "code")
        admitted.record("pass.begin")
        admitted.record("pass.lock", "a pass", (3, 4))
    admission.note(request, viewer, coding.other, "tape.play", "sound", (1, 2))
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
