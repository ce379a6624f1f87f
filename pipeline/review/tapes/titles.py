"""The titles of tapes on the pages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes import request_trail, simulated
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Consent, Person, Tape


def title(database: Session, tape: Tape) -> str:
    """The tape's interviewer and the client's pseudonym, and whether it has no sound; whoever reads it has come to the
    tape."""
    return titles(database, [tape])[tape.id]


def titles(database: Session, tapes: Sequence[Tape]) -> dict[str, str]:
    """Tape -> its title, of many at once."""
    query = select(Tape.id, Person.name, consent.newest(Consent.pseudonym), Tape.from_text).join(
        Person, Person.id == Tape.interviewer_id
    )
    named = {}
    for tape_id, interviewer, pseudonym, from_text in database.execute(
        query.where(Tape.id.in_([tape.id for tape in tapes]))
    ):
        request_trail.came_to(tape_id)
        name = f"{interviewer} with {pseudonym}" if pseudonym else interviewer
        named[tape_id] = f"{name} (coded from text)" if from_text else name
    return named


def title_on_paper(database: Session, tape: Tape) -> str:
    """The title in a file that leaves the room, which also says if the tape is a simulated one."""
    name = title(database, tape)
    return f"{name} (simulated)" if simulated.is_simulated(database) else name
