"""A stage store in the vault: finished stages of a tape, encrypted with its key, so that no stage is done twice.

A result is an archive of the files that the stage wrote, in one item whose kind names the stage and a digest of all
that went into it. Nothing of it lies anywhere but there, and in memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

from sqlalchemy import select

from pipeline.tapes.clock import Clock
from pipeline.tapes.db import records
from pipeline.tapes.home import Home
from pipeline.tapes.vault.vault import StoredItem

PREFIX = "stage:"
"""How the kind of an item begins that holds a stage's result."""

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP archive can hold: the same results give the same file


class VaultStageStore:
    """The finished stages of one tape."""

    def __init__(self, home: Home, tape_id: str, clock: Clock) -> None:
        self._home, self._tape_id, self._clock = home, tape_id, clock

    def has(self, stage: str, key: str) -> bool:
        """Return whether the stage was finished under this key."""
        return self._item(_kind(stage, key)) is not None

    def read(self, stage: str, key: str) -> dict[str, bytes]:
        """Return the files of a finished stage by their names.

        Raises
        ------
        KeyError: it is not finished.
        """
        item = self._item(_kind(stage, key))
        if item is None:
            raise KeyError(stage)
        return unpacked(self._home.vault.read(item))

    def latest(self, stage: str) -> dict[str, bytes] | None:
        """Return the files that the stage wrote last, under whichever key; None where it was never finished."""
        ours = (records.Item.tape_id == self._tape_id, records.Item.kind.startswith(f"{PREFIX}{stage}:"))
        with self._home.database.reading() as session:
            item = session.scalars(select(records.Item).where(*ours).order_by(records.Item.created_at.desc())).first()
        return unpacked(self._home.vault.read(item)) if item else None

    def write(self, stage: str, key: str, files: Mapping[str, bytes]) -> None:
        """Store the files of a stage, all or none; what another worker stored meanwhile stays."""
        keep(self._home, self._tape_id, _kind(stage, key), packed(files), self._clock())

    def _item(self, kind: str) -> records.Item | None:
        chosen = select(records.Item).where(records.Item.tape_id == self._tape_id, records.Item.kind == kind)
        with self._home.database.reading() as session:
            return session.scalars(chosen.limit(1)).first()


def keep(home: Home, tape_id: str, kind: str, content: bytes | Path, now: int) -> records.Item:
    """Put something of a tape into the vault, and a row about it into the records: both or, at the end, none.

    What already exists stays, and is the answer: a worker that was taken for dead may wake and bring it once more.
    """
    put = home.vault.put(tape_id, kind, content)
    same = select(records.Item).where(records.Item.tape_id == tape_id, records.Item.kind == kind)
    try:
        with home.database.writing() as session:  # writers take turns: nobody comes between the look and the row
            present = session.scalars(same.limit(1)).first()
            if present is None:
                session.add(row := item_row(put, now))
    except BaseException:
        with suppress(Exception):  # the first error counts; a sweep removes the file else
            home.vault.remove(put)
        raise
    if present is not None:
        home.vault.remove(put)
        return present
    return row


def item_row(put: StoredItem, now: int, upload: str | None = None) -> records.Item:
    """The row about an item of the vault; ``upload`` is that of which it is a piece."""
    return records.Item(**asdict(put), created_at=now, upload=upload)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Named files as an archive; the same files give the same bytes."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return whole.getvalue()


def unpacked(whole: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _kind(stage: str, key: str) -> str:
    return f"{PREFIX}{stage}:{key[:16]}"
