"""Coder drift: a control chart for each coder and family of codes, with its state as a sentence.

Drift means that the marginals move: a coder begins to give more, or less, of a code than the reference, and the pair of
codes that moved is known. Noise means that agreement falls and the marginals stay, as on harder tapes. Coder and coach
discuss both at the proposed tapes; the group sees its own row.

The reference is the coach where the coach coded, else the group's consensus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, ControlChart, chart_state, control_chart
from pipeline.measures.drift.sentences import drift_sentence, noise_sentence
from pipeline.measures.reliability.comparisons import Comparison, confusion_tables
from pipeline.measures.reliability.rating_matrix import (
    COACH,
    CONSENSUS,
    MACHINE,
    MEMBER,
    NOT_CODED,
    Grid,
    Level,
    RatingMatrix,
)

MIN_UNITS = 10
"""Fewest units for a tape to be charted: at an agreement of 80 %, the variance on the arcsine scale is then 96 % of
that which the limits assume; with five units it is 80 %."""

DRIFT_COLUMNS = (
    *("coder", "layer", "reference", "family", "tapes", "units", "center", "mean", "limit", "state", "since_tape"),
    *("reference_code", "coder_code", "units_moved", "units_reverse", "code_ratio", "p_marginals"),
    *("tapes_to_discuss", "sentence"),
)
"""Columns of the table of drift."""

POINT_COLUMNS = (
    *("coder", "layer", "reference", "family", "segment", "order", "tape_id", "coded_at", "units", "agreement"),
    *("mean", "center", "limit", "calibrated", "alarm", "shift"),
)
"""Columns of the table of points, which the charts show."""

RUN_LENGTH, RUN_LENGTH_AT_FIRST, FIRST_TAPES = 250, 120, 50
"""Tapes per false alarm of one chart over the first 250 tapes, and over the first `FIRST_TAPES`, as measured by
``python -m tests.benchmarks.drift``: at first the center line is from five tapes and may be off."""


class ChartNote(NamedTuple):
    """A note on tapes or charts that were left out, and why; ``coder`` is empty if it concerns all.

    ``small``: family -> tapes left out because both coded fewer than `MIN_UNITS` utterances on them; ``sentence`` is
    empty then.
    """

    coder: str
    sentence: str
    small: tuple[tuple[str, int], ...] = ()

    def as_sentence(self, family: Callable[[str], str] = str) -> str:
        """Return the sentence; ``family`` turns the names of families into words."""
        if not self.small:
            return self.sentence
        left = ", ".join(f"{family(name)} {_tapes(tapes)}" for name, tapes in self.small)
        return f"{self.coder}: left out, because both coded fewer than {MIN_UNITS} utterances of them: {left}."


@dataclass(frozen=True)
class DriftReport:
    """``table``: a row per coder and family; ``points``: a row per charted tape; ``notes``: what was left out."""

    table: pd.DataFrame
    points: pd.DataFrame
    notes: tuple[ChartNote, ...]


def detect_drift(ratings: RatingMatrix, recalibrated: Mapping[str, Sequence[float]] | None = None) -> DriftReport:
    """Chart every coder, the machine, and the group as a whole.

    Parameters
    ----------
    ratings: the codes.
    recalibrated: coder -> times (ms since 1970) from which the coder's charts start over; ``group`` is the key of the
        group's.
    """
    reference = next((layer for layer in (COACH, CONSENSUS) if ratings.rows(layer)), None)
    if reference is None:
        return _nothing("There is no coach and no consensus to compare with: no chart.")
    charted = list(_charted(ratings, reference))
    if not charted:
        if len(ratings.rows(reference)) == len(ratings.coders):
            return _nothing(f"Nobody but the {reference} coded: no chart.")
        return _nothing(f"Nobody else coded an utterance that the {reference} coded: no chart.")
    rows, points, notes = [], [], []
    small: dict[str, dict[str, int]] = {}
    for level in (level for level in ratings.levels if level.kind == "family"):
        cells = level.values_of(ratings.grid)
        for layer, coder, comparison in charted:
            series = _series(ratings, level, comparison, cells)
            if len(series.tables):
                events = (recalibrated or {}).get(coder, ())
                row, its_points = _row(ratings, level, series, events, (coder, layer, reference, level.name))
                rows.append(row)
                points += its_points
            if series.undated:
                left = f"{_tapes(series.undated)} without coded_at left out of the charts"
                notes.append(ChartNote(coder, f"{coder}: {left}."))
            if series.small:
                small.setdefault(coder, {})[level.name] = series.small
    table = pd.DataFrame(rows, columns=list(DRIFT_COLUMNS))
    order = {(layer, name): index for index, (layer, name, _) in enumerate(charted)}
    if len(table):
        ranks = [order[key] for key in zip(table["layer"], table["coder"], strict=True)]
        table = table.iloc[np.argsort(ranks, kind="stable")].reset_index(drop=True)
    notes += [ChartNote(coder, "", tuple(families.items())) for coder, families in small.items()]
    return DriftReport(table, pd.DataFrame(points, columns=list(POINT_COLUMNS)), tuple(dict.fromkeys(notes)))


def tapes_per_false_alarm(table: pd.DataFrame) -> int | None:
    """Return after about how many tapes one of a table's charts signals by chance alone; None if all have too few."""
    tapes = table.loc[table["state"] != "too few tapes", "tapes"].to_numpy(dtype=float)
    if not len(tapes):
        return None
    return max(1, round(1 / float(np.where(tapes <= FIRST_TAPES, 1 / RUN_LENGTH_AT_FIRST, 1 / RUN_LENGTH).sum())))


