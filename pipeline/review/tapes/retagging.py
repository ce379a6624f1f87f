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
from pipeline.run import later_roles
from pipeline.run.output import PROVENANCE
from pipeline.run.results import Measured
from pipeline.settings import Settings
from pipeline.tapes.db.records import Item, Pretag, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.named_roles import named_roles
from pipeline.timeline import Role

TRANSCRIPT, MEASURES = "transcript", "measures.json"


@dataclass(frozen=True)
class Suggestion:
    """The machine's proposal for one utterance; ``p`` is the probability of each code."""

    utterance_id: str
    codes: tuple[str, ...]
    probability: float
    needs_check: bool
    p: Mapping[str, float]


def suggest_again(
    transcript: Mapping[str, Any],
    roles: Mapping[str, Role],
    stored: Mapping[str, bytes],
    target_behavior: str,
    settings: Settings,
    tape: Tape,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what comes of other roles: the fields of their correction, and the result files that change.

    The fields are ``pretags`` and ``measures``, as plain JSON.

    Parameters
    ----------
    transcript, stored: the tape's words and its result files (name -> content), as its items in the vault hold them.

    Raises
    ------
    ModelError: M02 there is no tagger. CodingError: C01 to C07, it or the codebook cannot be read.
    """
    tape_id = json.loads(stored[PROVENANCE])["tape_id"] if PROVENANCE in stored else tape.id
    rows = [
        {**row, "tape_id": tape_id, "role": roles.get(row["speaker"], row["role"]), "target_behavior": target_behavior}
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
    zero = json.loads(stored[MEASURES]).get("zero", "") if MEASURES in stored else ""
    files: dict[str, bytes] = {}
    if PROVENANCE in stored:
        ghosts = tape.speakers.get("ghosts", ())
        files = later_roles.files(stored, transcript, roles, table, measured, book, ghosts)
    return {"pretags": pretags, "measures": measured.as_dict(zero)}, files


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
