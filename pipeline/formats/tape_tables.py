"""The tables of a tape: transcripts in, coded utterances and words out, all of them CSV in UTF-8 with commas.

In files, times are seconds with three decimals; in memory, integer milliseconds. Cells are text and stay as they are:
programs read these tables, and a cell that begins with ``=`` is somebody's speech, not a formula.

>>> UTTERANCE_COLUMNS[:4]
('tape_id', 'utterance_id', 'turn_id', 'role')
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.coding.codebook import CODES
from pipeline.errors import TableError
from pipeline.files import put
from pipeline.timeline import to_ms, to_seconds

TAG_COLUMNS = ("codes", "probability", "needs_check", *(f"p_{code}" for code in CODES))
"""Columns with the tagger's decisions on an utterance."""

UTTERANCE_COLUMNS = (
    *("tape_id", "utterance_id", "turn_id", "role", "speaker", "start", "end", "text"),
    *TAG_COLUMNS,
    "language",
)
"""Columns of ``utterances.csv``; ``codes`` are separated by ``|``. ``language`` is a code such as ``en``; what is in
another language than English is transcribed and has no codes."""

WORD_COLUMNS = (
    *("tape_id", "word_id", "utterance_id", "turn_id", "speaker", "role"),
    *("start", "end", "text", "probability", "language"),
)
"""Columns of ``words.csv``."""

_LATER = frozenset({"language"})
"""Columns that files of earlier versions lack; they are read as empty."""

VOCALIZATION_COLUMNS = ("tape_id", "speaker", "role", "start", "end")
"""Columns of ``vocalizations.csv``: voices in which no words could be made out."""

ZERO = "zero"
"""The last column of each table of a processed tape: the second of the recording from which its times count."""

LAST_MS = 1_000_000_000
"""No recording lasts so long."""

_TIMES = ("start", "end")
_TRANSCRIPT = "a transcript with at least one utterance"
_NUMBERS = ("probability", *(f"p_{code}" for code in CODES))


def write_utterances(table: pd.DataFrame, path: Path) -> None:
    """Write ``utterances.csv`` whole or not at all; columns that we do not know follow ours, missing ones stay empty.

    Raises
    ------
    OutputError: O04 the file cannot be written.
    """
    extra = [str(column) for column in table.columns if column not in UTTERANCE_COLUMNS]
    _write(table, (*UTTERANCE_COLUMNS, *extra), path)


def read_utterances(path: Path) -> pd.DataFrame:
    """A coded table as `write_utterances` wrote it.

    Raises
    ------
    TableError: T01 unreadable, T02 not CSV in UTF-8, T03 a column lacks, T04 no rows, T05 a wrong value,
        T06 an utterance twice.
    """
    return parsed_utterances(_content(path), path)


def parsed_utterances(data: bytes, path: Path) -> pd.DataFrame:
    """A coded table from the bytes of its file; ``path`` names it in errors, and nothing is read from there.

    Raises
    ------
    TableError: T02 to T06 as `read_utterances`.
    """
    table = _cells(data, path, UTTERANCE_COLUMNS)
    _refuse_repeats(table, path)
    checks = table["needs_check"].str.lower().map({"true": True, "false": False})  # spreadsheets write TRUE
    if checks.isna().any():
        row = int(checks.isna().to_numpy().argmax())
        value = f"has needs_check {table['needs_check'].iloc[row]!r}"
        raise TableError("T05", _row(path, row), value, "write true or false")
    table["needs_check"] = checks.astype(bool)
    return table


def parsed(data: bytes, required: Sequence[str], path: Path) -> pd.DataFrame:
    """Another table of a tape from the bytes of its file, which may have no rows; ``path`` names it in errors.

    Raises
    ------
    TableError: T02, T03 and T05 as `read_utterances`.
    """
    return _cells(data, path, required, content=None)


def read_words(path: Path) -> pd.DataFrame:
    """The words of a tape (`WORD_COLUMNS`).

    Raises
    ------
    TableError: T01 to T05 as `read_utterances`.
    """
    return read_cells(path, WORD_COLUMNS)


def read_vocalizations(path: Path) -> pd.DataFrame:
    """Voices without words (`VOCALIZATION_COLUMNS`); often there are none.

    Raises
    ------
    TableError: T01 to T03 and T05 as `read_utterances`.
    """
    return read_cells(path, VOCALIZATION_COLUMNS, content=None)


def read_cells(path: Path, required: Sequence[str], content: str | None = _TRANSCRIPT) -> pd.DataFrame:
    """All cells as text, then times and numbers as what they are.

    ``content`` says what an empty file should hold; None where it may be empty.

    Raises
    ------
    TableError: T01 to T05 as `read_utterances`.
    """
    return _cells(_content(path), path, required, content)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        value = f"cannot be read ({error.strerror})"
        raise TableError("T01", f"table {path.name}", value, "name a file that exists") from error


