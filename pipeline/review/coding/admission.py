"""Who comes to a tape's coding: consent decides, the interviewer goes first, and others' passes do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review import gate
from pipeline.review.access.viewer import Viewer
from pipeline.review.problems import NotYetError
from pipeline.tapes import audit, trail
from pipeline.tapes.consent import Use
from pipeline.tapes.home import Home
from pipeline.tapes.records import AuditRow, Pass, Person, Tape

SEEN = "codes.show"
"""What the audit calls it when somebody sees other people's codes."""

FIRST = "The interviewer looks at the tape first. You can code it as soon as that is done."


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
        audit.record(self.session, self.now, self.person.id, action, self.tape.id, thing, span)


def admit(request: Request, session: Session, viewer: Viewer, tape_id: str, *uses: Use) -> Admitted:
    """Let somebody to a tape; for everyone whom consent does not let there it does not exist (404).

    Until the interviewer has reviewed the own tape, or waived it, nobody else comes to its codes (403).
    """
    state = request.app.state
    now = state.clock()
    tape = gate.in_state(gate.tape(session, viewer, tape_id, uses[0], now, *uses[1:]), "ready")
    person = session.get_one(Person, viewer.person_id)
    if not gate.is_open(session, person.id, tape):
        raise NotYetError(FIRST, "first")
    return Admitted(session, state.home, tape, person, now)


def is_of_group(admitted: Admitted) -> bool:
    """Whether somebody is in the tape's group: the consent may name people and groups that are not."""
    return gate.is_member(admitted.session, admitted.person.id, admitted.tape.group_id, admitted.now)


def require_group(admitted: Admitted) -> Admitted:
    """Go on only for somebody of the tape's group; for others what is the group's alone does not exist (404)."""
    if not is_of_group(admitted):
        trail.refuse("group")
        raise HTTPException(404)
    return admitted


def own_pass(admitted: Admitted, pass_id: str) -> Pass:
    """One's own pass on this tape; another's does not exist."""
    found = admitted.session.get(Pass, pass_id)
    if found is None or (found.tape_id, found.person_id) != (admitted.tape.id, admitted.person.id):
        raise HTTPException(404)
    if found.layer not in ("member", "coach"):
        raise HTTPException(404)
    return found


def sees_codes(admitted: Admitted) -> bool:
    """Whether somebody may see other people's codes here; `unseen` says when."""
    return not unseen(admitted.session, admitted.person.id, [admitted.tape])


def unseen(session: Session, person_id: str, tapes: Sequence[Tape]) -> frozenset[str]:
    """Of some tapes, those on which a person may not see other people's codes.

    Nobody who has a pass open may; who has locked one may, and so may the interviewer, and who chose to look without
    coding: that stands in the audit, and no later pass of theirs is blind.
    """
    ids = [tape.id for tape in tapes]
    mine = select(Pass.tape_id, Pass.locked_at).where(
        *(Pass.tape_id.in_(ids), Pass.person_id == person_id), Pass.layer.in_(("member", "coach"))
    )
    passes = session.execute(mine).all()
    open_ = {row.tape_id for row in passes if row.locked_at is None}
    known = {row.tape_id for row in passes} | {tape.id for tape in tapes if tape.interviewer_id == person_id}
    if set(ids) - known:
        known |= set(session.scalars(_looked(person_id, ids)))
    return frozenset(set(ids) - known | open_)


def has_seen(admitted: Admitted) -> bool:
    """Whether somebody has seen other people's codes here before."""
    return admitted.session.scalars(_looked(admitted.person.id, [admitted.tape.id])).first() is not None


def note(
    request: Request, viewer: Viewer, tape_id: str, action: str, thing: str, span: tuple[int, int] | None = None
) -> None:
    """Add a row to the audit after something was read; writers wait for nothing longer than this."""
    state = request.app.state
    with state.home.database.writing() as session:
        audit.record(session, state.clock(), viewer.person_id, action, tape_id, thing, span)


def _looked(person_id: str, tape_ids: Sequence[str]) -> Select[str | None]:
    return (
        select(AuditRow.tape_id)
        .where(AuditRow.tape_id.in_(tape_ids), AuditRow.actor_id == person_id, AuditRow.action == SEEN)
        .distinct()
    )
