"""Codes of several coders in one table: ``tape_id, utterance_id, coder, layer, code, coded_at``.

- A row is one code. Several codes of one utterance are several rows with the same ``coded_at``, or one cell with ``|``.
- An empty ``code`` says that the coder heard the utterance and left it without a code. A row without coder, layer and
  code says that nobody coded it, as `pipeline.formats.tidy_table` writes, and is passed over.
- ``layer`` is machine, member, consensus or coach.
- ``coded_at`` is an ISO 8601 date or moment: ``2026-03-01``, ``2026-03-01T14:05:00Z``; without a zone it is UTC. An
  utterance that a coder codes again at a later moment has the later codes; the earlier ones show whether a coder agrees
  with himself or herself.
- A row with the code ``recalibrated``, a coder and no utterance: coder and coach have talked, charts begin anew.
- Optional columns: ``role`` (interviewer or client), ``start`` and ``end`` (seconds), ``zero`` (the second of the
  recording from which these count), ``pretag_shown`` (true or false: whether the coder saw the machine's code before
  choosing), ``codable`` (families or codes that the coder's task and codebook asked for, with ``|`` between; empty
  where that is not known), ``language`` (its code or English name; empty is English: an utterance in another language
  counts for those alone who gave it a code), ``simulated`` (true for invented codes, which a note then says).

`pipeline.formats.tidy_table` writes such tables, one tape's at a time, and names the columns. It is a module of its own
because it reads and writes a transcript, in plain rows: the confined process that reads Parquet has neither memory nor
time for pandas, in which the codes of all coders are compared here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import languages
from pipeline.errors import FormatError, TableError
from pipeline.formats import tape_tables, tidy_table
from pipeline.formats.transcript import ROLE_WORDS
from pipeline.timeline import LAYERS, to_seconds

COLUMNS = tuple(column.name for column in tidy_table.COLUMNS[:6])
"""Columns that the table must have."""

RECALIBRATED = "recalibrated"

KEY = ["tape_id", "utterance_id", "coder", "layer"]

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": None}
_ROLES = ROLE_WORDS | {"": "unknown"}
_LAYERS = dict(zip(LAYERS, LAYERS, strict=True))
_NOTHING = {"not coded", "not_coded"}
"""Other ways to write an empty code."""


@dataclass(frozen=True)
class Codes:
    """Return the codes of a file.

    Attributes
    ----------
    table: one row an utterance, coder and layer: the key, ``codes`` (``|``-joined, sorted; empty: left without a code),
        ``coded_at`` (ms since 1970 in UTC, NA where not given), and ``role``, ``start``, ``end`` (ms), ``pretag_shown``
        and ``codable`` (NA where not given) where the file has them.
    earlier: codings that a later one of the same coder replaced, in the same form.
    recalibrated: one row an event: ``coder``, ``at`` (ms).
    notes: what was put right or passed over, a sentence each.
    zeros: tape -> the millisecond of the recording from which its times count, where the file says so.
    """

    table: pd.DataFrame
    earlier: pd.DataFrame
    recalibrated: pd.DataFrame
    notes: tuple[str, ...]
    zeros: Mapping[str, int] = field(default_factory=dict)


def read(path: Path) -> Codes:
    """Read the codes of several coders.

    Raises
    ------
    TableError: T01 unreadable, T02 not CSV in UTF-8, T03 a column lacks, T04 no rows, T05 a wrong value, T07 a date
        that cannot be read.
    FormatError: F12 rows do not say what their times count from, and do not fit the others of their tape as they are.
    """
    raw = tape_tables.read_cells(path, COLUMNS, "codes, one per row")
    for column in COLUMNS:
        raw[column] = raw[column].str.strip().map(tidy_table.without_apostrophe)
    nobody = (raw["coder"] == "") & (raw["layer"] == "") & (raw["code"] == "")
    raw["layer"] = _mapped(raw["layer"].str.lower().mask(nobody, LAYERS[0]), _LAYERS, "layer", path)
    # The machine and the group as a whole need no name.
    unnamed = (raw["coder"] == "") & raw["layer"].isin(["machine", "consensus"])
    raw["coder"] = raw["coder"].where(~unnamed, raw["layer"])
    raw["coded_at"] = _moments(raw["coded_at"], path)
    if "role" in raw:
        raw["role"] = _mapped(raw["role"].str.strip().str.lower(), _ROLES, "role", path)
    if "language" in raw:
        raw["language"] = [languages.code(cell) or "" for cell in raw["language"]]
    if "pretag_shown" in raw:
        shown = _mapped(raw["pretag_shown"].str.strip().str.lower(), _TRUTH, "pretag_shown", path)
        raw["pretag_shown"] = shown.astype("boolean")
    notes = _simulated(raw)
    zeros: dict[str, int] = {}
    if {"zero", "start", "end"} <= set(raw):
        raw, zeros, more = _one_zero(raw, path)
        notes += more
    if "codable" in raw:
        cells = raw["codable"].str.strip().map(tidy_table.without_apostrophe)
        raw["codable"] = cells.where(cells != "", None)
    event = (raw["code"] == RECALIBRATED) & (raw["utterance_id"] == "")
    for column in ("coder", "tape_id", "utterance_id"):
        empty = (raw[column] == "") & ~(event & (column != "coder")) & ~nobody
        _refuse(empty, path, partial(_lacks, column), "fill it in")
    _refuse(event & raw["coded_at"].isna(), path, lambda row: "is an event without a time", "fill in coded_at")
    events = raw.loc[event, ["coder", "coded_at"]].rename(columns={"coded_at": "at"})
    _refuse_other_times(raw[~event & ~nobody], path)
    codes = _collapsed(raw[~event & ~nobody].reset_index(drop=True), events.reset_index(drop=True), path)
    return replace(codes, notes=(*codes.notes, *notes), zeros=zeros)


def _simulated(raw: pd.DataFrame) -> list[str]:
    """Return the note on rows of a simulated home, whose files say so in the column ``simulated``."""
    if "simulated" not in raw:
        return []
    number = int(raw["simulated"].str.strip().str.lower().eq("true").sum())
    return [f"Simulated: {_rows(number)} of invented codes. No figure here is about real people."] if number else []


def _one_zero(raw: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, dict[str, int], list[str]]:
    """Let all times of a tape count from the zero of its first row that names one; rows may come from several files.

    Rows that name none count like the others of their tape, which a note says.

    Raises
    ------
    FormatError: F12 such rows fit the others only if they count from the start of the recording.
    """
    cells = raw["zero"].str.strip().map(tidy_table.without_apostrophe)
    seconds = pd.to_numeric(cells, errors="coerce")
    wrong = (cells != "") & ~seconds.between(0, tape_tables.LAST_MS / 1000)
    _refuse(wrong, path, lambda row: f"has zero {raw['zero'].iloc[row]!r}", "write seconds of the recording")
    ms = (seconds * 1000).round()
    zeros = {str(tape_id): int(zero) for tape_id, zero in ms.groupby(raw["tape_id"]).first().dropna().items()}
    first = raw["tape_id"].map(zeros)
    later = (ms - first).fillna(0).astype("int64")
    times = raw.assign(start=raw["start"] + later, end=raw["end"] + later).drop(columns="zero")
    timed = times["start"].notna() & times["end"].notna() & first.notna()
    nameless = timed & ms.isna()
    taken = []
    for tape_id, rows in times[timed].groupby("tape_id"):
        unnamed, zero = rows[nameless[rows.index]], zeros[str(tape_id)]
        if len(unnamed):
            _refuse_shifted(rows.drop(unnamed.index), unnamed, zero, path)
            taken.append(f"on {tape_id} from {to_seconds(zero)} s")
    if not taken:
        return times, zeros, []
    number = int(nameless.sum())
    shown = f"{', '.join(taken[:5])}{', ...' if len(taken) > 5 else ''}"
    sentence = f"{_rows(number)} without zero: {'its' if number == 1 else 'their'} times are taken to count"
    return times, zeros, [f"{sentence} like those of the tape's other rows, {shown}."]


def _refuse_shifted(named: pd.DataFrame, unnamed: pd.DataFrame, zero: int, path: Path) -> None:
    """Refuse rows of a tape whose times fit the others' better if they count from the start of the recording."""
    starts, ends = (named[end].to_numpy(dtype=float)[:, None] for end in ("start", "end"))

    def fit(by: int) -> float:
        first, last = (unnamed[end].to_numpy(dtype=float)[None, :] - by for end in ("start", "end"))
        common = np.minimum(ends, last) - np.maximum(starts, first)
        union = np.maximum(ends, last) - np.minimum(starts, first)
        return float(np.where(union > 0, np.maximum(common, 0) / np.maximum(union, 1), 1.0).max(axis=0).sum())

    if zero and fit(zero) > fit(0):
        value = f"has no zero, and other times of its tape count from {to_seconds(zero)} s of the recording"
        remedy = "write 0 into its zero if its times count from the start of the recording, as they seem to"
        raise FormatError("F12", f"table {path.name}, row {int(unnamed.index[0]) + 2}", value, remedy)


