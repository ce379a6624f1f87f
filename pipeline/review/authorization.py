"""The one way from a request to a tape, its codes, one's own pass, or a group.

Consent decides first. For whoever may not use a tape, be in a group or reach a pass, it does not exist: 404, as for
what was never there. Only who may see a tape, but comes to its codes too early, is told so (403): the interviewer
reviews the own work first, and whoever codes does not see others' codes. Each decision leaves one row in the audit
(`pipeline.review.middleware.decision_audit`), with the reason that stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review.auth.current_user import Viewer
from pipeline.review.context import context_of
from pipeline.review.errors import NotYetError
from pipeline.tapes import audit_log, request_trail
from pipeline.tapes.consent import consent
from pipeline.tapes.consent.consent import Use
from pipeline.tapes.db.records import (
    AuditRow,
    CalibrationPass,
    CalibrationTape,
    Group,
    Membership,
    Pass,
    Person,
    Review,
    Role,
    Tape,
    TapeState,
)
from pipeline.tapes.home import Home

SEEN = "codes.show"
"""What the audit calls it when somebody sees other people's codes."""

FIRST = "The interviewer reviews their own work first. You can go on as soon as that is done."
LOCK_FIRST = "Lock your own pass first. Until then you do not see the others' codes, so that nobody is biased."


@dataclass(frozen=True)
class Admitted:
    """Somebody at a tape, at a moment, with what the request needs of the home."""

    session: Session
    home: Home
    tape: Tape
    person: Person
    now: int

    @property
    def is_interviewer(self) -> bool:
        """Whether it is the own tape."""
        return self.tape.interviewer_id == self.person.id

    def record(self, action: str, thing: str = "", span: tuple[int, int] | None = None) -> None:
        """Add a row to the audit; the session must be a writing one."""
        audit_log.record(self.session, self.now, self.person.id, action, self.tape.id, thing, span)


def tape(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int, *more: Use) -> Tape:
    """The tape, if the viewer may use it in these ways now; else 404."""
    allowed = still(database, viewer, tape_id, use, now, *more)
    request_trail.came_to(tape_id)
    return allowed


def still(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int, *more: Use) -> Tape:
    """Like `tape`, for a page that asks whether it may stay: nothing is read, so that no row tells of a reading.

    A draft is its interviewer's alone, but for its end: a client must always be heard.
    """
    wanted, person = database.get(Tape, tape_id), database.get(Person, viewer.person_id)
    if wanted is None or person is None:
        raise _missing("unknown")
    decision = consent.allows_all(database, person, (use, *more), wanted, now)
    if not decision:
        raise _missing(decision.reason)
    if _is_foreign_draft(wanted, person.id) and use not in ("withdraw", "destroy"):
        raise _missing("draft")
    return wanted


def own_tape(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int) -> Tape:
    """A tape of which the viewer is the interviewer; else 404."""
    allowed = tape(database, viewer, tape_id, use, now)
    if allowed.interviewer_id != viewer.person_id:
        raise _missing("interviewer")
    return allowed


def in_state(tape: Tape, *states: TapeState) -> Tape:
    """The tape, if it is in one of these states; else 404."""
    if tape.state not in states:
        raise _missing("state")
    return tape


def opened(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int, *more: Use) -> Tape:
    """A tape that is ready and whose codes and measures the viewer may see.

    Else 404, or 403 for who may use it, but comes before its interviewer has reviewed it or waived that.
    """
    allowed = in_state(tape(database, viewer, tape_id, use, now, *more), "ready")
    if not is_open(database, viewer.person_id, allowed):
        raise NotYetError(FIRST, "first")
    return allowed


def is_open(database: Session, person_id: str, tape: Tape) -> bool:
    """Whether a person may see codes and measures of a tape.

    The interviewer may at any time; nobody else may before the interviewer has looked at the own work first, or has
    waived that. Every page and answer that shows another's or the machine's codes or any measure asks here.
    """
    if tape.interviewer_id == person_id:
        return True
    review = database.scalar(select(Review).where(Review.tape_id == tape.id))
    return review is not None and (review.interviewer_done_at is not None or review.waived_at is not None)


def listed(
    database: Session, person: Person, now: int, after: str = "", most: int | None = None, group_id: str = ""
) -> list[Tape]:
    """The tapes that a person may see, newest first.

    Parameters
    ----------
    after: the id of the tape behind which the list goes on; one that the person may not see begins it anew.
    most: how many, at most; None are all.
    group_id: of this group only.
    """
    last = database.get(Tape, after) if after else None
    if last is not None and not consent.allows(database, person, "show", last, now):
        last = None
    is_shown = (Tape.state != "draft") | (Tape.interviewer_id == person.id)
    of = is_shown & (Tape.group_id == group_id) if group_id else is_shown
    behind = (last.created_at, last.id) if last else None
    return list(consent.reachable(database, person, "show", now, behind, most, of))


def all_open(database: Session, person: Person, tapes: Sequence[Tape], now: int) -> list[Tape]:
    """Of some tapes, those that a person may see, with their codes and measures."""
    allowed = consent.allows_each(database, person, "show", tapes, now)
    return [
        tape
        for tape, decision in zip(tapes, allowed, strict=True)
        if decision and tape.state == "ready" and is_open(database, person.id, tape)
    ]


def read(database: Session, viewer: Viewer, tape_id: str, thing: str, now: int) -> None:
    """Tell the audit that the viewer read something of a tape. Needs a session that writes."""
    audit_log.record(database, now, viewer.person_id, "read", tape_id, thing)


