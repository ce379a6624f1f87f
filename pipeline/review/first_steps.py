"""The first steps of a new room, on its host's first page. The records say what is done; nothing is ticked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import exists, select
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
    invited, planned, practiced, submitted, has_codes = database.execute(
        select(
            exists().where(Person.id != person.id, Person.disabled_at.is_(None)),
            exists().where(Meeting.group_id.in_(groups)),
            exists().where(CalibrationPass.person_id == person.id, CalibrationPass.locked_at > 0),
            exists().where(Tape.group_id.in_(groups), Tape.state != "draft"),
            exists().where(RecoveryCode.person_id == person.id),
        )
    ).one()
    steps = [
        FirstStep(
            "Invite your group",
            "Seven to fifteen people work best. Two are enough to begin.",
            "/people",
            invited,
        ),
        FirstStep("Plan a meeting", "A date, and who brings the tape.", "/meetings", planned),
        FirstStep(
            "Practice",
            "Code a role-play and see where you differ from its script. It takes ten minutes.",
            "/practice",
            practiced,
        ),
        FirstStep(
            "Submit the first tape",
            "With the client's written permission. A role-play will do.",
            "/tapes/new",
            submitted,
        ),
    ]
    if accounts.has_second_step(database, person.id):
        text = "If you lose your authenticator or passkey, nobody else can let you in at once. Print ten codes."
        steps.append(FirstStep("Make recovery codes", text, "/account#recovery", has_codes))
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
