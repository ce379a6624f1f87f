"""Cells of a spreadsheet, as people save one: CSV with commas, semicolons, tabs or bars, or an Excel workbook (.xlsx).

Every cell is text. The columns are known by their headings, in any case and by the usual synonyms; lines above the
headings, empty rows and empty columns are passed over. What was taken for what is told in sentences.

openpyxl reads workbooks; it never sees one that is larger than the limits or that declares entities.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import FormatError, TableError
from pipeline.formats.safe_reader import Source
from pipeline.formats.speaker_roles import plain, role_of

ZIP = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_DELIMITERS = ",;\t|"
_ABOVE = 10
"""Lines that may stand above the headings."""
_LIMIT = 100_000  # rows: as many as a file of any other format may have elements (`safe_reader.ELEMENTS`)
_UNIT = re.compile(
    r"(?<=\S)(?: in)?"
    r"(?: (?:h{1,2} )?m{1,2} s{1,2}(?: m?s+)?| s| secs?| seconds| sek| sekunden| m?sec| ms| milliseconds)$"
)
_FIRST_YEAR, _DAY_ZERO = 1901, datetime.datetime(1899, 12, 31)  # workbooks count days from the end of 1899
_COUNT = re.compile(r"[\d:.,]+")
_MS = re.compile(r"[\W_](?:ms|msec|milliseconds)\W*$", re.IGNORECASE)
"""A heading that counts milliseconds; "mm:ss.ms" is a clock time."""

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "text": (
        *("text", "utterance text", "transcript", "transcription", "content", "what was said", "speech", "sentence"),
        *("words", "dialogue", "dialog", "message", "verbatim", "utterance", "coded segment", "segment"),
        *("texte", "enonce", "texto", "enunciado", "testo", "tekst", "ausserung", "wortlaut", "aussage", "inhalt"),
    ),
    "role": ("role", "speaker role", "rolle", "rol", "ruolo", "funktion"),
    "speaker": (
        *("speaker", "who", "speaker name", "speaker label", "name", "voice", "person", "participant", "talker"),
        *("interlocutor", "speaker id", "speaker number", "speakers", "sprecher", "sprecherin", "wer", "redner"),
        *("locuteur", "locutrice", "intervenant", "qui", "hablante", "quien", "orador", "parlante", "falante"),
        "spreker",
    ),
    "start": (
        *("start", "start time", "begin", "begin time", "time", "timestamp", "time stamp", "timecode", "time in", "in"),
        *("onset", "from", "timespan", "time span", "time range", "beginn", "startzeit", "anfang", "von", "zeit"),
        *("zeitmarke", "zeitspanne", "debut", "temps", "inicio", "comienzo", "tiempo", "inizio", "starttijd"),
    ),
    "end": (
        *("end", "end time", "stop", "stop time", "time out", "out", "offset", "to", "finish"),
        *("ende", "endzeit", "bis", "fin", "fim", "fine", "einde", "eindtijd"),
    ),
    "utterance_id": (
        *("utterance id", "id", "utterance number", "utterance no", "utterance", "no", "nr", "number", "line"),
        *("line number", "row", "index", "turn", "turn number", "segment", "cue", "nummer", "zeile"),
    ),
    "tape_id": ("tape id", "tape", "session id", "session", "transcript id", "recording", "file", "file name"),
    "target_behavior": ("target behavior", "target behaviour", "target", "topic"),
}
"""Our column -> headings that stand for it, the surest first."""


@dataclass(frozen=True)
class Worksheet:
    """Named columns of text; ``rows`` are as long as ``header``.

    ``lines`` says in which line of the file, or row of the sheet, each row stands. ``ms`` are columns whose heading
    says that they hold milliseconds. ``notes`` are sentences for whoever gave the file.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    ms: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    """Our column -> its heading in the file."""


def read(source: Source) -> Worksheet:
    """The worksheet of a file.

    Raises
    ------
    TableError: T02 neither text nor a workbook, T03 no column holds text, T04 no rows, T05 a row is longer than the
        headings, or a column is there twice.
    FormatError: F02 to F05 an unsafe or damaged workbook.
    """
    if source.data.startswith(_OLD_WORKBOOK):
        remedy = "open it and save it as an Excel workbook (.xlsx) or as CSV"
        raise TableError("T02", f"table {source.name}", "is a workbook of Excel 97 to 2003", remedy)
    if source.data.startswith(ZIP):
        return of_cells(source.name, *_workbook(source))
    text, notes = decoded(source)
    return of_cells(source.name, _delimited(source.name, text), notes)


