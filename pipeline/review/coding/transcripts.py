"""A tape's transcript as a viewer sees it: the words from the vault, the corrections over them, names masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from pipeline.formats import plain_text
from pipeline.review.authorization import Admitted
from pipeline.review.coding import masks
from pipeline.review.coding.corrections import Correction, Utterance, Word, corrected
from pipeline.tapes.db import records
from pipeline.tapes.db.records import Item
from pipeline.timeline import Span, Vocalization

KIND = "transcript"
PAYLOAD = "corrections.payload"
"""Where a correction's payload lies, for the seal."""


def spoken(admitted: Admitted) -> list[Utterance]:
    """The transcript as the machine made it."""
    found, number = [], 0
    for said in _stored(admitted)["utterances"]:
        words = []
        for start, end, text, *_ in said["words"]:
            number += 1
            words.append(Word(f"w{number:05d}", text, start, end))
        found.append(
            Utterance(
                *(said["utterance_id"], said["turn_id"], said["role"], said["speaker"], said["start"], said["end"]),
                tuple(words),
            )
        )
    return found


def vocalizations(admitted: Admitted) -> list[Vocalization]:
    """Voices of which no words could be written down, mostly a listener's "mm-hm"."""
    return [Vocalization(Span(start, end), speaker) for start, end, speaker in _stored(admitted)["vocalizations"]]


def _stored(admitted: Admitted) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(admitted.home.vault.read(item(admitted, KIND)))
    return found


def item(admitted: Admitted, kind: str) -> Item:
    """The newest file of a kind.

    Raises
    ------
    LookupError: the tape has none.
    """
    query = select(Item).where(Item.tape_id == admitted.tape.id, Item.kind == kind).order_by(Item.created_at.desc())
    found = admitted.session.scalars(query.limit(1)).first()
    if found is None:
        raise LookupError(kind)
    return found


def corrections(admitted: Admitted) -> list[Correction]:
    """All corrections of a tape that count, in order of time, of all people (see `masks.rightful`)."""
    return masks.rightful(history(admitted))


def history(admitted: Admitted) -> list[tuple[Correction, bool]]:
    """All corrections of a tape in order of time, as they are stored, each with whether the interviewer made it."""
    query = select(records.Correction).where(records.Correction.tape_id == admitted.tape.id)
    return [
        (
            Correction(row.id, row.kind, row.utterance_id, payload(admitted, row), row.undoes),
            row.person_id == admitted.tape.interviewer_id,
        )
        for row in admitted.session.scalars(query.order_by(records.Correction.at, records.Correction.id))
    ]


def payload(admitted: Admitted, row: records.Correction) -> dict[str, Any]:
    """What a correction says."""
    if row.sealed_payload is None:
        return {}
    found: dict[str, Any] = json.loads(admitted.home.vault.unseal(row.tape_id, row.sealed_payload, PAYLOAD))
    if "with" in found:  # one that no page can hold may have been kept before such texts were refused
        found["with"] = [plain_text.shown(text) for text in found["with"]]
    return found


def shown(admitted: Admitted) -> list[Utterance]:
    """The corrected transcript; only the interviewer sees masked names."""
    return seen(admitted, corrections(admitted))


def seen(admitted: Admitted, made: Sequence[Correction]) -> list[Utterance]:
    """The transcript with these corrections, as the viewer sees it."""
    found = corrected(spoken(admitted), made)
    return found if admitted.is_interviewer else masks.hidden(found)


def muted(admitted: Admitted) -> list[Span]:
    """Where the sound is silent for this viewer."""
    if admitted.is_interviewer:
        return []
    roots = masks.masked(corrections(admitted))
    return masks.spans(spoken(admitted), roots) if roots else []
