"""The one way from a request to a tape: through the client's consent.

Who may not use a tape gets the same answer as for a tape that does not exist. The audit has a row of each decision
(`pipeline.review.decisions`): to which tapes a request came, and why it was refused.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review.access.viewer import Viewer
from pipeline.tapes import audit, consent, trail
from pipeline.tapes.consent import Use
from pipeline.tapes.records import Consent, Membership, Person, Review, Tape, TapeState


def tape(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int, *more: Use) -> Tape:
    """The tape, if the viewer may use it in these ways now; else 404.

    A draft is its interviewer's alone, but for its end: a client must always be heard.
    """
    found, person = database.get(Tape, tape_id), database.get(Person, viewer.person_id)
    if found is None or person is None:
        raise _refused("unknown")
    decision = consent.allows_all(database, person, (use, *more), found, now)
    if not decision:
        raise _refused(decision.reason)
    if found.state == "draft" and found.interviewer_id != viewer.person_id and use not in ("withdraw", "destroy"):
        raise _refused("draft")
    trail.came_to(tape_id)
    return found


def own(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int) -> Tape:
    """A tape of which the viewer is the interviewer; else 404."""
    found = tape(database, viewer, tape_id, use, now)
    if found.interviewer_id != viewer.person_id:
        raise _refused("interviewer")
    return found


def in_state(tape: Tape, *states: TapeState) -> Tape:
    """The tape, if it is in one of these states; else 404."""
    if tape.state not in states:
        raise _refused("state")
    return tape


def read(database: Session, viewer: Viewer, tape_id: str, thing: str, now: int, **more: Any) -> None:
    """Tell the audit that the viewer read something of a tape. Needs a session that writes."""
    audit.record(database, now, viewer.person_id, "read", tape_id, thing, **more)


def is_open(database: Session, person_id: str, tape: Tape) -> bool:
    """Whether a person may see codes and measures of a tape.

    The interviewer may at any time; nobody else may before the interviewer has looked at the own work first, or has
    waived that. Every page and answer that shows another's or the machine's codes or any measure asks here.
    """
    if tape.interviewer_id == person_id:
        return True
    review = database.scalar(select(Review).where(Review.tape_id == tape.id))
    return review is not None and (review.interviewer_done_at is not None or review.waived_at is not None)


def opened(database: Session, viewer: Viewer, tape_id: str, use: Use, now: int) -> Tape:
    """A tape whose codes and measures the viewer may see; else 404."""
    found = tape(database, viewer, tape_id, use, now)
    if not is_open(database, viewer.person_id, found):
        raise _refused("first")
    return found


def title(database: Session, tape: Tape) -> str:
    """What a tape is called: its interviewer, and the client's pseudonym."""
    trail.came_to(tape.id)
    interviewer = database.get_one(Person, tape.interviewer_id).name
    query = select(Consent.pseudonym).where(Consent.tape_id == tape.id).order_by(Consent.number.desc())
    pseudonym = database.scalar(query.limit(1))
    return f"{interviewer} with {pseudonym}" if pseudonym else interviewer


def is_member(database: Session, person_id: str, group_id: str, now: int) -> bool:
    """Whether somebody is in a group now, in whichever role; who left stays out, whatever the clock says."""
    query = select(Membership.id).where(
        Membership.group_id == group_id,
        Membership.person_id == person_id,
        Membership.since <= now,
        Membership.until.is_(None),
    )
    return database.scalar(query.limit(1)) is not None


def _refused(reason: str) -> HTTPException:
    """The answer to a refusal, the same whatever the reason; the audit has the reason."""
    trail.refuse(reason)
    return HTTPException(404)
