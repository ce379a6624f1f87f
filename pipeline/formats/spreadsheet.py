"""Spreadsheets to code or to convert: the columns of a `Worksheet` with their values, ids and times made sense of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.errors import TableError
from pipeline.formats import (
    script,
    speaker_prefix,
    speaker_roles,
    tape_tables,
    tidy_table,
    times_of_day,
    whisper_json,
    worksheet,
)
from pipeline.formats.reading import TranscriptTable, skipped_note
from pipeline.formats.safe_reader import Source
from pipeline.formats.worksheet import Worksheet
from pipeline.timeline import to_ms, typed

_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+")
_REMARK = re.compile(r"[\[(][^\[\]()]*[\])]")
"""A remark of who wrote it down, such as "[pause]"."""
_FRAMES = re.compile(r"\s*(\d{1,2}:\d{2}:\d{2})[:;]\d{2}\s*")
"""A time of a video, with the number of a frame behind its seconds."""
_RANGE = re.compile(r"\s*([\d:.,]+)\s*(?:-->|->|[-–—])\s*([\d:.,]+)\s*")


def read(source: Source) -> TranscriptTable:
    """The table of a spreadsheet, as CSV or as a workbook.

    Raises
    ------
    TableError: T02 to T06 as `worksheet.read` and `of_sheet`.
    FormatError: F02 to F05 as `worksheet.read`.
    """
    return of_sheet(source, worksheet.read(source))


def of_sheet(source: Source, sheet: Worksheet) -> TranscriptTable:
    """The table of named columns; messages are about ``source``.

    Raises
    ------
    TableError: T05 a wrong value, T06 an utterance twice.
    """
    table = pd.DataFrame(list(sheet.rows), columns=list(sheet.header), dtype=str)
    notes = list(sheet.notes)
    table["text"] = table["text"].map(tidy_table.without_apostrophe)
    is_kept = table["text"].str.strip() != ""
    if "role" not in table and ("speaker" not in table or (table["speaker"].str.strip() == "").all()):
        table = _named(table)
    if "speaker" in table:
        table["speaker"] = table["speaker"].str.strip().str.removesuffix(":")
        table, carried = _carried_down(table)
        notes += _carried_note([line for line, is_carried in zip(sheet.lines, carried, strict=True) if is_carried])
    named = table["speaker"] if "speaker" in table else table["role"].str.strip()
    is_kept |= named != ""
    remarks = (named == "") & table["text"].str.strip().str.fullmatch(_REMARK)
    if remarks.any() and not remarks.all():
        notes += skipped_note(table["text"][remarks].str.strip(), "Remarks without a speaker")
        is_kept &= ~remarks
    lines = [line for line, keep in zip(sheet.lines, is_kept, strict=True) if keep]
    table = table[is_kept].reset_index(drop=True)
    if not all(is_kept | remarks):
        notes.append(f"{_rows(int((~is_kept & ~remarks).sum()))} without a speaker and a text: skipped.")
    if "role" in table:
        table["role"] = [_role(source, cell, line) for cell, line in zip(table["role"], lines, strict=True)]
    if "start" in table and "end" not in table and table["start"].map(_RANGE.fullmatch).any():
        ranges = [_RANGE.fullmatch(cell) for cell in table["start"]]
        table["end"] = [span[2] if span else "" for span in ranges]
        table["start"] = [span[1] if span else cell for span, cell in zip(ranges, table["start"], strict=True)]
    if "start" in table and table["start"].map(times_of_day.fits).any():
        table = times_of_day.since_the_first(table)
        notes.append(script.OF_THE_DAY)
    for column in ("start", "end"):
        if column in table and table[column].map(_FRAMES.fullmatch).any():
            table[column] = table[column].str.replace(_FRAMES, r"\1", regex=True)
            notes.append(f"The frames behind the seconds of {column} were left out: how long one is, nobody says.")
        if column in table:
            table[column] = _times(source, table[column], lines, column, _in_ms(sheet, column))
    tape_tables.refuse_reversed(table, Path(source.name), lines)
    if "target_behavior" not in table:
        table["target_behavior"] = ""
    if "tape_id" not in table:
        table["tape_id"] = source.stem
    table["tape_id"] = table["tape_id"].str.strip().replace("", source.stem)
    table, counted = _counted(table, sheet)
    notes += counted
    table, numbered = _numbered(table)
    if numbered:
        notes.append(f"{_rows(numbered)} without an id: numbered by position." if numbered < len(table) else "")
    _refuse_repeats(source, table, lines)
    return TranscriptTable(table, tuple(note for note in notes if note))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The table with speakers that stand before colons in its texts: "T: What next?", where any do."""
    texts = [text.strip() for text in table["text"]]
    names = speaker_prefix.names((text for text in texts if text), captions=True)
    last, pairs = "", []
    for text in texts:
        last, spoken_text = speaker_prefix.split_speaker(text, names, last) if names else ("", text)
        pairs.append((last, spoken_text))
    return table.assign(speaker=[speaker for speaker, _ in pairs], text=[spoken_text for _, spoken_text in pairs])