def _nothing(note: str) -> DriftReport:
    return DriftReport(
        pd.DataFrame(columns=list(DRIFT_COLUMNS)), pd.DataFrame(columns=list(POINT_COLUMNS)), (ChartNote("", note),)
    )


def _charted(ratings: RatingMatrix, reference: str) -> Iterator[tuple[str, str, Comparison]]:
    """Yield layer, name and comparison (reference first) of each coder to chart."""
    reference_rows = tuple(ratings.rows(reference))
    members = tuple(ratings.rows(MEMBER))
    coders = [("group", "group", members)] if len(members) > 1 else []
    layers = (MEMBER, MACHINE) if reference == CONSENSUS else (MEMBER, CONSENSUS, MACHINE)
    names = {row: CONSENSUS if layer == CONSENSUS else coder for row, (layer, coder) in enumerate(ratings.coders)}
    coders += [(layer, names[row], (row,)) for layer in layers for row in ratings.rows(layer)]
    for layer, name, rows in coders:
        comparison = Comparison("drift", reference, name, reference_rows, rows)
        if any(((ratings.grid[first] >= 0) & (ratings.grid[second] >= 0)).any() for first, second in comparison.pairs):
            yield layer, name, comparison


@dataclass(frozen=True)
class _Series:
    """The tapes of one chart in order of time."""

    tables: NDArray[np.float64]
    tapes: NDArray[np.int64]
    times: NDArray[np.float64]
    undated: int
    small: int


def _series(ratings: RatingMatrix, level: Level, comparison: Comparison, cells: Grid) -> _Series:
    tables = confusion_tables(ratings, level, comparison, cells)
    if len(comparison.pairs) > 1:
        tables = _per_utterance(ratings, comparison, cells, tables)
    units = tables.sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        coder_times, reference_times = (
            np.fmax.reduce(ratings.times[list(rows)], axis=0) for rows in (comparison.second, comparison.first)
        )
    # The group as a whole, and a machine without dates, are charted in the order in which the reference was coded.
    use_reference = np.isnan(coder_times) | (len(comparison.second) > 1)
    times = np.where(use_reference, reference_times, coder_times)
    dated, enough = ~np.isnan(times), units >= MIN_UNITS
    charted = np.flatnonzero(dated & enough)
    order = charted[np.argsort(times[charted], kind="stable")]
    return _Series(
        *(tables[order], order, times[order]),
        undated=int(((units > 0) & ~dated).sum()),
        small=int(((units > 0) & dated & ~enough).sum()),
    )


