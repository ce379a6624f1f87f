"""How well the charts work, on invented coders: tapes between false alarms, tapes until a change is found.

``python -m tests.benchmarks.drift`` prints the figures at full size; the notebook shows fewer runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, ControlChart, chart_state, control_chart, signals
from pipeline.measures.reliability.coefficients import Array

REFERENCE_COUNTS = (46, 20, 14)
"""Utterances of a tape that are no reflection, a simple one and a complex one to the reference."""
CONFUSION_COUNTS = ((0.0, 1.5, 0.5), (1.5, 0.0, 1.0), (0.5, 1.0, 0.0))
"""How many of each a coder takes for another kind on a usual tape: 6 of 80, as many one way as the other."""
BATCH_TAPES = 50_000
"""Tapes that are drawn at once, to bound the memory."""


@dataclass(frozen=True)
class RunLengths:
    """Tapes until the first alarm; those without one within the horizon count as the horizon."""

    tapes: NDArray[np.int64]
    alarmed: NDArray[np.bool_]

    @property
    def mean(self) -> float:
        """Mean number of tapes until an alarm."""
        return float(self.tapes.mean())

    @property
    def error(self) -> float:
        """Standard error of that mean."""
        return float(self.tapes.std() / np.sqrt(len(self.tapes)))

    def between(self, first: int) -> tuple[float, float]:
        """Tapes for each alarm among the ``first`` tapes of all runs, and its standard error; infinite without."""
        tapes, alarms = np.minimum(self.tapes, first), self.alarmed & (self.tapes <= first)
        if not alarms.any():
            return float("inf"), float("inf")
        found = tapes.sum() / alarms.sum()
        return float(found), float((tapes - found * alarms).std() / alarms.mean() / np.sqrt(len(alarms)))


def run_lengths(
    before: float,
    after: float,
    units: int,
    runs: int,
    horizon: int,
    quiet: int = 0,
    seed: int = 0,
    marginals: bool = True,
) -> RunLengths:
    """Runs of a coder whose agreement with the reference goes from ``before`` to ``after``, leaning to neither side.

    Parameters
    ----------
    units: double-coded utterances of a tape.
    quiet: tapes between the calibrated ones and the change; runs with a false alarm among them are drawn anew.
    marginals: count alarms of the watch for one-sided confusions, too.
    """
    random = np.random.default_rng(seed)
    shares = np.repeat([before, after], [CALIBRATION_TAPES + quiet, horizon])
    begin, lengths, alarmed = CALIBRATION_TAPES + quiet, np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    while len(lengths) < runs:
        size = (max(1, min(runs - len(lengths), BATCH_TAPES // len(shares))), len(shares))
        agree = random.binomial(units, shares, size=size)
        yes, one = random.binomial(agree, 0.5), random.binomial(units - agree, 0.5)
        cells = np.stack([yes, one, units - agree - one, agree - yes], axis=-1)
        by_mean, by_sides = signals(cells.reshape(*size, 2, 2).astype(float))
        speaks = by_mean | (by_sides & marginals)
        first = np.where(speaks.any(axis=1), speaks.argmax(axis=1), len(shares))
        first = first[first >= begin]
        lengths = np.append(lengths, np.minimum(first + 1 - begin, horizon))
        alarmed = np.append(alarmed, first < len(shares))
    return RunLengths(lengths, alarmed)


def bias_detection_rates(
    share: float, tapes: int, runs: int, simple: int = REFERENCE_COUNTS[1], seed: int = 0
) -> tuple[float, float]:
    """Share of runs in which a planted bias is named within some tapes, and in which something else is named first.

    A coder whose other confusions are `CONFUSION_COUNTS` codes ``share`` of the simple reflections complex, from the
    sixth tape on.
    """
    random = np.random.default_rng(seed)
    kinds = (REFERENCE_COUNTS[0], simple, REFERENCE_COUNTS[2])
    chances = np.array(CONFUSION_COUNTS) / np.array(REFERENCE_COUNTS)[:, None]
    chances[range(3), range(3)] = 1 - chances.sum(axis=1)
    biased = chances.copy()
    biased[1, 2] += share * chances[1, 1]
    biased[1, 1] *= 1 - share
    ways = np.stack([chances] * CALIBRATION_TAPES + [biased] * tapes)
    drawn = [random.multinomial(number, ways[:, kind], size=(runs, len(ways))) for kind, number in enumerate(kinds)]
    every = np.stack(drawn, axis=-2).astype(float)
    speaks = np.logical_or(*signals(every))
    right = wrong = 0
    for tables, places in zip(every, speaks, strict=True):
        # What a coach would have read at the first tape after which the chart names a pair.
        pairs = (chart_state(tables[: place + 1], _chart(tables[: place + 1])).pair for place in np.flatnonzero(places))
        first = next((pair for pair in pairs if pair), None)
        right += first == (1, 2)
        wrong += first not in (None, (1, 2))
    return right / runs, wrong / runs


def _chart(tables: Array) -> ControlChart:
    found = control_chart(tables)
    if found is None:
        raise ValueError("a trial needs the calibrated tapes at least")
    return found
