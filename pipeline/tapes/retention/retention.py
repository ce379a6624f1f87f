"""Retention: what is due for destruction, and what soon will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes import accounts, group_codebooks, logs, reserve
from pipeline.tapes.backup import backup
from pipeline.tapes.clock import DAY, HOUR, over_here
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Consent, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction, tombstones
from pipeline.tapes.retention.destruction import Destroyed, Why

WARN_DAYS = (14, 3)
"""So many days before its destruction a tape's members are told."""

LIMIT = HOUR
"""How long after it is due, or after a withdrawal, a tape may still be there."""

UNCONSENTED = DAY
"""How long a draft waits for a consent."""


@dataclass(frozen=True)
class Due:
    """A tape that is to be destroyed now."""

    tape_id: str
    why: Why
    since: int


@dataclass(frozen=True)
class Warned:
    """A tape that is to be destroyed soon; ``destroy_by`` stands for its last day, ``days`` is 14 or 3."""

    tape_id: str
    destroy_by: int
    days: int


def due(session: Session, now: int) -> list[Due]:
    """The tapes to destroy: past their date, withdrawn, or left without a consent; longest due first."""
    due_tapes = []
    for tape, last_day in _standing(session):
        if tape.withdrawn_at is not None:
            due_tapes.append(Due(tape.id, "withdrawn", tape.withdrawn_at))
        elif last_day is None:
            if tape.created_at + UNCONSENTED < now:
                due_tapes.append(Due(tape.id, "never consented", tape.created_at + UNCONSENTED))
        elif (end := over_here(last_day)) < now:
            due_tapes.append(Due(tape.id, "due", end))
    return sorted(due_tapes, key=lambda tape: (tape.since, tape.tape_id))


def warnings(session: Session, now: int, tape_ids: Sequence[str] | None = None) -> list[Warned]:
    """The tapes, or those of the named, that will be due within 14 or 3 days, soonest first."""
    warned = [
        Warned(tape.id, last_day, min(close))
        for tape, last_day in _standing(session, tape_ids)
        if last_day is not None
        and tape.withdrawn_at is None
        and (close := [days for days in WARN_DAYS if now <= over_here(last_day) < now + days * DAY])
    ]
    return sorted(warned, key=lambda tape: (tape.destroy_by, tape.tape_id))


def overdue(session: Session, now: int) -> list[Due]:
    """The tapes that should have been destroyed an hour ago: nobody runs `enforce`."""
    return [tape for tape in due(session, now) if tape.since + LIMIT < now]


def enforce(home: Home, now: int) -> list[Destroyed]:
    """Destroy what is due, and go on with what was begun; worker and server do it every few minutes.

    A tape that stands on the home's list of tombstones and lives is due as well: somebody put an older database back.
    Backups that can be reached again lose the keys of those that were destroyed meanwhile. Links whose time is over are
    closed, and codebooks go that were taken out and whose last tape went.

    Raises
    ------
    VaultError: V08, V14. TapesError: K03, K04. JobError: J05.
    """
    stones = tombstones.read([home.folder / tombstones.NAME])
    backup.catch_up(home, stones, now)
    begin(home, now, stones)
    done = destruction.resume(home, now)
    for each in done:
        logs.get().info("tape.destroy", tape_id=each.tape_id)
    with home.database.writing() as session:
        accounts.close_links(session, now)
        group_codebooks.sweep(session)
    reserve.keep(home.folder)
    return done


def begin(home: Home, now: int, stones: Mapping[str, int] | None = None) -> None:
    """Make what is due a state: from here on no clock opens these tapes again, and `enforce` does the rest.

    Parameters
    ----------
    stones: the home's list of tombstones, where the tapes on it are due as well.

    Raises
    ------
    TapesError: K03, K04.
    """
    with home.database.reading() as session:
        any_due = bool(_ending(session, stones or {}, now))
    if any_due:
        reserve.spent_on(home.folder, lambda: _start(home, now, stones or {}))


def _start(home: Home, now: int, stones: Mapping[str, int]) -> None:
    with home.database.writing() as session:  # looked up anew: a consent may have been prolonged in between
        for tape_id, why in _ending(session, stones, now).items():
            destruction.start(session, session.get_one(Tape, tape_id), why, now)


def _ending(session: Session, stones: Mapping[str, int], now: int) -> dict[str, Why]:
    """The tapes whose destruction is to begin, and why; one that was begun with is not begun again."""
    ending: dict[str, Why] = {tape.tape_id: tape.why for tape in due(session, now)}
    for tape_id in session.scalars(select(Tape.id)) if stones else ():
        if tape_id in stones:
            ending.setdefault(tape_id, "restored")
    return ending


def _standing(session: Session, tape_ids: Sequence[str] | None = None) -> list[tuple[Tape, int | None]]:
    """Every tape that is not being destroyed, with the last day of the consent written last; None: it has none."""
    tapes = (
        select(Tape, consent.newest(Consent.destroy_by))
        .where(Tape.state != "destroyed")
        .order_by(Tape.created_at, Tape.id)
    )
    rows = session.execute(tapes if tape_ids is None else tapes.where(Tape.id.in_(tape_ids)))
    return [(tape, day) for tape, day in rows]
