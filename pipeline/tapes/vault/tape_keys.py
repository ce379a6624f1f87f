"""The tapes' keys as files: wrapped by the master key, one a tape, in a folder that may lie on a stick."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import VaultError
from pipeline.files import PARTIAL, settle
from pipeline.tapes.vault.atomic_files import owned, published, writable
from pipeline.tapes.vault.locks import TapeLocks

_NAME = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_MARK = "home.id"


class KeyFolder:
    """The files in one folder.

    Parameters
    ----------
    path: the folder; it is not made here, as it may be on a stick that is not plugged in.
    mark: by what a folder outside of the home tells whose it is; empty for the one in the home.
    """

    def __init__(self, path: Path, locks: TapeLocks, mark: str = "") -> None:
        self._path, self._locks, self._mark = path, locks, mark

    @property
    def folder(self) -> Path:
        """The folder.

        Raises
        ------
        VaultError: V19 it is not there, or is another home's: then nothing is known about any key, least of all that it
            is destroyed.
        """
        if not self._path.is_dir() or (self._mark and not self._is_ours()):
            remedy = "connect this home's drive, or fix the setting tapes.keys"
            raise VaultError(
                "V19", f"folder of the keys {self._path}", "is missing, or belongs to another home", remedy
            )
        return self._path

    def make(self) -> None:
        """Make the folder, and mark it.

        Raises
        ------
        VaultError: V08.
        """
        with writable(self._path):
            owned(self._path).chmod(0o700)
        if self._mark and not self._is_ours():
            with published(self._path / _MARK) as file:
                file.write(self._mark.encode())

    def path(self, tape_id: str) -> Path:
        """Where a tape's key lies, or would."""
        return self.folder / checked(tape_id)

    def read(self, tape_id: str) -> bytes:
        """A tape's key, wrapped; empty where there is none, or its destruction was cut off after it was overwritten."""
        try:
            wrapped = self.path(tape_id).read_bytes()
        except FileNotFoundError:
            return b""
        return wrapped if any(wrapped) else b""

    def copies(self, tape_id: str) -> list[Path]:
        """A tape's key, and what killed processes left of it, wrapped anew and not yet in its place."""
        path = self.path(tape_id)
        return [*([path] if path.exists() else []), *path.parent.glob(f"{path.name}.*{PARTIAL}")]

    def destroy(self, tape_id: str) -> bool:
        """Overwrite and remove all copies; whether there was any.

        Raises
        ------
        VaultError: V08, V18, V19.
        """
        with self._locks.alone(tape_id), writable(self.path(tape_id)):
            copies = self.copies(tape_id)
            for path in copies:
                with path.open("r+b") as file:
                    file.write(bytes(os.fstat(file.fileno()).st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
            if copies:
                settle(self.folder)
        return bool(copies)

    def _is_ours(self) -> bool:
        try:
            return (self._path / _MARK).read_text(encoding="ascii") == self._mark
        except (OSError, ValueError):
            return False


def checked(name: str) -> str:
    """An id as it may stand in a path."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no id")
    return name


def named(folder: Path) -> Iterator[Path]:
    """Return the entries of a folder that are named by an id, in order."""
    return (path for path in sorted(folder.iterdir()) if _NAME.fullmatch(path.name))