def note(
    request: Request, viewer: Viewer, tape_id: str | None, action: str, thing: str, span: tuple[int, int] | None = None
) -> None:
    """Add a row to the audit after something was read; writers wait for nothing longer than this."""
    room = context_of(request)
    with room.home.database.writing() as session:
        audit_log.record(session, room.clock(), viewer.person_id, action, tape_id, thing, span)


def note_each(request: Request, viewer: Viewer, deeds: Iterable[tuple[str | None, str, str]]) -> None:
    """Add a row to the audit for each (tape, action, thing), after all of it was read, in one short write."""
    room = context_of(request)
    with room.home.database.writing() as session:
        for tape_id, action, thing in deeds:
            audit_log.record(session, room.clock(), viewer.person_id, action, tape_id, thing)


def group(database: Session, viewer: Viewer, group_id: str, now: int, role: Role | None = None) -> Group:
    """A group that the viewer is in now, in this role where one is named; else 404."""
    wanted = database.get(Group, group_id)
    if wanted is None or not is_member(database, viewer.person_id, group_id, now):
        raise _missing("group")
    if role is not None and not is_member(database, viewer.person_id, group_id, now, role):
        raise _missing("role")
    return wanted


def is_member(database: Session, person_id: str, group_id: str, now: int, role: Role | None = None) -> bool:
    """Whether somebody is in a group now, in whichever role or in this one.

    Who left stays out, whatever the clock says.
    """
    query = select(Membership.id).where(
        Membership.group_id == group_id,
        Membership.person_id == person_id,
        Membership.since <= now,
        Membership.until.is_(None),
    )
    if role is not None:
        query = query.where(Membership.role == role)
    return database.scalar(query.limit(1)) is not None


def admit(request: Request, session: Session, viewer: Viewer, tape_id: str, *uses: Use) -> Admitted:
    """Let somebody to a tape's coding; answers as `opened` does."""
    room = context_of(request)
    now = room.clock()
    allowed = opened(session, viewer, tape_id, uses[0], now, *uses[1:])
    return Admitted(session, room.home, allowed, session.get_one(Person, viewer.person_id), now)


def is_of_group(admitted: Admitted) -> bool:
    """Whether somebody is in the tape's group: the consent may name people and groups that are not."""
    return is_member(admitted.session, admitted.person.id, admitted.tape.group_id, admitted.now)


def require_group(admitted: Admitted) -> Admitted:
    """Go on only for somebody of the tape's group; for others what is the group's alone does not exist (404)."""
    if not is_of_group(admitted):
        raise _missing("group")
    return admitted


def own_pass(admitted: Admitted, pass_id: str) -> Pass:
    """One's own pass on this tape, on which a person codes alone; any other does not exist (404)."""
    wanted = admitted.session.get(Pass, pass_id)
    if wanted is None or (wanted.tape_id, wanted.person_id) != (admitted.tape.id, admitted.person.id):
        raise _missing("pass")
    if wanted.layer not in ("member", "coach"):
        raise _missing("pass")
    return wanted


def require_codes(admitted: Admitted) -> None:
    """Go on only for somebody who may see others' codes here; else 403."""
    if not sees_codes(admitted):
        raise NotYetError(LOCK_FIRST, "blind")


def sees_codes(admitted: Admitted) -> bool:
    """Whether somebody may see other people's codes here; `unseen` says when."""
    return not unseen(admitted.session, admitted.person.id, [admitted.tape])


def unseen(session: Session, person_id: str, tapes: Sequence[Tape]) -> frozenset[str]:
    """Of some tapes, those on which a person may not see other people's codes.

    Nobody who has a pass open may, be it a calibration pass; who has locked one may, and so may the interviewer, and
    who chose to look without coding: that stands in the audit, and no later pass of theirs is blind.
    """
    ids = [tape.id for tape in tapes]
    mine = select(Pass.tape_id, Pass.locked_at).where(
        *(Pass.tape_id.in_(ids), Pass.person_id == person_id), Pass.layer.in_(("member", "coach"))
    )
    passes = session.execute(mine).all()
    open_ = {row.tape_id for row in passes if row.locked_at is None}
    open_ |= calibrating(session, person_id, ids)
    known = {row.tape_id for row in passes} | {tape.id for tape in tapes if tape.interviewer_id == person_id}
    if set(ids) - known:
        known |= set(session.scalars(_looked(person_id, ids)))
    return frozenset(set(ids) - known | open_)


def calibrating(session: Session, person_id: str, tape_ids: Sequence[str]) -> set[str]:
    """Of some tapes, those on which a person has an open calibration pass."""
    query = select(CalibrationTape.tape_id).join(CalibrationPass, CalibrationPass.calibration_id == CalibrationTape.id)
    open_passes = query.where(CalibrationPass.person_id == person_id, CalibrationPass.locked_at.is_(None))
    return set(session.scalars(open_passes.where(CalibrationTape.tape_id.in_(tape_ids))))


def has_seen(admitted: Admitted) -> bool:
    """Whether somebody has seen other people's codes here before."""
    return admitted.session.scalars(_looked(admitted.person.id, [admitted.tape.id])).first() is not None


def _is_foreign_draft(tape: Tape, person_id: str) -> bool:
    """Whether somebody else is still handing the tape in."""
    return tape.state == "draft" and tape.interviewer_id != person_id


def _looked(person_id: str, tape_ids: Sequence[str]) -> Select[str | None]:
    return select(AuditRow.tape_id).where(
        AuditRow.tape_id.in_(tape_ids), AuditRow.actor_id == person_id, AuditRow.action == SEEN
    )


def _missing(reason: str) -> HTTPException:
    """The answer to a refusal, the same whatever the reason; the audit has the reason."""
    request_trail.refuse(reason)
    return HTTPException(404)
