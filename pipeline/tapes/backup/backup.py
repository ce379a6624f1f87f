"""Backups: one file that brings everything back on an empty machine, except what was destroyed.

A backup is an (uncompressed) tar archive::

    header.json                 version, when, and the backup's own key, wrapped by the master key
    vault/keys/TAPE             the wrapped data keys, as they lie in the vault; all zeros once the tape is destroyed
    vault/tapes/TAPE/ITEM       the encrypted files, as they lie in the vault
    certificates/, certificate-key.pub, tape-review-tombstones.txt
    master.key                  only where a passphrase locks it, or the environment holds it
    records                     the database's rows, the home's other keys, where backups lie, and all digests,
                                encrypted (see `frames`)

So without the master key a backup is worth nothing, to a thief as to its owner: a master key that is a file has to be
kept elsewhere, by hand. The rows are written as JSON, so a backup from SQLite restores into PostgreSQL and the other
way round.

A destroyed tape stays dead: the home remembers where its backups lie, and destruction overwrites the tape's key there
and adds to the list of tombstones beside them, as far as they can be reached; what could not be is caught up on. A
restore heeds every list it finds and brings back neither key nor file nor row of a tape that stands on one.
"""

from __future__ import annotations

import base64
import glob
import io
import json
import os
import secrets
import tarfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select

from pipeline.errors import VaultError
from pipeline.files import PARTIAL, Digesting, settle
from pipeline.tapes import audit_log
from pipeline.tapes.db import schema
from pipeline.tapes.db.records import AuditRow, Item, Record, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.retention import tombstones
from pipeline.tapes.vault import encrypted_file
from pipeline.tapes.vault.atomic_files import abandoned, appended, published, require_text, writable
from pipeline.tapes.vault.encrypted_file import FileLabel
from pipeline.tapes.vault.vault import HOME

VERSION = 1
"""Version of a backup's layout; raised when that changes."""
HEADER, RECORDS, MASTER = "header.json", "records", "master.key"
KEYS, TAPES = "vault/keys/", "vault/tapes/"
PURPOSE = "backup"
"""Stands for a tape where the backup's own key is wrapped."""

LOCKED_AWAY = ("audit.key", "certificate.key", "authority.json")
"""The home's keys that travel inside of the encrypted records."""

LEFT_OUT = {"sessions", "login_attempts", "known_places", "workers", "invitations", "second_step_lifts"}
LEFT_OUT |= {"calendar_feeds", "stage_durations"}
"""Tables that a restore begins anew: nobody stays signed in, no worker is taken for alive, and no link works again that
was used or stopped since, no lifting of a second step goes on that its owner stopped; how fast another machine was is
its own."""

_NOTED = "backups.txt"
_NEVER = "-"
"""Before a noted path: nothing came of that backup. Paths begin with a slash."""


@dataclass(frozen=True)
class Made:
    """A backup.

    ``missing`` files have a record but are not in the vault; ``whole`` where it needs no master key from elsewhere.
    """

    path: Path
    tapes: int
    files: int
    missing: int
    whole: bool


def make(home: Home, path: Path, now: int, actor_id: str | None = None) -> Made:
    """Write a backup; it is there whole, or not at all.

    Raises
    ------
    VaultError: V08 it cannot be written, V16 something already exists; V04 to V06 the master key.
    """
    path = path.absolute()
    require_text(path)
    if path.exists():
        raise VaultError("V16", f"file {path}", "already exists", "name another file")
    if not path.parent.is_dir():
        remedy = "connect the disk, or choose another folder"
        raise VaultError("V08", f"folder {path.parent}", "does not exist", remedy)
    fresh = note(home, path)
    try:
        keys, backup = _written(home, path, now)
    except VaultError:
        if fresh and path.parent.is_dir() and not path.exists() and not any(_partials(path)):
            _unnote(home, path)  # nothing was left: there is no backup to reach
        raise
    note(home, path)
    for tape_id in keys:
        if not home.vault.has_key(tape_id):  # destroyed while we wrote
            strike(path, {tape_id})
    with home.database.writing() as session:
        audit_log.record(session, now, actor_id, "backup", thing=f"{backup.tapes} tapes, {backup.files} files")
    return backup