def _carried_down(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The table with the speaker above, and that one's role, where a text has neither; and which rows these are.

    A remark is nobody's, and a role that is written down says that somebody else speaks.
    """
    text = table["text"].str.strip()
    empty = pd.DataFrame({name: table[name].str.strip() == "" for name in ("speaker", "role") if name in table})
    open_ = empty.all(axis=1) & (text != "") & ~text.str.fullmatch(_REMARK)
    spoken = open_ | ((text != "") & ~empty.all(axis=1))
    above = table[list(empty)][spoken].mask(open_[spoken])
    tapes = table["tape_id"][spoken] if "tape_id" in table else pd.Series("", index=above.index)
    filled = above.groupby(tapes, sort=False).ffill().fillna("")
    carried = open_ & (filled["speaker"].reindex(table.index, fill_value="") != "")
    table = table.copy()
    table.loc[carried, list(empty)] = filled.loc[carried[carried].index]
    return table, carried


def _carried_note(lines: Sequence[int]) -> list[str]:
    """A sentence on the rows that were given to the speaker above, if any were."""
    if not lines:
        return []
    have, were = ("has", "was") if len(lines) == 1 else ("have", "were")
    sentence = f"{_rows(len(lines))} {have} an empty cell for the speaker, and {were} given to the speaker above"
    return [f"{sentence}: {', '.join(map(str, lines))}."]


def _role(source: Source, cell: str, line: int) -> str:
    """The role that a cell of the role column says; a cell may be empty, never something else."""
    role = speaker_roles.role_of(cell)
    if role is None and cell.strip():
        value = f"has the role {cell!r}"
        remedy = "use interviewer, client, other or unknown, or call the column speaker and add --interviewer NAME"
        raise TableError("T05", f"table {source.name}, row {line}", value, remedy)
    return role or ""


def _in_ms(sheet: Worksheet, column: str) -> bool:
    """Whether a column holds milliseconds: its heading says so, or the table is Whisper's own."""
    return column in sheet.ms or sheet.header == whisper_json.TSV_HEADER


def _times(source: Source, cells: pd.Series, lines: Sequence[int], column: str, in_ms: bool) -> pd.Series:
    times = [_time(source, cell, line, column, in_ms) for cell, line in zip(cells, lines, strict=True)]
    return pd.Series(pd.array(times, dtype="Int64"), index=cells.index)


def _time(source: Source, cell: str, line: int, column: str, in_ms: bool) -> int | None:
    """Milliseconds of seconds (``2.5``, ``2,5``) or of a clock time (``0:01:02.5``)."""
    text = cell.strip().strip("[]()")
    text = (text.replace(",", "") if _THOUSANDS.fullmatch(text) else text).replace(",", ".")
    if not text:
        return None
    time = typed(text) if ":" in text else None
    if time is None and re.fullmatch(r"\d{1,9}(?:\.\d+)?", text):
        time = round(float(text)) if in_ms else to_ms(float(text))
    if time is None or time >= tape_tables.LAST_MS:
        value = f"has {column} {cell!r}"
        remedy = "write seconds from the recording's start, or a clock time such as 0:01:02"
        raise TableError("T05", f"table {source.name}, row {line}", value, remedy)
    return time


def _counted(table: pd.DataFrame, sheet: Worksheet) -> tuple[pd.DataFrame, list[str]]:
    """The table without ids where what was taken for them counts turns or pages: several rows have the same."""
    title = sheet.titles.get("utterance_id", "")
    if not title or title == "utterance_id" or not table.duplicated(["tape_id", "utterance_id"]).any():
        return table, []
    note = f'"{title}" is the same in several rows: kept as a column of its own, with rows numbered by position.'
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


def _refuse_repeats(source: Source, table: pd.DataFrame, lines: Sequence[int]) -> None:
    repeated = table.duplicated(["tape_id", "utterance_id"]).to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        name, tape = table["utterance_id"].iloc[row], table["tape_id"].iloc[row]
        value = f"repeats utterance {name!r} of tape {tape!r}"
        remedy = "give each row an id of its own, or remove the column of ids: rows are numbered then"
        raise TableError("T06", f"table {source.name}, row {lines[row]}", value, remedy)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
