"""The first steps of a new room, on its host's first page. The records say what is done; nothing is ticked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from pipeline.review.auth.current_user import Administrator
from pipeline.review.context import context_of
from pipeline.review.templating import seeing
from pipeline.tapes import accounts, audit_log, people
from pipeline.tapes.db.records import CalibrationPass, Meeting, Person, RecoveryCode, Tape

router = APIRouter()


@dataclass(frozen=True)
class FirstStep:
    """Something that a new room needs, where it is done, and whether it is."""

    name: str
    text: str
    link: str
    done: bool


def first_steps(database: Session, person: Person, now: int) -> Sequence[FirstStep]:
    """The steps for somebody who administers the room; none once all are done, or the list was closed."""
    if not person.is_admin or person.first_steps_closed_at is not None:
        return ()
    groups = [group.id for group, _ in people.groups_of(database, person, now)]
    steps = [
        FirstStep(
            "Invite your group",
            "Seven to fifteen people work best. Two are enough to begin.",
            "/people",
            _is(database, exists().where(Person.id != person.id, Person.disabled_at.is_(None))),
        ),
        FirstStep(
            "Plan a meeting",
            "A date, and who brings the tape.",
            "/meetings",
            _is(database, exists().where(Meeting.group_id.in_(groups))),
        ),
        FirstStep(
            "Practice",
            "Code a role-play and see where you differ from its script. It takes ten minutes.",
            "/practice",
            _is(database, exists().where(CalibrationPass.person_id == person.id, CalibrationPass.locked_at > 0)),
        ),
        FirstStep(
            "Submit the first tape",
            "With the client's written permission. A role-play will do.",
            "/tapes/new",
            _is(database, exists().where(Tape.group_id.in_(groups), Tape.state != "draft")),
        ),
    ]
    if accounts.has_second_step(database, person.id):
        codes = exists().where(RecoveryCode.person_id == person.id)
        text = "If you lose your authenticator, nobody else can let you in at once. Print ten codes."
        steps.append(FirstStep("Make recovery codes", text, "/account#recovery", _is(database, codes)))
    return () if all(step.done for step in steps) else steps


@router.post("/first-steps/close")
def close(request: Request, viewer: Administrator) -> Response:
    """Show the list no more."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        person = database.get_one(Person, viewer.person_id)
        person.first_steps_closed_at = person.first_steps_closed_at or now
        audit_log.record(database, now, viewer.person_id, "first-steps.close")
    return seeing("/")


def _is(database: Session, condition: ColumnElement[bool]) -> bool:
    return bool(database.scalar(select(condition)))