def _per_utterance(
    ratings: RatingMatrix, comparison: Comparison, cells: Grid, tables: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the tables of several coders with each utterance counted once, however many coders coded it."""
    shared = np.zeros(cells.shape[1], dtype=bool)
    for pair in comparison.pairs:
        shared |= ratings.comparable(*pair, cells)
    utterances = np.bincount(ratings.tape_index[shared], minlength=len(tables))
    pairs = np.maximum(tables.sum(axis=(1, 2)), 1)
    return np.asarray(np.rint(tables * (utterances / pairs)[:, None, None]))


def _row(
    ratings: RatingMatrix, level: Level, series: _Series, events: Sequence[float], head: tuple[str, str, str, str]
) -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
    """Return the row of a chart since the last recalibration, and the points of all segments between them."""
    bounds = [0, *(int(np.searchsorted(series.times, event)) for event in sorted(events)), len(series.tapes)]
    points: list[tuple[object, ...]] = []
    charts = []
    for segment, (start, end) in enumerate(pairwise(bounds), 1):
        chart = control_chart(series.tables[start:end])
        charts.append(chart)
        points += _points(ratings, series, chart, segment, start, end, head)
    start, last = bounds[-2], charts[-1]
    units = int(series.tables[start:].sum())
    head_cells = (*head, len(series.tapes) - start, units)
    if last is None or len(last.units) == CALIBRATION_TAPES:
        missing = CALIBRATION_TAPES + 1 - (len(series.tapes) - start)
        why = f"{missing} more {'tape' if missing == 1 else 'tapes'} must be coded by both before drift can show."
        return (*head_cells, last.center if last else None, None, None, "too few tapes", *[None] * 7, "", why), points
    lines = (last.center, float(last.mean[-1]), float(last.limit[-1]))
    return (*head_cells, *lines, *_state_cells(ratings, level, series, last, start, head)), points


def _state_cells(
    ratings: RatingMatrix,
    level: Level,
    series: _Series,
    chart: ControlChart,
    start: int,
    head: tuple[str, str, str, str],
) -> tuple[object, ...]:
    """Return the cells from ``state`` to ``sentence``."""
    state = chart_state(series.tables[start:], chart)
    if state.since is None or state.table is None:
        return (state.state, *[None] * 6, state.marginal_p, "", "Within its limits.")
    since, *proposed = (ratings.tapes[series.tapes[start + index]] for index in (state.since, *state.proposed))
    first, last = state.window
    if state.pair is None:
        sentence = noise_sentence(head[0], head[2], float(chart.mean[last]), chart.center, last + 1 - first)
        return (state.state, since, *[None] * 5, state.marginal_p, "|".join(proposed), sentence)
    names = (level.values[state.pair[0]], level.values[state.pair[1]])
    counts = (int(state.table[state.pair]), int(state.table[state.pair[1], state.pair[0]]))
    code, ratio = _ratio(state.table, state.pair, level)
    labels = ratings.scheme.labels
    sentence = drift_sentence(head[0], head[2], names, counts, (code, ratio), labels, last + 1 - first)
    return (state.state, since, *names, *counts, ratio, state.marginal_p, "|".join(proposed), sentence)


def _ratio(table: NDArray[np.float64], pair: tuple[int, int], level: Level) -> tuple[str, float | None]:
    """Return the code that gained (the one that lost, if none gained), and how many times as often the coder gives it.

    None if the reference never gives it.
    """
    value = pair[1] if level.values[pair[1]] != NOT_CODED else pair[0]
    by_reference, by_coder = float(table[value].sum()), float(table[:, value].sum())
    return level.values[value], by_coder / by_reference if by_reference else None


def _points(
    ratings: RatingMatrix,
    series: _Series,
    chart: ControlChart | None,
    segment: int,
    start: int,
    end: int,
    head: tuple[str, str, str, str],
) -> Iterator[tuple[object, ...]]:
    one_sided = {confusion.last for confusion in chart.one_sided} if chart else set()
    for order, index in enumerate(range(start, end)):
        table = series.tables[index]
        lines: tuple[object, ...] = (None, None, None, True, False, False)
        if chart:
            limit = None if np.isnan(chart.limit[order]) else float(chart.limit[order])
            flags = (order < CALIBRATION_TAPES, order in chart.alarms, order in one_sided)
            lines = (float(chart.mean[order]), chart.center, limit, *flags)
        tape, units = ratings.tapes[series.tapes[index]], float(table.sum())
        yield (
            *(*head, segment, order + 1, tape, int(series.times[index])),
            *(int(units), float(np.trace(table)) / units, *lines),
        )


def _tapes(number: int) -> str:
    return "1 tape" if number == 1 else f"{number} tapes"