def _written(home: Home, path: Path, now: int) -> tuple[list[str], Made]:
    """Write the file; the tapes whose keys are in it, and what to tell of it."""
    data_key, file_id = secrets.token_bytes(32), secrets.token_bytes(encrypted_file.ID_BYTES)
    kind = home.master.kind()
    with home.database.reading() as session:
        head = home.audit.head(session)
    header = {
        "version": VERSION,
        "made": now,
        "schema": schema.newest(),
        "key": base64.b64encode(home.vault.newest_ring().wrap(PURPOSE, data_key)).decode(),
        "file_id": file_id.hex(),
        "audit": head.facts(),
    }
    scratch = home.vault.scratch.file
    with scratch() as rows, scratch() as sealed, published(path) as file:
        tapes, items = _dump(home, rows)
        with tarfile.open(fileobj=file, mode="w") as archive:
            sums = _Sums(archive)
            sums.add(HEADER, json.dumps(header).encode())
            keys = [
                tape_id
                for tape_id in (HOME, *tapes)
                if sums.copy(KEYS + tape_id, home.vault.tape_keys.folder / tape_id)
            ]
            copied = [sums.copy(f"{TAPES}{item}", home.vault.folder / "tapes" / item) for item in items]
            for certificate in sorted((home.folder / "certificates").glob("*.json")):
                sums.copy(f"certificates/{certificate.name}", certificate)
            for name in ("certificate-key.pub", tombstones.NAME):
                sums.copy(name, home.folder / name)
            if kind != "file":
                sums.copy(MASTER, home.master.path)
            for name in LOCKED_AWAY:
                with suppress(FileNotFoundError):
                    _line(rows, {"key": name, "content": _text((home.keys_folder / name).read_bytes())})
            _line(rows, {"backups": [str(path) for path in noted(home)]})
            _line(rows, {"sums": sums.found})
            rows.seek(0)
            encrypted_file.write(rows, sealed, data_key, FileLabel(PURPOSE, RECORDS, file_id))
            size = sealed.tell()
            sealed.seek(0)
            sums.put(RECORDS, sealed, size)
    return keys, Made(path, len(tapes), sum(copied), len(copied) - sum(copied), kind != "file")


def count_backups(home: Home) -> int:
    """How many backups were written, ever, as the audit knows."""
    with home.database.reading() as session:
        return session.scalar(select(func.count()).where(AuditRow.action == "backup")) or 0


def forget(home: Home, tape_id: str, now: int) -> tuple[int, int]:
    """Overwrite a tape's key in the backups that we made, and put up a tombstone beside them.

    Returns
    -------
    In how many backups the key was overwritten or never was; how many backups could not be reached. A file that is
    not in its place counts among these: it may lie on a disk that is not plugged in, and whether the group removed it
    for good cannot be seen from here.
    """
    done = lost = 0
    for path in noted(home):
        try:
            for partial in _partials(path):
                if abandoned(partial):
                    partial.unlink()
            if path.exists():
                tombstones.add(path.parent, tape_id, now)
                strike(path, {tape_id})
                done += 1
            else:
                lost += 1
        except (VaultError, OSError, tarfile.TarError):
            lost += 1
    return done, lost


def catch_up(home: Home, dead: Mapping[str, int], now: int) -> int:
    """Overwrite the keys of destroyed tapes in backups that can be reached again; how many keys.

    It reads the first few KiB of each backup. One that cannot be read or written waits for the next time.

    Parameters
    ----------
    dead: the destroyed tapes, and when each was destroyed.
    """
    count = 0
    for path in noted(home) if dead else ():
        with suppress(VaultError, OSError, tarfile.TarError):
            struck = strike(path, dead) if path.exists() else []
            count += len(struck)
            for tape_id in struck:
                tombstones.add(path.parent, tape_id, dead[tape_id])
                with home.database.writing() as session:
                    audit_log.record(session, now, None, "backup.strike", tape_id)
    return count


