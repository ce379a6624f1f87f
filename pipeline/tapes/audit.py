"""The audit: who did what to which tape, and why, in rows that nobody can change unseen.

Each row's hash covers the row and the hash before, so that an edited, dropped or swapped row breaks the chain. The head
(the last number and hash) carries a keyed hash, so that a chain that was cut off at its end, or written anew by someone
without the home's key, shows as well. A copy of the head lies outside of the database, in the home: a database that was
set back to an earlier state, head and all, does not agree with it. Rows are added just before their transaction
commits: together with what they tell of, or not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Select, event, func, select
from sqlalchemy.orm import Session

from pipeline.tapes.records import AuditHead, AuditRow

_PENDING = "audit"
_FIRST = "0" * 64
_FIELDS = ("seq", "at", "actor_id", "action", "tape_id", "thing", "span_start", "span_end", "why", "previous_hash")


@dataclass(frozen=True)
class Fault:
    """A place where the audit is not what was written."""

    seq: int
    what: str


def record(
    session: Session,
    now: int,
    actor_id: str | None,
    action: str,
    tape_id: str | None = None,
    thing: str = "",
    span: tuple[int, int] | None = None,
    why: str = "",
) -> None:
    """Tell of a deed; the row is added when the session commits.

    Parameters
    ----------
    session: a writing session of the home's database.
    now: when.
    actor_id: who; None if the program did it by itself or someone at the command line.
    action: what, in one or two words with a dot: ``"tape.play"``, ``"person.add"``.
    tape_id: to which tape.
    thing: to what else, as ids and fixed words; never a client's words, names or paths.
    span: which part of the tape, from and to, in milliseconds.
    why: for which use or from which cause, in fixed words.
    """
    start, end = span or (None, None)
    row = AuditRow(
        seq=0,
        at=now,
        actor_id=actor_id,
        action=action,
        tape_id=tape_id,
        thing=thing,
        span_start=start,
        span_end=end,
        why=why,
        previous_hash="",
        hash="",
    )
    session.info.setdefault(_PENDING, []).append(row)


def latest(
    session: Session, count: int, tape_id: str | None = None, actor_id: str | None = None
) -> tuple[AuditRow, ...]:
    """The last rows, oldest first: all, those about a tape, those of a person."""
    rows = select(AuditRow).order_by(AuditRow.seq.desc()).limit(count)
    if tape_id is not None:
        rows = rows.where(AuditRow.tape_id == tape_id)
    if actor_id is not None:
        rows = rows.where(AuditRow.actor_id == actor_id)
    return tuple(session.scalars(rows))[::-1]


class Audit:
    """Chains the rows, signs their head and verifies both.

    Parameters
    ----------
    key: the home's secret that the head is signed with.
    witness: the file that holds a copy of the head.
    """

    def __init__(self, key: bytes, witness: Path | None = None) -> None:
        self._key, self._witness = key, witness

    def add_pending(self, session: Session) -> None:
        """Number, chain and add what was recorded in a session; `Database` calls it before it commits."""
        pending: list[AuditRow] = session.info.pop(_PENDING, [])
        if not pending:
            return
        head = session.get(AuditHead, 1, populate_existing=True)
        if head is None:
            head = AuditHead(id=1, seq=0, hash=_FIRST, mac="")
            session.add(head)
        for row in pending:
            row.seq, row.previous_hash = head.seq + 1, head.hash
            row.hash = _hash(row)
            session.add(row)
            head.seq, head.hash = row.seq, row.hash
        head.mac = self._mac(head.seq, head.hash)
        copy = f"{head.seq:020d} {head.hash} {head.mac}\n"
        event.listen(session, "after_commit", lambda _: self._note(copy), once=True)

    def verify(self, session: Session) -> tuple[Fault, ...]:
        """Every place where the chain is broken; none if all is as it was written."""
        return tuple(self._faults(session))

    def count(self, session: Session) -> int:
        """How many rows there are."""
        return session.scalar(select(func.count()).select_from(AuditRow)) or 0

    def _faults(self, session: Session) -> Iterator[Fault]:
        seq, last = 0, _FIRST
        for row in session.scalars(_in_order().execution_options(yield_per=1000)):
            if row.seq != seq + 1:
                yield Fault(row.seq, f"rows {seq + 1} to {row.seq - 1} are missing")
            elif row.previous_hash != last:
                yield Fault(row.seq, "does not follow the row before")
            if row.hash != _hash(row):
                yield Fault(row.seq, "was edited")
            seq, last = row.seq, row.hash
        head = session.get(AuditHead, 1)
        if head is None:
            if seq:
                yield Fault(seq, "the head is missing")
        elif not hmac.compare_digest(head.mac, self._mac(head.seq, head.hash)):
            yield Fault(head.seq, "the head is not signed with this home's key")
        elif head.seq > seq:
            yield Fault(head.seq, f"rows {seq + 1} to {head.seq} are missing at the end")
        elif (head.seq, head.hash) != (seq, last):
            yield Fault(seq, "the last row is not the one that the head names")

        yield from self._set_back(session, seq)

    def _set_back(self, session: Session, last: int) -> Iterator[Fault]:
        """Whether the row that the copy of the head names is still there; copies may lag, as several write them."""
        if self._witness is None or not self._witness.exists():
            return
        copy = self._witness.read_text(encoding="ascii", errors="replace")
        seq, hash_, mac = (*copy.split(), "", "", "")[:3]
        if not seq.isdigit() or not hmac.compare_digest(mac.encode(), self._mac(int(seq), hash_).encode()):
            yield Fault(last, "the copy of the head in the home was changed")
        elif (row := session.get(AuditRow, int(seq))) is None or row.hash != hash_:
            yield Fault(int(seq), "is not the row that was here: the database was set back to an earlier state")

    def _note(self, copy: str) -> None:
        if self._witness is None:
            return
        with suppress(OSError):  # an older copy says less, and nothing wrong
            handle = os.open(self._witness, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(handle, copy.encode("ascii"), 0)  # of one length always, in one go: never half
            finally:
                os.close(handle)

    def _mac(self, seq: int, hash_: str) -> str:
        return hmac.new(self._key, f"{seq} {hash_}".encode(), hashlib.sha256).hexdigest()


def _in_order() -> Select[AuditRow]:
    return select(AuditRow).order_by(AuditRow.seq)


def _hash(row: AuditRow) -> str:
    values = [getattr(row, field) for field in _FIELDS]
    return hashlib.sha256(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
