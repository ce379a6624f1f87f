"""Comparisons of coders, and what each tape adds to the sums behind their coefficients.

A comparison is a set of pairs of coders: two coders, or every member with the coach, or all members among themselves,
or a coder with an earlier pass of the same coder. Its sums are kept per tape, so that tapes can be resampled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.reliability.rating_matrix import (
    COACH,
    CONSENSUS,
    MACHINE,
    MEMBER,
    Absent,
    CodingScheme,
    Grid,
    Level,
    RatingMatrix,
    build_rating_matrix,
)

DAY_MS = 86_400_000
"""Milliseconds between two passes, at least: a change within a day is a correction."""

_KEY = ["tape_id", "utterance_id", "coder", "layer"]


@dataclass(frozen=True)
class Comparison:
    """Rows of the grid on either side; ``second`` is empty if all of ``first`` are compared with each other."""

    kind: str
    a: str
    b: str
    first: tuple[int, ...]
    second: tuple[int, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of rows."""
        if not self.second:
            return tuple(combinations(self.first, 2))
        return tuple((first, second) for first in self.first for second in self.second)


def group_comparisons(ratings: RatingMatrix) -> tuple[Comparison, ...]:
    """Return a group's comparisons: as a whole, with the coach, with the machine, and coder by coder."""
    rows = {layer: tuple(ratings.rows(layer)) for layer in (MACHINE, MEMBER, CONSENSUS, COACH)}
    named = {row: coder for row, (_, coder) in enumerate(ratings.coders)}
    groups = [(name, rows[layer]) for name, layer in (("consensus", CONSENSUS), ("members", MEMBER)) if rows[layer]]
    compared = []
    if len(rows[MEMBER]) > 1:
        compared.append(Comparison("members", "members", "members", rows[MEMBER]))
    if rows[COACH]:
        compared += [Comparison("group and coach", name, "coach", group, rows[COACH]) for name, group in groups]
    others = [*groups, *([("coach", rows[COACH])] if rows[COACH] else [])]
    if rows[MACHINE]:
        compared += [Comparison("machine", "machine", name, rows[MACHINE], group) for name, group in others]
    for kind, first, second in (
        ("coder and coach", MEMBER, COACH),
        ("coder and consensus", MEMBER, CONSENSUS),
        ("coders", MEMBER, MEMBER),
        ("coaches", COACH, COACH),
    ):
        pairs = combinations(rows[first], 2) if first == second else product(rows[first], rows[second])
        compared += [Comparison(kind, named[a], named[b], (a,), (b,)) for a, b in pairs]
    return tuple(
        comparison for comparison in compared if any(_have_overlap(ratings, *pair) for pair in comparison.pairs)
    )


def _have_overlap(ratings: RatingMatrix, first: int, second: int) -> bool:
    return bool(ratings.comparable(first, second, ratings.grid).any())


def pairs_without_overlap(ratings: RatingMatrix) -> list[tuple[str, str]]:
    """Return the pairs of members and coaches who coded no utterance in common."""
    people = [row for layer in (MEMBER, COACH) for row in ratings.rows(layer)]
    return [
        (ratings.coders[first][1], ratings.coders[second][1])
        for first, second in combinations(people, 2)
        if not _have_overlap(ratings, first, second)
    ]


def coders_without_family(ratings: RatingMatrix) -> dict[str, tuple[str, ...]]:
    """Map each family to the coders who could not give all of its codes on any of their tapes; only families for which
    there are such coders and others.
    """
    unable = {}
    number = len(ratings.tapes)
    coded = [np.bincount(ratings.tape_index[cells >= 0], minlength=number) > 0 for cells in ratings.grid]
    tapes = np.array(coded, dtype=bool).reshape(len(ratings.coders), number)
    for family, codes in ratings.scheme.families.items():
        able = (ratings.could_give(codes) & tapes).any(axis=1)
        if able.any() and not able.all():
            unable[family] = tuple(coder for (_, coder), could in zip(ratings.coders, able, strict=True) if not could)
    return unable


