"""The roles of a tape's voices that somebody named, and the result files for them.

Who says who is who makes a correction (kind ``role``). Its sealed payload holds ``roles`` (voice -> role) and, where
these are others than the machine's, the codes that the machine proposes for them, ``pretags``, and ``measures``. The
result files lie in an item of their own beside it, so that what leaves the vault is of the roles that hold now: who
takes the correction back has the files from before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import Correction, Item
from pipeline.tapes.home import Home
from pipeline.tapes.vault import stage_store

PAYLOAD_FIELD = "corrections.payload"
_FILES = "roles:"
"""How the kind of an item begins that holds the result files for a correction's roles."""


def named_roles(
    database: Session, home: Home, tape_id: str, moment: int | None = None
) -> tuple[str, dict[str, Any]] | None:
    """Return the id and the payload of the correction that named the roles last; None where nobody did.

    ``moment``: as it was at this time, in ms since 1970.
    """
    query = select(Correction).where(Correction.tape_id == tape_id, Correction.kind == "role")
    query = query if moment is None else query.where(Correction.at <= moment)
    rows = database.scalars(query.order_by(Correction.at.desc(), Correction.id)).all()
    undone = {row.undoes for row in rows}
    last = next((row for row in rows if row.sealed_payload and not row.undoes and row.id not in undone), None)
    if last is None or last.sealed_payload is None:
        return None
    return last.id, json.loads(home.vault.unseal(tape_id, last.sealed_payload, PAYLOAD_FIELD))


def confirmed(database: Session, home: Home, tape_id: str, moment: int | None = None) -> dict[str, str] | None:
    """Return the roles that somebody named last; None where nobody did. ``moment`` as in `named_roles`."""
    named = named_roles(database, home, tape_id, moment)
    return dict(named[1]["roles"]) if named else None


def last_changes(database: Session, tape_ids: Iterable[str]) -> dict[str, int]:
    """Return tape -> when its roles were last named or taken back, in ms; without tapes where nobody did."""
    query = select(Correction.tape_id, func.max(Correction.at)).where(
        Correction.tape_id.in_(list(tape_ids)), Correction.kind == "role"
    )
    return dict(database.execute(query.group_by(Correction.tape_id)).all())


def store_files(home: Home, tape_id: str, correction_id: str, files: Mapping[str, bytes], now: int) -> None:
    """Store the result files for the roles that a correction names."""
    stage_store.keep(home, tape_id, _FILES + correction_id, stage_store.packed(files), now)


def files(database: Session, home: Home, tape_id: str) -> dict[str, bytes]:
    """Return the result files for the roles that hold now (name -> content); empty where the run's own are these."""
    named = named_roles(database, home, tape_id)
    if named is None:
        return {}
    query = select(Item).where(Item.tape_id == tape_id, Item.kind == _FILES + named[0])
    item = database.scalars(query.limit(1)).first()
    return stage_store.unpacked(home.vault.read(item)) if item else {}
