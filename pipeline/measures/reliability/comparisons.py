"""Who is compared with whom, and what each tape adds to the figures.

A comparison is a set of pairs of coders: two coders, or every member with the coach, or all members among themselves.
Its sums are kept by tape, so that tapes can be drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
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
"""Milliseconds that lie between two codings at least: what changes within a day is a correction."""

_KEY = ["tape_id", "utterance_id", "coder", "layer"]


@dataclass(frozen=True)
class Comparison:
    """Rows of the grid on either side; ``second`` is empty where all of ``first`` are compared with each other."""

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
        return tuple((one, other) for one in self.first for other in self.second)


def group_comparisons(panel: RatingMatrix) -> tuple[Comparison, ...]:
    """All that a group asks for: as a whole, with the coach, with the machine, and coder by coder."""
    rows = {layer: tuple(panel.rows(layer)) for layer in (MACHINE, MEMBER, CONSENSUS, COACH)}
    named = {row: coder for row, (_, coder) in enumerate(panel.coders)}
    groups = [(name, rows[layer]) for name, layer in (("consensus", CONSENSUS), ("members", MEMBER)) if rows[layer]]
    found = []
    if len(rows[MEMBER]) > 1:
        found.append(Comparison("members", "members", "members", rows[MEMBER]))
    found += [Comparison("group and coach", name, "coach", group, rows[COACH]) for name, group in groups if rows[COACH]]
    others = [*groups, *([("coach", rows[COACH])] if rows[COACH] else [])]
    if rows[MACHINE]:
        found += [Comparison("machine", "machine", name, rows[MACHINE], group) for name, group in others]
    for kind, one, other in (
        ("coder and coach", MEMBER, COACH),
        ("coder and consensus", MEMBER, CONSENSUS),
        ("coders", MEMBER, MEMBER),
        ("coaches", COACH, COACH),
    ):
        pairs = combinations(rows[one], 2) if one == other else ((a, b) for a in rows[one] for b in rows[other])
        found += [Comparison(kind, named[a], named[b], (a,), (b,)) for a, b in pairs]
    return tuple(each for each in found if any(_have_overlap(panel, *pair) for pair in each.pairs))


def _have_overlap(panel: RatingMatrix, one: int, other: int) -> bool:
    return bool(panel.both(one, other, panel.grid).any())


def pairs_without_overlap(panel: RatingMatrix) -> list[tuple[str, str]]:
    """Members and coaches who coded no utterance in common, in pairs."""
    people = [row for layer in (MEMBER, COACH) for row in panel.rows(layer)]
    return [
        (panel.coders[one][1], panel.coders[other][1])
        for one, other in combinations(people, 2)
        if not _have_overlap(panel, one, other)
    ]


def coders_without_family(panel: RatingMatrix) -> dict[str, tuple[str, ...]]:
    """Family -> the coders who could give not all of its codes on any of their tapes; families that somebody could."""
    found = {}
    number = len(panel.tapes)
    tapes = np.array([np.bincount(panel.tape[own >= 0], minlength=number) > 0 for own in panel.grid], dtype=bool)
    tapes = tapes.reshape(len(panel.coders), number)
    for family, codes in panel.scheme.families.items():
        able = (panel.could(codes) & tapes).any(axis=1)
        if able.any() and not able.all():
            found[family] = tuple(coder for (_, coder), could in zip(panel.coders, able, strict=True) if not could)
    return found


def intra_rater_comparisons(
    table: pd.DataFrame, earlier: pd.DataFrame, scheme: CodingScheme, absent: Absent = "auto"
) -> tuple[RatingMatrix, tuple[Comparison, ...]] | None:
    """The panel of both codings and a comparison for each coder who has two; None where nobody has.

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
    found = build_rating_matrix(pd.concat([now, then], ignore_index=True), scheme, absent)
    places = {key: row for row, key in enumerate(found.coders)}
    compared = tuple(
        Comparison("coder again", coder, f"{coder}, before", (row,), (places["before " + layer, coder],))
        for (layer, coder), row in places.items()
        if not layer.startswith("before ")
    )
    return found, compared


@dataclass(frozen=True)
class TapeSums:
    """What each tape adds: arrays with one row a tape that the comparison covers.

    ``coders`` have codes here. ``agree`` and ``units`` count pairs of codes with the same value and all pairs; ``same``
    and ``given`` are the diagonal and the marginals of the coincidence matrix; ``shares`` sums, over units, the share
    of coders that gave each value, and ``coded`` counts those units. ``rows`` and ``columns``, the marginals of the two
    sides, are there for pairs only (two coders, or two sides), and the ``coincidences``, the whole matrix, where the
    level has an order.
    """

    utterances: int
    coders: int
    agree: NDArray[np.float64]
    units: NDArray[np.float64]
    same: NDArray[np.float64]
    given: NDArray[np.float64]
    shares: NDArray[np.float64]
    coded: NDArray[np.float64]
    rows: NDArray[np.float64] | None
    columns: NDArray[np.float64] | None
    coincidences: NDArray[np.float64] | None

    def weighted(self, weights: NDArray[np.float64]) -> TapeSums:
        """The sums over tapes with these weights, shape (..., tapes): one matrix product for all."""
        parts = {name: part for name, part in vars(self).items() if isinstance(part, np.ndarray)}
        product = weights @ np.concatenate([part.reshape(len(part), -1) for part in parts.values()], axis=1)
        found, start = {}, 0
        for name, part in parts.items():
            size = int(np.prod(part.shape[1:]))
            found[name] = product[..., start : start + size].reshape((*product.shape[:-1], *part.shape[1:]))
            start += size
        return replace(self, **found)


