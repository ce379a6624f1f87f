"""A tape's transcript as a viewer sees it: the words from the vault, the corrections over them, names masked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from pipeline.review.coding.admission import Admitted
from pipeline.review.coding.events import live
from pipeline.review.coding.overlays import Correction, Utterance, Word, corrected, root
from pipeline.tapes import records
from pipeline.tapes.records import Item
from pipeline.timeline import Span, Vocalization

KIND = "transcript"
PAYLOAD = "corrections.payload"
"""Where a correction's payload lies, for the seal."""

MASK = "▇▇▇"
"""What stands for a masked name."""

_MARGIN = 60  # ms around a masked name: words' times are not exact


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


def corrections(admitted: Admitted, kinds: Iterable[str] = ()) -> list[Correction]:
    """All corrections of a tape in order of time, of all people."""
    query = select(records.Correction).where(records.Correction.tape_id == admitted.tape.id)
    if kinds:
        query = query.where(records.Correction.kind.in_(list(kinds)))
    rows = admitted.session.scalars(query.order_by(records.Correction.at, records.Correction.id))
    return [Correction(row.id, row.kind, row.utterance_id, payload(admitted, row), row.undoes) for row in rows]


def payload(admitted: Admitted, row: records.Correction) -> dict[str, Any]:
    """What a correction says."""
    if row.sealed_payload is None:
        return {}
    found: dict[str, Any] = json.loads(admitted.home.vault.unseal(row.tape_id, row.sealed_payload, PAYLOAD))
    return found


def shown(admitted: Admitted) -> list[Utterance]:
    """The corrected transcript; only the interviewer sees masked names."""
    found = corrected(spoken(admitted), corrections(admitted))
    return found if admitted.is_interviewer else hidden(found)


def hidden(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances without the masked names."""
    return [
        replace(said, words=tuple(replace(word, text=MASK) if word.masked else word for word in said.words))
        for said in utterances
    ]


def muted(admitted: Admitted) -> list[Span]:
    """Where the sound is silent for this viewer; a masked name stays silent when others correct its text away."""
    if admitted.is_interviewer:
        return []
    meant = masked(corrections(admitted, ["mask"]))
    if not meant:
        return []
    heard = spoken(admitted)
    words = [word for said in (*heard, *corrected(heard, corrections(admitted))) for word in said.words]
    return [
        Span(max(0, word.start - _MARGIN), word.end + _MARGIN)
        for word in words
        if word.masked or word.id in meant or root(word.id) in meant
    ]


def masked(masks: Sequence[Correction]) -> set[str]:
    """The words that are masked now."""
    meant: set[str] = set()
    for one in live(masks):
        words = set(one.payload["words"])
        meant = meant | words if one.payload["on"] else meant - words
    return meant
