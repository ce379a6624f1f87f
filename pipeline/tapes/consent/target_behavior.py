"""The target behavior of a tape: the change that the session is about, sealed, since a client's words may be in it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import TargetBehavior
from pipeline.tapes.vault.vault import Vault

_TEXT, _REASON = "target_behaviors.text", "target_behaviors.reason"


def name(session: Session, vault: Vault, tape_id: str, text: str, now: int, reason: str = "") -> TargetBehavior:
    """Name the target behavior, or another one and why."""
    target = TargetBehavior(
        tape_id=tape_id,
        sealed_text=vault.seal(tape_id, text.encode(), _TEXT),
        sealed_reason=vault.seal(tape_id, reason.encode(), _REASON) if reason else None,
        at=now,
    )
    session.add(target)
    return target


def read(session: Session, vault: Vault, tape_id: str) -> str:
    """The target behavior that was named last."""
    last = select(TargetBehavior).where(TargetBehavior.tape_id == tape_id).order_by(TargetBehavior.at.desc())
    target = session.scalars(last.limit(1)).one()
    return vault.unseal(tape_id, target.sealed_text, _TEXT).decode()
