"""Tombstones: which tapes must stay dead, kept outside of the database too, so that no older copy of it forgets.

The list is a text file, one tape a line, that is only added to: in the home, and beside every backup that we made, as
far as those places can be reached. A restore heeds all the lists that it finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import VaultError
from pipeline.tapes.vault.atomic_files import appended

NAME = "tape-review-tombstones.txt"
"""The list's name, in the home and beside backups."""

_LINE = re.compile(rb"([0-9a-z][0-9a-z-]{0,63}) ([0-9]{1,15})")


def add(folder: Path, tape_id: str, now: int) -> None:
    """Add a tape to the list in a folder, and force it to the disk; a tape that is on it already is not added again.

    Raises
    ------
    VaultError: V08 the list cannot be written.
    """
    path = folder / NAME
    if tape_id in read([path]):
        return
    appended(path, f"{tape_id} {now}")


def read(paths: Iterable[Path]) -> dict[str, int]:
    """The tapes on some lists, and when each was destroyed; lists that are missing are passed over.

    Raises
    ------
    VaultError: V13 a list is there and cannot be read.
    """
    tombstones: dict[str, int] = {}
    for path in paths:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            value = f"cannot be read ({error.strerror})"
            raise VaultError("V13", f"list of tombstones {path}", value, "fix its permissions") from error
        tombstones |= parsed(content)
    return tombstones


def parsed(content: bytes) -> dict[str, int]:
    """The tapes in a list's text; a line that was cut by a crash is passed over, its tape is added again."""
    lines = (_LINE.fullmatch(line) for line in content.splitlines())
    return {line[1].decode(): int(line[2]) for line in lines if line}
