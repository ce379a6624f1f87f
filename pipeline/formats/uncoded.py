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
from pipeline.formats import (
    chat,
    label_studio,
    noscribe,
    registry,
    script,
    speaker_roles,
    srt,
    tables,
    tidy,
    times_of_day,
    webvtt,
    whisper_json,
    word_file,
    worksheet,
)
from pipeline.formats.coded import CodedTranscript
from pipeline.formats.intake import Source
from pipeline.formats.script import Script, Speech
from pipeline.formats.worksheet import Worksheet
from pipeline.timeline import UNKNOWN, to_ms, typed

SHEETS = frozenset({".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls"})
_SBV = re.compile(rb"^(\d+:\d\d:\d\d\.\d{3}),(\d+:\d\d:\d\d\.\d{3})(?=\r?$)", re.MULTILINE)
"""YouTube's own subtitles have a comma between two times, and are like SRT else."""
SCRIPTS = frozenset({".txt", ".text", ".md", ".docx"})
PAGES = frozenset({".html", ".htm"})

READ = SHEETS | SCRIPTS | PAGES | {".sbv"} | {each.ending.lower() for each in registry.FORMATS}
"""The endings of files that can be coded."""

_REMEDIES = {
    **dict.fromkeys((".doc", ".odt", ".rtf"), "open it in Word or LibreOffice and save it as .docx or .txt"),
    ".pdf": "save the transcript as .docx or .txt from the program that made it, or copy its text into such a file",
    **dict.fromkeys((".ods", ".numbers"), "open it and save it as .xlsx or as CSV"),
    **dict.fromkeys(
        (".wav", ".mp3", ".m4a", ".mp4", ".flac", ".ogg", ".webm", ".aac"),
        "it is a recording: use `tape-review process`",
    ),
}
"""What to do with files of kinds that cannot be read."""

_SUBTITLES = re.compile(r"WEBVTT\b|(?:\s*\d+\s*\n)?\s*\d\d:\d\d:\d\d,\d{3} --> ")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+")
_RANGE = re.compile(r"\s*([\d:.,]+)\s*(?:-->|->|[-–—])\s*([\d:.,]+)\s*")
_NAMING = {
    **dict.fromkeys(SHEETS, "fill the column of speakers or of roles in these rows, or add one"),
    **dict.fromkeys(SCRIPTS, 'begin these turns with who speaks, such as "Therapist: "'),
    **dict.fromkeys((".vtt", ".srt", ".sbv"), 'begin the subtitles with who speaks, such as "Therapist: "'),
    **dict.fromkeys((".eaf", ".textgrid"), "put each voice on a tier of its own, called after who speaks"),
    ".cha": "add the speakers to @Participants with their roles, Therapist and Client",
    ".json": 'give these segments a "speaker" in the file, or write the transcript into a table',
}
_TABLE = "write the transcript into a table (.csv or .xlsx) with the columns speaker and text"

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
    if (table["text"].str.strip() == "").all():
        remedy = "give the transcript: codes are decided from words"
        raise TableError("T04", f"transcript {path.name}", "has no words in any row", remedy)
    roles = [_roles(path, tape, interviewer) for _, tape in table.groupby("tape_id", sort=False)]
    return replace(reading, table=table.assign(role=pd.concat(roles)))


def naming(path: Path) -> str:
    """What makes a file of this kind say who speaks."""
    return _NAMING.get(path.suffix.lower(), _TABLE)


def _read(path: Path) -> Reading:
    ending = path.suffix.lower()
    if path.is_dir():
        return _coded(registry.read(path), settled=True)
    if ending in _REMEDIES:
        raise FormatError("F09", f"file {path.name}", f"cannot be read: {ending} is no kind of ours", _REMEDIES[ending])
    if ending not in READ:
        known = ", ".join(sorted(READ))
        raise FormatError("F09", f"file {path.name}", "ends in nothing that we know", f"save it as one of {known}")
    if ending not in SHEETS | SCRIPTS | PAGES | {".json", ".cha", ".sbv"}:
        return _coded(registry.read(path))
    try:
        source = Source.open(path)
    except FormatError as error:
        if error.code != "TR-F01":
            raise
        raise TableError("T01", f"table {path.name}", error.value, "name a file that exists") from error
    if ending == ".cha":
        return _coded(chat.read(source, untimed=True))
    if ending == ".sbv":
        return _coded(srt.read(replace(source, data=_SBV.sub(rb"\1 --> \2", source.data))))
    if ending == ".docx":
        return _word(path, source)
    if ending in SCRIPTS:
        text, notes = worksheet.decoded(source)
        if _SUBTITLES.match(text):  # saved with another ending
            whole = replace(source, data=text.encode())
            return _coded(webvtt.read(whole) if text.startswith("WEBVTT") else srt.read(whole))
        reading = _script(path, script.read(source, re.split(r"\r\n|\r|\n", text)))
        return replace(reading, notes=(*notes, *reading.notes))
    if ending in PAGES:
        return _speeches(path, noscribe.read(source))
    if ending == ".json":
        value = source.json()
        if whisper_json.fits(value):
            return _speeches(path, whisper_json.read(source, value))
        if not label_studio.fits(value):
            remedy = "give JSON of Whisper, whisperX, whisper.cpp, Rev or Label Studio, or save the transcript as .csv"
            source.refuse("F03", "is JSON of none of the programs that we know", remedy)
        return _coded(registry.read(path))
    sheet = worksheet.read(source)
    if set(sheet.header) >= _TIDY:
        return _coded(tidy.read(source), f"The codes of {path.name} were left behind: one row was one code.")
    return _sheet(path, sheet)


