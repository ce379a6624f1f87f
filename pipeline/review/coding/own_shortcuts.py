"""A person's own choice of keys, one set a codebook."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import KeyChoice


def own_keys(session: Session, person_id: str, codebook: str) -> dict[str, str]:
    """Action -> the key that the person wants for it."""
    row = _row(session, person_id, codebook)
    return {str(action): str(key) for action, key in row.keys.items()} if row else {}


def store_own_keys(session: Session, person_id: str, codebook: str, keys: dict[str, str]) -> None:
    """Keep a person's choice."""
    row = _row(session, person_id, codebook)
    if row:
        row.keys = dict(keys)
    else:
        session.add(KeyChoice(person_id=person_id, codebook=codebook, keys=dict(keys)))


def _row(session: Session, person_id: str, codebook: str) -> KeyChoice | None:
    return session.scalars(
        select(KeyChoice).where(KeyChoice.person_id == person_id, KeyChoice.codebook == codebook)
    ).first()