def tape_sums(panel: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> TapeSums | None:
    """The sums of a comparison at a level whose values of the grid are ``cells``; None where nothing is shared."""
    first = comparison.first
    if not comparison.second:
        # Of those who are compared among themselves, the ones who share something: for two there is kappa.
        among = panel.among(first, cells)
        shared = (among >= 0).sum(axis=0) > 1
        first = tuple(row for row, own in zip(first, among, strict=True) if (own[shared] >= 0).any())
    if comparison.second or len(first) == 2:
        found: TapeSums | None = _of_pairs(panel, level, replace(comparison, first=first), cells)
    else:
        found = _of_all(panel, level, among)
    if found is None or not found.units.sum():
        return None
    kept = found.units > 0
    parts: dict[str, Any] = {name: part[kept] for name, part in vars(found).items() if isinstance(part, np.ndarray)}
    # What only somebody else chose is no value here: AC1 and PABAK would change with it.
    values = (np.arange(len(level.values)) < level.scale) | (found.shares.sum(axis=0) > 0)
    by_value = {name: parts[name][:, values] for name in ("given", "shares", "rows", "columns") if name in parts}
    return replace(found, **(parts | by_value))


def value_pairs(panel: RatingMatrix, comparison: Comparison, cells: Grid) -> tuple[Grid, Grid, NDArray[np.int64]]:
    """Every pair of values that two coders gave to one unit: the one's, the other's, and the unit's column."""
    ones, others, columns = [], [], []
    for one, other in comparison.pairs:
        both = np.flatnonzero(panel.both(one, other, cells))
        ones.append(cells[one, both])
        others.append(cells[other, both])
        columns.append(both)
    return np.concatenate(ones), np.concatenate(others), np.concatenate(columns)


def confusion_tables(panel: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> NDArray[np.float64]:
    """One table of the first side's values (rows) by the second's (columns) for each tape of the panel."""
    return _confusion_tables(panel, level, *value_pairs(panel, comparison, cells))


def _confusion_tables(
    panel: RatingMatrix, level: Level, one: Grid, other: Grid, column: NDArray[np.int64]
) -> NDArray[np.float64]:
    values, number = len(level.values), len(panel.tapes)
    place = (panel.tape[column] * values + one) * values + other
    return np.bincount(place, minlength=number * values**2).reshape(number, values, values).astype(float)


def _of_pairs(panel: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> TapeSums:
    one, other, column = value_pairs(panel, comparison, cells)
    tape, values, number = panel.tape[column], len(level.values), len(panel.tapes)

    def by_value(found: Grid) -> NDArray[np.float64]:
        return np.bincount(tape * values + found, minlength=number * values).reshape(number, values).astype(float)

    units = np.bincount(tape, minlength=number).astype(float)
    agree = np.bincount(tape, weights=one == other, minlength=number).astype(float)
    rows, columns = by_value(one), by_value(other)
    given = rows + columns
    coincidences = None
    if level.ordered is not None:
        table = _by_rank(_confusion_tables(panel, level, one, other, column), level.ordered)
        coincidences = table + np.swapaxes(table, 1, 2)
    return TapeSums(
        utterances=int((np.bincount(column, minlength=1) > 0).sum()),
        coders=len(comparison.first) + len(comparison.second),
        agree=agree,
        units=units,
        same=2 * agree,
        given=given,
        shares=given / 2,
        coded=units,
        rows=rows,
        columns=columns,
        coincidences=coincidences,
    )


def _of_all(panel: RatingMatrix, level: Level, cells: Grid) -> TapeSums | None:
    """The sums over all coders at once, for any number of them on each unit."""
    values, number = len(level.values), len(panel.tapes)
    counts = np.stack([(cells == value).sum(axis=0) for value in range(values)], axis=1).astype(float)
    coders = counts.sum(axis=1)
    several, some = coders > 1, coders > 0
    if not several.any():
        return None
    inside = counts[several]
    others = coders[several][:, None] - 1
    same = (inside * (inside - 1) / others).sum(axis=1)
    tape = panel.tape[several]

    def by_tape(found: NDArray[np.float64], of: NDArray[np.int64]) -> NDArray[np.float64]:
        flat = found.reshape(len(found), -1)
        parts = [np.bincount(of, weights=column, minlength=number) for column in flat.T]
        return np.stack(parts, axis=1).reshape(number, *found.shape[1:]).astype(float)

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
        given=by_tape(inside, tape),
        shares=by_tape(counts[some] / coders[some][:, None], panel.tape[some]),
        coded=by_tape(np.ones(int(some.sum())), panel.tape[some]),
        rows=None,
        columns=None,
        coincidences=coincidences,
    )


def _ranked(counts: NDArray[np.float64], ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Counts by value as counts by rank."""
    result = np.zeros((len(counts), max(ranks) + 1))
    for place, rank in enumerate(ranks):
        result[:, rank] += counts[:, place]
    return result


def _by_rank(found: NDArray[np.float64], ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Tables by value as tables by rank."""
    pick = np.zeros((len(ranks), max(ranks) + 1))
    pick[np.arange(len(ranks)), ranks] = 1
    return np.asarray(pick.T @ found @ pick)
