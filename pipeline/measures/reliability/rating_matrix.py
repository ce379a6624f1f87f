"""The codes of several coders as one grid: a row per coder, a column per utterance, and in each cell a set of codes.

A cell is missing (-1) if the coder did not listen to the utterance; it is the empty set (0) if the coder left it
without a code, which is a value like any other. A `Level` is what of the codes is compared: all of them, one family,
one code, or which code of a family among units to which every coder gave the family.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import TableError
from pipeline.languages import is_foreign
from pipeline.timeline import LAYERS, OTHER

MACHINE, MEMBER, CONSENSUS, COACH = LAYERS
NOT_CODED = "(not coded)"
REQUIRED_COLUMNS = ("tape_id", "utterance_id", "coder", "layer", "codes")

Absent = Literal["auto", "missing", "not-coded"]
"""The meaning of an utterance without a row on a tape that the coder coded: not listened to ("missing"), or left
without a code ("not-coded"). ``auto``: missing if the coder has rows with an empty code on that tape (a coder who
writes such rows is taken to write them all), else not coded."""

Grid = NDArray[np.int32]


@dataclass(frozen=True)
class CodingScheme:
    """The codes' families, and the role whose utterances each code belongs to.

    ``ordered`` are the families whose codes have an order, the lowest first; no code at all ranks below them. ``book``
    holds the codes of the codebook itself: coders who can give each of them are compared on all codes. ``ratio``: the
    codes of all reflections and of all questions, if the codebook has both.
    """

    families: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, str]
    ordered: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str] = field(default_factory=dict)
    book: frozenset[str] = frozenset()
    ratio: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def completed(self, codes: Sequence[str]) -> CodingScheme:
        """Return the scheme with a family for each code that has none; numbers make one ordered family of ratings."""
        known = {code for family in self.families.values() for code in family}
        new = [code for code in codes if code not in known]
        numbers = sorted((code for code in new if code.isdecimal()), key=int)
        families = dict(self.families) | {
            single_code_family(code, self.families): (code,) for code in new if not code.isdecimal()
        }
        if not numbers:
            return replace(self, families=families)
        rated = {"rating": tuple(numbers)}
        return replace(self, families=families | rated, ordered=dict(self.ordered) | rated)


def single_code_family(code: str, families: Collection[str]) -> str:
    """Return the name of a family with this code alone: the code's, marked if a family of that name exists already."""
    return f"{code} (code)" if code in families else code


@dataclass(frozen=True)
class Level:
    """A level of comparison: ``value_of_set`` maps each set of codes to the index of its value.

    The first ``scale`` of the ``values`` can always be chosen; the others, sets of codes, are values only if somebody
    chose them. ``units`` marks the cells that can carry the level, shape (coders, utterances). With ``both``, a unit
    counts only if every coder has a value other than none, and ``value_of_set`` then counts from 1. ``ordered`` is the
    rank of each value.
    """

    kind: str
    name: str
    values: tuple[str, ...]
    scale: int
    value_of_set: NDArray[np.int32]
    units: NDArray[np.bool_]
    both: bool = False
    ordered: tuple[int, ...] | None = None

    def values_of(self, cells: Grid) -> Grid:
        """Return the indices of the cells' values; -1 stays missing, as do utterances that cannot carry the level."""
        values = np.where((cells >= 0) & self.units, self.value_of_set[cells], -1).astype(np.int32)
        return np.maximum(values - 1, -1) if self.both else values


