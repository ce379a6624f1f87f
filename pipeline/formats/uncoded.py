"""Transcripts to code, as people have them: spreadsheets, Word and text files, subtitles, other programs' files.

`read` gives every kind the same shape: a table with ``tape_id, utterance_id, role, speaker, start, end, text,
target_behavior`` and the file's other columns, in the order of the file. A role that neither a column nor a name tells
is empty; who reads decides it from the words, or asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.errors import FormatError, TableError
from pipeline.formats import chat, noscribe, registry, script, speaker_roles, tables, tidy, whisper_json, worksheet
from pipeline.formats.coded import CodedTranscript
from pipeline.formats.intake import Source
from pipeline.formats.script import Script, Speech
from pipeline.formats.worksheet import Worksheet
from pipeline.timeline import to_ms, typed

SHEETS = frozenset({".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls"})
SCRIPTS = frozenset({".txt", ".text", ".md", ".docx"})
PAGES = frozenset({".html", ".htm"})

_TIDY = {"utterance_id", "coder", "layer", "code", "start", "end"}
_MANY = 8
"""Lines that a sentence lists at most."""


@dataclass(frozen=True)
class Reading:
    """A transcript, and sentences on how it was read."""

    table: pd.DataFrame
    notes: tuple[str, ...] = ()


def read(path: Path, interviewer: str | None = None) -> Reading:
    """The transcript of a file or of a processed tape's folder; ``interviewer`` names the voice that conducts it.

    Raises
    ------
    TableError: T01 unreadable, T02 no text, T03 no column of text, T04 no rows, T05 a wrong value, T06 an utterance
        twice, T08 no voice has the interviewer's name.
    FormatError: F01 to F09 what the readers of other programs' files raise.
    """
    reading = _read(path)
    if reading.table.empty:
        raise TableError("T04", f"transcript {path.name}", "has no rows", "give one with at least one utterance")
    table = reading.table
    roles = [_roles(path, tape, interviewer) for _, tape in table.groupby("tape_id", sort=False)]
    return replace(reading, table=table.assign(role=pd.concat(roles)))


def _read(path: Path) -> Reading:
    ending = path.suffix.lower()
    if path.is_dir() or ending not in SHEETS | SCRIPTS | PAGES | {".json", ".cha"}:
        return _coded(registry.read(path))
    try:
        source = Source.open(path)
    except FormatError as error:
        if error.code != "TR-F01":
            raise
        raise TableError("T01", f"table {path.name}", error.value, "name a file that exists") from error
    if ending == ".cha":
        return _coded(chat.read(source, untimed=True))
    if ending == ".docx":
        lines, cells = script.word_blocks(source)
        for rows in cells:
            if len(rows) > 1 and len(rows[0]) > 1:
                return _sheet(path, worksheet.of_cells(path.name, rows))
        return _script(path, script.read(source, lines))
    if ending in SCRIPTS:
        text, notes = worksheet.decoded(source)
        reading = _script(path, script.read(source, re.split(r"\r\n|\r|\n", text)))
        return replace(reading, notes=(*notes, *reading.notes))
    if ending in PAGES:
        return _speeches(path, noscribe.read(source))
    if ending == ".json":
        value = source.json()
        if whisper_json.fits(value):
            return _speeches(path, whisper_json.read(source, value))
        return _coded(registry.read(path))
    sheet = worksheet.read(source)
    if set(sheet.header) >= _TIDY:
        return _coded(tidy.read(source), f"The codes of {path.name} were left behind: one row was one code.")
    return _sheet(path, sheet)


def _coded(said: CodedTranscript, note: str = "") -> Reading:
    rows = [
        {
            "tape_id": said.tape_id,
            "utterance_id": utterance.id,
            "role": "" if utterance.role == "unknown" else utterance.role,
            "speaker": utterance.speaker,
            "start": utterance.span.start,
            "end": utterance.span.end,
            "text": utterance.text,
            "target_behavior": "",
        }
        for utterance in said.utterances
    ]
    table = _whole(pd.DataFrame(rows))
    if rows and not table[["start", "end"]].any(axis=None):
        table[["start", "end"]] = pd.NA  # a file without times
    return Reading(table, (*said.notes, *([note] if note else [])))


def _script(path: Path, read: Script) -> Reading:
    notes: tuple[str, ...] = ()
    if read.skipped:
        shown = "; ".join(f'"{line[:60]}"' for line in read.skipped[:_MANY])
        notes = (f"Lines that nobody says were passed over: {shown}.",)
    return replace(_speeches(path, read.speeches), notes=notes)


def _speeches(path: Path, speeches: Sequence[Speech]) -> Reading:
    rows = [
        {
            "tape_id": path.stem,
            "utterance_id": f"u{number:04d}",
            "role": "",
            "speaker": speech.speaker,
            "start": speech.start,
            "end": speech.end,
            "text": speech.text,
            "target_behavior": "",
        }
        for number, speech in enumerate(speeches, 1)
    ]
    return Reading(_whole(pd.DataFrame(rows)))


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    for column in ("start", "end"):
        if column in table:
            table[column] = table[column].astype("Int64")
    return table


def _sheet(path: Path, sheet: Worksheet) -> Reading:
    table = pd.DataFrame(list(sheet.rows), columns=list(sheet.header), dtype=str)
    notes = list(sheet.notes)
    table["text"] = table["text"].map(tidy.bare)
    kept = table["text"].str.strip() != ""
    if "role" not in table and "speaker" not in table:
        table["speaker"] = ""
    named = table["speaker"].str.strip() if "speaker" in table else table["role"].str.strip()
    kept |= named != ""
    lines = [line for line, keep in zip(sheet.lines, kept, strict=True) if keep]
    table = table[kept].reset_index(drop=True)
    if not all(kept):
        notes.append(f"{_rows(int((~kept).sum()))} without a speaker and a text: passed over.")
    if "role" in table:
        table["role"] = [_role(path, cell, line) for cell, line in zip(table["role"], lines, strict=True)]
    for column in ("start", "end"):
        if column in table:
            table[column] = _times(path, table[column], lines, column, _in_ms(sheet, column))
    tables.refuse_reversed(table, path, lines)
    if "target_behavior" not in table:
        table["target_behavior"] = ""
    if "tape_id" not in table:
        table["tape_id"] = path.stem
    table["tape_id"] = table["tape_id"].str.strip().replace("", path.stem)
    table, numbered = _numbered(table)
    if numbered:
        notes.append(f"{_rows(numbered)} without an id: numbered by its place." if numbered < len(table) else "")
    _refuse_repeats(path, table, lines)
    return Reading(table, tuple(note for note in notes if note))


def _role(path: Path, cell: str, line: int) -> str:
    """The role that a cell of the role column says; a cell may be empty, never something else."""
    role = speaker_roles.role_of(cell)
    if role is None and cell.strip():
        value = f"has the role {cell!r}"
        remedy = "use interviewer, client or unknown, or call the column speaker and add --interviewer NAME"
        raise TableError("T05", f"table {path.name}, row {line}", value, remedy)
    return role or ""


def _in_ms(sheet: Worksheet, column: str) -> bool:
    """Whether a column holds milliseconds: its heading says so, or the table is Whisper's own."""
    return column in sheet.ms or sheet.header == whisper_json.TSV_HEADER