def _refuse_other_times(raw: pd.DataFrame, path: Path) -> None:
    """Refuse a coding of one utterance with several times: its rows would count as one unit."""
    coding = raw.groupby([*KEY, "coded_at"], dropna=False, sort=False)
    for end in [end for end in ("start", "end") if end in raw]:
        first = coding[end].transform("first")
        differs = ((raw[end] != first) & raw[end].notna() & first.notna()).to_numpy(dtype=bool, na_value=False)
        if differs.any():
            row = raw.index[differs][0]
            same = (coding.ngroup() == coding.ngroup()[row]) & raw[end].notna()
            value = f"has other times for utterance {raw['utterance_id'][row]!r} than row {same.idxmax() + 2}"
            thing = f"table {path.name}, row {row + 2}"
            raise TableError("T05", thing, value, "give each stretch an id of its own")


def _collapsed(raw: pd.DataFrame, events: pd.DataFrame, path: Path) -> Codes:
    """One row a coder and utterance: the latest codes, and apart from them the earlier ones."""
    if raw.empty:
        raise TableError("T04", f"table {path.name}", "has no rows with codes", "export codes, one per row")
    notes = []
    raw["code"] = raw["code"].where(~raw["code"].str.lower().isin(_NOTHING), "")
    key = raw.groupby(KEY, sort=False).ngroup().to_numpy()
    time = raw["coded_at"].to_numpy(dtype="float64", na_value=-np.inf)
    latest = np.full(key.max() + 1, -np.inf)
    np.maximum.at(latest, key, time)
    late = time == latest[key]
    twice = int(raw[late].duplicated([*KEY, "code"]).sum())
    if twice:
        notes.append(f"{_rows(twice)} {'names' if twice == 1 else 'name'} a code of an utterance again: counted once.")
    replaced = int((~late).sum())
    if replaced:
        were = "was" if replaced == 1 else "were"
        notes.append(f"{_rows(replaced)} {were} replaced by a later coding of the same coder: the latest counts.")
    if not np.isfinite(time).all():
        undated = _rows(int((~np.isfinite(time)).sum()))
        notes.append(f"{undated} without coded_at: left out where the order in time matters.")
    table = _joined(raw[late], key[late])
    # A coding is of one moment: of several earlier ones the last counts.
    before = np.full(key.max() + 1, -np.inf)
    np.maximum.at(before, key[~late], time[~late])
    second = ~late & (time == before[key]) & np.isfinite(time)
    return Codes(table, _joined(raw[second], key[second]), events, tuple(notes))


