"""Whether a home is simulated: invented people, tapes and codes, so that newcomers can look around.

The audit says so, in one of its first rows: it cannot be taken back, and goes into every backup. Such a home begins
empty, so that no real tape is ever among the invented ones.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import audit_log
from pipeline.tapes.db.records import AuditRow, Group, Person, Tape

BEGUN, FINISHED = "home.simulate", "home.simulated"
"""What the audit calls the beginning of a simulation, and its end."""
FIRST_ROWS = 20
"""The beginning is among so many rows: an empty home has fewer. Pages ask often, and later rows need not be read."""

BANNER = "Simulated: people, tapes and codes in this room are invented. Bring no real tape here."


def begin(session: Session, now: int, seed: int) -> None:
    """Mark an empty home as simulated.

    Raises
    ------
    TapesError: K11 it holds tapes, people or groups.
    """
    for record, name in ((Tape, "tapes"), (Person, "people"), (Group, "groups")):
        if session.scalars(select(record.id).limit(1)).first() is not None:
            remedy = "name a folder that does not exist yet with --home"
            raise TapesError("K11", "home", f"holds {name}, which must not be mixed with simulated ones", remedy)
    audit_log.record(session, now, None, BEGUN, thing=str(seed))


def finish(session: Session, now: int) -> None:
    """Note that the simulation is whole."""
    audit_log.record(session, now, None, FINISHED)


def is_simulated(session: Session) -> bool:
    """Return whether a home is simulated."""
    row = select(AuditRow.seq).where(AuditRow.seq <= FIRST_ROWS, AuditRow.action == BEGUN)
    return session.scalar(row) is not None


def is_finished(session: Session) -> bool:
    """Return whether the simulation of a home is whole."""
    return session.scalar(select(AuditRow.seq).where(AuditRow.action == FINISHED).limit(1)) is not None
