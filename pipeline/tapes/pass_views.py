"""Who has seen which locked pass: a lock can be taken back only until somebody else has seen codes or figures of it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import Pass, PassView
from pipeline.tapes.home import Home


def record(home: Home, person_id: str, pass_ids: Collection[str], now: int) -> bool:
    """Record that a person sees these passes; their own leave no row.

    Returns False where one of the passes was unlocked since it was read: what was made from it must not be shown.

    Raises
    ------
    TapesError: K03, K04.
    """
    with home.database.reading() as session:
        if not _unrecorded(session, person_id, pass_ids):
            return True
    with home.database.writing() as session:
        unrecorded = _unrecorded(session, person_id, pass_ids)
        if any(coding_pass.locked_at is None for coding_pass in unrecorded):
            return False
        session.add_all(
            PassView(tape_id=coding_pass.tape_id, pass_id=coding_pass.id, person_id=person_id, at=now)
            for coding_pass in unrecorded
        )
    return True


def is_seen(session: Session, coding_pass: Pass) -> bool:
    """Whether somebody else has seen a pass."""
    query = select(PassView.id).where(PassView.pass_id == coding_pass.id)
    return session.scalar(query.limit(1)) is not None


def has_seen_others(session: Session, person_id: str, tape_id: str) -> bool:
    """Whether a person has seen somebody else's pass on a tape."""
    query = select(PassView.id).where(PassView.tape_id == tape_id, PassView.person_id == person_id)
    return session.scalar(query.limit(1)) is not None


def _unrecorded(session: Session, person_id: str, pass_ids: Collection[str]) -> list[Pass]:
    """Return others' passes of these that the person has no row of."""
    seen = select(PassView.pass_id).where(PassView.person_id == person_id)
    query = select(Pass).where(Pass.id.in_(pass_ids), Pass.id.not_in(seen), Pass.layer.in_(("member", "coach")))
    return [coding_pass for coding_pass in session.scalars(query) if coding_pass.person_id != person_id]
