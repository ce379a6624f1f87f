"""Plaintext outside of the vault: in files without a name, which the kernel frees when their holder ends.

A backup collects its records before it encrypts them. They lie in a file in memory that has no name (``memfd_create``),
an open descriptor: however the holder ends, by ``kill -9`` of a whole group of processes or a container that is
stopped, nothing is left that anybody could open. Where the system knows no such files (macOS), it is a file on the disk
that lost its name before anything was written; its blocks are freed likewise, and encrypting the disk keeps what they
held from being read.

Earlier versions worked in a folder with a name. What a killed process of theirs left is removed by every start of ours,
and counts as a survivor as long as it is there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.tapes.vault.atomic_files import owned, writable
from pipeline.tapes.vault.disks import in_memory
from pipeline.tapes.vault.master_key import forbid_dumps

_NAME = "tape-review"
"""What ``/proc`` calls our files in memory."""

_SHARED = Path("/dev/shm")  # noqa: S108 - for files without a name; containers have 64 MiB there


class Scratch:
    """Makes files for plaintext for one home.

    Parameters
    ----------
    home: the home's folder; it holds the nameless files where the system knows none in memory.
    """

    def __init__(self, home: Path) -> None:
        self._home = home

    @contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """An empty file to write and read, gone afterwards.

        Raises
        ------
        VaultError: V08.
        """
        forbid_dumps()
        with self._unnamed() as file:
            yield file

    def in_memory(self) -> bool:
        """Whether what is written never touches a disk (but for swap)."""
        return _has_nameless_memory() or in_memory(self._folder())

    def shortage(self, needed: int) -> str:
        """A sentence where the folder in memory is too small for so many bytes, with the remedy; else "".

        Only where the system gives no files in memory without a name: those take what memory there is.
        """
        if _has_nameless_memory() or self._folder() != _SHARED:
            return ""
        free = shutil.disk_usage(_SHARED).free
        if free >= needed:
            return ""
        return (
            f"{_SHARED} has {free >> 20} MiB free, and a backup of this home takes about {-(-needed >> 20)} MiB there: "
            "make it larger (`--shm-size` of docker run, `shm_size` in a compose file, or "
            f"`mount -o remount,size=1G {_SHARED}`), or allow this program to call memfd_create"
        )

    def leftovers(self) -> list[Path]:
        """Return the files that earlier versions left behind or still use."""
        return [path for root in self._roots() for path in _inside(root)]

    def sweep(self) -> int:
        """Remove what earlier versions left; how much. What a process that lives has in use stays."""
        return sum(_removed(path) for path in self.leftovers())

    def _unnamed(self) -> BinaryIO:
        with suppress(AttributeError, OSError):  # no such system, or forbidden to us
            return os.fdopen(os.memfd_create(_NAME), "w+b")
        folder = self._folder()
        with writable(folder):
            return cast(BinaryIO, tempfile.TemporaryFile(dir=owned(folder)))

    def _folder(self) -> Path:
        """Where nameless files go that are none in memory by nature."""
        return _SHARED if in_memory(_SHARED) else self._home / "private"

    def _roots(self) -> list[Path]:
        """The folders in which earlier versions worked."""
        name = f"tape-review-{os.geteuid()}-{sha256(str(self._home.resolve()).encode()).hexdigest()[:12]}"
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        memory = [_SHARED, *([Path(runtime)] if runtime else [])]
        return [*(folder / name for folder in memory if sys.platform == "linux"), self._home / "private"]


def _has_nameless_memory() -> bool:
    try:
        os.close(os.memfd_create(_NAME))
    except (AttributeError, OSError):  # no such system, or forbidden to us
        return False
    return True


def _inside(root: Path) -> list[Path]:
    """Return the content of a folder of ours; a folder that somebody else put in its place is not read."""
    try:
        status = root.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            return sorted(root.iterdir())
    except OSError:
        pass
    return []


def _removed(path: Path) -> bool:
    """Remove what a dead process left, and the folder around it when it is empty; whether its process was dead."""
    try:
        if path.is_dir() and not path.is_symlink():
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, onerror=_unlock)
            finally:
                os.close(handle)
        else:
            path.unlink()
    except OSError:
        return False
    with suppress(OSError):
        path.parent.rmdir()
    return True


def _unlock(remove: object, path: str, _: object) -> None:
    """A stage may have taken away its own permissions: give them back and try again; what is gone is gone."""
    with suppress(FileNotFoundError):
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        remove(path)  # type: ignore[operator]