def noted(home: Home) -> list[Path]:
    """Where backups of this home were written."""
    paths: dict[str, None] = {}
    with suppress(FileNotFoundError):
        for line in (home.folder / _NOTED).read_bytes().decode().split("\n"):  # other breaks may stand in a name
            if line.startswith(_NEVER):
                paths.pop(line.removeprefix(_NEVER), None)
            elif line:
                paths[line] = None
    return [Path(line) for line in paths]


def lost(home: Home) -> list[Path]:
    """The backups that cannot be reached now."""
    return [path for path in noted(home) if not _is_reachable(path)]


def _is_reachable(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a disk that does not answer
        return False


def strike(path: Path, dead: Collection[str]) -> list[str]:
    """Overwrite the keys of destroyed tapes in a backup; the tapes whose key was still there.

    Raises
    ------
    VaultError: V08.
    """
    struck = []
    with writable(path), path.open("r+b") as file:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if member.name.startswith(TAPES):  # all keys stand before
                    break
                tape_id = member.name.removeprefix(KEYS)
                if not member.name.startswith(KEYS) or tape_id not in dead:
                    continue
                file.seek(member.offset_data)
                if any(file.read(member.size)):
                    file.seek(member.offset_data)
                    file.write(bytes(member.size))
                    struck.append(tape_id)
        if struck:
            file.flush()
            os.fsync(file.fileno())
            settle(path.parent)
    return struck


def plain(value: Any) -> Any:
    """A row's value as JSON has it."""
    return {"bytes": _text(value)} if isinstance(value, bytes) else value


class _Sums:
    """An archive that keeps the digest of everything that goes in."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.found: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        self.put(name, io.BytesIO(content), len(content))

    def copy(self, name: str, path: Path) -> bool:
        """Copy a file; whether it was there."""
        try:
            with path.open("rb") as file:
                self.put(name, file, path.stat().st_size)
        except FileNotFoundError:
            return False
        return True

    def put(self, name: str, file: BinaryIO, size: int) -> None:
        """Copy so many bytes of an open file."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        digesting = Digesting(file)
        self._archive.addfile(member, digesting)
        self.found[name] = digesting.digest()


def _dump(home: Home, file: BinaryIO) -> tuple[list[str], list[str]]:
    """Write every row, as one moment of the database has it; the living tapes, and their items as ``TAPE/ITEM``."""
    with home.database.reading() as session:
        if not home.database.is_sqlite:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        for table in Record.metadata.sorted_tables:
            if table.name not in LEFT_OUT:
                for row in session.execute(select(table)).mappings():
                    _line(file, {"table": table.name, "row": {name: plain(value) for name, value in row.items()}})
        alive = select(Tape.id).where(Tape.state != "destroyed")
        items = session.execute(
            select(Item.tape_id, Item.id).where(Item.tape_id.in_(alive)).order_by(Item.tape_id, Item.id)
        )
        return sorted(session.scalars(alive)), [f"{row.tape_id}/{row.id}" for row in items]


def _line(file: BinaryIO, entry: dict[str, Any]) -> None:
    file.write(json.dumps(entry).encode() + b"\n")


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def note(home: Home, path: Path) -> bool:
    """Remember a backup before it is written: a tape's key may be in a file that a crash left unpublished.

    Returns
    -------
    Whether it was not remembered before.
    """
    if path in noted(home):
        return False
    appended(home.folder / _NOTED, str(path))
    return True


def _unnote(home: Home, path: Path) -> None:
    """Take back a note; the list is only added to, so that notes made at once are all kept."""
    appended(home.folder / _NOTED, f"{_NEVER}{path}")


def _partials(path: Path) -> Iterator[Path]:
    """Return the partial files of a backup that was not published."""
    return path.parent.glob(f"{glob.escape(path.name)}.*{PARTIAL}")