def _times(path: Path, cells: pd.Series, lines: Sequence[int], column: str, in_ms: bool) -> pd.Series:
    times = [_time(path, cell, line, column, in_ms) for cell, line in zip(cells, lines, strict=True)]
    return pd.Series(pd.array(times, dtype="Int64"), index=cells.index)


def _time(path: Path, cell: str, line: int, column: str, in_ms: bool) -> int | None:
    """Milliseconds of seconds (``2.5``, ``2,5``) or of a clock time (``0:01:02.5``)."""
    text = cell.strip().strip("[]()").replace(",", ".")
    if not text:
        return None
    time = typed(text) if ":" in text else None
    if time is None and re.fullmatch(r"\d{1,9}(?:\.\d+)?", text):
        time = round(float(text)) if in_ms else to_ms(float(text))
    if time is None or time >= tables.LAST_MS:
        value = f"has {column} {cell!r}"
        remedy = "write seconds from the recording's start, or a clock time such as 0:01:02"
        raise TableError("T05", f"table {path.name}, row {line}", value, remedy)
    return time


def _numbered(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Ids where the file has none, and how many that are."""
    if "utterance_id" not in table:
        table["utterance_id"] = ""
    ids = table["utterance_id"].str.strip()
    taken, names = set(ids), []
    for number, name in enumerate(ids, 1):
        if not name:
            name = f"u{number:04d}"
            while name in taken:
                name += "+"
            taken.add(name)
        names.append(name)
    return table.assign(utterance_id=names), int((ids == "").sum())


def _refuse_repeats(path: Path, table: pd.DataFrame, lines: Sequence[int]) -> None:
    repeated = table.duplicated(["tape_id", "utterance_id"]).to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        name, tape = table["utterance_id"].iloc[row], table["tape_id"].iloc[row]
        value = f"repeats utterance {name!r} of tape {tape!r}"
        raise TableError("T06", f"table {path.name}, row {lines[row]}", value, "number them anew")


def _roles(path: Path, tape: pd.DataFrame, interviewer: str | None) -> pd.Series:
    """Each row's role: its own, else that of its voice as names tell it; empty where they leave it open."""
    voices = tape["speaker"].str.strip() if "speaker" in tape else pd.Series("", index=tape.index)
    if interviewer is not None:
        speakers = speaker_roles.distinct(voices)
        try:
            roles = speaker_roles.with_interviewer(speakers, interviewer)
        except KeyError as error:
            known = ", ".join(speakers) or "none"
            value = f"has no voice {interviewer!r}, or several; its voices are {known}"
            raise TableError("T08", f"transcript {path.name}", value, "name one of them") from error
        return voices.map(lambda voice: roles.get(voice, ""))
    own = tape["role"] if "role" in tape else pd.Series("", index=tape.index)
    named = speaker_roles.by_name(speaker_roles.distinct(voices))
    return own.where(own != "", voices.map(lambda voice: named.get(voice) or ""))


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
