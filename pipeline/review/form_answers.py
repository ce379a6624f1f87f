"""Filled-in forms: sealed with the tape's key, one row a person and kind; the latest answers hold."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import Form
from pipeline.tapes.home import Home

ANSWERS = "forms.answers"
"""Where a form's answers lie, for the seal."""


def read(database: Session, home: Home, tape_id: str, person_id: str, kind: str) -> dict[str, Any]:
    """A person's answers; empty where nothing was filled in."""
    query = select(Form).where(Form.tape_id == tape_id, Form.person_id == person_id, Form.kind == kind)
    form = database.scalar(query.order_by(Form.at.desc()).limit(1))
    if form is None:
        return {}
    answers: dict[str, Any] = json.loads(home.vault.unseal(tape_id, form.sealed_answers, ANSWERS))
    return answers


def write(
    database: Session, home: Home, tape_id: str, person_id: str, kind: str, answers: dict[str, Any], now: int
) -> None:
    """Keep a person's answers in the place of earlier ones."""
    database.execute(delete(Form).where(Form.tape_id == tape_id, Form.person_id == person_id, Form.kind == kind))
    sealed = home.vault.seal(tape_id, json.dumps(answers).encode(), ANSWERS)
    database.add(Form(tape_id=tape_id, person_id=person_id, kind=kind, sealed_answers=sealed, at=now))
