"""Who comes to a tape's coding: consent decides, the interviewer goes first, and what is not one's own does not exist."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review.access.viewer import Viewer
from pipeline.tapes import consent
from pipeline.tapes.consent import Use
from pipeline.tapes.home import Home
from pipeline.tapes.records import Pass, Person, Review, Tape

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
        self.home.audit.record(self.session, self.now, self.person.id, action, self.tape.id, thing, span)


def admit(request: Request, session: Session, viewer: Viewer, tape_id: str, *uses: Use) -> Admitted:
    """Let somebody to a tape; for everyone whom consent does not let there it does not exist (404).

    Until the interviewer has reviewed the own tape, or waived it, nobody else comes to its codes (403).
    """
    state = request.app.state
    now = state.clock()
    tape, person = session.get(Tape, tape_id), session.get(Person, viewer.person_id)
    if tape is None or person is None or tape.state != "ready":
        raise HTTPException(404)
    if not all(consent.allows(session, person, use, tape, now) for use in uses):
        raise HTTPException(404)
    if tape.interviewer_id != person.id and not interviewer_done(session, tape_id):
        raise HTTPException(403, FIRST)
    return Admitted(session, state.home, tape, person, now)


def interviewer_done(session: Session, tape_id: str) -> bool:
    """Whether the interviewer has reviewed the own tape, or let the others go ahead."""
    review = session.scalars(select(Review).where(Review.tape_id == tape_id)).first()
    return review is not None and (review.interviewer_done_at is not None or review.waived_at is not None)


def own_pass(admitted: Admitted, pass_id: str) -> Pass:
    """One's own pass on this tape; another's does not exist."""
    found = admitted.session.get(Pass, pass_id)
    if found is None or (found.tape_id, found.person_id) != (admitted.tape.id, admitted.person.id):
        raise HTTPException(404)
    if found.layer not in ("member", "coach"):
        raise HTTPException(404)
    return found


def sees_codes(session: Session, tape_id: str, person_id: str) -> bool:
    """Whether somebody may see other people's codes on a tape: has coded it, and has no pass that is still open."""
    mine = select(Pass.locked_at).where(
        Pass.tape_id == tape_id, Pass.person_id == person_id, Pass.layer.in_(("member", "coach"))
    )
    locked = session.scalars(mine).all()
    return bool(locked) and all(at is not None for at in locked)