def intra_rater_comparisons(
    table: pd.DataFrame, earlier: pd.DataFrame, scheme: CodingScheme, absent: Absent = "auto"
) -> tuple[RatingMatrix, tuple[Comparison, ...]] | None:
    """Return the ratings of both passes and a comparison per coder who has two; None if nobody has.

    Parameters
    ----------
    table, earlier: as `pipeline.formats.code_table` reads them.
    scheme, absent: as for `pipeline.measures.reliability.rating_matrix.build_rating_matrix`.
    """
    if earlier.empty:
        return None
    more = [column for column in ("codable",) if column in table and column in earlier]
    both = table.merge(earlier[[*_KEY, "codes", "coded_at", *more]], on=_KEY, suffixes=("", "_before"))
    both = both[(both["coded_at"] - both["coded_at_before"]).fillna(0) >= DAY_MS]
    if both.empty:
        return None
    now = both[[*_KEY, "codes", *more, *(["role"] if "role" in both else [])]]
    before = {column: both[f"{column}_before"] for column in ("codes", *more)}
    then = now.assign(**before, layer="before " + both["layer"])
    ratings = build_rating_matrix(pd.concat([now, then], ignore_index=True), scheme, absent)
    row_of_coder = {key: row for row, key in enumerate(ratings.coders)}
    compared = tuple(
        Comparison("coder again", coder, f"{coder}, before", (row,), (row_of_coder["before " + layer, coder],))
        for (layer, coder), row in row_of_coder.items()
        if not layer.startswith("before ")
    )
    return ratings, compared


@dataclass(frozen=True)
class TapeSums:
    """The sums that each tape adds to the coefficients: arrays with one row per tape that the comparison covers.

    ``coders`` is the number of coders with codes. ``agree`` and ``units`` count pairs of codes with the same value and
    all pairs; ``same`` and ``marginals`` are the diagonal's sum and the marginals of the coincidence matrix; ``shares``
    sums, over units, the share of coders that gave each value, and ``coded`` counts those units. ``rows`` and
    ``columns``, the marginals of the two sides, exist for pairs only (two coders, or two sides), and the
    ``coincidences``, the whole matrix, if the level has an order.
    """

    utterances: int
    coders: int
    agree: NDArray[np.float64]
    units: NDArray[np.float64]
    same: NDArray[np.float64]
    marginals: NDArray[np.float64]
    shares: NDArray[np.float64]
    coded: NDArray[np.float64]
    rows: NDArray[np.float64] | None
    columns: NDArray[np.float64] | None
    coincidences: NDArray[np.float64] | None

    def weighted(self, weights: NDArray[np.float64]) -> TapeSums:
        """Return the sums over tapes with these weights, shape (..., tapes), by one matrix product for all."""
        parts = {name: part for name, part in vars(self).items() if isinstance(part, np.ndarray)}
        summed = weights @ np.concatenate([part.reshape(len(part), -1) for part in parts.values()], axis=1)
        weighted, start = {}, 0
        for name, part in parts.items():
            size = int(np.prod(part.shape[1:]))
            weighted[name] = summed[..., start : start + size].reshape((*summed.shape[:-1], *part.shape[1:]))
            start += size
        return replace(self, **weighted)