def _coded(said: CodedTranscript, note: str = "", *, settled: bool = False) -> Reading:
    """``settled``: where the file says that a voice is neither's, as a processed tape does, that holds."""
    rows = [
        {
            "tape_id": said.tape_id,
            "utterance_id": utterance.id,
            "role": "" if utterance.role == "unknown" and not settled else utterance.role,
            "speaker": "" if utterance.speaker == UNKNOWN else utterance.speaker,
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
    notes = (*_passed(read.skipped, "Lines that nobody says"), *read.notes)
    return replace(_speeches(path, read.speeches), notes=notes)


def _passed(lines: Sequence[str], what: str) -> tuple[str, ...]:
    """A sentence on lines that were passed over, if any were."""
    shown = "; ".join(f'"{line[:60]}"' for line in lines[:_MANY])
    more = f"; and {len(lines) - _MANY} more" if len(lines) > _MANY else ""
    return (f"{what} were passed over: {shown}{more}.",) if lines else ()


def _word(path: Path, source: Source) -> Reading:
    """A Word document: the table that holds the talk, with those that go on with it, or else its paragraphs."""
    lines, tables_of_cells = word_file.blocks(source)
    talk: list[list[str]] = []
    beside = 0
    for cells in tables_of_cells:
        if talk and len(cells[0]) == len(talk[0]):
            talk += [row for row in cells if row != talk[0]]
        elif not talk and worksheet.is_talk(cells):
            talk = list(cells)
        else:
            beside += 1
    try:
        told: Script | None = script.read(source, lines)
    except FormatError:
        if not talk:
            raise
        told = None
    if told is not None and len(told.speeches) >= len(talk):
        reading, beside = _script(path, told), beside + bool(talk)
        notes: tuple[str, ...] = ()
    else:
        reading = _sheet(path, worksheet.of_cells(path.name, talk))
        notes = _passed([line.strip() for line in lines if line.strip()], "Lines beside the table")
    if beside:
        notes += (f"Tables beside the transcript that were passed over: {beside}.",)
    return replace(reading, notes=(*reading.notes, *notes))


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
    if "start" in table and "end" not in table and table["start"].map(_RANGE.fullmatch).any():
        ranges = [_RANGE.fullmatch(cell) for cell in table["start"]]
        table["end"] = [span[2] if span else "" for span in ranges]
        table["start"] = [span[1] if span else cell for span, cell in zip(ranges, table["start"], strict=True)]
    if "start" in table and table["start"].map(times_of_day.fits).any():
        table = times_of_day.since_the_first(table)
        notes.append(script.OF_THE_DAY)
    for column in ("start", "end"):
        if column in table:
            table[column] = _times(path, table[column], lines, column, _in_ms(sheet, column))
    tables.refuse_reversed(table, path, lines)
    if "target_behavior" not in table:
        table["target_behavior"] = ""
    if "tape_id" not in table:
        table["tape_id"] = path.stem
    table["tape_id"] = table["tape_id"].str.strip().replace("", path.stem)
    table, told = _counted(table, sheet)
    notes += told
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
    text = cell.strip().strip("[]()")
    text = (text.replace(",", "") if _THOUSANDS.fullmatch(text) else text).replace(",", ".")
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


def _counted(table: pd.DataFrame, sheet: Worksheet) -> tuple[pd.DataFrame, list[str]]:
    """The table without ids where what was taken for them counts turns or pages: several rows have the same."""
    title = sheet.titles.get("utterance_id", "")
    if not title or title == "utterance_id" or not table.duplicated(["tape_id", "utterance_id"]).any():
        return table, []
    note = f'"{title}" is the same in several rows: it was kept beside, and the rows are numbered by their place.'
    return table.rename(columns={"utterance_id": title}), [note]


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
        remedy = "give each row an id of its own, or remove the column of ids: rows are numbered then"
        raise TableError("T06", f"table {path.name}, row {lines[row]}", value, remedy)


def _roles(path: Path, tape: pd.DataFrame, interviewer: str | None) -> pd.Series:
    """Each row's role: its own, else that of its voice as names tell it; empty where they leave it open."""
    voices = tape["speaker"].str.strip() if "speaker" in tape else pd.Series("", index=tape.index)
    if interviewer is not None:
        speakers = speaker_roles.distinct(voices)
        roles = speaker_roles.with_interviewer(speakers, interviewer, f"transcript {path.name}")
        return voices.map(lambda voice: roles.get(voice, ""))
    own = tape["role"] if "role" in tape else pd.Series("", index=tape.index)
    named = speaker_roles.by_name(speaker_roles.distinct(voices))
    return own.where(own != "", voices.map(lambda voice: named.get(voice) or ""))


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
