"""Tidy tables: one row per utterance and code, as CSV in UTF-8, with a data dictionary.

The first six columns are those that ``tape-review agreement`` reads. The dictionary lies beside the table, named as
"CSV on the Web" (W3C, 2015) asks: ``codes.csv`` has ``codes.csv-metadata.json``.

A cell of text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe before it, as one
that begins with an apostrophe does: a spreadsheet would take it for a formula. Reading takes it off again.

Cannot hold: words, what a coder was asked for (the column ``codable`` of `pipeline.formats.code_table`), and more than
one tape's order of rows. An utterance without codes has one row with an empty code.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.errors import FormatError
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import (
    CodedTranscript,
    CodedUtterance,
    Mark,
    ordered_transcript,
    role_named,
    split_codes,
)
from pipeline.timeline import LAYERS, Span, to_seconds


@dataclass(frozen=True)
class Column:
    """A column and its meaning; ``kind`` is a type of XML Schema, as CSV on the Web names them."""

    name: str
    kind: str
    meaning: str


COLUMNS = (
    Column("tape_id", "string", "the tape"),
    Column("utterance_id", "string", "the utterance, once for each of its codes"),
    Column("coder", "string", "who gave the code; 'machine' for a pre-tag; empty where nobody coded the utterance"),
    Column("layer", "string", f"whose pass it is: {', '.join(LAYERS)}; empty where it is not known"),
    Column("code", "string", "the code; empty where the coder gave none"),
    Column("coded_at", "string", "when the code was given, ISO 8601; empty where it is not known"),
    Column("role", "string", "interviewer, client, other or unknown"),
    Column("speaker", "string", "the voice"),
    Column("start", "decimal", "seconds from the zero to the utterance's start"),
    Column("end", "decimal", "seconds from the zero to its end; a moment ends as it starts"),
    Column("text", "string", "what was said"),
    Column("zero", "decimal", "the second of the recording from which start and end count; empty where nobody says"),
)

Row = Mapping[str, object]

_NAMES = tuple(column.name for column in COLUMNS)
NEEDED = ("tape_id", "utterance_id", "code", "start", "end")
"""The columns that a table must have."""

_FORMULA = re.compile(r"[=+\-@\t\r\n']")


def fits(source: Source) -> bool:
    """Whether a table has the columns of this one, whatever stands between its cells."""
    try:
        _, (header, *_) = _cells(source)
    except (FormatError, ValueError):
        return False
    return set(NEEDED) <= set(header)


def read(source: Source) -> CodedTranscript:
    """The transcript of a tidy table; a spreadsheet may have saved it with semicolons or tabs, and decimal commas.

    Raises
    ------
    FormatError: F03 no CSV, or it lacks a column; F06 as `Source.text`; F07 a wrong value or several tapes.
    """
    delimiter, rows = _cells(source)
    header = rows.pop(0) if rows else []
    for name in NEEDED:
        if header.count(name) != 1:
            source.refuse("F03", f"has the column {name!r} {header.count(name)} times", "rename or remove all but one")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            value = f"has {len(row)} cells, the header {len(header)}"
            source.refuse("F07", value, "put quotes around cells that hold commas", where=f"row {number} of")
    cells = (dict(zip(header, map(without_apostrophe, row), strict=True)) for row in rows)
    return gathered(source, cells if delimiter == "," else map(_pointed, cells))


def _cells(source: Source) -> tuple[str, list[list[str]]]:
    """The delimiter with which a table has the most columns of ours, and its rows that are not empty."""
    text = source.text()
    head = text.partition("\n")[0].rstrip("\r")
    delimiter = max(",;\t", key=lambda each: len(set(NEEDED) & set(next(csv.reader([head], delimiter=each), []))))
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return delimiter, [row for row in rows if any(row)]
    except csv.Error as error:
        source.refuse("F03", f"is not CSV ({error})", "save it as CSV UTF-8 with commas")


def _pointed(row: dict[str, str]) -> dict[str, str]:
    """A row whose times have decimal points."""
    return row | {name: row[name].replace(",", ".") for name in ("start", "end", "zero") if name in row}


def gathered(source: Source, rows: Iterable[Row]) -> CodedTranscript:
    """The transcript that rows hold; ``source`` is what messages are about.

    Raises
    ------
    FormatError: F07 a wrong value or several tapes.
    """
    utterances: dict[str, CodedUtterance] = {}
    marks: dict[str, list[Mark]] = {}
    tapes: dict[str, None] = {}
    zeros: dict[int | None, None] = {}
    for number, row in enumerate(rows, 2):
        where = f"row {number} of"
        cell = {name: "" if row.get(name) is None else str(row[name]).strip() for name in _NAMES}
        start, end = (source.milliseconds(cell[name], per=1000, where=where) for name in ("start", "end"))
        if end < start or not cell["utterance_id"]:
            source.refuse("F07", "ends before it starts, or has no utterance_id", "fix it in the table", where)
        tapes[cell["tape_id"]] = None
        zeros[source.milliseconds(cell["zero"], per=1000, where=where) if cell["zero"] else None] = None
        utterance = CodedUtterance(
            cell["utterance_id"], Span(start, end), cell["speaker"], role_named(cell["role"]), cell["text"]
        )
        if utterances.setdefault(utterance.id, utterance) != utterance:
            source.refuse(
                "F07",
                f"differs from the rows before it on utterance {utterance.id[:40]!r}",
                "fix it in the table",
                where,
            )
        coder, layer, at = cell["coder"], cell["layer"], cell["coded_at"]
        given = split_codes(cell["code"]) or (("",) if coder or layer else ())
        marks.setdefault(utterance.id, []).extend(Mark(code, coder, layer, at) for code in given)
    if len(tapes) > 1:
        source.refuse("F07", f"holds {len(tapes)} tapes", "give the rows of one tape")
    if len(zeros) > 1:
        source.refuse("F07", "has times that count from different zeros", "give rows with one value in 'zero'")
    coded = (replace(utterance, marks=tuple(marks[name])) for name, utterance in utterances.items())
    return ordered_transcript(next(iter(tapes), "") or source.stem, coded, zero=next(iter(zeros), None))


def rows(transcript: CodedTranscript) -> Iterator[dict[str, str]]:
    """The cells of each row, in order of start."""
    for utterance in transcript.utterances:
        for mark in utterance.marks or (Mark(""),):
            span = utterance.span
            cells = (transcript.tape_id, utterance.id, mark.coder, mark.layer, mark.code, mark.at, utterance.role)
            rest = (utterance.speaker, to_seconds(span.start), to_seconds(span.end), utterance.text)
            zero = "" if transcript.zero is None else to_seconds(transcript.zero)
            yield dict(zip(_NAMES, (*cells, *rest, zero), strict=True))


def write(transcript: CodedTranscript) -> bytes:
    """The table.

    Raises
    ------
    FormatError: F08 a text holds control characters.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_NAMES)
    for row in rows(transcript):
        writer.writerow([_inert(printable(cell, name, breaks=True)) for name, cell in row.items()])
    return file.getvalue().encode()


def dictionary(name: str) -> bytes:
    """The data dictionary of a table of that file name: metadata of CSV on the Web."""
    columns = [
        {"name": column.name, "titles": column.name, "datatype": column.kind, "dc:description": column.meaning}
        for column in COLUMNS
    ]
    metadata = {"@context": "http://www.w3.org/ns/csvw", "url": name, "tableSchema": {"columns": columns}}
    return (json.dumps(metadata, indent=1, ensure_ascii=False) + "\n").encode()


def without_apostrophe(cell: str) -> str:
    """A cell without the apostrophe that kept a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def _inert(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
