"""Restoring a backup into a home that is not there yet; `backup` says what lies in one.

Everything is checked and written beside the home's place first; a backup that is damaged, or that another master key
made, leaves nothing. Of a tape that stands on any list of tombstones, nothing is written at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, insert, inspect, select, text

from pipeline.errors import TapeReviewError, VaultError
from pipeline.files import Digesting, settle
from pipeline.settings import TapesSettings
from pipeline.tapes import audit_log
from pipeline.tapes import home as homes
from pipeline.tapes.backup.backup import (
    HEADER,
    KEYS,
    LEFT_OUT,
    LOCKED_AWAY,
    MASTER,
    PURPOSE,
    RECORDS,
    TAPES,
    VERSION,
    note,
)
from pipeline.tapes.db import schema
from pipeline.tapes.db.database import Database, sqlite_url
from pipeline.tapes.db.records import Tape, Tombstone
from pipeline.tapes.home import Home, KeyPlaces, folder_of, mark
from pipeline.tapes.retention import destruction, tombstones
from pipeline.tapes.vault.atomic_files import owned, published, writable
from pipeline.tapes.vault.encrypted_file import DecryptingReader, FileLabel
from pipeline.tapes.vault.locks import TapeLocks
from pipeline.tapes.vault.master_key import Ask, MasterKey, Ring
from pipeline.tapes.vault.tape_keys import KeyFolder

_ID = r"[0-9a-z][0-9a-z-]{0,63}"
_NAMES = re.compile(
    rf"{HEADER}|{RECORDS}|{MASTER}|certificate-key\.pub|{tombstones.NAME}|{KEYS}{_ID}|{TAPES}{_ID}/{_ID}"
    rf"|certificates/{_ID}\.json"
)
_TAPE = re.compile(rf"(?:{KEYS}|{TAPES})({_ID})")
_BATCH = 500  # rows that are written at once, to bound the memory


@dataclass(frozen=True)
class Restored:
    """A restored home: how many tapes live, how many the backup held that must stay dead, and when it was made."""

    folder: Path
    tapes: int
    dead: int
    made_at: int


def restore(
    backup: Path,
    settings: TapesSettings,
    now: int,
    *,
    ask: Ask | None = None,
    master: Path | None = None,
    lists: Sequence[Path] = (),
) -> Restored:
    """Bring back a home from a backup.

    Parameters
    ----------
    ask: asks for the passphrase, where one locks the master key.
    master: a copy of the master key, where it is a file.
    lists: more lists of tombstones; those in the backup, beside it and in the home's folder are heeded anyway.

    Raises
    ------
    VaultError: V13 the backup cannot be read, V16 there is a home already, V17 the backup is of a newer version; V04 to
        V07 the master key; V02 something in it was altered; V08 the home cannot be written.
    TapesError: K03, K04 the database.
    """
    folder = folder_of(settings)
    if folder.exists() and {path.name for path in folder.iterdir()} - {tombstones.NAME}:
        raise VaultError("V16", f"home {folder}", "already exists", "move it, or name another with --home")
    beside, keys_beside = homes.beside(folder), homes.beside_keys(settings)
    keys = Path(settings.keys).expanduser().resolve() if settings.keys else None
    if keys and keys.exists() and any(keys.iterdir()):
        raise VaultError("V16", f"folder of the keys {keys}", "is not empty", "name another with tapes.keys")
    for fresh in filter(None, (beside, keys_beside)):
        with writable(fresh):
            shutil.rmtree(fresh, ignore_errors=True)
            owned(fresh)
    try:
        with _as_our_errors(backup):
            key_places = (
                KeyPlaces.within(keys_beside) if keys_beside else KeyPlaces(beside / "keys" / "master.key", None)
            )
            opened_backup = _Backup(backup, beside, key_places)
            dead = tombstones.read([folder / tombstones.NAME, backup.absolute().parent / tombstones.NAME, *lists])
            dead |= opened_backup.dead(now)
            with closing(opened_backup):
                opened_backup.unpack(set(dead))
                opened_backup.unlock(ask, master)
                alive, held = _database(opened_backup, beside, settings, dead)
        for tape_id, at in dead.items():
            tombstones.add(beside, tape_id, at)
        if key_places.tapes:
            KeyFolder(key_places.tapes, TapeLocks(beside), mark(beside / "keys")).make()
        for built, wanted in ((keys_beside, keys), (beside, folder)):
            if built and wanted:
                with writable(wanted):
                    shutil.rmtree(wanted, ignore_errors=True)
                    built.rename(wanted)
                    settle(wanted.parent)
    finally:
        for left in filter(None, (beside, keys_beside)):
            shutil.rmtree(left, ignore_errors=True)
    home = Home.open(settings, ask)
    with home.database.writing() as session:
        home.audit.write_witness(session)
        audit_log.record(session, now, None, audit_log.RESTORED, thing=f"{alive} tapes, {held} stay dead")
    for path in dict.fromkeys([backup.absolute(), *opened_backup.backups]):
        note(home, path)
    destruction.resume(home, now)
    home.close()
    return Restored(folder, alive, held, opened_backup.header["made"])


class _Backup:
    """A backup's archive, and the folders that it is unpacked into."""

    def __init__(self, path: Path, folder: Path, key_places: KeyPlaces) -> None:
        self.path, self.folder, self._places = path, folder, key_places
        with self._archive() as archive:
            header = self._content(archive, HEADER)
        self.header: dict[str, Any] = json.loads(header)
        if self.header["version"] != VERSION or self.header["schema"] not in schema.revisions():
            value = "was made by a newer version of this program"
            raise VaultError("V17", f"backup {path}", value, "install that version, and restore it with that")
        self.found: dict[str, str] = {}
        self.backups: list[Path] = []
        self._open_files = ExitStack()

    def dead(self, now: int) -> dict[str, int]:
        """The tapes on the backup's own list, and those whose key was overwritten in it."""
        with self._archive() as archive:
            listed = tombstones.NAME in self._names(archive)
            dead = tombstones.parsed(self._content(archive, tombstones.NAME)) if listed else {}
            for name in self._names(archive):
                if name.startswith(KEYS) and not any(self._content(archive, name)):
                    dead.setdefault(name.removeprefix(KEYS), now)
        return dead

    def unpack(self, dead: set[str]) -> None:
        """Write every file, but those of dead tapes, and note the digests."""
        with self._archive() as archive:
            for member in archive:
                tape = _TAPE.match(member.name)
                if tape and tape[1] in dead:
                    continue
                source = archive.extractfile(member)
                if source is None:
                    raise ValueError(member.name)
                path, content = self._member_path(member.name), Digesting(source)
                owned(path.parent)
                with source, published(path) as target:
                    shutil.copyfileobj(content, target, 1 << 20)
                self.found[member.name] = content.digest()

    def _member_path(self, name: str) -> Path:
        if name == MASTER:
            return self._places.master
        if name.startswith(KEYS) and self._places.tapes:
            return self._places.tapes / name.removeprefix(KEYS)
        return self.folder / name

    def unlock(self, ask: Ask | None, master: Path | None) -> None:
        """Put the master key in its place, if it is not there, and see that it opens the backup."""
        master_key = MasterKey(self._places.master, ask)
        owned(master_key.path.parent)
        if master is not None:
            ring = MasterKey(master, ask).load()
            with published(master_key.path, replace=True) as file:
                file.write(master.read_bytes())
        elif not master_key.path.exists():
            remedy = "add --master-key with the copy that you keep elsewhere: it is not in the backup"
            raise VaultError("V04", f"master key of backup {self.path}", "is missing", remedy)
        else:
            ring = master_key.load()
        self._open(ring)

    def _open(self, ring: Ring) -> None:
        """Decrypt the records; what they say of the other files must be true."""
        data_key = ring.unwrap(PURPOSE, base64.b64decode(self.header["key"]))
        label = FileLabel(PURPOSE, RECORDS, bytes.fromhex(self.header["file_id"]))

        def refuse(what: str) -> VaultError:
            return VaultError("V02", f"backup {self.path}", what, "use another backup")

        file = (self.folder / RECORDS).open("rb")
        self._open_files.callback(file.close)
        self._reader = DecryptingReader(file, data_key, label, refuse)
        promised: dict[str, str] = {}
        for entry in self.entries():
            promised |= entry.get("sums", {})
            self.backups += map(Path, entry.get("backups", ()))
            if entry.get("key") in LOCKED_AWAY:
                with published(owned(self.folder / "keys") / entry["key"]) as key:
                    key.write(base64.b64decode(entry["content"]))
        wrong = [name for name, digest in self.found.items() if name != RECORDS and promised.get(name) != digest]
        if wrong:
            raise refuse(f"has another {wrong[0]} than was stored")

    def entries(self) -> Iterator[dict[str, Any]]:
        """Row after row, decrypted as it is read."""
        self._reader.seek(0)
        rest = b""
        while block := self._reader.read(1 << 20):
            *whole, rest = (rest + block).split(b"\n")
            yield from map(json.loads, whole)

    def close(self) -> None:
        """Forget the records; they are in the database now."""
        self._open_files.close()
        for name in (RECORDS, HEADER):
            (self.folder / name).unlink(missing_ok=True)

    def _archive(self) -> tarfile.TarFile:
        return tarfile.open(self.path, "r:")

    def _names(self, archive: tarfile.TarFile) -> list[str]:
        members = archive.getmembers()
        wrong = [member.name for member in members if not member.isreg() or not _NAMES.fullmatch(member.name)]
        if wrong or len({member.name for member in members}) != len(members):
            raise ValueError("file names that this program does not use")
        return [member.name for member in members]

    def _content(self, archive: tarfile.TarFile, name: str) -> bytes:
        source = archive.extractfile(name)
        if source is None:
            raise ValueError(name)
        with source:
            return source.read(1 << 24)