@dataclass(frozen=True)
class RatingMatrix:
    """The grid with its rows, columns and the meaning of its cells."""

    coders: tuple[tuple[str, str], ...]
    """(layer, coder) of each row."""
    tapes: tuple[str, ...]
    utterances: NDArray[Any]
    tape_index: NDArray[np.int64]
    """The tape of each column, as an index of ``tapes``."""
    role: NDArray[Any] | None
    code_sets: tuple[frozenset[str], ...]
    """The sets of codes that the numbers in the grid are indices of."""
    grid: Grid
    times: NDArray[np.float64]
    """When each coder finished each tape (ms since 1970), shape (coders, tapes); NaN if unknown."""
    shown: NDArray[np.int8] | None
    """Whether the coder saw the machine's codes first, by cell: 1, 0, or -1 if unknown."""
    starts: NDArray[np.float64] | None
    """The start of each utterance on its tape, in ms; NaN if unknown."""
    scheme: CodingScheme
    limits: tuple[frozenset[str] | None, ...]
    """The sets of codes that coders could give; None for no known limit."""
    limit_index: NDArray[np.int64]
    """The limit of each coder on each tape, as an index of ``limits``, shape (coders, tapes)."""
    not_comparable: NDArray[np.bool_] | None
    """The cells without a row on units that overlap other units (`pipeline.measures.reliability.alignment`): two coders
    who both have none there are not compared."""
    filled_cells: int
    """How many cells had no row and were taken as left without a code."""

    def comparable(self, first: int, second: int, cells: Grid) -> NDArray[np.bool_]:
        """Return the units on which two coders (rows) are compared; ``cells`` as from `Level.values_of`."""
        units = (cells[first] >= 0) & (cells[second] >= 0)
        if self.not_comparable is not None:
            units &= ~(self.not_comparable[first] & self.not_comparable[second])
        return np.asarray(units)

    def codes_among(self, rows: Sequence[int], cells: Grid) -> Grid:
        """Return the cells of coders who are compared among themselves."""
        if self.not_comparable is None:
            return cells[list(rows)]
        nobody = (self.not_comparable[list(rows)] | (cells[list(rows)] < 0)).all(axis=0)
        return np.where(nobody, -1, cells[list(rows)]).astype(np.int32)

    def could_give(self, codes: Collection[str]) -> NDArray[np.bool_]:
        """Return whether each coder could give all of these codes on each tape, shape (coders, tapes)."""
        able = np.array([limit is None or limit.issuperset(codes) for limit in self.limits])
        return np.asarray(able[self.limit_index])

    def rows(self, layer: str) -> list[int]:
        """Return the rows of a layer."""
        return [row for row, (name, _) in enumerate(self.coders) if name == layer]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes that occur, in the scheme's order."""
        seen = set().union(*self.code_sets)
        return tuple(code for family in self.scheme.families.values() for code in family if code in seen)

    @cached_property
    def proposed(self) -> Level:
        """All codes that the machine could propose on each of its tapes."""
        book, rows = self.scheme.book, self.rows(MACHINE)
        limits = [self.limits[index] for index in np.unique(self.limit_index[rows])]
        codes = book.intersection(*(book if limit is None else limit for limit in limits))
        if codes == book:
            return self.levels[0]
        return self._all("all that the machine proposes", codes, self._cells(tuple(codes)) & bool(codes))

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """All codes, each family, which code of a family, each code; only what occurs."""
        limits = [limit for limit in self.limits if limit is not None]
        # Codes beyond the codebook count if every coder could give them.
        beyond = frozenset.intersection(*limits) if limits else frozenset(self.codes)
        levels = [self._all("all codes", self.scheme.book | beyond, self._cells())]
        families = {name: codes for name, codes in self.scheme.families.items() if set(codes) & set(self.codes)}
        levels += [self._family(name, codes) for name, codes in families.items()]
        levels += [self._family(name, codes, both=True) for name, codes in families.items() if len(codes) > 1]
        return (*levels, *(self._code(code) for code in self.codes))

    def _all(self, name: str, codes: frozenset[str], cells: NDArray[np.bool_]) -> Level:
        parts = ["|".join(sorted(code_set & codes)) for code_set in self.code_sets]
        values = sorted(set(parts))
        value_of_set = np.array([values.index(part) for part in parts], dtype=np.int32)
        return Level("all", name, tuple(value or NOT_CODED for value in values), 0, value_of_set, cells)

    def _family(self, name: str, codes: tuple[str, ...], both: bool = False) -> Level:
        parts = [tuple(code for code in codes if code in code_set) for code_set in self.code_sets]
        several = sorted({part for part in parts if len(part) > 1})
        values = [(), *((code,) for code in codes), *several]
        value_of_set = np.array([values.index(part) for part in parts], dtype=np.int32)
        names = tuple("|".join(value) or NOT_CODED for value in values)
        order = self.scheme.ordered.get(name)
        # A unit with several codes of an ordered family has the highest.
        ranks = None if order is None else tuple(max((1 + order.index(code) for code in v), default=0) for v in values)
        if both:
            return Level("which", name, names[1:], len(codes), value_of_set, self._cells(codes), both=True)
        return Level("family", name, names, 1 + len(codes), value_of_set, self._cells(codes), ordered=ranks)

    def _code(self, code: str) -> Level:
        value_of_set = np.array([code in code_set for code_set in self.code_sets], dtype=np.int32)
        return Level("code", code, (NOT_CODED, code), 2, value_of_set, self._cells((code,)))

    def _cells(self, codes: tuple[str, ...] | None = None) -> NDArray[np.bool_]:
        """Return the cells whose coder could give all of ``codes`` (by default the codebook's), on utterances of the
        codes' role if roles are known."""
        wanted = self.scheme.book if codes is None else codes
        able = self.could_give(wanted)[:, self.tape_index]
        roles = {self.scheme.roles.get(code) for code in wanted}
        if self.role is None or None in roles or not roles:
            return able
        return np.asarray(able & np.isin(self.role, [*map(str, roles), "unknown"]))


