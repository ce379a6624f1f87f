"""The codes of several coders as one grid: a row a coder, a column an utterance, in each cell the codes that it got.

A cell is missing (-1) where a coder did not hear the utterance; it is the empty set (0) where the coder left it without
a code: that is a value like any other. A `Level` says what of the codes is compared: all of them, one family, one code,
or which code of a family where both say the family.
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
from pipeline.timeline import LAYERS

MACHINE, MEMBER, CONSENSUS, COACH = LAYERS
NOT_CODED = "(not coded)"
REQUIRED_COLUMNS = ("tape_id", "utterance_id", "coder", "layer", "codes")

Absent = Literal["auto", "missing", "not-coded"]
"""What an utterance without a row means, on a tape that the coder coded: not heard, or left without a code. ``auto``:
not heard where the coder has rows with an empty code on that tape (who says so once, says so always), else left."""

Grid = NDArray[np.int32]


@dataclass(frozen=True)
class CodingScheme:
    """What is known of the codes: families, and which role's utterances a code belongs to.

    ``ordered`` gives families whose codes have an order, the lowest first; no code at all comes before them. ``book``
    holds the codes of the codebook itself: who can give each of them can be compared on all codes. ``ratio``: the codes
    of all reflections and of all questions, where the codebook has both.
    """

    families: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, str]
    ordered: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str] = field(default_factory=dict)
    book: frozenset[str] = frozenset()
    ratio: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def completed(self, codes: Sequence[str]) -> CodingScheme:
        """With a family of its own for each code that none holds; numbers are one ordered family of ratings."""
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
    """The name of the family that holds a code alone: the code's, which a family of the codebook may have already."""
    return f"{code} (code)" if code in families else code


@dataclass(frozen=True)
class Level:
    """What is compared: ``place`` takes each set of codes to its value.

    The first ``scale`` of the ``values`` can always be chosen; the others, sets of codes, are values where somebody
    chose them. ``units`` marks the cells that can carry it, shape (coders, utterances). With ``both``,
    a unit counts where every coder has a value other than none: ``place`` counts from 1 then. ``ordered`` gives the
    rank of each value.
    """

    kind: str
    name: str
    values: tuple[str, ...]
    scale: int
    place: NDArray[np.int32]
    units: NDArray[np.bool_]
    both: bool = False
    ordered: tuple[int, ...] | None = None

    def of(self, cells: Grid) -> Grid:
        """The places of the values of cells; -1 stays missing, and so do utterances that cannot carry the level."""
        found = np.where((cells >= 0) & self.units, self.place[cells], -1).astype(np.int32)
        return np.maximum(found - 1, -1) if self.both else found


