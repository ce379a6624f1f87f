"""New suggestions and figures for a tape on which somebody said who is who.

The machine proposes codes by role: what it proposed for a voice that it took for the wrong person's stands for nothing.
So the tagger looks at the same words again, with the roles that were named. What comes out is kept in the correction
that names them: who takes the correction back has the suggestions and figures from before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.coding import tagger
from pipeline.coding.codebook import CODES
from pipeline.formats import codebook_files
from pipeline.languages import is_foreign
from pipeline.run.results import Measured
from pipeline.settings import Settings
from pipeline.tapes.db.records import Correction, Item, Pretag, Tape
from pipeline.tapes.home import Home

PAYLOAD_FIELD = "corrections.payload"
TRANSCRIPT, MEASURES = "transcript", "measures.json"


@dataclass(frozen=True)
class Suggestion:
    """The machine's proposal for one utterance; ``p`` is the probability of each code."""

    utterance_id: str
    codes: tuple[str, ...]
    probability: float
    needs_check: bool
    p: Mapping[str, float]


def payload(
    transcript: Mapping[str, Any],
    roles: Mapping[str, str],
    zero: str,
    target_behavior: str,
    settings: Settings,
    tape: Tape,
) -> dict[str, Any]:
    """Return what a correction of the roles holds beside them: ``pretags`` and ``measures``, as plain JSON.

    Parameters
    ----------
    transcript, zero: the tape's, as its items in the vault hold them; ``zero`` says what times count from.

    Raises
    ------
    ModelError: M02 there is no tagger. CodingError: C01 to C07, it or the codebook cannot be read.
    """
    rows = [
        {**row, "tape_id": tape.id, "role": roles.get(row["speaker"], row["role"]), "target_behavior": target_behavior}
        for row in transcript["utterances"]
    ]
    engine = tagger.load(settings)
    table = engine.tag(pd.DataFrame(rows).drop(columns="words"))
    if tape.from_text:
        table = table.assign(**dict.fromkeys(("start", "end"), pd.array([pd.NA] * len(table), dtype="Int64")))
    book = codebook_files.read(settings.coding.codebook)
    measured = Measured.of(table, book, settings.measures, engine.session_effect_sd)
    pretags = [
        [
            *(row["utterance_id"], [code for code in row["codes"].split("|") if code], float(row["probability"])),
            *(bool(row["needs_check"]), {code: float(np.round(row[f"p_{code}"], 4)) for code in CODES}),
        ]
        for row in table.to_dict("records")
        if not is_foreign(row.get("language", ""))  # the machine suggests nothing for it, not even that it has no code
    ]
    return {"pretags": pretags, "measures": measured.as_dict(zero)}


def named_roles(database: Session, home: Home, tape_id: str) -> tuple[str, dict[str, Any]] | None:
    """Return the id and the payload of the correction that named the roles last; None where nobody did."""
    query = select(Correction).where(Correction.tape_id == tape_id, Correction.kind == "role")
    rows = database.scalars(query.order_by(Correction.at.desc(), Correction.id)).all()
    undone = set(database.scalars(select(Correction.undoes).where(Correction.tape_id == tape_id)))
    last = next((row for row in rows if row.sealed_payload and not row.undoes and row.id not in undone), None)
    if last is None or last.sealed_payload is None:
        return None
    return last.id, json.loads(home.vault.unseal(tape_id, last.sealed_payload, PAYLOAD_FIELD))


def suggestions(database: Session, home: Home, tape_ids: Iterable[str]) -> dict[str, list[Suggestion]]:
    """Return tape -> the machine's current proposals: those for the roles that somebody named, else the first ones."""
    wanted = list(tape_ids)
    current: dict[str, list[Suggestion]] = {}
    for row in database.scalars(select(Pretag).where(Pretag.tape_id.in_(wanted))):
        proposal = Suggestion(row.utterance_id, tuple(row.codes), row.probability, row.needs_check, row.p)
        current.setdefault(row.tape_id, []).append(proposal)
    for tape_id in current:
        named = named_roles(database, home, tape_id)
        if named is not None and "pretags" in named[1]:
            current[tape_id] = [
                Suggestion(name, tuple(codes), probability, check, p)
                for name, codes, probability, check, p in named[1]["pretags"]
            ]
    return current


def stored(database: Session, home: Home, tape_id: str, kind: str) -> dict[str, Any] | None:
    """Return the newest item of a kind, such as `TRANSCRIPT`, as it holds its JSON; None where there is none."""
    query = select(Item).where(Item.tape_id == tape_id, Item.kind == kind).order_by(Item.created_at.desc())
    item = database.scalars(query.limit(1)).first()
    whole: dict[str, Any] | None = json.loads(home.vault.read(item)) if item else None
    return whole