def build_rating_matrix(table: pd.DataFrame, scheme: CodingScheme, absent: Absent = "auto") -> RatingMatrix:
    """Build the grid.

    Parameters
    ----------
    table: one row per utterance, coder and layer (`pipeline.formats.code_table`), ``codes`` separated by ``|``;
        ``coded_at``, ``role``, ``pretag_shown``, ``start`` (ms) and ``codable`` are used if present. ``codable``: the
        codes that the coder could give on the tape, separated by ``|``; missing for no known limit. ``language``: an
        utterance in another language than English counts for those alone who gave it codes.
    scheme: the codebook's families; each code that it lacks gets a family.
    absent: see `Absent`.

    Raises
    ------
    TableError: T03 a column is missing.
    """
    for column in REQUIRED_COLUMNS:
        if column not in table:
            raise TableError("T03", "table of codes", f"lacks the column {column!r}", "add it")
    # Sorted, so that neither figures nor random draws depend on the order of rows.
    tape, tapes = pd.factorize(table["tape_id"], sort=True)
    name, names = _utterance_order(table)
    unit, units = pd.factorize(tape * len(names) + name, sort=True)
    tape_index = units // max(len(names), 1)
    row, coders = _coder_order(table)
    cell, cells = pd.factorize(table["codes"], sort=True)
    code_sets: dict[frozenset[str], int] = {frozenset(): 0}
    set_of_cell = np.array(
        [code_sets.setdefault(frozenset(text.split("|")) - {""}, len(code_sets)) for text in cells], dtype=int
    )
    grid = np.full((len(coders), len(units)), -1, dtype=np.int32)
    grid[row, unit] = set_of_cell[cell] if len(cells) else 0
    times = np.full((len(coders), len(tapes)), -np.inf)
    if "coded_at" in table:
        np.maximum.at(times, (row, tape), table["coded_at"].to_numpy(dtype=float, na_value=-np.inf))
    shown = None
    if "pretag_shown" in table:
        shown = np.full(grid.shape, -1, dtype=np.int8)
        shown[row, unit] = table["pretag_shown"].astype("Int8").to_numpy(dtype=np.int8, na_value=-1)
    limits, limit_index = _limits(table, row, tape, (len(coders), len(tapes)))
    not_comparable = None
    if "apart" in table:
        overlapping = np.zeros(len(units), dtype=bool)
        np.logical_or.at(overlapping, unit, table["apart"].to_numpy(dtype=bool))
        not_comparable = (grid < 0) & overlapping
    filled_cells = 0 if absent == "missing" else _fill(grid, tape_index, len(tapes), absent)
    # Who does not speak the language leaves it without codes, and a third person's utterance has none to give: that is
    # no decision to compare.
    asked_of_nobody = np.zeros(len(units), dtype=bool)
    if "language" in table:
        foreign = table["language"].fillna("").map(is_foreign).to_numpy(dtype=bool)
        np.logical_or.at(asked_of_nobody, unit, foreign)
    if "role" in table:
        np.logical_or.at(asked_of_nobody, unit, (table["role"] == OTHER).to_numpy(dtype=bool))
    grid[(grid == 0) & asked_of_nobody] = -1
    starts = None
    if "start" in table:
        starts = np.full(len(units), np.nan)
        np.fmin.at(starts, unit, table["start"].to_numpy(dtype=float, na_value=np.nan))
    return RatingMatrix(
        coders=coders,
        tapes=tuple(str(name) for name in tapes),
        utterances=np.asarray(names, dtype=object)[units % max(len(names), 1)],
        tape_index=tape_index,
        role=_roles(table, unit, len(units)) if "role" in table else None,
        code_sets=tuple(code_sets),
        grid=grid,
        times=np.where(np.isinf(times), np.nan, times),
        shown=shown,
        starts=starts,
        scheme=scheme.completed(sorted(set().union(*code_sets))),
        limits=limits,
        limit_index=limit_index,
        not_comparable=not_comparable,
        filled_cells=filled_cells,
    )


