"""Room that is kept on the home's disk, so that a tape can be withdrawn and destroyed though the disk is full.

To destroy makes room, but takes some first: what is to be destroyed is written down before.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pipeline.errors import TapeReviewError, VaultError
from pipeline.tapes.vault.atomic_files import published

NAME = "reserve"
SIZE = 1 << 20
"""Bytes: some dozen times what the beginning of a destruction takes."""

_PG_DISK_FULL = "53100"

_T = TypeVar("_T")


def keep(folder: Path) -> None:
    """Have the reserve lie in a home; where there is no room for it, the next time."""
    path = folder / NAME
    if not path.exists():
        with suppress(VaultError), published(path) as file:
            file.write(os.urandom(SIZE))  # what no disk can make smaller


def spent_on(folder: Path, deed: Callable[[], _T]) -> _T:
    """Do something; where the disk is full, once more with the room of the reserve. It must be safe to do twice.

    Raises
    ------
    TapeReviewError: the deed's own; also that the disk is full, where there is no reserve or it is not enough.
    """
    try:
        return deed()
    except TapeReviewError as error:
        if not disk_full(error):
            raise
        try:
            (folder / NAME).unlink()
        except FileNotFoundError:
            raise error from None
    return deed()


def disk_full(error: BaseException) -> bool:
    """Whether the error, or what led to it, is that the disk or somebody's share of it is full."""
    return any(
        (isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT))
        or (isinstance(each, sqlite3.Error) and getattr(each, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL)
        or getattr(each, "sqlstate", "") == _PG_DISK_FULL
        for each in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and each not in seen:
            seen.append(each)
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "orig", None)]