@dataclass(frozen=True)
class RatingMatrix:
    """The grid with what its rows and columns are."""

    coders: tuple[tuple[str, str], ...]
    """(layer, coder) of each row."""
    tapes: tuple[str, ...]
    utterances: NDArray[Any]
    tape: NDArray[np.int64]
    """Place of each column's tape."""
    role: NDArray[Any] | None
    sets: tuple[frozenset[str], ...]
    """What the numbers in the grid stand for."""
    grid: Grid
    times: NDArray[np.float64]
    """When each coder was done with each tape (ms since 1970), shape (coders, tapes); NaN where that is not known."""
    shown: NDArray[np.int8] | None
    """Whether the coder saw the machine's codes first, by cell: 1, 0, or -1 where that is not known."""
    starts: NDArray[np.float64] | None
    """When each utterance begins on its tape, in ms; NaN where that is not known."""
    scheme: CodingScheme
    limits: tuple[frozenset[str] | None, ...]
    """What coders could give: sets of codes; None where nothing is known to limit them."""
    limit: NDArray[np.int64]
    """Place of each coder's limit on each tape, shape (coders, tapes)."""
    loose: NDArray[np.bool_] | None
    """The cells without a row on units that lie upon others' (`pipeline.measures.reliability.alignment`): two coders
    who both have none there are not compared."""
    filled: int
    """How many cells had no row and were taken as left without a code."""

    def both(self, one: int, other: int, cells: Grid) -> NDArray[np.bool_]:
        """The units on which two coders are compared, of cells as a level has them."""
        found = (cells[one] >= 0) & (cells[other] >= 0)
        if self.loose is not None:
            found &= ~(self.loose[one] & self.loose[other])
        return np.asarray(found)

    def among(self, rows: Sequence[int], cells: Grid) -> Grid:
        """The cells of coders who are compared among themselves."""
        if self.loose is None:
            return cells[list(rows)]
        nobody = (self.loose[list(rows)] | (cells[list(rows)] < 0)).all(axis=0)
        return np.where(nobody, -1, cells[list(rows)]).astype(np.int32)

    def could(self, codes: Collection[str]) -> NDArray[np.bool_]:
        """Whether each coder could give each of some codes on each tape, shape (coders, tapes)."""
        able = np.array([limit is None or limit.issuperset(codes) for limit in self.limits])
        return np.asarray(able[self.limit])

    def rows(self, layer: str) -> list[int]:
        """The rows of a layer."""
        return [row for row, (name, _) in enumerate(self.coders) if name == layer]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes that occur, in the scheme's order."""
        seen = set().union(*self.sets)
        return tuple(code for family in self.scheme.families.values() for code in family if code in seen)

    @cached_property
    def proposed(self) -> Level:
        """All codes that the machine could propose on each of its tapes."""
        book, rows = self.scheme.book, self.rows(MACHINE)
        limits = [self.limits[place] for place in np.unique(self.limit[rows])]
        codes = book.intersection(*(book if limit is None else limit for limit in limits))
        if codes == book:
            return self.levels[0]
        return self._all("all that the machine proposes", codes, self._cells(tuple(codes)) & bool(codes))

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """All codes, each family, which code of a family, each code; only what occurs."""
        limits = [limit for limit in self.limits if limit is not None]
        # What some could give beyond the codebook counts where all could.
        beyond = frozenset.intersection(*limits) if limits else frozenset(self.codes)
        found = [self._all("all codes", self.scheme.book | beyond, self._cells())]
        families = {name: codes for name, codes in self.scheme.families.items() if set(codes) & set(self.codes)}
        found += [self._family(name, codes) for name, codes in families.items()]
        found += [self._family(name, codes, both=True) for name, codes in families.items() if len(codes) > 1]
        return (*found, *(self._code(code) for code in self.codes))

    def _all(self, name: str, codes: frozenset[str], cells: NDArray[np.bool_]) -> Level:
        parts = ["|".join(sorted(each & codes)) for each in self.sets]
        values = sorted(set(parts))
        place = np.array([values.index(part) for part in parts], dtype=np.int32)
        return Level("all", name, tuple(value or NOT_CODED for value in values), 0, place, cells)

    def _family(self, name: str, codes: tuple[str, ...], both: bool = False) -> Level:
        parts = [tuple(code for code in codes if code in each) for each in self.sets]
        several = sorted({part for part in parts if len(part) > 1})
        values = [(), *((code,) for code in codes), *several]
        place = np.array([values.index(part) for part in parts], dtype=np.int32)
        named = tuple("|".join(value) or NOT_CODED for value in values)
        order = self.scheme.ordered.get(name)
        # A unit with several codes of an ordered family has the highest.
        ranks = None if order is None else tuple(max((1 + order.index(code) for code in v), default=0) for v in values)
        if both:
            return Level("which", name, named[1:], len(codes), place, self._cells(codes), both=True)
        return Level("family", name, named, 1 + len(codes), place, self._cells(codes), ordered=ranks)

    def _code(self, code: str) -> Level:
        place = np.array([code in each for each in self.sets], dtype=np.int32)
        return Level("code", code, (NOT_CODED, code), 2, place, self._cells((code,)))

    def _cells(self, codes: tuple[str, ...] | None = None) -> NDArray[np.bool_]:
        """The cells whose coder could give some codes (all of the codebook, without any), on utterances of their role
        where roles are known."""
        wanted = self.scheme.book if codes is None else codes
        able = self.could(wanted)[:, self.tape]
        roles = {self.scheme.roles.get(code) for code in wanted}
        if self.role is None or None in roles or not roles:
            return able
        return np.asarray(able & np.isin(self.role, [*map(str, roles), "unknown"]))


