"""How the files of a recording belong together, as a member says it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import AudioError

MOST_FILES = 8
"""Files of one recording: parts of a session, of which a recorder that cuts every five minutes needs no more for 40."""


@dataclass(frozen=True)
class FileLayout:
    """How the files of a recording belong together.

    ``tracks`` are the sound tracks to take of a single file, by number. Of several files, ``join`` puts one after the
    other, with ``gaps`` of so many milliseconds between them (one for all, or one for each pair of neighbors); else
    they are one per person, and the second begins ``offset`` milliseconds after the first (None: as the sound says).
    """

    tracks: tuple[int, ...] = ()
    join: bool = False
    gaps: tuple[int, ...] = ()
    offset: int | None = None


ONE_FILE = FileLayout()


def together(digests: Sequence[str]) -> str:
    """Return the digest that stands for files with these: a single file's own."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def require_layout(files: int, layout: FileLayout) -> None:
    """Refuse options that do not go with so many files.

    Raises
    ------
    AudioError: A18.
    """
    thing = f"recording of {files} file{'s' * (files != 1)}"
    if files > 1 and layout.tracks:
        raise AudioError("A18", thing, "has one sound track per file", "leave out --track")
    if files == 1 and (layout.join or layout.gaps or layout.offset is not None):
        raise AudioError("A18", thing, "has nothing to join or to place", "leave out --join, --gap and --offset")
    if files > 2 and not layout.join:
        value = "has more than one file per person: two people have two"
        raise AudioError("A18", thing, value, "name two files, or add --join if they are parts of one session")
    if files > MOST_FILES:
        raise AudioError("A18", thing, f"has too many files; {MOST_FILES} are read", "join them with an audio editor")
    if layout.join and layout.offset is not None:
        raise AudioError("A18", thing, "is joined, one file after the other", "give --gap instead of --offset")
    if layout.gaps and not layout.join:
        raise AudioError("A18", thing, "is not joined", "add --join, or give --offset instead of --gap")
    if len(layout.gaps) not in (0, 1, files - 1):
        value = f"has {files - 1} joints, not {len(layout.gaps)}"
        raise AudioError("A18", thing, value, "give --gap once for all, or once for each joint")
