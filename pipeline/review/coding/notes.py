"""Notes on a moment of a tape: a member's own until that member shares them, sealed with the tape's key.

Others see a shared note once they may see others' codes: a note may tell what its author coded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from starlette.exceptions import HTTPException

from pipeline.formats import plain_text
from pipeline.review.authorization import Admitted, sees_codes
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.tapes.db.records import Person, TapeNote

MOST = 500
"""Notes of one person on one tape: more than a note every three seconds of 20 minutes, and no flood."""

LONGEST = 1000
"""Characters of a note: it is a line."""

_FIELD = "notes.text"


@dataclass(frozen=True)
class ShownNote:
    """A note, readable. ``moment`` is as `TapeNote` has it; ``author`` is empty for one's own."""

    id: str
    moment: int
    text: str
    shared: bool
    author: str


def shown_notes(admitted: Admitted) -> list[ShownNote]:
    """Return the person's own notes and, where they may see others' codes, the shared ones, in order of time."""
    whose = [TapeNote.person_id == admitted.person.id]
    if sees_codes(admitted):
        whose.append(TapeNote.shared_at.is_not(None))
    query = select(TapeNote, Person.name).join(Person, Person.id == TapeNote.person_id)
    query = query.where(TapeNote.tape_id == admitted.tape.id, or_(*whose)).order_by(
        TapeNote.moment, TapeNote.at, TapeNote.id
    )
    return [
        ShownNote(
            note.id,
            note.moment,
            admitted.home.vault.unseal(note.tape_id, note.sealed_text, _FIELD).decode(),
            note.shared_at is not None,
            "" if note.person_id == admitted.person.id else name,
        )
        for note, name in admitted.session.execute(query)
    ]


def add(admitted: Admitted, moment: int, text: str, note_id: str) -> str:
    """Store a note, once for each id; return why it was refused, or an empty text."""
    line = " ".join(plain_text.without_controls(text, " ").split())
    if not line or len(line) > LONGEST:
        return f"a note has 1 to {LONGEST} characters"
    if admitted.session.get(TapeNote, note_id) is not None:
        return ""
    mine = select(func.count(TapeNote.id)).where(
        TapeNote.tape_id == admitted.tape.id, TapeNote.person_id == admitted.person.id
    )
    if (admitted.session.scalar(mine) or 0) >= MOST:
        return f"you have {MOST} notes on this tape. Remove some first"
    sealed = admitted.home.vault.seal(admitted.tape.id, line.encode(), _FIELD)
    admitted.session.add(
        TapeNote(
            id=note_id,
            tape_id=admitted.tape.id,
            person_id=admitted.person.id,
            moment=moment,
            sealed_text=sealed,
            at=admitted.now,
        )
    )
    admitted.record("note.add", note_id)
    return ""


def store_notes(admitted: Admitted, changes: Sequence[ChangeRequest]) -> list[dict[str, str]]:
    """Store the notes that a page sends; return those that were refused, each with the reason."""
    refused = []
    for change in changes:
        text = change.payload.get("text")
        problem = (
            add(admitted, change.audio_ms or 0, text, sent_id(admitted, change.id))
            if isinstance(text, str) and change.undoes is None
            else "a note has a text"
        )
        if problem:
            refused.append({"id": change.id, "reason": problem})
    return refused


def sent_id(admitted: Admitted, name: str) -> str:
    """Return the id of a note under the name that its page made up; the names of two people cannot collide."""
    return hashlib.sha256(f"{admitted.tape.id} {admitted.person.id} {name}".encode()).hexdigest()[:16]


def own_note(admitted: Admitted, note_id: str) -> TapeNote:
    """Return one's own note on this tape; any other does not exist (404)."""
    note = admitted.session.get(TapeNote, note_id)
    if note is None or (note.tape_id, note.person_id) != (admitted.tape.id, admitted.person.id):
        raise HTTPException(404)
    return note
