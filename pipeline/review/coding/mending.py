"""Corrections of the transcript: who made them, what they may say, and storing each once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from pipeline.review.coding.admission import Admitted
from pipeline.review.coding.changes import Change
from pipeline.review.coding.transcripts import PAYLOAD
from pipeline.tapes.records import CodeEvent, Correction

_WORDS = 200


def correct(admitted: Admitted, changes: Sequence[Change]) -> list[dict[str, str]]:
    """Store the corrections that are new; the ones that cannot be, and why."""
    session = admitted.session
    ids = [correction_id(admitted, change.id) for change in changes]
    known = set(session.scalars(select(Correction.id).where(Correction.id.in_(ids))))
    at = latest(admitted)
    refused = []
    for name, change in zip(ids, changes, strict=True):
        if name in known:
            continue
        reason = _wrong(change) or _unmasks(admitted, change)
        if reason:
            refused.append({"id": change.id, "reason": reason})
            continue
        known.add(name)
        at += 1
        session.add(_correction(admitted, change, name, at))
        admitted.record(f"change.{change.kind}", "transcript")
    return refused


def latest(admitted: Admitted) -> int:
    """After which moment the next change is made: one's own codes and everyone's corrections keep their order."""
    session, tape_id = admitted.session, admitted.tape.id
    coded = select(func.max(CodeEvent.at)).where(
        CodeEvent.tape_id == tape_id, CodeEvent.person_id == admitted.person.id
    )
    mended = select(func.max(Correction.at)).where(Correction.tape_id == tape_id)
    return max(session.scalar(coded) or 0, session.scalar(mended) or 0, admitted.now - 1)


def others(admitted: Admitted) -> int:
    """How many corrections other people made: where it grows, a page that is open asks anew what is said."""
    query = select(func.count(Correction.id)).where(
        Correction.tape_id == admitted.tape.id, Correction.person_id != admitted.person.id
    )
    return admitted.session.scalar(query) or 0


def correction_id(admitted: Admitted, name: str) -> str:
    """A correction's id: one's own names cannot meet another's."""
    return f"{name}-{admitted.person.id}"


def own(admitted: Admitted) -> list[tuple[int, dict[str, str | None]]]:
    """One's own corrections in order of time, under the names that the page gave them, and when each was made."""
    query = select(Correction).where(
        Correction.tape_id == admitted.tape.id, Correction.person_id == admitted.person.id, Correction.kind != "role"
    )
    end = f"-{admitted.person.id}"
    return [
        (
            row.at,
            {
                "id": row.id.removesuffix(end),
                "kind": row.kind,
                "utterance_id": row.utterance_id,
                "undoes": row.undoes.removesuffix(end) if row.undoes else None,
            },
        )
        for row in admitted.session.scalars(query.order_by(Correction.at, Correction.id))
    ]


def _wrong(change: Change) -> str:
    payload = change.payload
    if change.undoes is not None or change.kind in ("speaker", "merge"):
        return "" if not payload or change.undoes is not None else "it says too much"
    if change.kind == "split":
        return "" if set(payload) == {"word_id"} and _is_name(payload["word_id"]) else "it names no word"
    if change.kind == "mask":
        fits = set(payload) == {"words", "on"} and _names(payload["words"]) and isinstance(payload["on"], bool)
        return "" if fits else "it names no words"
    texts = payload.get("with")
    fits = set(payload) == {"replace", "after", "with"} and _names(payload["replace"])
    fits = fits and (payload["after"] is None or _is_name(payload["after"]))
    fits = fits and isinstance(texts, list) and len(texts) <= _WORDS
    return "" if fits and all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts or ()) else "no words"


def _unmasks(admitted: Admitted, change: Change) -> str:
    """Only the interviewer, who knows the names, shows them again."""
    shows = change.kind == "mask" and change.undoes is None and not change.payload["on"]
    return "only the interviewer shows a masked name" if shows and not admitted.is_interviewer else ""


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 80


def _names(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= _WORDS and all(_is_name(value) for value in values)


def _correction(admitted: Admitted, change: Change, name: str, at: int) -> Correction:
    sealed = admitted.home.vault.seal(admitted.tape.id, json.dumps(change.payload).encode(), PAYLOAD)
    return Correction(
        id=name,
        tape_id=admitted.tape.id,
        person_id=admitted.person.id,
        at=at,
        kind=change.kind,  # type: ignore[arg-type]
        utterance_id=change.utterance_id,
        sealed_payload=sealed,
        undoes=correction_id(admitted, change.undoes) if change.undoes else None,
    )
