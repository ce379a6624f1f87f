"""The audit: who did what to which tape, and why, in rows that nobody can change unseen.

Each row's hash covers the row and the hash before, so that an edited, dropped or swapped row breaks the chain. The head
(the last number and hash) carries a keyed hash, so that a chain that was cut off at its end, or written anew by someone
without the home's key, shows as well. A copy of the head lies outside of the database, in the home: a database that was
set back to an earlier state, head and all, does not agree with it. Where the copy is gone or does not agree, the next
row is preceded by one that says so. Whoever sets back both is found by the heads in certificates and backups
(`pipeline.tapes.audit_anchors`). Rows are added just before their transaction commits: together with what they tell
of, or not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, event, func, select
from sqlalchemy.orm import Session

from pipeline.tapes import request_trail
from pipeline.tapes.db.records import AuditHead, AuditRow

_PENDING = "audit"
_NOW = {
    "missing": "the copy of the head in the home is missing",
    "changed": "the copy of the head in the home was changed",
    "set back": "is not the row that was here: the database was set back to an earlier state",
}
_THEN = {
    "missing": "the copy of the head in the home was missing when this row was written",
    "changed": "the copy of the head in the home had been changed when this row was written",
    "set back": "the database had been set back to an earlier state when this row was written",
}
_FIRST = "0" * 64  # stands where the first row has no row before it; as long as a SHA-256
_FIELDS = ("seq", "at", "actor_id", "action", "tape_id", "thing", "span_start", "span_end", "why", "previous_hash")
_LATER = ("source", "times")
"""Fields that came later: part of the hash of a row that has one of them."""

GAP, ACCEPTED, RESTORED = "audit.gap", "audit.accept", "restore"
"""The copy of the head was not what it must be; somebody looked into that; a backup was put in the place of it all."""


@dataclass(frozen=True)
class Fault:
    """A place where the audit is not what was written."""

    seq: int
    what: str


@dataclass(frozen=True)
class LogHead:
    """Where the audit stood: the last row's number, hash and time, signed with the home's key."""

    seq: int
    hash: str
    at: int
    mac: str

    def facts(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"seq": self.seq, "hash": self.hash, "at": self.at, "mac": self.mac}

    @classmethod
    def of(cls, facts: object) -> LogHead | None:
        """A head as JSON holds it; None where it is none."""
        if not isinstance(facts, dict):
            return None
        seq, hash_, at, mac = (facts.get(name) for name in ("seq", "hash", "at", "mac"))
        if isinstance(seq, int) and isinstance(at, int) and isinstance(hash_, str) and isinstance(mac, str):
            return cls(seq, hash_, at, mac)
        return None


def record(
    session: Session,
    now: int,
    actor_id: str | None,
    action: str,
    tape_id: str | None = None,
    thing: str = "",
    span: tuple[int, int] | None = None,
    why: str = "",
    source: str | None = None,
    times: int | None = None,
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
    source: the address that the request came from; that of the request that is being answered where it is None.
    times: how many deeds the row stands for, where they are counted.
    """
    start, end = span or (None, None)
    request = request_trail.current.get()
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
        source=source if source is not None else request.source if request else None,
        times=times,
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
    watches: whether a row that follows a copy which is gone, or does not agree, is preceded by one that says so.
    """

    def __init__(self, key: bytes, witness: Path | None = None, watches: bool = False) -> None:
        self._key, self._witness, self._watches = key, witness, watches

    def add_pending(self, session: Session) -> None:
        """Number, chain and add what was recorded in a session; `Database` calls it before it commits."""
        pending: list[AuditRow] = session.info.get(_PENDING, [])
        if not pending:
            return
        head = session.get(AuditHead, 1, populate_existing=True)
        if head is None:
            head = AuditHead(id=1, seq=0, hash=_FIRST, mac="")
            session.add(head)
        for reason, _ in self._set_back(session, head.seq) if self._watches else ():
            record(session, pending[0].at, None, GAP, why=reason)
            pending.insert(0, pending.pop())
        if request := request_trail.current.get():
            request.recorded |= {row.tape_id for row in pending}
        del session.info[_PENDING]
        for row in pending:
            row.seq, row.previous_hash = head.seq + 1, head.hash
            row.hash = _hash(row)
            session.add(row)
            head.seq, head.hash = row.seq, row.hash
        head.mac = self._mac(head.seq, head.hash)
        copy = _copy(head.seq, head.hash, head.mac)
        event.listen(session, "after_commit", lambda _: self._note(copy), once=True)

    def verify(self, session: Session, anchors: Iterable[tuple[str, LogHead]] = ()) -> tuple[Fault, ...]:
        """Every place where the chain is broken; none if all is as it was written.

        Parameters
        ----------
        anchors: heads that were written down elsewhere, each with where.
        """
        return (*self._faults(session), *self._earlier(session, anchors))

    def head(self, session: Session) -> LogHead:
        """Where the audit stands, to be written down elsewhere: whoever sets it back behind that is found."""
        head = session.get(AuditHead, 1)
        seq, hash_ = (head.seq, head.hash) if head else (0, _FIRST)
        row = session.get(AuditRow, seq)
        at = row.at if row else 0
        return LogHead(seq, hash_, at, self._mac(seq, f"{hash_} {at}"))

    def write_witness(self, session: Session) -> None:
        """Write the copy of the head where there can be none yet: in a fresh home, and in one that was restored."""
        head = session.get(AuditHead, 1)
        seq, hash_ = (head.seq, head.hash) if head else (0, _FIRST)
        self._note(_copy(seq, hash_, self._mac(seq, hash_)))

    def lag(self, session: Session) -> int:
        """How many rows the copy of the head in the home does not vouch for yet; all, where there is no copy."""
        head = session.get(AuditHead, 1)
        copied = ""
        with suppress(OSError):
            if self._witness is not None:
                copied = self._witness.read_text(encoding="ascii", errors="replace").partition(" ")[0]
        return max(0, (head.seq if head else 0) - (int(copied) if copied.isdecimal() else 0))

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

        yield from (Fault(seq_of_fault, _NOW[reason]) for reason, seq_of_fault in self._set_back(session, seq))
        accepted = _accepted(session)
        gaps = select(AuditRow).where(AuditRow.action == GAP, AuditRow.seq > (accepted.seq if accepted else 0))
        for row in session.scalars(gaps.order_by(AuditRow.seq)):
            yield Fault(row.seq, _THEN.get(row.why, row.why))

    def _set_back(self, session: Session, last: int) -> Iterator[tuple[str, int]]:
        """Whether the row that the copy of the head names is still there; copies may lag, as several write them."""
        if self._witness is None:
            return
        try:
            copy = self._witness.read_text(encoding="ascii", errors="replace")
        except OSError:
            if last and self._witness.parent.is_dir():
                yield "missing", last
            return
        seq, hash_, mac = (*copy.split(), "", "", "")[:3]
        if not seq.isdigit() or not hmac.compare_digest(mac.encode(), self._mac(int(seq), hash_).encode()):
            yield "changed", last
        elif int(seq) and ((row := session.get(AuditRow, int(seq))) is None or row.hash != hash_):
            yield "set back", int(seq)

    def _earlier(self, session: Session, anchors: Iterable[tuple[str, LogHead]]) -> Iterator[Fault]:
        """Heads from elsewhere that the chain does not hold, but for those from before it was restored or accepted."""
        accepted = _accepted(session)
        for holder, head in anchors:
            if not hmac.compare_digest(head.mac.encode(), self._mac(head.seq, f"{head.hash} {head.at}").encode()):
                yield Fault(head.seq, f"{holder} names a head that this home did not sign")
                continue
            row = session.get(AuditRow, head.seq)
            held = head.seq == 0 or (row is not None and row.hash == head.hash)
            if not held and (accepted is None or head.at > accepted.at):
                yield Fault(head.seq, f"is not the row that {holder} names: the audit was set back to an earlier state")

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


def _copy(seq: int, hash_: str, mac: str) -> str:
    return f"{seq:020d} {hash_} {mac}\n"


def _accepted(session: Session) -> AuditRow | None:
    """The last row from which on somebody took the audit as it is."""
    chosen = select(AuditRow).where(AuditRow.action.in_((ACCEPTED, RESTORED))).order_by(AuditRow.seq.desc())
    return session.scalars(chosen.limit(1)).first()


def _in_order() -> Select[AuditRow]:
    return select(AuditRow).order_by(AuditRow.seq)


def _hash(row: AuditRow) -> str:
    values = [getattr(row, field) for field in _FIELDS]
    later = [getattr(row, field) for field in _LATER]
    if any(value is not None for value in later):
        values += later
    return hashlib.sha256(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
