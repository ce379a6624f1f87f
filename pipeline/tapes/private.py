"""The private folder: the only place where speech lies unencrypted, in memory where there is a file system in memory.

A stage needs files; it gets a folder that only its owner can enter and that is gone when the stage is done. A process
that is killed cannot clean up: a watcher (a shell that waits for the process to end) removes what it left, within a
second. What outlives even that (the machine was switched off, and the folder lay on a disk) is swept at the next start.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from pipeline.errors import VaultError
from pipeline.tapes.keys import forbid_dumps
from pipeline.tapes.publishing import writable

_IN_MEMORY = {"tmpfs", "ramfs"}
_WATCH = 'cat >/dev/null; rm -rf -- "$1"; rmdir -- "$2"'


class PrivateFolders:
    """Makes private folders for one home.

    Parameters
    ----------
    home: the home's folder; it holds the private folders where no file system in memory can.
    places: where to look for a file system in memory, best first.
    """

    def __init__(self, home: Path, places: tuple[Path, ...] | None = None) -> None:
        found = next((place for place in _places() if in_memory(place)) if places is None else iter(places), None)
        mark = sha256(str(home.resolve()).encode()).hexdigest()[:12]
        self.root = found / f"tape-review-{os.geteuid()}-{mark}" if found else home / "private"
        self._lock = threading.Lock()
        self._own: _Own | None = None

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for one piece of work, mode 0700; gone afterwards whatever happens.

        Raises
        ------
        VaultError: V08 it cannot be written, V09 somebody else got there first.
        """
        forbid_dumps()
        with self._lock:
            if self._own is None or self._own.process != os.getpid():
                self._own = _Own(self._safe_root)
            place = self._own.path / secrets.token_hex(8)
        with writable(place):
            place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, onerror=_unlock)

    def sweep(self) -> int:
        """Remove what dead processes left; how many folders. Those of living processes stay."""
        swept = 0
        if not self.root.exists():
            return swept
        for place in sorted(self._safe_root().iterdir()):
            with suppress(FileNotFoundError, NotADirectoryError):
                handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(place, onerror=_unlock)
                    swept += 1
                except BlockingIOError:
                    pass
                finally:
                    os.close(handle)
        return swept

    def close(self) -> None:
        """Remove this process's folders now; a process that ends without it has them removed by its watcher."""
        with self._lock:
            own, self._own = self._own, None
        if own:
            own.end()

    def _safe_root(self) -> Path:
        """The folder of all private folders: ours and closed to others, or refused."""
        with writable(self.root), suppress(FileExistsError):
            self.root.mkdir(mode=0o700, parents=True)
        found = self.root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            value = "belongs to somebody else or is open to others"
            raise VaultError("V09", f"private folder {self.root}", value, "remove it and find out who made it")
        return self.root


class _Own:
    """One process's folder: locked while the process lives, removed by a watcher when it ends."""

    def __init__(self, root: Callable[[], Path]) -> None:
        self.process = os.getpid()
        name = f"{self.process}-{secrets.token_hex(4)}"
        while (handle := _locked(root() / name)) is None:  # a sweep, or a watcher that removed the root, came between
            pass
        self.path = root() / name
        watcher = subprocess.Popen(  # noqa: S603 - a fixed command; the folder's name is ours
            ["/bin/sh", "-c", _WATCH, "sh", str(self.path), str(self.path.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # what ends our group, a Ctrl-C, must not end the watcher
        )
        self.end = weakref.finalize(self, _end, self.process, watcher, handle)


def _locked(path: Path) -> int | None:
    """Make a folder and lock it; the open handle, or None where it was swept before the lock was there."""
    try:
        with writable(path):
            path.mkdir(mode=0o700)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    fcntl.flock(handle, fcntl.LOCK_SH)
    if os.fstat(handle).st_nlink == 0 or not path.exists():
        os.close(handle)
        return None
    return handle


def _end(process: int, watcher: subprocess.Popen[bytes], handle: int) -> None:
    """Let the watcher remove the folder; a fork of the process has no say in it."""
    if process == os.getpid():
        watcher.communicate()
        os.close(handle)


def in_memory(place: Path) -> bool:
    """Whether what lies there never touches a disk (but for swap)."""
    try:
        where = place.resolve(strict=True)
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    mounts = {Path(parts[1]): parts[2] for line in lines if len(parts := line.split()) > 2}
    nearest = next((mounts[each] for each in (where, *where.parents) if each in mounts), "")
    return nearest in _IN_MEMORY and os.access(where, os.W_OK)


def _places() -> tuple[Path, ...]:
    if sys.platform != "linux":
        return ()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return (Path("/dev/shm"), *([Path(runtime)] if runtime else []))  # noqa: S108 - a folder of mode 0700 within


def _unlock(remove: object, path: str, _: object) -> None:
    """A stage may have taken away its own permissions: give them back and try again; what is gone is gone."""
    with suppress(FileNotFoundError):
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        remove(path)  # type: ignore[operator]
