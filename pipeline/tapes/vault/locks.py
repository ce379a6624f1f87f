"""Locks of tapes, between processes and threads: the kernel lets go of them when their holder ends, however it ends.

Two for each tape, files without content in the vault (whoever shares the vault shares them, also where the records lie
in PostgreSQL; a network drive must know `flock`):

    TAPE         one at a time: destroys the tape, or writes its key
    TAPE.work    held by everybody who has the tape's plaintext out of the vault; a destruction waits for them to end
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import VaultError
from pipeline.tapes.vault.atomic_files import owned, writable

PATIENCE = 30.0
"""Seconds that somebody waits for another who has a tape's lock."""

_LOOK = 0.02  # seconds between two tries
_WORK = ".work"


class TapeLocks:
    """The locks in one folder, which is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mine = threading.local()

    @contextmanager
    def alone(self, tape_id: str, patience: float = PATIENCE) -> Iterator[None]:
        """Nobody else destroys the tape, or writes its key, meanwhile; a thread that has it already has it.

        Raises
        ------
        VaultError: V18 another has it for longer than ``patience`` seconds; V08.
        """
        mine: set[str] = self._mine.__dict__.setdefault("tapes", set())
        if tape_id in mine:
            yield
            return
        handle = self._waited(tape_id, fcntl.LOCK_EX, patience)
        if handle is None:
            remedy = "wait a minute and try again; `tape-review doctor` shows what is running"
            raise VaultError(
                "V18", f"tape {tape_id}", "is being destroyed, or its key is being changed, by another process", remedy
            )
        mine.add(tape_id)
        try:
            yield
        finally:
            mine.discard(tape_id)
            os.close(handle)

    @contextmanager
    def working(self, tape_id: str) -> Iterator[None]:
        """This process has plaintext of the tape in its hands.

        Raises
        ------
        VaultError: V18 somebody looks right now whether anybody has, for long; V08.
        """
        handle = self._waited(tape_id + _WORK, fcntl.LOCK_SH, PATIENCE)
        if handle is None:
            raise VaultError(
                "V18", f"tape {tape_id}", "is being destroyed by another process", "nothing can be done with it"
            )
        try:
            yield
        finally:
            os.close(handle)

    def in_use(self, tape_id: str, patience: float = 0.0) -> bool:
        """Whether anybody has plaintext of the tape, still after so many seconds."""
        if not (self.folder / (tape_id + _WORK)).exists():
            return False
        handle = self._waited(tape_id + _WORK, fcntl.LOCK_EX, patience)
        if handle is None:
            return True
        os.close(handle)
        return False

    def forget(self, tape_id: str) -> None:
        """Remove the files of a tape that is no more; whoever waits for one looks anew."""
        for name in (tape_id, tape_id + _WORK):
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()

    def _waited(self, name: str, kind: int, patience: float) -> int | None:
        """An open file that holds the lock; None where others have it for too long."""
        path, deadline = owned(self.folder) / name, time.monotonic() + patience
        while True:
            with writable(path):
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
                if _is_at(path, handle):
                    return handle
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(handle)
                    return None
                time.sleep(_LOOK)
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # taken, or removed, by somebody else in between


def _is_at(path: Path, handle: int) -> bool:
    """Whether an open file is still the one that has the name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
