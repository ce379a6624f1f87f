"""Simulation of the charts on invented coders: tapes between false alarms, and tapes until a change is detected.

``python -m tests.benchmarks.drift`` prints the figures at full size; the notebook shows fewer runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, ControlChart, chart_state, control_chart, signals
from pipeline.measures.reliability.coefficients import Array

REFERENCE_COUNTS = (46, 20, 14)
"""Utterances of a tape that the reference codes as no reflection, a simple and a complex one."""
CONFUSION_COUNTS = ((0.0, 1.5, 0.5), (1.5, 0.0, 1.0), (0.5, 1.0, 0.0))
"""How many of each (rows) a coder codes as another kind (columns) on a usual tape: 6 of 80, symmetrically."""
BATCH_TAPES = 50_000
"""Tapes per batch, to bound the memory."""


@dataclass(frozen=True)
class RunLengths:
    """Tapes until the first alarm of each run; a run without one within the horizon counts as the horizon."""

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
        """Return the tapes per alarm among the ``first`` tapes of all runs, and its standard error; infinite without
        alarms."""
        tapes, alarms = np.minimum(self.tapes, first), self.alarmed & (self.tapes <= first)
        if not alarms.any():
            return float("inf"), float("inf")
        tapes_per_alarm = tapes.sum() / alarms.sum()
        error = (tapes - tapes_per_alarm * alarms).std() / alarms.mean() / np.sqrt(len(alarms))
        return float(tapes_per_alarm), float(error)


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
    """Simulate a coder whose agreement with the reference goes from ``before`` to ``after``, leaning to neither side.

    Parameters
    ----------
    units: double-coded utterances per tape.
    quiet: tapes between the calibration and the change; runs with a false alarm among them are drawn again.
    marginals: count signals of the test for one-sided confusions, too.
    """
    random = np.random.default_rng(seed)
    shares = np.repeat([before, after], [CALIBRATION_TAPES + quiet, horizon])
    change, lengths, alarmed = CALIBRATION_TAPES + quiet, np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    while len(lengths) < runs:
        size = (max(1, min(runs - len(lengths), BATCH_TAPES // len(shares))), len(shares))
        agree = random.binomial(units, shares, size=size)
        both_yes, coder_yes = random.binomial(agree, 0.5), random.binomial(units - agree, 0.5)
        cells = np.stack([both_yes, coder_yes, units - agree - coder_yes, agree - both_yes], axis=-1)
        alarms, one_sided = signals(cells.reshape(*size, 2, 2).astype(float))
        signaled = alarms | (one_sided & marginals)
        first = np.where(signaled.any(axis=1), signaled.argmax(axis=1), len(shares))
        first = first[first >= change]
        lengths = np.append(lengths, np.minimum(first + 1 - change, horizon))
        alarmed = np.append(alarmed, first < len(shares))
    return RunLengths(lengths, alarmed)


def bias_detection_rates(
    share: float, tapes: int, runs: int, simple: int = REFERENCE_COUNTS[1], seed: int = 0
) -> tuple[float, float]:
    """Return the share of runs in which a planted bias is detected within ``tapes`` tapes, and the share in which
    another pair of codes is named first.

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
    by_tape = np.stack([chances] * CALIBRATION_TAPES + [biased] * tapes)
    drawn = [
        random.multinomial(number, by_tape[:, kind], size=(runs, len(by_tape))) for kind, number in enumerate(kinds)
    ]
    every = np.stack(drawn, axis=-2).astype(float)
    signaled = np.logical_or(*signals(every))
    right = wrong = 0
    for tables, of_run in zip(every, signaled, strict=True):
        # The pair that a coach would have read at the first tape after which the chart names one.
        pairs = (chart_state(tables[: tape + 1], _chart(tables[: tape + 1])).pair for tape in np.flatnonzero(of_run))
        first = next((pair for pair in pairs if pair), None)
        right += first == (1, 2)
        wrong += first not in (None, (1, 2))
    return right / runs, wrong / runs


def _chart(tables: Array) -> ControlChart:
    chart = control_chart(tables)
    if chart is None:
        raise ValueError("a simulation needs the calibration tapes at least")
    return chart