def of_cells(name: str, cells: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> Worksheet:
    """The worksheet that rows of cells make, headings included.

    Raises
    ------
    TableError: T03, T04 and T05 as `read`.
    """
    heading = _heading_row(cells)
    numbered = [(number, row) for number, row in enumerate(cells, 1) if any(cell.strip() for cell in row)]
    if heading is None:
        titles = _script_titles(numbered) or []
        if not titles:
            given = ", ".join(numbered[0][1])[:120] if numbered else "nothing"
            value = f"lacks the column 'text', it has {given}"
            raise TableError("T03", f"table {name}", value, "name the columns in its first row: speaker, text")
        body = numbered
    else:
        titles = [cell.strip() for cell in cells[heading]]
        body = [(number, row) for number, row in numbered if number > heading + 1]
    while titles and not titles[-1] and not any(len(row) >= len(titles) and row[-1].strip() for _, row in body):
        titles.pop()
        body = [(number, row[: len(titles)]) for number, row in body]
    header, ms, taken = _named(name, titles)
    named = tuple(header)
    rows = []
    for number, row in body:
        if any(cell.strip() for cell in row[len(header) :]) or len(row) <= header.index("text"):
            value = f"has {len(row)} cells, the header has {len(header)}"
            raise TableError(
                "T05", f"table {name}, row {number}", value, "put quotes around cells that hold commas or semicolons"
            )
        rows.append((*row[: len(header)], *[""] * (len(header) - len(row))))
    if not rows:
        raise TableError("T04", f"table {name}", "has no rows", "export a transcript with at least one utterance")
    columns = [at for at, title in enumerate(header) if title or any(row[at].strip() for row in rows)]
    header = [header[at] or f"column {at + 1}" for at in columns]
    return Worksheet(
        tuple(header),
        tuple(tuple(row[at] for at in columns) for row in rows),
        tuple(number for number, _ in body),
        frozenset(ms),
        (*notes, *taken),
        {column: title for column, title in zip(named, titles, strict=True) if column != title},
    )


def decoded(source: Source) -> tuple[str, tuple[str, ...]]:
    """Text of a file in UTF-8, UTF-16 with its mark, or else Windows-1252, and a sentence where that was a guess.

    Raises
    ------
    TableError: T02 it is no text.
    """
    whole, notes = source.in_utf8()
    try:
        return whole.text(), notes
    except FormatError as error:
        remedy = "save it with the encoding UTF-8 (in Excel: CSV UTF-8), or as .xlsx or .docx"
        raise TableError("T02", f"table {source.name}", "is not text in UTF-8", remedy) from error


def is_tabbed(text: str) -> bool:
    """Whether a text is a table with tabs, whose headings name a column of text and another."""
    rows = [line.split("\t") for line in re.split(r"\r\n|\r|\n", text)[:_ABOVE] if line.strip()]
    known = [{_column(cell) for cell in row} - {None} for row in rows]
    return any("text" in columns and len(columns) > 1 for columns in known)


def _delimited(name: str, text: str) -> list[list[str]]:
    """Rows by the delimiter with which most headings are known."""
    best: list[list[str]] = []
    score = (-1, -1)
    problem: csv.Error | None = None
    for delimiter in _DELIMITERS:
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except csv.Error as error:
            problem = problem or error
            continue
        heading = _heading_row(rows)
        known = sum(_column(cell) is not None for cell in rows[heading]) if heading is not None else 0
        if (candidate := (known, len(rows[heading or 0]) if rows else 0)) > score:
            best, score = rows, candidate
    if problem and score[0] < 1 and score[1] < 2:
        remedy = "close the quotes in it: its text starts with a quote that is never closed"
        raise TableError("T02", f"table {name}", f"is not CSV ({problem})", remedy) from problem
    return best


def _workbook(source: Source) -> tuple[list[list[str]], tuple[str, ...]]:
    """The cells of the first sheet that has any, and which that is where there are several."""
    from openpyxl import load_workbook

    remedy = "open it in Excel and save it as a workbook (.xlsx), or as CSV"
    source.office_members("xl/workbook.xml", "an Excel workbook", remedy)
    try:
        book = load_workbook(io.BytesIO(source.data), read_only=True, data_only=True)
        sheets = [(sheet.title, _cells(sheet)) for sheet in book.worksheets]
    except Exception as error:
        source.refuse(
            "F03", f"is a damaged workbook ({type(error).__name__})", "open it, save it again as .xlsx, try again"
        )
    filled = [(title, cells) for title, cells in sheets if cells]
    if not filled:
        return [], ()
    title, cells = next(((t, c) for t, c in filled if _heading_row(c) is not None), filled[0])
    others = [other for other, _ in filled if other != title]
    note = f'The sheet "{title}" was read, not {", ".join(others)}.' if others else ""
    return cells, (note,) if note else ()


def _cells(sheet: object) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in sheet.iter_rows(values_only=True, max_row=_LIMIT):  # type: ignore[attr-defined]
        rows.append([_shown(value) for value in row])
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _shown(value: object) -> str:
    """A cell of a workbook as text; times of day are times on the tape, in seconds."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime) and value.year < _FIRST_YEAR:  # a time of a day or more
        value -= _DAY_ZERO
    if isinstance(value, datetime.timedelta):
        return f"{value.total_seconds():.3f}"
    if isinstance(value, datetime.time):
        return f"{value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6:.3f}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _heading_row(cells: Sequence[Sequence[str]]) -> int | None:
    """Which row holds the headings: the first that names a column of text and another, or text alone."""
    for needed in (2, 1):
        for number, row in enumerate(cells[:_ABOVE]):
            known = {_column(cell) for cell in row} - {None}
            if "text" in known and len(known) >= needed:
                return number
    return None


def is_talk(cells: Sequence[Sequence[str]]) -> bool:
    """Whether rows of cells are a transcript: headings tell, or a column of roles beside one of text."""
    heading = _heading_row(cells)
    if heading is not None and len({_column(cell) for cell in cells[heading]} - {None}) > 1:
        return True
    return _script_titles([(number, row) for number, row in enumerate(cells, 1) if any(row)]) is not None


def _script_titles(rows: Sequence[tuple[int, Sequence[str]]]) -> list[str] | None:
    """Titles for columns without headings: one says a role in each row, the last of the others what is said."""
    if not rows or len({len(row) for _, row in rows}) > 1:
        return None
    columns = list(zip(*(row for _, row in rows), strict=True))
    speaker = next((at for at, cells in enumerate(columns) if all(role_of(cell) for cell in cells)), None)
    texts = [at for at, cells in enumerate(columns) if all(cell.strip() for cell in cells) and at != speaker]
    if speaker is None or not texts or any(_COUNT.fullmatch(cell.strip()) for cell in columns[texts[-1]]):
        return None
    titles = ["utterance_id" if all(cell.strip().isdecimal() for cell in cells) else "" for cells in columns]
    titles = [title if titles.index(title) == at else "" for at, title in enumerate(titles)]
    titles[speaker], titles[texts[-1]] = "speaker", "text"
    return titles


def _tidy(title: str) -> str:
    """A heading without case, accents and marks, and without the unit of a time: ``"Start (mm:ss)"`` -> ``"start"``."""
    return _UNIT.sub("", " ".join(re.findall(r"[^\W_]+", plain(title))))


def _column(title: str) -> str | None:
    """The column that a heading stands for."""
    tidy = _tidy(title)
    return next((column for column, titles in HEADINGS.items() if tidy in titles), None)


def _named(name: str, titles: Sequence[str]) -> tuple[list[str], set[str], list[str]]:
    """Our names of the columns, those in milliseconds, and sentences on what was taken for what."""
    header, ms, taken = list(titles), set(), []
    for title in {title for title in titles if title and titles.count(title) > 1}:
        raise TableError("T05", f"table {name}", f"has the column {title!r} twice", "rename or remove one of them")
    free = {at for at, title in enumerate(titles) if title}
    for column, known in HEADINGS.items():
        ranked = sorted((known.index(_tidy(titles[at])), at) for at in free if _tidy(titles[at]) in known)
        if column == "text" and not ranked:
            given = ", ".join(titles)[:120]
            raise TableError("T03", f"table {name}", f"lacks the column 'text', it has {given}", "add it")
        if not ranked or (column == "end" and "start" not in header):
            continue  # an end alone counts something else, as MAXQDA's paragraphs
        at = ranked[0][1]
        free.discard(at)
        header[at] = column
        if _MS.search(titles[at]):
            ms.add(column)
        if _tidy(titles[at]) != _tidy(column):
            taken.append(f'"{titles[at]}" for {column.replace("_", " ")}')
    return header, ms, [f"Columns were read as follows: {', '.join(taken)}."] if taken else []