def _cells(data: bytes, path: Path, required: Sequence[str], content: str | None = _TRANSCRIPT) -> pd.DataFrame:
    thing = f"table {path.name}"
    try:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        rows = [row for row in csv.reader(text, strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            "T02", thing, f"is not CSV in UTF-8 ({error})", "save it as CSV UTF-8 and try again"
        ) from error
    header = rows.pop(0) if rows else []
    for column in required:
        if column not in header and column not in _LATER:
            columns_shown = ", ".join(header)[:120] or "nothing"
            value = f"lacks the column {column!r}, it has {columns_shown}"
            raise TableError("T03", thing, value, "add it, with commas between columns")
    repeated = [column for column, number in Counter(header).items() if number > 1]
    if repeated:
        raise TableError("T05", thing, f"has the column {repeated[0]!r} twice", "rename or remove one of them")
    if not rows and content is not None:
        raise TableError("T04", thing, "has no rows", f"export {content}")
    for number, row in enumerate(rows):
        if len(row) != len(header):
            value = f"has {len(row)} cells, the header has {len(header)}"
            raise TableError("T05", _row(path, number), value, "put quotes around cells that hold commas")
    table = pd.DataFrame(rows, columns=header, dtype=str)
    table = table.assign(**{column: "" for column in required if column not in header})
    for column in (name for name in _TIMES if name in table):
        times = [_time(cell, path, row, column) for row, cell in enumerate(table[column])]
        whole = pd.array([pd.NA if time is None else time for time in times], dtype="Int64")
        table[column] = whole if None in times else whole.astype("int64")
    refuse_reversed(table, path)
    for column in (name for name in _NUMBERS if name in required):
        numbers = [_number(cell, path, row, column) for row, cell in enumerate(table[column])]
        table[column] = pd.Series([math.nan if number is None else number for number in numbers], dtype=float)
    return table


def refuse_reversed(table: pd.DataFrame, path: Path, lines: Sequence[int] | None = None) -> None:
    """Let a table pass whose rows end when they start or later; ``lines`` says where in the file each row stands.

    Raises
    ------
    TableError: T05 a row ends before it starts.
    """
    if set(_TIMES) <= set(table):
        reversed_ = (table["end"] < table["start"]).fillna(False).to_numpy(dtype=bool)
        if reversed_.any():
            row = int(reversed_.argmax())
            where = _row(path, row) if lines is None else f"table {path.name}, row {lines[row]}"
            raise TableError("T05", where, "ends before it starts", "fix start or end")


def _number(cell: str, path: Path, row: int, column: str) -> float | None:
    if not cell.strip():
        return None
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TableError("T05", _row(path, row), f"has {column} {cell!r}", "write a number, or leave the cell empty")
    return number


def _time(cell: str, path: Path, row: int, column: str) -> int | None:
    """Milliseconds from seconds within a recording."""
    number = _number(cell, path, row, column)
    if number is None:
        return None
    if not 0 <= 1000 * number < LAST_MS:
        raise TableError("T05", _row(path, row), f"has {column} {cell!r}", "write seconds from the recording's start")
    return to_ms(number)


def _refuse_repeats(table: pd.DataFrame, path: Path) -> None:
    repeated = table.duplicated(["tape_id", "utterance_id"]).to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        name, tape = table["utterance_id"].iloc[row], table["tape_id"].iloc[row]
        raise TableError("T06", _row(path, row), f"repeats utterance {name!r} of tape {tape!r}", "renumber them")


def _row(path: Path, row: int) -> str:
    """Name a row as a spreadsheet does: the header is row 1."""
    return f"table {path.name}, row {row + 2}"


def written(table: pd.DataFrame, columns: Sequence[str]) -> bytes:
    """The bytes of a table's file, with these columns; a column that the table lacks stays empty."""
    text = io.StringIO()
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(columns)
    for row in _rows(table, columns):
        # A bare carriage return is quoted only where everything is, and without quotes no reader takes it.
        (quoted if any("\r" in cell for cell in row) else plain).writerow(row)
    return text.getvalue().encode()


def published(table: pd.DataFrame, columns: Sequence[str], zero: int | None) -> bytes:
    """The bytes of a table that leaves with a processed tape, with these columns and `ZERO`.

    ``zero`` is in milliseconds of the recording; None where the tape has no sound.
    """
    return written(table.assign(**{ZERO: None if zero is None else to_seconds(zero)}), (*columns, ZERO))


def _write(table: pd.DataFrame, columns: Sequence[str], path: Path) -> None:
    put(path, written(table, columns))


def _rows(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    empty = [""] * len(table)
    texts = [_texts(column, table[column]) if column in table else empty for column in columns]
    return zip(*texts, strict=True)


def _texts(column: str, values: Iterable[Any]) -> list[str]:
    """The cells of a column as a file holds them."""
    return ["" if pd.isna(value) else _text(column, value) for value in values]


def _text(column: str, value: Any) -> str:
    if column in _TIMES:
        return to_seconds(int(value))
    if column in _NUMBERS:
        return f"{float(value):.6f}"
    if column == "needs_check":
        return "true" if value else "false"
    return str(value)