@contextmanager
def _as_our_errors(backup: Path) -> Iterator[None]:
    """A backup that is not one, in our words."""
    try:
        yield
    except TapeReviewError:
        raise
    except (OSError, ValueError, KeyError, TypeError, tarfile.TarError, binascii.Error) as error:
        reason = getattr(error, "strerror", None) or "is damaged, or is not a backup of this program"
        raise VaultError("V13", f"backup {backup}", f"cannot be read ({reason})", "use another backup") from error


def _database(opened_backup: _Backup, folder: Path, settings: TapesSettings, dead: dict[str, int]) -> tuple[int, int]:
    """Fill the database with the rows of living tapes; how many those are, and how many dead ones the backup held.

    The rows come into tables of the version that the backup was made with, which are then migrated: all at once, or
    not at all.
    """
    database = Database(settings.database or sqlite_url(folder / "tapes.sqlite3"))
    held = {name.removeprefix(KEYS) for name in opened_backup.found} & set(dead)
    gone: dict[str, set[str | None]] = {
        "tapes": set(dead)
    }  # table -> ids of rows that are left out; a backup holds each table after its parents
    try:
        with database.migrating() as connection:
            if inspect(connection).has_table("people") and connection.scalar(text("SELECT count(*) FROM people")):
                raise VaultError("V16", database.name, "holds records already", "name an empty database")
            schema.migrate(connection, opened_backup.header["schema"])
            metadata = MetaData()
            metadata.reflect(connection)
            rows: list[dict[str, Any]] = []
            for entry in (row for row in opened_backup.entries() if row.get("table", "sessions") not in LEFT_OUT):
                name, row = entry["table"], {column: _value(value) for column, value in entry["row"].items()}
                if _dies(metadata.tables[name], row, gone):
                    gone.setdefault(name, set()).add(row.get("id"))  # what has none has nothing that hangs on it
                    held |= {row["id"]} if name == "tapes" else set()
                    continue
                if name == "meetings" and row["tape_id"] in dead:
                    row |= {"tape_id": None, "sealed_notes": None}
                rows.append({"": name, **row})
                if len(rows) == _BATCH:
                    _fill(connection, metadata, rows)
            _fill(connection, metadata, rows)
            schema.migrate(connection, "head")
            known = set(connection.scalars(select(Tombstone.tape_id)))
            missing = [{"tape_id": each, "destroyed_at": at} for each, at in dead.items() if each not in known]
            if missing:
                connection.execute(insert(Tombstone), missing)
            living = select(func.count()).select_from(Tape).where(Tape.state != "destroyed")
            alive = connection.scalar(living) or 0
    finally:
        database.close()
    return alive, len(held)


def _dies(table: Table, row: dict[str, Any], gone: dict[str, set[str | None]]) -> bool:
    """Whether a row is a dead tape, or hangs on one, at whatever distance."""
    return (table.name == "tapes" and row["id"] in gone["tapes"]) or any(
        row.get(key.parent.name) in gone.get(key.column.table.name, ())
        for key in table.foreign_keys
        if key.ondelete == "CASCADE"
    )


def _fill(connection: Connection, metadata: MetaData, rows: list[dict[str, Any]]) -> None:
    """Insert rows, those of one table that follow each other at once."""
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end][""] != rows[start][""]:
            table = metadata.tables[rows[start][""]]
            connection.execute(insert(table), [{k: v for k, v in row.items() if k} for row in rows[start:end]])
            start = end
    rows.clear()


def _value(value: Any) -> Any:
    """A value as `backup.plain` wrote it."""
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) and set(value) == {"bytes"} else value
