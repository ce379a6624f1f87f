"""Destruction: from every state, to the last copy that we made, and certified.

In this order, so that it can stop anywhere and go on, in another process too:

1. begin: the tape is marked, a tombstone stands for it, and what will be destroyed is written down (counts and
   digests); from this commit on nobody is allowed anything with the tape, and jobs let go of it;
2. the key: whatever survives the rest, wherever it is, can no longer be read;
3. what is outside: the key in backups that can be reached, the queue's rows, files, exports;
4. the records, with all that hangs on the tape;
5. the database's log is emptied and its free pages are rewritten;
6. a look for survivors, among them whoever has plaintext of the tape in memory; then the certificate.

Any number of processes may be at it: for each tape they take turns (`locks`), and what one finds is written down before
it is removed.

What is left of a destroyed tape: its id, in the tombstone, the certificate and the audit, which also says who did what
to it when; and, without its id, that its interviewer brought a tape to the group then (``tape_turns``).

What PostgreSQL keeps longer: its write-ahead log, until its segments are written over, which a busy server does in
minutes and an idle one may not do for weeks; and whoever archives the log keeps it. What stands there of a tape in
plain text are ids, times, codes, the client's pseudonym and the paths of exports; words are sealed with the key that
is gone. The database's administrator lets the old segments go with ``wal_recycle = off`` and, after a destruction,
``SELECT pg_switch_wal(); CHECKPOINT;``. The statistics of the planner hold samples of such columns until the next
ANALYZE.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from pipeline.errors import TapeReviewError, VaultError
from pipeline.tapes import audit_log, reserve
from pipeline.tapes.backup import backup
from pipeline.tapes.clock import readable
from pipeline.tapes.db.records import Certificate, Consent, Export, Item, Meeting, Record, Tape, Tombstone
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.retention import exports, tombstones
from pipeline.tapes.retention.certificates import Signed, Signer
from pipeline.tapes.vault import disks
from pipeline.tapes.vault.atomic_files import owned, published

Why = Literal["due", "withdrawn", "by hand", "never consented", "restored"]
"""By due date; by the client's withdrawal; by hand; left without a consent; destroyed before, and put back."""

METHOD = (
    "the data key that every file and text of the tape was encrypted with (AES-256-GCM) was overwritten and removed; "
    "then the files, the exports that were found, the queue's entries and the records were removed, the database's log "
    "was emptied and its free pages were rewritten"
)

_LETTING_GO = 10.0
"""Seconds in which a process lets go of a tape that it works on."""

_OUTLIVE = {"audit", "certificates", "tombstones", "meetings"}


@dataclass(frozen=True)
class Destroyed:
    """One tape's end; ``path`` is the certificate."""

    tape_id: str
    path: Path


def destroy(home: Home, tape_id: str, why: Why, now: int, actor_id: str | None = None) -> Destroyed:
    """Destroy one tape and say so under signature.

    Raises
    ------
    VaultError: V15 there is no such tape; V08 something cannot be removed, V14 something survived: both are gone on
        with at the next `resume`.
    TapesError: K03, K04 the database.
    """
    begin(home, tape_id, why, now, actor_id)
    resume(home, now)
    return Destroyed(tape_id, certificate_path(home, tape_id))


def begin(home: Home, tape_id: str, why: Why, now: int, actor_id: str | None = None) -> None:
    """Mark a tape for destruction: from here on it is dead for everybody, and `resume` does the rest.

    Raises
    ------
    VaultError: V15 there is no such tape.
    """
    if why not in get_args(Why):
        raise ValueError(why)

    def begun() -> None:
        with home.database.writing() as session:
            tape = session.get(Tape, tape_id)
            if tape is None:
                raise exports.unknown(tape_id)
            start(session, tape, why, now, actor_id)

    reserve.spent_on(home.folder, begun)


def start(session: Session, tape: Tape, why: Why, now: int, actor_id: str | None = None) -> None:
    """Begin within a transaction of the caller's: what led to the destruction and its beginning are one."""
    if _pending(session, tape.id):
        return
    facts = _facts(session, tape) | {"why": why, "begun": now, "by": actor_id}
    session.add(
        Certificate(tape_id=tape.id, interviewer_id=tape.interviewer_id, at=now, body=json.dumps(facts), signature=b"")
    )
    if session.get(Tombstone, tape.id) is None:
        session.add(Tombstone(tape_id=tape.id, destroyed_at=now))
    tape.state = "destroyed"
    job_state.stop(session, tape.id, now)
    audit_log.record(session, now, actor_id, "destroy", tape.id, why=why)


