"""A transcript that some reader made of a file, as a table to code or as a transcript to convert.

Spreadsheets, text and Word files and recognizers' JSON are read as tables, as they have columns of their own and often
no times; other programs' files as a `CodedTranscript`. Either becomes the other here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.errors import FormatError
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import SpokenPassage
from pipeline.formats.tape_tables import ZERO
from pipeline.formats.transcript import (
    NO_TIMES,
    CodedTranscript,
    CodedUtterance,
    Mark,
    fill_times,
    ordered_transcript,
    role_named,
    split_codes,
)
from pipeline.timeline import LAYERS, UNKNOWN, Role, Word, to_ms, to_seconds

ENDS_UNKNOWN = "Where the file does not say when an utterance ends, it was taken to last until the next one begins."
"""The note of a transcript some of whose ends are made up."""

_CODES = frozenset({"codes", "code", "coding", "kode", "codierung"})
_NO_CODES = frozenset({"time", "language", "country", "area", "zip", "participant", "subject", "project", "speaker"})
"""Words of a heading that say of a column that it holds codes, and that it does not."""
_MANY = 8
"""Lines that a sentence lists at most."""


@dataclass(frozen=True)
class TranscriptTable:
    """A table with the columns of `pipeline.formats.uncoded` and others, and sentences on how it was read.

    ``start`` and ``end`` are milliseconds, NA where the file has none; what they count from stands in a column `ZERO`
    where the file says so. ``words`` are those of an utterance, by its id,
    where the file has their times.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    words: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)


def of_transcript(transcript: CodedTranscript, *, settled: bool = False) -> TranscriptTable:
    """The table of a transcript, without its codes.

    ``settled``: where the file says that a voice is neither's, as a processed tape does, that holds.
    """
    rows = [
        {
            "tape_id": transcript.tape_id,
            "utterance_id": utterance.id,
            "role": "" if utterance.role == "unknown" and not settled else utterance.role,
            "speaker": "" if utterance.speaker == UNKNOWN else utterance.speaker,
            "start": utterance.span.start,
            "end": utterance.span.end,
            "text": utterance.text,
            "target_behavior": "",
        }
        for utterance in transcript.utterances
    ]
    table = _whole(pd.DataFrame(rows))
    if rows and not table[["start", "end"]].any(axis=None):
        table[["start", "end"]] = pd.NA  # a file without times
    elif transcript.zero is not None:
        table[ZERO] = to_seconds(transcript.zero)
    notes = tuple(note for note in transcript.notes if note != NO_TIMES)
    return TranscriptTable(table, notes)


def of_speeches(source: Source, speeches: Sequence[SpokenPassage], notes: Sequence[str] = ()) -> TranscriptTable:
    """The table of utterances in running text."""
    rows = [
        {
            "tape_id": source.stem,
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
    words = {f"u{number:04d}": speech.words for number, speech in enumerate(speeches, 1) if speech.words}
    return TranscriptTable(_whole(pd.DataFrame(rows)), tuple(notes), words)


def to_transcript(name: str, reading: TranscriptTable) -> CodedTranscript:
    """The transcript of one tape's table; where it has no times, all utterances stand at 0, and that is told.

    Raises
    ------
    FormatError: F03 there is no row, F07 the rows are of several tapes; ``name`` is the file's.
    """
    table = reading.table
    if table.empty:
        raise FormatError("F03", f"file {name}", "holds no utterance", "give a transcript with at least one")
    tape, *others = table["tape_id"].unique()
    if others:
        raise FormatError("F07", f"file {name}", f"holds {1 + len(others)} tapes", "give the rows of one tape")
    rows = table.to_dict("records")
    times = [(_time(row.get("start", pd.NA)), _time(row.get("end", pd.NA))) for row in rows]
    coded = _column_of_codes(table.columns)
    utterances = [
        CodedUtterance(
            row["utterance_id"],
            span,
            str(row.get("speaker", "")).strip() or UNKNOWN,
            _role(row),
            str(row["text"]).strip(),
            _marks(row, coded),
            reading.words.get(row["utterance_id"], ()),
        )
        for row, span in zip(rows, fill_times(times), strict=True)
    ]
    notes = list(reading.notes)
    if coded and coded not in ("codes", "code"):
        notes.append(f'Codes were taken from the column "{coded}".')
    if all(time is None for pair in times for time in pair):
        notes.append(NO_TIMES)
    elif any(start is not None and end is None for start, end in times):
        notes.append(ENDS_UNKNOWN)
    named = {
        utterance.speaker
        for utterance, row in zip(utterances, rows, strict=True)
        if not str(row.get("role", "")).strip()
    }
    return ordered_transcript(str(tape), utterances, notes, zero=_zero(name, table), named=named)


def _zero(name: str, table: pd.DataFrame) -> int | None:
    """The millisecond of the recording from which the times of a table count, where its column `ZERO` says so.

    Raises
    ------
    FormatError: F07 its rows name several.
    """
    cells = {str(cell).strip().replace(",", ".") for cell in table[ZERO]} if ZERO in table else {""}
    if not all(re.fullmatch(r"\d{1,6}(?:\.\d+)?", cell) for cell in cells):
        return None
    if len(cells) > 1:
        value = f"has times that count from different zeros ({', '.join(sorted(cells))})"
        raise FormatError("F07", f"file {name}", value, f"give rows with one value in '{ZERO}'")
    return to_ms(float(cells.pop()))


def _time(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _role(row: Mapping[Any, Any]) -> Role:
    role_cell = str(row.get("role", "")).strip()
    return role_named(role_cell or str(row.get("speaker", "")))


def _column_of_codes(columns: Iterable[str]) -> str | None:
    """The column whose heading says that it holds codes, such as "MITI code"."""
    for column in columns:
        words = set(re.findall(r"[^\W_]+", column.lower()))
        if words & _CODES and not words & _NO_CODES:
            return column
    return None


def _marks(row: Mapping[Any, Any], column: str | None) -> tuple[Mark, ...]:
    coder, layer = (str(row.get(name, "")).strip() for name in ("coder", "layer"))
    given = split_codes(str(row[column])) if column else ()
    return tuple(Mark(code, coder, layer if layer in LAYERS else "") for code in given)


def skipped_note(lines: Collection[str], what: str) -> tuple[str, ...]:
    """A sentence on lines that were passed over, if any were."""
    shown = "; ".join(f'"{line[:60]}"' for line in list(lines)[:_MANY])
    more = f"; and {len(lines) - _MANY} more" if len(lines) > _MANY else ""
    return (f"{what} were skipped: {shown}{more}.",) if len(lines) else ()


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    for column in ("start", "end"):
        if column in table:
            table[column] = table[column].astype("Int64")
    return table
