"""A tape's transcript as a viewer sees it: the words from the vault, the corrections over them, names masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from pipeline.formats import plain_text
from pipeline.review.authorization import Admitted
from pipeline.review.coding import masks
from pipeline.review.coding.corrections import Correction, Utterance, Word, apply_corrections
from pipeline.tapes.db import records
from pipeline.tapes.db.records import Item
from pipeline.timeline import Span, Vocalization

TRANSCRIPT_KIND = "transcript"
PAYLOAD_FIELD = "corrections.payload"
"""Where a correction's payload lies, for the seal."""


def machine_transcript(admitted: Admitted) -> list[Utterance]:
    """The transcript as the machine made it."""
    found, number = [], 0
    for said in _stored_transcript(admitted)["utterances"]:
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
    return [
        Vocalization(Span(start, end), speaker) for start, end, speaker in _stored_transcript(admitted)["vocalizations"]
    ]


def _stored_transcript(admitted: Admitted) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(admitted.home.vault.read(newest_item(admitted, TRANSCRIPT_KIND)))
    return found


def newest_item(admitted: Admitted, kind: str) -> Item:
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


def valid_corrections(admitted: Admitted) -> list[Correction]:
    """All corrections of a tape that count, in order of time, of all people (see `masks.rightful`)."""
    return masks.permitted_corrections(correction_history(admitted))


def correction_history(admitted: Admitted) -> list[tuple[Correction, bool]]:
    """All corrections of a tape in order of time, as they are stored, each with whether the interviewer made it."""
    query = select(records.Correction).where(records.Correction.tape_id == admitted.tape.id)
    return [
        (
            Correction(row.id, row.kind, row.utterance_id, correction_payload(admitted, row), row.undoes),
            row.person_id == admitted.tape.interviewer_id,
        )
        for row in admitted.session.scalars(query.order_by(records.Correction.at, records.Correction.id))
    ]


def correction_payload(admitted: Admitted, row: records.Correction) -> dict[str, Any]:
    """What a correction says."""
    if row.sealed_payload is None:
        return {}
    found: dict[str, Any] = json.loads(admitted.home.vault.unseal(row.tape_id, row.sealed_payload, PAYLOAD_FIELD))
    if "with" in found:  # one that no page can hold may have been kept before such texts were refused
        found["with"] = [plain_text.without_controls(text) for text in found["with"]]
    return found


def visible_transcript(admitted: Admitted) -> list[Utterance]:
    """The corrected transcript; only the interviewer sees masked names."""
    return with_corrections(admitted, valid_corrections(admitted))


def with_corrections(admitted: Admitted, made: Sequence[Correction]) -> list[Utterance]:
    """The transcript with these corrections, as the viewer sees it."""
    found = apply_corrections(machine_transcript(admitted), made)
    return found if admitted.is_interviewer else masks.mask_names(found)


def muted_spans(admitted: Admitted) -> list[Span]:
    """Where the sound is silent for this viewer."""
    if admitted.is_interviewer:
        return []
    roots = masks.masked_roots(valid_corrections(admitted))
    return masks.masked_spans(machine_transcript(admitted), roots) if roots else []