def resume(home: Home, now: int) -> list[Destroyed]:
    """Bring every destruction that was begun to its end; run it at every start.

    A tape that cannot be removed keeps no other alive: its error is raised when all the others are gone.

    Raises
    ------
    VaultError: V08, V14. TapesError: K03, K04. JobError: J05.
    """
    with home.database.reading() as session:
        begun = {row.tape_id: row.at for row in _pending(session)}
    errors: list[TapeReviewError] = []
    removing = {tape_id: partial(_remove, home, tape_id, at) for tape_id, at in begun.items()}
    removed = [
        tape_id for tape_id, deed in removing.items() if _held(errors, partial(reserve.spent_on, home.folder, deed))
    ]
    if removed:
        home.database.scrub()
    ended: list[Destroyed] = []
    for tape_id in removed:
        _held(errors, lambda tape_id=tape_id: ended.extend(_certify(home, tape_id, now)))  # type: ignore[misc]
    if errors:
        raise errors[0]
    return ended


def survivors(home: Home, tape_id: str, patience: float = 0.0) -> list[str]:
    """Return what is left of a tape and should not be: names of tables, "key", "files", "plaintext", "work under way".

    Parameters
    ----------
    patience: seconds to wait for processes that have its plaintext in memory, and let go of it.
    """
    with home.database.reading() as session:
        left = [name for name, count in _rows(session, tape_id).items() if count]
        left += ["tapes"] if session.get(Tape, tape_id) else []
    left += ["key"] if home.vault.has_key(tape_id) else []
    left += ["files"] if home.vault.files(tape_id) else []
    left += ["plaintext"] if home.vault.scratch.leftovers() else []
    return left + (["work under way"] if home.vault.locks.in_use(tape_id, patience) else [])


def _facts(session: Session, tape: Tape) -> dict[str, Any]:
    """Return counts, kinds and digests of what is about to be destroyed."""
    items = session.scalars(select(Item).where(Item.tape_id == tape.id).order_by(Item.created_at, Item.id))
    due = session.scalars(
        select(Consent.destroy_by).where(Consent.tape_id == tape.id).order_by(Consent.number.desc())
    ).first()
    return {
        "state": tape.state,
        "submitted": tape.created_at,
        "due": due,
        "records": {name: count for name, count in _rows(session, tape.id).items() if count},
        "files": [{"kind": item.kind, "bytes": item.size, "sha256": item.sha256} for item in items],
    }


def _rows(session: Session, tape_id: str) -> dict[str, int]:
    """How many rows of each table belong to a tape."""
    return {row[0]: row[1] for row in session.execute(_counts(), {"tape": tape_id})}


@cache
def _counts() -> CompoundSelect[str, int]:
    """One statement for all tables: it is asked three times in a tape's end, and at each look for survivors."""
    counted = {table: _of_tape(table) for table in Record.metadata.sorted_tables}
    return union_all(
        *(
            select(literal_column(f"'{table.name}'", Text), func.count()).select_from(table).where(belongs)
            for table, belongs in counted.items()
            if belongs is not None
        )
    )


def _of_tape(table: Table) -> ColumnElement[bool] | None:
    """Return which rows of a table belong to the tape, by its id or as parts of what does; None where none can."""
    if table.name in _OUTLIVE:
        return None
    if "tape_id" in table.c:
        return table.c.tape_id == bindparam("tape")
    for key in table.foreign_keys:
        parents = _of_tape(key.column.table) if key.ondelete == "CASCADE" else None
        if parents is not None:
            return key.parent.in_(select(key.column).where(parents))
    return None


def _pending(session: Session, tape_id: str | None = None) -> list[Certificate]:
    chosen = select(Certificate).where(Certificate.signature == b"").order_by(Certificate.at, Certificate.id)
    return list(session.scalars(chosen if tape_id is None else chosen.where(Certificate.tape_id == tape_id)))