def _joined(rows: pd.DataFrame, key: np.ndarray) -> pd.DataFrame:
    """Join the codes of rows with one key; other cells are those of the key's first row."""
    first = ~pd.Series(key).duplicated().to_numpy()
    table = rows[first].rename(columns={"code": "codes"}).reset_index(drop=True)
    positions = {name: position for position, name in enumerate(key[first])}
    several = pd.Series(key).duplicated(keep=False).to_numpy() | rows["code"].str.contains("|", regex=False).to_numpy()
    sets: dict[int, set[str]] = {}
    for name, cell in zip(key[several], rows["code"][several], strict=True):
        sets.setdefault(positions[name], set()).update(part.strip() for part in cell.split("|"))
    codes = table["codes"].to_numpy(dtype=object)
    for position, parts in sets.items():
        codes[position] = "|".join(sorted(parts - {""}))
    return table.assign(codes=codes)


def _mapped(cells: pd.Series, words: Mapping[str, object], column: str, path: Path) -> pd.Series:
    known = cells.isin(list(words))
    allowed = ", ".join(word for word in words if word)
    _refuse(~known, path, lambda row: f"has {column} {cells.iloc[row]!r}", f"use one of {allowed}")
    return cells.map(words)


def _moments(cells: pd.Series, path: Path) -> pd.Series:
    """Milliseconds since 1970 in UTC."""
    times: dict[str, int | None] = {"": None}
    for cell in cells.unique():
        try:
            if cell:
                moment = datetime.fromisoformat(cell)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                times[cell] = round(moment.timestamp() * 1000)
        except (ValueError, OverflowError) as error:
            row = int((cells == cell).to_numpy().argmax())
            remedy = "write ISO 8601, for example 2026-03-01 or 2026-03-01T14:05:00Z, or leave the cell empty"
            raise TableError(
                "T07", f"table {path.name}, row {row + 2}", f"has coded_at {cell!r}, which is not a date", remedy
            ) from error
    return cells.map(times).astype("Int64")


def _refuse(wrong: pd.Series, path: Path, value: Callable[[int], str], remedy: str) -> None:
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise TableError("T05", f"table {path.name}, row {row + 2}", value(row), remedy)


def _lacks(column: str, row: int) -> str:
    return f"has no {column}"


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