def _coder_order(table: pd.DataFrame) -> tuple[NDArray[np.int64], tuple[tuple[str, str], ...]]:
    """Return the grid row of each row of the table, and (layer, coder) of each grid row: by layer, then by name."""
    rank = {MACHINE: 0, MEMBER: 1, CONSENSUS: 2, COACH: 3}
    layer, layers = (np.asarray(part) for part in pd.factorize(table["layer"]))
    person, people = (np.asarray(part) for part in pd.factorize(table["coder"]))
    coder, pairs = pd.factorize(layer * len(people) + person)
    coders = [(str(layers[pair // len(people)]), str(people[pair % len(people)])) for pair in np.asarray(pairs)]
    order = sorted(range(len(coders)), key=lambda row: (rank.get(coders[row][0], 4), coders[row][1]))
    row_of_coder = np.empty(len(coders), dtype=np.int64)
    row_of_coder[order] = np.arange(len(coders))
    return row_of_coder[coder], tuple(coders[row] for row in order)


def _roles(table: pd.DataFrame, unit: NDArray[np.int64], units: int) -> NDArray[Any]:
    """Return the role of each unit; "unknown" if coders give it different ones: it may carry the codes of either."""
    interviewer, client = (
        np.bincount(unit, weights=table["role"] == role, minlength=units) > 0 for role in ("interviewer", "client")
    )
    return np.select([interviewer & ~client, client & ~interviewer], ["interviewer", "client"], "unknown")


def _utterance_order(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the index of each row's utterance among all names, and the names: by first start, "u2" before "u10"."""
    names = table["utterance_id"].astype(str)
    start = table["start"].astype(float) if "start" in table else pd.Series(0.0, index=table.index)
    first = start.groupby(names.to_numpy()).min().fillna(np.inf)
    key = {
        name: (first[name], [(len(part), part) for part in re.findall(r"\d+|\D+", name)], name) for name in first.index
    }
    ordered = sorted(key, key=lambda name: key[name])
    index_of_name = {name: index for index, name in enumerate(ordered)}
    return names.map(index_of_name).to_numpy(dtype=np.int64), np.array(ordered, dtype=object)


def _limits(
    table: pd.DataFrame, row: NDArray[np.int64], tape: NDArray[np.int64], shape: tuple[int, int]
) -> tuple[tuple[frozenset[str] | None, ...], NDArray[np.int64]]:
    """Return `RatingMatrix.limits` and `RatingMatrix.limit_index`; several limits on one tape are merged."""
    limit_index = np.zeros(shape, dtype=np.int64)
    if "codable" not in table:
        return (None,), limit_index
    cell, cells = pd.factorize(table["codable"], use_na_sentinel=False)
    codable: dict[tuple[int, int], frozenset[str] | None] = {}
    for key, index in set(zip(zip(row.tolist(), tape.tolist(), strict=True), cell.tolist(), strict=True)):
        new = None if pd.isna(cells[index]) else frozenset(str(cells[index]).split("|")) - {""}
        before = codable.get(key, frozenset())
        codable[key] = None if new is None or before is None else before | new
    limits: dict[frozenset[str] | None, int] = {None: 0}
    for key, codes in codable.items():
        limit_index[key] = limits.setdefault(codes, len(limits))
    return tuple(limits), limit_index


def _fill(grid: Grid, tape: NDArray[np.int64], tapes: int, absent: Absent) -> int:
    """Mark utterances without a row as left without a code, on the tapes that a coder coded; return their number."""
    filled = 0
    for row in grid:
        coded = np.bincount(tape[row >= 0], minlength=tapes) > 0
        if absent == "auto":
            coded &= np.bincount(tape[row == 0], minlength=tapes) == 0
        new = (row < 0) & coded[tape]
        row[new] = 0
        filled += int(new.sum())
    return filled
