"""The titles of tapes on the pages."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes import request_trail, simulated
from pipeline.tapes.db.records import Consent, Person, Tape


def title(database: Session, tape: Tape) -> str:
    """The tape's interviewer and the client's pseudonym, and whether it has no sound; whoever reads it has come to the
    tape."""
    request_trail.came_to(tape.id)
    interviewer = database.get_one(Person, tape.interviewer_id).name
    query = select(Consent.pseudonym).where(Consent.tape_id == tape.id).order_by(Consent.number.desc())
    pseudonym = database.scalar(query.limit(1))
    name = f"{interviewer} with {pseudonym}" if pseudonym else interviewer
    return f"{name} (coded from text)" if tape.from_text else name


def title_on_paper(database: Session, tape: Tape) -> str:
    """The title in a file that leaves the room, which also says if the tape is a simulated one."""
    name = title(database, tape)
    return f"{name} (simulated)" if simulated.is_simulated(database) else name
