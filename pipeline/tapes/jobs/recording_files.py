"""The files of a recording as a member handed them in: which items of the vault they lie in.

::

    recording                  the first file, whole
    recording:2                the second file, whole
    recording@000004194304     a piece of the first file, from that byte on: an upload leaves it in pieces

What a kind says is bound to its item's content, so no piece can take another's place. An item that has an ``upload``
is a piece of a file that is still being sent. All are there until the segment is cut out of them; from then on the
stage that decodes has the only sound.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import VaultError
from pipeline.tapes.db.records import Item

RECORDING = "recording"
SUGGESTION = "suggestion"
"""How the kinds begin of the items about a suggested part (`suggestions`)."""

_AT = "@"
_TIMES = "times:"


def recording_kind(number: int, offset: int | None = None) -> str:
    """Return the kind of the item that holds a recording's file, counted from 1, or a piece of it from a byte on."""
    kind = RECORDING if number == 1 else f"{RECORDING}:{number}"
    return kind if offset is None else f"{kind}{_AT}{offset:012d}"


def times_kind(number: int) -> str:
    """Return the kind of the item that says how long a recording's file is, and when it was recorded."""
    return f"{_TIMES}{number}"


def in_order(files: list[list[Item]], order: tuple[int, ...]) -> list[list[Item]]:
    """Return the files in an order of their numbers, from 1; as they came without any."""
    return [files[number - 1] for number in order] if order else files


def is_beside(kind: str) -> bool:
    """Whether an item of this kind says something about the files of a recording."""
    return kind.startswith((_TIMES, SUGGESTION))


def is_recording(kind: str) -> bool:
    """Whether an item of this kind holds a file of a recording as it was handed in, or a piece of one."""
    return kind.partition(_AT)[0].partition(":")[0] == RECORDING


def file_number(kind: str) -> int:
    """Return which file of a recording an item of this kind belongs to, from 1."""
    return int(kind.partition(_AT)[0].partition(":")[2] or 1)


def whole_files(items: Iterable[Item]) -> list[list[Item]]:
    """Return the files of a recording that are here whole, in order, each as its items in order.

    Raises
    ------
    VaultError: V01 a piece is missing.
    """
    files: dict[int, list[Item]] = {}
    ours = [item for item in items if item.upload is None and is_recording(item.kind)]
    for item in sorted(ours, key=lambda item: (file_number(item.kind), item.kind)):
        files.setdefault(file_number(item.kind), []).append(item)
    for pieces in files.values():
        _require_complete(pieces)
    return list(files.values())


def _require_complete(pieces: list[Item]) -> None:
    begins = 0
    for piece in pieces:
        if int(piece.kind.partition(_AT)[2] or 0) != begins:
            thing = f"recording of tape {piece.tape_id}"
            raise VaultError("V01", thing, f"has no piece at byte {begins}", "restore the last backup")
        begins += piece.size
