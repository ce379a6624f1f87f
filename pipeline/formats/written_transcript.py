"""A transcript that somebody brings to a tape: who says what, in order. Its times, ids and codes are left behind.

It goes with the sound, where its words get their times from what is recognized, or stands alone, where there are none.
Voices are told apart by name; a role may be known, or open until somebody names the interviewer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.errors import TableError
from pipeline.formats import speaker_roles, uncoded
from pipeline.formats.reading import Reading
from pipeline.formats.safe_reader import Source
from pipeline.timeline import Role

MOST_WORDS = 30_000
"""Words of a transcript at most: three hours of talk. Its alignment takes memory for each pair of words."""


@dataclass(frozen=True)
class WrittenTurn:
    """What one voice says in one go. ``speaker`` is empty where nobody is named, ``role`` where it is open."""

    speaker: str
    role: Role | None
    text: str

    @property
    def voice(self) -> str:
        """What tells this voice from others; empty where nothing does."""
        return self.speaker or self.role or ""


@dataclass(frozen=True)
class WrittenTranscript:
    """See the module. ``notes`` are sentences on how the file was read."""

    turns: tuple[WrittenTurn, ...]
    notes: tuple[str, ...] = ()

    @property
    def voices(self) -> dict[str, Role | None]:
        """The voices in the order of their first turn, with their roles."""
        found: dict[str, Role | None] = {}
        for turn in self.turns:
            if turn.voice:
                found.setdefault(turn.voice, turn.role)
        return found

    @property
    def nameless(self) -> int:
        """How many turns nobody is named for."""
        return sum(not turn.voice for turn in self.turns)

    @property
    def is_settled(self) -> bool:
        """Whether every turn has a role."""
        return all(turn.role is not None for turn in self.turns)

    def with_interviewer(self, name: str) -> WrittenTranscript:
        """The same, where somebody has said who is the interviewer; all others but third voices are clients.

        Raises
        ------
        TableError: T08 no voice, or more than one, has that name.
        """
        roles = speaker_roles.with_interviewer(list(self.voices), name, "transcript")
        return replace(self, turns=tuple(replace(turn, role=roles.get(turn.voice)) for turn in self.turns))

    def digest(self) -> str:
        """SHA-256 of who says what."""
        return hashlib.sha256(replace(self, notes=()).packed()).hexdigest()

    def packed(self) -> bytes:
        """As JSON."""
        return _adapter().dump_json(self)


def unpacked(data: bytes) -> WrittenTranscript:
    """What `WrittenTranscript.packed` gave."""
    return _adapter().validate_json(data)


def read(path: Path, interviewer: str | None = None) -> WrittenTranscript:
    """The transcript of a file, of any kind that `pipeline.formats.uncoded` reads, that holds one tape.

    Raises
    ------
    TableError: T01 to T08 as `uncoded.read`; T05 there are several tapes in it, or more than `MOST_WORDS`.
    FormatError: F01 to F09 as `uncoded.read`.
    """
    return _of_reading(path.name, uncoded.read(path, interviewer))


def of_source(source: Source) -> WrittenTranscript:
    """The same from a file that is in memory.

    Raises
    ------
    TableError and FormatError as `read`.
    """
    return _of_reading(source.name, uncoded.of_source(source))


def _of_reading(name: str, reading: Reading) -> WrittenTranscript:
    table, thing = reading.table, f"transcript {name}"
    number = table["tape_id"].nunique()
    if number > 1:
        raise TableError("T05", thing, f"holds {number} tapes", "give the transcript of one session")
    names = table["speaker"].fillna("").str.strip() if "speaker" in table else [""] * len(table)
    spoken = [row for row in zip(names, table["role"], table["text"], strict=True) if row[2].strip()]
    roles: dict[str, set[str]] = {}
    for name, role, _ in spoken:
        roles.setdefault(name, set()).add(role)
    turns = tuple(
        # A name with two roles is two voices.
        WrittenTurn(f"{name} ({role})" if name and role and len(roles[name]) > 1 else name, role or None, text)
        for name, role, text in ((name, role, " ".join(text.split())) for name, role, text in spoken)
    )
    words = sum(len(turn.text.split()) for turn in turns)
    if words > MOST_WORDS:
        raise TableError("T05", thing, f"has {words} words", f"give a session of at most {MOST_WORDS} words")
    return WrittenTranscript(turns, reading.notes)


@cache
def _adapter() -> TypeAdapter[WrittenTranscript]:
    return TypeAdapter(WrittenTranscript)
