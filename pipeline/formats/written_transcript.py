"""A transcript that somebody brings to a tape: who says what, in order. Its times, ids and codes are left behind.

It goes with the sound, where its words get their times from what is recognized, or stands alone, where there are none.
Voices are told apart by name; a role may be known, or open until somebody names the interviewer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.errors import TableError
from pipeline.formats import registry, speaker_roles, uncoded
from pipeline.formats.reading import TranscriptTable
from pipeline.formats.safe_reader import Source
from pipeline.lexicon import ends_sentence
from pipeline.timeline import Role

MOST_WORDS = 30_000
"""Words of a transcript at most: three hours of talk. Its alignment takes memory for each pair of words."""

ROWS_KEPT = "The same speaker has several rows one after another, so each row was taken for one utterance."

_SPREADSHEETS = frozenset(registry.endings("table", "csv", "parquet"))
_SENTENCES = 0.9
"""The share of rows within one's speech that end with a sentence, at least, where somebody has split them."""


@dataclass(frozen=True)
class WrittenTurn:
    """An uninterrupted turn of one voice. ``speaker`` is empty where nobody is named, ``role`` where it is open."""

    speaker: str
    role: Role | None
    text: str

    @property
    def voice(self) -> str:
        """The label of this voice; empty where there is none."""
        return self.speaker or self.role or ""


@dataclass(frozen=True)
class WrittenTranscript:
    """See the module. ``notes`` are sentences on how the file was read.

    ``has_utterances``: each turn is an utterance, as whoever wrote the transcript has split it.
    """

    turns: tuple[WrittenTurn, ...]
    notes: tuple[str, ...] = ()
    has_utterances: bool = False

    @property
    def voices(self) -> dict[str, Role | None]:
        """The voices in the order of their first turn, with their roles."""
        roles: dict[str, Role | None] = {}
        for turn in self.turns:
            if turn.voice:
                roles.setdefault(turn.voice, turn.role)
        return roles

    @property
    def nameless(self) -> int:
        """How many turns nobody is named for."""
        return sum(not turn.voice for turn in self.turns)

    @property
    def is_settled(self) -> bool:
        """Whether every turn has a role."""
        return all(turn.role is not None for turn in self.turns)

    def first_words(self) -> set[int]:
        """The places, among all words, at which turns begin."""
        return set(accumulate((len(turn.text.split()) for turn in self.turns[:-1]), initial=0))

    def with_interviewer(self, name: str) -> WrittenTranscript:
        """The same, where somebody has said who is the interviewer; all others but third voices are clients.

        Raises
        ------
        TableError: T08 no voice, or more than one, has that name.
        """
        roles = speaker_roles.with_interviewer(list(self.voices), name, "transcript")
        return replace(self, turns=tuple(replace(turn, role=roles.get(turn.voice)) for turn in self.turns))

    def with_roles(self, named: Mapping[str, Role]) -> WrittenTranscript:
        """The transcript with these roles; voices that nobody named stay without one.

        Raises
        ------
        TableError: T08 no voice has such a name.
        """
        for voice in named:
            if voice not in self.voices:
                value = f"has no voice {voice!r}; its voices are {', '.join(self.voices)}"
                raise TableError("T08", "transcript", value, "name voices as the transcript does")
        return replace(self, turns=tuple(replace(turn, role=named.get(turn.voice, "unknown")) for turn in self.turns))

    def digest(self) -> str:
        """SHA-256 of who says what."""
        return hashlib.sha256(replace(self, notes=()).packed()).hexdigest()

    def packed(self) -> bytes:
        """As JSON."""
        return _adapter().dump_json(self)


def unpacked(data: bytes) -> WrittenTranscript:
    """Return the transcript that `WrittenTranscript.packed` encoded."""
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


def _of_reading(name_of_file: str, reading: TranscriptTable) -> WrittenTranscript:
    table, thing = reading.table, f"transcript {name_of_file}"
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
    timed = "start" in table and bool(table["start"].notna().any())
    if Path(name_of_file).suffix.lower() in _SPREADSHEETS and _has_utterances(turns, timed):
        return WrittenTranscript(turns, (*reading.notes, ROWS_KEPT), has_utterances=True)
    return WrittenTranscript(turns, reading.notes)


def _has_utterances(turns: Sequence[WrittenTurn], timed: bool) -> bool:
    """Whether the rows of a spreadsheet are utterances: one voice has several in a row.

    A recognizer's rows have times and end anywhere; somebody's utterances end where a sentence does.
    """
    joints = [turn.text for turn, after in pairwise(turns) if turn.voice and turn.voice == after.voice]
    ending = sum(bool(ends_sentence(text.split()[-1])) for text in joints)
    return bool(joints) and (not timed or ending >= _SENTENCES * len(joints))


@cache
def _adapter() -> TypeAdapter[WrittenTranscript]:
    return TypeAdapter(WrittenTranscript)
