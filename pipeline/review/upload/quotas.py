"""How much one member may keep of what is not handed in yet: so many drafts, so many bytes, so many pieces."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.errors import ReviewError
from pipeline.tapes.db.records import Item, Tape

MEGABYTE = 1_000_000  # bytes
MOST_PIECES = 2000
"""Of one upload; a page sends four megabytes at a time, and a cut leaves one more."""

_GIVE_UP = "submit one of them, or open one and choose 'Discard this tape'"


def require_draft(database: Session, person_id: str, most: int) -> None:
    """Refuse another draft of somebody who has so many (R08)."""
    drafts = select(func.count()).select_from(Tape).where(Tape.interviewer_id == person_id, Tape.state == "draft")
    if (database.scalar(drafts) or 0) >= most:
        value = f"you have {most} unfinished tape{'s' * (most != 1)}, which is the limit"
        raise ReviewError("R08", "draft", value, _GIVE_UP)


def require_space(database: Session, person_id: str, more: int, most: int) -> None:
    """Refuse more bytes for somebody whose drafts would then hold more than so many (R09)."""
    held = select(func.sum(Item.size)).join(Tape, Tape.id == Item.tape_id)
    held = held.where(Tape.interviewer_id == person_id, Tape.state == "draft")
    if (database.scalar(held) or 0) + more > most:
        value = f"this tape and your other unfinished tapes are larger than {most // MEGABYTE} MB"
        raise ReviewError("R09", "draft", value, _GIVE_UP)


def require_pieces(number: int) -> None:
    """Refuse an upload that comes in too many pieces (R09)."""
    if number > MOST_PIECES:
        value = "the recording arrived in too many small pieces"
        raise ReviewError(
            "R09",
            "upload",
            value,
            "choose 'Start over with another file', and upload it again over a more stable connection",
        )
