"""Transcripts to code, as people have them: spreadsheets, Word and text files, subtitles, other programs' files.

`read` gives every kind the same shape: a table with ``tape_id, utterance_id, role, speaker, start, end, text,
target_behavior`` and the file's other columns, in the order of the file. A role that neither a column nor a name tells
is empty; who reads decides it from the words, or asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.errors import FormatError, TableError
from pipeline.formats import reading, registry, speaker_roles
from pipeline.formats.reading import TranscriptTable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript
from pipeline.timeline import Role

_NAMING = {
    **dict.fromkeys(
        registry.endings("table", "csv"), "fill the column of speakers or of roles in these rows, or add one"
    ),
    **dict.fromkeys(registry.endings("text", "word"), 'begin these turns with who speaks, such as "Therapist: "'),
    **dict.fromkeys((".vtt", ".srt", ".sbv"), 'begin the subtitles with who speaks, such as "Therapist: "'),
    **dict.fromkeys((".eaf", ".textgrid"), "put each voice on a tier of its own, called after who speaks"),
    ".cha": "add the speakers to @Participants with their roles, Therapist and Client",
    ".json": 'give these segments a "speaker" in the file, or write the transcript into a table',
}
_TABLE = "write the transcript into a table (.csv or .xlsx) with the columns speaker and text"


def read(path: Path, interviewer: str | None = None, tiers: Mapping[str, str] | None = None) -> TranscriptTable:
    """The transcript of a file or of a processed tape's folder; ``interviewer`` names the voice that conducts it.

    ``tiers`` as in `registry.read`.

    Raises
    ------
    TableError: T01 unreadable, T02 no text, T03 no column of text, T04 no rows, T05 a wrong value, T06 an utterance
        twice, T08 no voice has the interviewer's name.
    FormatError: F01 to F09 what the readers of other programs' files raise.
    """
    return _with_roles(path, _table(path, tiers), interviewer)


def of_source(source: Source, interviewer: str | None = None) -> TranscriptTable:
    """The transcript of a file that is in memory; its name says of what kind it is.

    Raises
    ------
    TableError and FormatError as `read`.
    """
    path = Path(source.name)
    return _with_roles(path, _without_codes(path, registry.of_source(source)), interviewer)


def _with_roles(path: Path, reading_: TranscriptTable, interviewer: str | None) -> TranscriptTable:
    table = reading_.table
    if table.empty:
        raise TableError("T04", f"transcript {path.name}", "has no rows", "give one with at least one utterance")
    if (table["text"].str.strip() == "").all():
        remedy = "give the transcript: the codes come from its words"
        raise TableError("T04", f"transcript {path.name}", "has no words in any row", remedy)
    roles = [_roles(path, tape, interviewer) for _, tape in table.groupby("tape_id", sort=False)]
    return replace(reading_, table=table.assign(role=pd.concat(roles)))


def naming(path: Path) -> str:
    """Return the remedy for a file of this kind that names no speakers."""
    return _NAMING.get(path.suffix.lower(), _TABLE)


def _table(path: Path, tiers: Mapping[str, str] | None) -> TranscriptTable:
    if path.is_dir():
        return reading.of_transcript(registry.read(path), settled=True)
    try:
        content = registry.read_any(path, None, tiers)
    except FormatError as error:
        if error.code != "TR-F01":
            raise
        raise TableError("T01", f"table {path.name}", error.value, error.remedy) from error
    return _without_codes(path, content)


def _without_codes(path: Path, content: CodedTranscript | TranscriptTable) -> TranscriptTable:
    if not isinstance(content, CodedTranscript):
        return content
    table = reading.of_transcript(content)
    if any(utterance.given for utterance in content.utterances):
        table = replace(
            table, notes=(*table.notes, f"The codes of {path.name} were not taken over: `code` gives its own.")
        )
    return table


def _roles(path: Path, tape: pd.DataFrame, interviewer: str | None) -> pd.Series:
    """Each row's role: its own, else that of its voice as names tell it; empty where they leave it open."""
    voices = tape["speaker"].str.strip() if "speaker" in tape else pd.Series("", index=tape.index)
    if interviewer is not None:
        speakers = speaker_roles.distinct_speakers(voices)
        roles = speaker_roles.with_interviewer(speakers, interviewer, f"transcript {path.name}")
        return voices.map(lambda voice: roles.get(voice, ""))
    roles_given = tape["role"] if "role" in tape else pd.Series("", index=tape.index)
    if not roles_given.isin(["interviewer", "client"]).any():
        roles_given = pd.Series("", index=tape.index)  # who is told to be nobody throughout is told nothing about
    known_roles: dict[str, Role] = {
        voice: role for voice, role in zip(voices, roles_given, strict=True) if voice and role not in ("", "unknown")
    }
    both = {"interviewer", "client"} <= set(known_roles.values())
    named = speaker_roles.by_name(speaker_roles.distinct_speakers(voices), None if both else known_roles)
    return roles_given.where(roles_given != "", voices.map(lambda voice: named.get(voice) or ""))
