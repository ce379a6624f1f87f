"""A tape's transcript as a viewer sees it: the words from the vault, the corrections over them, names masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from pipeline.formats import plain_text
from pipeline.formats.time_origin import Zero
from pipeline.review.authorization import Admitted
from pipeline.review.coding import masks
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord, Correction, apply_corrections
from pipeline.run.output import PROVENANCE
from pipeline.tapes.db import records
from pipeline.tapes.db.records import Item
from pipeline.timeline import Span, Vocalization, to_ms

TRANSCRIPT_KIND = "transcript"
PAYLOAD_FIELD = "corrections.payload"
"""The field under which a correction's payload is encrypted."""


def machine_transcript(admitted: Admitted) -> list[CorrectedUtterance]:
    """Return the transcript as the machine made it."""
    utterances, number = [], 0
    for stored in _stored_transcript(admitted)["utterances"]:
        words = []
        for start, end, text, *_ in stored["words"]:
            number += 1
            words.append(CorrectedWord(f"w{number:05d}", text, start, end))
        utterances.append(
            CorrectedUtterance(
                id=stored["utterance_id"],
                turn=stored["turn_id"],
                role=stored["role"],
                speaker=stored["speaker"],
                start=stored["start"],
                end=stored["end"],
                words=tuple(words),
                language=stored.get("language", ""),  # tapes of earlier versions have none
            )
        )
    return utterances


def vocalizations(admitted: Admitted) -> list[Vocalization]:
    """Return the vocalizations without words, mostly a backchannel such as "mm-hm"."""
    return [
        Vocalization(Span(start, end), speaker) for start, end, speaker in _stored_transcript(admitted)["vocalizations"]
    ]


def _stored_transcript(admitted: Admitted) -> dict[str, Any]:
    transcript: dict[str, Any] = json.loads(admitted.home.vault.read(newest_item(admitted, TRANSCRIPT_KIND)))
    return transcript


def newest_item(admitted: Admitted, kind: str) -> Item:
    """Return the newest file of a kind.

    Raises
    ------
    LookupError: the tape has none.
    """
    query = select(Item).where(Item.tape_id == admitted.tape.id, Item.kind == kind).order_by(Item.created_at.desc())
    newest = admitted.session.scalars(query.limit(1)).first()
    if newest is None:
        raise LookupError(kind)
    return newest


def zero(admitted: Admitted) -> Zero:
    """Return the moment of the recording from which the tape's times count, with where each of its files begins."""
    begins = []
    try:
        provenance = json.loads(admitted.home.vault.read(newest_item(admitted, PROVENANCE)))
        begins = [to_ms(float(file["begins"])) for file in provenance.get("files", ())]
    except LookupError:
        pass  # not processed yet
    return Zero(admitted.tape.start_ms or 0, begins)


def valid_corrections(admitted: Admitted) -> list[Correction]:
    """Return everybody's permitted corrections in order of time (see `masks.permitted_corrections`)."""
    return masks.permitted_corrections(correction_history(admitted))


def correction_history(admitted: Admitted) -> list[tuple[Correction, bool]]:
    """Return the stored corrections of a tape in order of time, each with whether the interviewer made it."""
    query = select(records.Correction).where(records.Correction.tape_id == admitted.tape.id)
    return [
        (
            Correction(row.id, row.kind, row.utterance_id, correction_payload(admitted, row), row.undoes),
            row.person_id == admitted.tape.interviewer_id,
        )
        for row in admitted.session.scalars(query.order_by(records.Correction.at, records.Correction.id))
    ]


def correction_payload(admitted: Admitted, row: records.Correction) -> dict[str, Any]:
    """Return the decrypted payload of a correction."""
    if row.sealed_payload is None:
        return {}
    payload: dict[str, Any] = json.loads(admitted.home.vault.unseal(row.tape_id, row.sealed_payload, PAYLOAD_FIELD))
    if "with" in payload:  # one that no page can hold may have been kept before such texts were refused
        payload["with"] = [plain_text.without_controls(text) for text in payload["with"]]
    return payload


def visible_transcript(admitted: Admitted, to_all: bool = False) -> list[CorrectedUtterance]:
    """Return the corrected transcript; only the interviewer sees masked names, and nobody where it is shown to all."""
    return with_corrections(admitted, valid_corrections(admitted), to_all)


def with_corrections(
    admitted: Admitted, corrections: Sequence[Correction], to_all: bool = False
) -> list[CorrectedUtterance]:
    """Return the transcript with these corrections, as the viewer sees it."""
    utterances = apply_corrections(machine_transcript(admitted), corrections)
    return utterances if admitted.is_interviewer and not to_all else masks.mask_names(utterances)


def muted_spans(admitted: Admitted, to_all: bool = False) -> list[Span]:
    """Return the spans, in ms, where the sound is silent for the viewer; ``to_all``: for a room where all listen."""
    if admitted.is_interviewer and not to_all:
        return []
    roots = masks.masked_roots(valid_corrections(admitted))
    return masks.masked_spans(machine_transcript(admitted), roots) if roots else []
