"""Exports: results that leave the vault as plain files, and are found again when the tape is destroyed.

Where each file is about to be written is noted before it is: a copy that we do not know of cannot be destroyed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from sqlalchemy import delete, select

from pipeline.errors import VaultError
from pipeline.files import PARTIAL, settle
from pipeline.tapes import audit_log, named_roles
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Export, Item, Person, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.vault.atomic_files import owned, published, require_text, writable

SOUND = {"mono": "sound.flac"}
"""The item that holds the segment's sound, and the name of its copy."""

_FILE = re.compile(r"[a-z_]+\.[a-z]+")


def export(home: Home, tape_id: str, person: Person, folder: Path, now: int, *, sound: bool = False) -> list[Path]:
    """Copy a tape's results out of the vault, for the roles that hold now; the paths of the copies.

    Parameters
    ----------
    person: who asks for them; the consent must allow it.
    sound: the segment's sound as well.

    Raises
    ------
    ConsentError: the consent does not allow it.
    VaultError: V08 the folder cannot be written, V15 there is no such tape, V16 the folder holds something, or there
        are no results yet.
    """
    folder = Path(os.path.abspath(folder))
    require_text(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise VaultError("V16", f"folder {folder}", "is not empty", "name a folder that is empty or does not exist yet")
    with home.database.writing() as session:
        tape = session.get(Tape, tape_id)
        if tape is None:
            raise unknown(tape_id)
        consent.allows(session, person, "export", tape, now).require()
        items = session.scalars(select(Item).where(Item.tape_id == tape_id).order_by(Item.kind))
        copies = {folder / name: item for item in items if (name := _copied_as(item.kind, sound))}
        if not copies:
            raise VaultError("V16", f"tape {tape_id}", "has no results yet", "see `tape-review status`")
        later = named_roles.files(session, home, tape_id)
        notes = [Export(tape_id=tape_id, path=str(path), made_at=now) for path in copies]
        session.add_all(notes)
        audit_log.record(session, now, person.id, "export", tape_id, thing=f"{len(copies)} files")
    try:
        with home.vault.locks.working(tape_id):  # a destruction waits until the copies are there, or gone again
            _copy(home, tape_id, folder, copies, later)
    except BaseException:
        with home.database.writing() as session:
            session.execute(delete(Export).where(Export.id.in_([note.id for note in notes])))
        raise
    return list(copies)


def _copy(home: Home, tape_id: str, folder: Path, copies: Mapping[Path, Item], later: Mapping[str, bytes]) -> None:
    """Write the copies; a tape that was destroyed meanwhile leaves none, nor does a failure.

    ``later``: the content of those (by kind) that are others than the run wrote.
    """
    try:
        owned(folder)
        for path, item in copies.items():
            with published(path) as file, home.vault.open(item) as reader:
                shutil.copyfileobj(BytesIO(later[item.kind]) if item.kind in later else reader, file, 1 << 16)
        with home.database.reading() as session:
            tape = session.get(Tape, tape_id)
        if tape is None or tape.state == "destroyed":
            raise unknown(tape_id)
    except BaseException:
        remove(map(str, copies))
        raise


def count_reachable(paths: Iterable[str]) -> int:
    """How many of the copies can be found.

    Raises
    ------
    VaultError: V08 we may not look there.
    """
    count = 0
    for path in map(Path, paths):
        with writable(path), suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()
            count += 1
    return count


def remove(paths: Iterable[str]) -> int:
    """Remove copies, what a killed export left of them, and their folders where nothing else is left; how many are
    gone.

    Raises
    ------
    VaultError: V08 one is there and cannot be removed.
    """
    missing, folders = 0, set()
    for path in map(Path, paths):
        folders.add(path.parent)
        with writable(path):
            for partial in path.parent.glob(f"{path.name}.*{PARTIAL}"):
                partial.unlink()
            try:
                path.unlink()
            except (FileNotFoundError, IsADirectoryError):
                missing += 1
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
            settle(folder.parent)
    return missing


def _copied_as(kind: str, sound: bool) -> str:
    """The name of an item's copy; empty where it stays in the vault."""
    if kind in SOUND:
        return SOUND[kind] if sound else ""
    return kind if _FILE.fullmatch(kind) else ""


def unknown(tape_id: str) -> VaultError:
    """There is no such tape."""
    remedy = "`tape-review status` lists the tapes"
    return VaultError("V15", f"tape {tape_id}", "does not exist, or is destroyed", remedy)