def _remove(home: Home, tape_id: str, at: int) -> None:
    """Everything that is not the certificate: the key first. Each step may have been done before, none is done twice
    at once."""
    with home.vault.locks.alone(tape_id):
        tombstones.add(home.folder, tape_id, at)
        home.vault.destroy_key(tape_id)
        struck, lost = backup.forget(home, tape_id, at)
        home.vault.destroy_files(tape_id)
        job_state.forget(home, tape_id)
        exports.remove(_noted_exports(home, tape_id))
        counts = {
            "written": max(backup.count_backups(home), struck + lost),
            "key overwritten": struck,
            "not reached": lost,
        }
        _remove_records(home, tape_id, counts)


def _noted_exports(home: Home, tape_id: str) -> list[str]:
    """The copies to remove; how many can be found is written down before the first goes: it may be done in two goes."""
    with home.database.writing() as session:
        paths = list(session.scalars(select(Export.path).where(Export.tape_id == tape_id)))
        for pending in _pending(session, tape_id):
            facts = json.loads(pending.body)
            if "exports" not in facts:
                removed = exports.count_reachable(paths)
                facts["exports"] = {"removed": removed, "not found": len(paths) - removed}
                pending.body = json.dumps(facts)
    return paths


def _remove_records(home: Home, tape_id: str, backups: dict[str, int]) -> None:
    with home.database.writing() as session:
        for pending in _pending(session, tape_id):
            facts = json.loads(pending.body)
            facts["backups"] = backups
            pending.body = json.dumps(facts)
        session.execute(update(Meeting).where(Meeting.tape_id == tape_id).values(sealed_notes=None))
        session.execute(delete(Tape).where(Tape.id == tape_id))


def _held(errors: list[TapeReviewError], deed: Callable[[], None]) -> bool:
    """Do something; an error of ours is put with the others, and makes it False."""
    try:
        deed()
    except TapeReviewError as error:
        errors.append(error)
        return False
    return True


def _certify(home: Home, tape_id: str, now: int) -> list[Destroyed]:
    """Sign, unless another process was faster."""
    with home.vault.locks.alone(tape_id):
        home.vault.scratch.sweep()
        if left := survivors(home, tape_id, _LETTING_GO):
            remedy = "run `tape-review doctor`; destruction goes on at the next start"
            raise VaultError("V14", f"tape {tape_id}", f"left something behind ({', '.join(left)})", remedy)
        signed = _signed(home, tape_id, now)
        home.vault.locks.forget(tape_id)
    return signed


def _signed(home: Home, tape_id: str, now: int) -> list[Destroyed]:
    with home.database.writing() as session:
        pending = _pending(session, tape_id)
        if not pending:
            return []
        row = pending[0]
        facts = json.loads(row.body)
        facts |= {"tape": tape_id, "id": row.id, "method": METHOD, "destroyed": now, "destroyed_utc": readable(now)}
        facts["audit"] = home.audit.head(session).facts()
        facts["not known"] = _not_known(home, facts)
        signed = Signer(home.keys_folder / "certificate.key").sign(facts)
        row.body, row.signature, row.at = signed.body, signed.signature, now
        session.execute(update(Tombstone).where(Tombstone.tape_id == tape_id).values(certificate=row.id))
        audit_log.record(session, now, facts["by"], "destroyed", tape_id, thing=row.id, why=facts["why"])
        path = write_certificate(home, tape_id, signed)  # before the commit: stopped here, both are made anew
    return [Destroyed(tape_id, path)]


def _not_known(home: Home, facts: dict[str, Any]) -> list[str]:
    """Return, in sentences, what this machine cannot know."""
    written = facts["backups"]["written"]
    copies = f"{written} backups were written" if written != 1 else "one backup was written"
    return [
        f"{copies} with this program; any other copy of a backup, of the home or of the whole machine still opens the "
        "tape with the master key of that time, and this program has no list of such copies",
        disks.of_overwritten(home.vault.tape_keys.folder),
        "this program has no list of exported files that somebody copied or moved",
    ]


def certificate_path(home: Home, tape_id: str) -> Path:
    """Where a tape's certificate is, or will be."""
    return owned(home.folder / "certificates") / f"{tape_id}.json"


def write_certificate(home: Home, tape_id: str, signed: Signed) -> Path:
    """Put a certificate into the home's folder of certificates.

    Raises
    ------
    VaultError: V08.
    """
    path = certificate_path(home, tape_id)
    with published(path, replace=True) as file:
        file.write(signed.file())
    return path