def tape_sums(ratings: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> TapeSums | None:
    """Return the sums of a comparison at a level whose values of the grid are ``cells``; None without shared units."""
    first = comparison.first
    if not comparison.second:
        # Of coders who are compared among themselves, those with shared units: if they are two there is kappa.
        among = ratings.codes_among(first, cells)
        shared = (among >= 0).sum(axis=0) > 1
        first = tuple(row for row, values in zip(first, among, strict=True) if (values[shared] >= 0).any())
    if comparison.second or len(first) == 2:
        sums: TapeSums | None = _of_pairs(ratings, level, replace(comparison, first=first), cells)
    else:
        sums = _of_all(ratings, level, among)
    if sums is None or not sums.units.sum():
        return None
    covered = sums.units > 0
    parts: dict[str, Any] = {name: part[covered] for name, part in vars(sums).items() if isinstance(part, np.ndarray)}
    # A set of codes that only others chose, or on other tapes, is no value here: AC1 and PABAK would change with it.
    possible = (np.arange(len(level.values)) < level.scale) | (parts["shares"].sum(axis=0) > 0)
    by_value = {name: parts[name][:, possible] for name in ("marginals", "shares", "rows", "columns") if name in parts}
    return replace(sums, **(parts | by_value))


def value_pairs(ratings: RatingMatrix, comparison: Comparison, cells: Grid) -> tuple[Grid, Grid, NDArray[np.int64]]:
    """Return the pairs of values that two coders gave to one unit: the first's, the second's, the unit's column."""
    firsts, seconds, columns = [], [], []
    for first, second in comparison.pairs:
        units = np.flatnonzero(ratings.comparable(first, second, cells))
        firsts.append(cells[first, units])
        seconds.append(cells[second, units])
        columns.append(units)
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(columns)


def confusion_tables(ratings: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> NDArray[np.float64]:
    """Return a table of the first side's values (rows) by the second's (columns) for each tape of the ratings."""
    return _confusion_tables(ratings, level, *value_pairs(ratings, comparison, cells))


def _confusion_tables(
    ratings: RatingMatrix, level: Level, first: Grid, second: Grid, column: NDArray[np.int64]
) -> NDArray[np.float64]:
    values, number = len(level.values), len(ratings.tapes)
    cell = (ratings.tape_index[column] * values + first) * values + second
    return np.bincount(cell, minlength=number * values**2).reshape(number, values, values).astype(float)


def _of_pairs(ratings: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> TapeSums:
    first, second, column = value_pairs(ratings, comparison, cells)
    tape, values, number = ratings.tape_index[column], len(level.values), len(ratings.tapes)

    def by_value(side: Grid) -> NDArray[np.float64]:
        return np.bincount(tape * values + side, minlength=number * values).reshape(number, values).astype(float)

    units = np.bincount(tape, minlength=number).astype(float)
    agree = np.bincount(tape, weights=first == second, minlength=number).astype(float)
    rows, columns = by_value(first), by_value(second)
    marginals = rows + columns
    coincidences = None
    if level.ordered is not None:
        table = _by_rank(_confusion_tables(ratings, level, first, second, column), level.ordered)
        coincidences = table + np.swapaxes(table, 1, 2)
    return TapeSums(
        utterances=int((np.bincount(column, minlength=1) > 0).sum()),
        coders=len(comparison.first) + len(comparison.second),
        agree=agree,
        units=units,
        same=2 * agree,
        marginals=marginals,
        shares=marginals / 2,
        coded=units,
        rows=rows,
        columns=columns,
        coincidences=coincidences,
    )


def _of_all(ratings: RatingMatrix, level: Level, cells: Grid) -> TapeSums | None:
    """Return the sums over all coders at once, for any number of them on each unit."""
    values, number = len(level.values), len(ratings.tapes)
    counts = np.stack([(cells == value).sum(axis=0) for value in range(values)], axis=1).astype(float)
    coders = counts.sum(axis=1)
    several, some = coders > 1, coders > 0
    if not several.any():
        return None
    inside = counts[several]
    others = coders[several][:, None] - 1
    same = (inside * (inside - 1) / others).sum(axis=1)
    tape = ratings.tape_index[several]

    def by_tape(of_units: NDArray[np.float64], tapes: NDArray[np.int64]) -> NDArray[np.float64]:
        flat = of_units.reshape(len(of_units), -1)
        parts = [np.bincount(tapes, weights=column, minlength=number) for column in flat.T]
        return np.stack(parts, axis=1).reshape(number, *of_units.shape[1:]).astype(float)

    coincidences = None
    if level.ordered is not None:
        ranked = _ranked(inside, level.ordered)
        pairs = ranked[:, :, None] * ranked[:, None, :]
        pairs[:, range(ranked.shape[1]), range(ranked.shape[1])] -= ranked
        coincidences = by_tape(pairs / others[:, :, None], tape)
    return TapeSums(
        utterances=int(several.sum()),
        coders=int((cells[:, several] >= 0).any(axis=1).sum()),
        agree=by_tape(same / coders[several], tape),
        units=by_tape(np.ones(int(several.sum())), tape),
        same=by_tape(same, tape),
        marginals=by_tape(inside, tape),
        shares=by_tape(counts[some] / coders[some][:, None], ratings.tape_index[some]),
        coded=by_tape(np.ones(int(some.sum())), ratings.tape_index[some]),
        rows=None,
        columns=None,
        coincidences=coincidences,
    )


def _ranked(counts: NDArray[np.float64], ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Turn counts by value into counts by rank."""
    result = np.zeros((len(counts), max(ranks) + 1))
    for value, rank in enumerate(ranks):
        result[:, rank] += counts[:, value]
    return result


def _by_rank(tables: NDArray[np.float64], ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Turn tables by value into tables by rank."""
    rank_of_value = np.zeros((len(ranks), max(ranks) + 1))
    rank_of_value[np.arange(len(ranks)), ranks] = 1
    return np.asarray(rank_of_value.T @ tables @ rank_of_value)