def build_rating_matrix(table: pd.DataFrame, scheme: CodingScheme, absent: Absent = "auto") -> RatingMatrix:
    """Build the grid.

    Parameters
    ----------
    table: one row an utterance, coder and layer (`pipeline.formats.code_table`), ``codes`` separated by ``|``;
    ``coded_at``,
        ``role``, ``pretag_shown``, ``start`` (ms) and ``codable`` are used where they are there. ``codable``: what the
        coder could give on the tape, separated by ``|``; missing where nothing is known to limit it.
    scheme: the codebook's families; codes that it lacks are families of their own.
    absent: see `Absent`.

    Raises
    ------
    TableError: T03 a column lacks.
    """
    for column in REQUIRED_COLUMNS:
        if column not in table:
            raise TableError("T03", "table of codes", f"lacks the column {column!r}", "add it")
    # Sorted, so that the order of rows decides nothing, not even what is drawn at random.
    tape, tapes = pd.factorize(table["tape_id"], sort=True)
    name, names = _in_order(table)
    unit, units = pd.factorize(tape * len(names) + name, sort=True)
    of_unit = units // max(len(names), 1)
    rank = {MACHINE: 0, MEMBER: 1, CONSENSUS: 2, COACH: 3}
    layer, layers = (np.asarray(part) for part in pd.factorize(table["layer"]))
    person, people = (np.asarray(part) for part in pd.factorize(table["coder"]))
    coder, pairs = pd.factorize(layer * len(people) + person)
    coders = [(str(layers[pair // len(people)]), str(people[pair % len(people)])) for pair in np.asarray(pairs)]
    order = sorted(range(len(coders)), key=lambda row: (rank.get(coders[row][0], 4), coders[row][1]))
    row_of = np.empty(len(coders), dtype=np.int64)
    row_of[order] = np.arange(len(coders))
    cell, cells = pd.factorize(table["codes"], sort=True)
    found: dict[frozenset[str], int] = {frozenset(): 0}
    meaning = np.array([found.setdefault(frozenset(text.split("|")) - {""}, len(found)) for text in cells], dtype=int)
    grid = np.full((len(coders), len(units)), -1, dtype=np.int32)
    grid[row_of[coder], unit] = meaning[cell] if len(cells) else 0
    times = np.full((len(coders), len(tapes)), -np.inf)
    if "coded_at" in table:
        at = table["coded_at"].to_numpy(dtype=float, na_value=-np.inf)
        np.maximum.at(times, (row_of[coder], tape), at)
    shown = None
    if "pretag_shown" in table:
        shown = np.full(grid.shape, -1, dtype=np.int8)
        shown[row_of[coder], unit] = table["pretag_shown"].astype("Int8").to_numpy(dtype=np.int8, na_value=-1)
    limits, limit = _limits(table, row_of[coder], tape, (len(coders), len(tapes)))
    loose = None
    if "apart" in table:
        crossed = np.zeros(len(units), dtype=bool)
        np.logical_or.at(crossed, unit, table["apart"].to_numpy(dtype=bool))
        loose = (grid < 0) & crossed
    filled = 0 if absent == "missing" else _fill(grid, of_unit, len(tapes), absent)
    role = None
    if "role" in table:
        said = [
            np.bincount(unit, weights=table["role"] == role, minlength=len(units)) for role in ("interviewer", "client")
        ]
        # Where coders do not say the same of a unit, it may carry the codes of either.
        role = np.select(
            [(said[0] > 0) & (said[1] == 0), (said[1] > 0) & (said[0] == 0)], ["interviewer", "client"], "unknown"
        )
    starts = None
    if "start" in table:
        starts = np.full(len(units), np.nan)
        np.fmin.at(starts, unit, table["start"].to_numpy(dtype=float, na_value=np.nan))
    return RatingMatrix(
        coders=tuple(coders[row] for row in order),
        tapes=tuple(str(name) for name in tapes),
        utterances=np.asarray(names, dtype=object)[units % max(len(names), 1)],
        tape=of_unit,
        role=role,
        sets=tuple(found),
        grid=grid,
        times=np.where(np.isinf(times), np.nan, times),
        shown=shown,
        starts=starts,
        scheme=scheme.completed(sorted(set().union(*found))),
        limits=limits,
        limit=limit,
        loose=loose,
        filled=filled,
    )


def _in_order(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The place of each row's utterance among all names, and the names: by the first start, and "u2" before "u10"."""
    names = table["utterance_id"].astype(str)
    start = table["start"].astype(float) if "start" in table else pd.Series(0.0, index=table.index)
    first = start.groupby(names.to_numpy()).min().fillna(np.inf)
    key = {
        name: (first[name], [(len(part), part) for part in re.findall(r"\d+|\D+", name)], name) for name in first.index
    }
    ordered = sorted(key, key=lambda name: key[name])
    places = {name: place for place, name in enumerate(ordered)}
    return names.map(places).to_numpy(dtype=np.int64), np.array(ordered, dtype=object)


def _limits(
    table: pd.DataFrame, row: NDArray[np.int64], tape: NDArray[np.int64], shape: tuple[int, int]
) -> tuple[tuple[frozenset[str] | None, ...], NDArray[np.int64]]:
    """`Panel.limits` and `Panel.limit`; several on one tape are added up."""
    limit = np.zeros(shape, dtype=np.int64)
    if "codable" not in table:
        return (None,), limit
    cell, cells = pd.factorize(table["codable"], use_na_sentinel=False)
    given: dict[tuple[int, int], frozenset[str] | None] = {}
    for key, place in set(zip(zip(row.tolist(), tape.tolist(), strict=True), cell.tolist(), strict=True)):
        new = None if pd.isna(cells[place]) else frozenset(str(cells[place]).split("|")) - {""}
        before = given.get(key, frozenset())
        given[key] = None if new is None or before is None else before | new
    limits: dict[frozenset[str] | None, int] = {None: 0}
    for key, codes in given.items():
        limit[key] = limits.setdefault(codes, len(limits))
    return tuple(limits), limit


def _fill(grid: Grid, tape: NDArray[np.int64], tapes: int, absent: Absent) -> int:
    """Take utterances without a row as left without a code, on the tapes that a coder coded; how many."""
    filled = 0
    for row in grid:
        coded = np.bincount(tape[row >= 0], minlength=tapes) > 0
        if absent == "auto":
            coded &= np.bincount(tape[row == 0], minlength=tapes) == 0
        new = (row < 0) & coded[tape]
        row[new] = 0
        filled += int(new.sum())
    return filled
