"""One control chart: a coder's agreement with the reference on one family of codes, tape after tape.

The first `CALIBRATION_TAPES` tapes set the center line. After them an exponentially weighted moving average (EWMA,
lambda .3) follows the tapes' own shares (Shewhart points); an alarm is a tape at which it lies below its limit (L 2.7).
Four choices keep both detection and false alarms in check:

- The chart detects a fall only, and good tapes build up little credit: the average lies at most `MAX_CREDIT` of its
  own standard errors above the center line.
- Five tapes fix the center line to within its standard error only. The tapes since, up to the last one at which the
  average was on the line or above, show on which side of it the truth lies; the limit follows them by at most
  `MAX_CENTER_SHIFT` standard errors, about one point at 80 units, so that no slow fall hides in it. The center line
  itself stays.
- Shares of agreement are charted on the arcsine scale (Anscombe 1948), where their variance depends on the number of
  units only, so that the rate of false alarms is the same for a coder who agrees on 70 % and one who agrees on 95 %.
- A tape with fewer units than the calibration tapes moves the average less, one with more moves it more.

A second test looks for one-sided confusions: the units of code A by the reference that the coder gives code B, in the
last `WINDOW` tapes, against the reverse (McNemar) and against the calibration tapes.
``tests/benchmarks/drift.py`` measures the run lengths of both, with and without a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.reliability.coefficients import Array, homogeneity, mcnemar

# ``python -m tests.benchmarks.drift`` measures the effect of these constants on run lengths.
LAMBDA, L = 0.3, 2.7
"""Weight of the newest tape in the average, and how many standard errors below the center line the limit lies."""
CALIBRATION_TAPES = 5
"""Tapes that set the center line."""
MAX_CREDIT = 2.0
"""Standard errors by which good tapes raise the average at most; see above."""
MAX_CENTER_SHIFT = 0.5
"""Standard errors of the center line by which the limit follows the tapes at most; see above."""
WINDOW = 6
"""The last tapes that are tested for one-sided confusions."""
ONE_SIDED_ALPHA = 0.002
"""Significance of a one-sided confusion, over all ordered pairs of codes together."""
LEANING_ALPHA = 0.05
"""Significance at which confusions count as one-sided if there is other evidence, too."""
OVERDISPERSION_ALPHA = 0.001
"""Calibration tapes that vary more than chance at this level widen the limits."""
MAX_OVERDISPERSION = 2.0
"""That variance counts for at most so many times chance: five tapes are no evidence for more."""
MIN_FALL = 0.03
"""A fall by less than this share of the utterances is not worth discussing, however certain it is."""
MAX_TAPE_WEIGHT = 3.0
"""A tape counts for at most so many usual tapes."""
MARGINALS_ALPHA = 0.05
"""Significance at which marginals count as moved if agreement has fallen already."""
MAX_PROPOSED = 3
"""Tapes that are proposed for discussion, at most."""

StateName = Literal["steady", "drift", "noise"]


@dataclass(frozen=True)
class OneSidedConfusion:
    """A one-sided confusion: the reference gives the value ``reference``, the coder ``coder``; ``units`` of them
    against ``reverse`` the other way round, on the tapes with the indices ``first`` to ``last``."""

    reference: int
    coder: int
    units: int
    reverse: int
    first: int
    last: int


@dataclass(frozen=True)
class ControlChart:
    """A chart's lines, one entry per tape in order of time, as shares of agreement.

    ``alarms`` are the indices of tapes with ``mean``, the moving average, below its limit; ``one_sided`` the one-sided
    confusions. ``marginal_p`` is the p-value of Stuart and Maxwell's test at each tape, over the last `WINDOW` tapes.
    """

    units: NDArray[np.int64]
    agreement: Array
    mean: Array
    center: float
    limit: Array
    alarms: tuple[int, ...]
    one_sided: tuple[OneSidedConfusion, ...]
    marginal_p: Array


def control_chart(tables: Array) -> ControlChart | None:
    """Chart tapes in order of time.

    Parameters
    ----------
    tables: for each tape the reference's values (rows) by the coder's (columns), shape (tapes, values, values); no tape
        without units. The tapes since the last recalibration, the calibration tapes first.

    Returns
    -------
    None if there are fewer than `CALIBRATION_TAPES` tapes.
    """
    if len(tables) < CALIBRATION_TAPES:
        return None
    agree, units = np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2))
    lines, tests = _lines(agree, units), _one_sided(tables)
    return ControlChart(
        units=units.astype(np.int64),
        agreement=agree / units,
        mean=_share(lines.mean),
        center=float(_share(lines.center)),
        limit=_share(np.maximum(lines.limit, 0)),
        alarms=tuple(int(tape) for tape in np.flatnonzero(lines.alarms)),
        one_sided=_one_sided_confusions(tests),
        marginal_p=_marginal_p_values(tests, len(tables)),
    )


def signals(tables: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the tapes with an alarm, and those with a one-sided confusion, for many charts of equal length.

    Parameters
    ----------
    tables: as for `control_chart`, with any number of leading axes, shape (..., tapes, values, values); at least as
        many tapes as a center line needs. Both results have the shape (..., tapes).
    """
    lines = _lines(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))
    one_sided = np.zeros(lines.alarms.shape, dtype=bool)
    one_sided[..., CALIBRATION_TAPES:] = _one_sided(tables).least < _one_sided_limit(tables.shape[-1])
    return lines.alarms, one_sided


@dataclass(frozen=True)
class _Lines:
    """The lines of charts as angles: ``center`` has one entry per chart, the others one per tape."""

    center: Array
    mean: Array
    limit: Array
    alarms: NDArray[np.bool_]


def _lines(agree: Array, units: Array) -> _Lines:
    """Return the lines of charts from the numbers of units agreed upon and of all units, shape (..., tapes)."""
    calibration_units = units[..., :CALIBRATION_TAPES].sum(axis=-1)
    center = _angle(agree[..., :CALIBRATION_TAPES].sum(axis=-1), calibration_units)
    angles, usual_units = _angle(agree, units), calibration_units / CALIBRATION_TAPES
    dispersion = _overdispersion(angles[..., :CALIBRATION_TAPES], units[..., :CALIBRATION_TAPES], center)
    noise = dispersion[..., None] / (4 * (units + 0.5))
    max_shift = MAX_CENTER_SHIFT * np.sqrt(dispersion / (4 * (calibration_units + 0.5)))
    max_credit = MAX_CREDIT * np.sqrt(LAMBDA / (2 - LAMBDA) * dispersion / (4 * (usual_units + 0.5)))
    agree_so_far, units_so_far = np.cumsum(agree, axis=-1), np.cumsum(units, axis=-1)
    # Up to the last tape with the average on the line or above.
    quiet_agree, quiet_units = agree_so_far[..., CALIBRATION_TAPES - 1], units_so_far[..., CALIBRATION_TAPES - 1]
    weights = 1 - (1 - LAMBDA) ** np.minimum(units / usual_units[..., None], MAX_TAPE_WEIGHT)
    mean, limit = np.repeat(center[..., None], units.shape[-1], axis=-1), np.full(units.shape, np.nan)
    variance = np.zeros_like(center)
    for tape in range(CALIBRATION_TAPES, units.shape[-1]):
        line = center + np.clip(_angle(quiet_agree, quiet_units) - center, -max_shift, max_shift)
        smallest_fall = np.arcsin(np.sqrt(np.maximum(_share(line) - MIN_FALL, 0.0)))
        weight = weights[..., tape]
        updated = weight * angles[..., tape] + (1 - weight) * mean[..., tape - 1]
        mean[..., tape] = np.minimum(updated, line + max_credit)
        variance = weight**2 * noise[..., tape] + (1 - weight) ** 2 * variance
        limit[..., tape] = np.minimum(line - L * np.sqrt(variance), smallest_fall)
        quiet = mean[..., tape] >= line
        quiet_agree = np.where(quiet, agree_so_far[..., tape], quiet_agree)
        quiet_units = np.where(quiet, units_so_far[..., tape], quiet_units)
    return _Lines(center, mean, limit, mean < limit)


def _angle(agree: Array, units: Array) -> Array:
    """Return shares on the arcsine scale, with Anscombe's correction for small counts."""
    return np.asarray(np.arcsin(np.sqrt((agree + 0.375) / (units + 0.75))))


def _share(angle: Array) -> Array:
    return np.asarray(np.sin(angle) ** 2)


def _overdispersion(angles: Array, units: Array, center: Array) -> Array:
    """Return the variance of the calibration tapes over that of chance; 1 if chance may explain it."""
    from scipy.stats import chi2

    statistic = ((angles - center[..., None]) ** 2 * 4 * (units + 0.5)).sum(axis=-1)
    freedom = angles.shape[-1] - 1
    beyond_chance = chi2.sf(statistic, freedom) < OVERDISPERSION_ALPHA
    return np.where(beyond_chance, np.minimum(statistic / freedom, MAX_OVERDISPERSION), 1.0)


@dataclass(frozen=True)
class _OneSided:
    """The tests for one-sided confusions, one entry per tape after the calibration: ``window`` is the sum of the tapes
    from ``start`` on, ``pair`` the least likely pair (row and column as one number) and ``least`` its p-value."""

    start: NDArray[np.int64]
    window: Array
    pair: NDArray[np.int64]
    least: Array


def _one_sided_limit(values: int) -> float:
    return ONE_SIDED_ALPHA / max(1, values * (values - 1))


def _one_sided(tables: Array) -> _OneSided:
    from scipy.stats import binom

    number, values = tables.shape[-3], tables.shape[-1]
    running = np.concatenate([np.zeros_like(tables[..., :1, :, :]), np.cumsum(tables, axis=-3)], axis=-3)
    tapes = np.arange(CALIBRATION_TAPES, number)
    start = np.maximum(CALIBRATION_TAPES, tapes + 1 - WINDOW)
    window = running[..., tapes + 1, :, :] - running[..., start, :, :]
    calibration = running[..., CALIBRATION_TAPES : CALIBRATION_TAPES + 1, :, :]
    reverse, calibration_reverse = np.swapaxes(window, -2, -1), np.swapaxes(calibration, -2, -1)
    # If the calibration tapes lean one way already, only an increase counts.
    leant = mcnemar(calibration, calibration_reverse) < LEANING_ALPHA
    window_units = window.sum(axis=(-2, -1), keepdims=True)
    window_share = window_units / (window_units + calibration.sum(axis=(-2, -1), keepdims=True))
    p_value = np.ones(window.shape)
    # Few confusions lean at all: only those are tested.
    leaning = np.nonzero(window > reverse)
    leaning = tuple(axis[mcnemar(window[leaning], reverse[leaning]) < LEANING_ALPHA] for axis in leaning)
    now, now_reverse, then, then_reverse, leant, share = (
        np.broadcast_to(part, window.shape)[leaning]
        for part in (window, reverse, calibration, calibration_reverse, leant, window_share)
    )
    trials = np.where(leant, now + then, now + now_reverse + then + then_reverse)
    p_value[leaning] = binom.sf(now - 1, trials, np.where(leant, share, share / 2))
    flat = p_value.reshape(*p_value.shape[:-2], values**2)
    return _OneSided(start, window, flat.argmin(axis=-1), flat.min(axis=-1))


def _one_sided_confusions(tests: _OneSided) -> tuple[OneSidedConfusion, ...]:
    """Return the significant one-sided confusions of one chart, the least likely at each tape."""
    confusions, values = [], tests.window.shape[-1]
    for row in np.flatnonzero(tests.least < _one_sided_limit(values)):
        reference, coder = divmod(int(tests.pair[row]), values)
        counts = (int(tests.window[row, reference, coder]), int(tests.window[row, coder, reference]))
        tapes = (int(tests.start[row]), CALIBRATION_TAPES + int(row))
        confusions.append(OneSidedConfusion(reference, coder, *counts, *tapes))
    return tuple(confusions)


def _marginal_p_values(tests: _OneSided, number: int) -> Array:
    """Return the p-values of the test for equal marginals at each tape of one chart; NaN for calibration tapes."""
    from scipy.stats import chi2

    p_values = np.full(number, np.nan)
    if number > CALIBRATION_TAPES and tests.window.shape[-1] > 1:
        statistic, freedom = homogeneity(tests.window)
        p_values[CALIBRATION_TAPES:] = np.where(freedom > 0, chi2.sf(statistic, np.maximum(freedom, 1)), 1.0)
    return p_values


def most_one_sided(table: Array) -> tuple[int, int] | None:
    """Return the ordered pair (reference, coder) with the most one-sided confusions in a table; None without any."""
    p_values = np.where(table > table.T, mcnemar(table, table.T), 2.0)
    reference, coder = divmod(int(p_values.argmin()), len(table))
    return (reference, coder) if p_values[reference, coder] <= 1 else None


@dataclass(frozen=True)
class ChartState:
    """The state of a chart after its last tapes: steady, drift (and between which codes), or noise.

    ``marginal_p`` is the p-value of equal marginals, ``since`` the index of the first of the last tapes with a signal,
    ``window`` the tapes (first, last) that ``table`` sums up, ``pair`` the reference's value and the coder's,
    ``proposed`` the indices of the tapes with most of it.
    """

    state: StateName
    marginal_p: float
    since: int | None = None
    window: tuple[int, int] = (0, 0)
    table: Array | None = None
    pair: tuple[int, int] | None = None
    proposed: tuple[int, ...] = ()


def chart_state(tables: Array, chart: ControlChart) -> ChartState:
    """Return the state after the last `WINDOW` tapes of a chart of these tables, at least one of them not calibration.

    Parameters
    ----------
    tables, chart: as given to `control_chart`, and returned by it.
    """
    recent = max(CALIBRATION_TAPES, len(tables) - WINDOW)
    alarms = [tape for tape in chart.alarms if tape >= recent]
    one_sided = [confusion for confusion in chart.one_sided if confusion.last >= recent]
    if not alarms and not one_sided:
        return ChartState("steady", float(chart.marginal_p[-1]))
    signaled = sorted([*alarms, *(confusion.last for confusion in one_sided)])
    since, last = signaled[0], signaled[-1]
    first = max(CALIBRATION_TAPES, last + 1 - WINDOW)
    window = tables[first : last + 1]
    table = window.sum(axis=0)
    pair = (one_sided[-1].reference, one_sided[-1].coder) if one_sided else most_one_sided(table)
    marginal_p = float(chart.marginal_p[last])
    if pair is None or not (one_sided or marginal_p < MARGINALS_ALPHA):
        pair = None
    weight = window[:, pair[0], pair[1]] if pair else window.sum(axis=(1, 2)) - np.trace(window, axis1=1, axis2=2)
    by_weight = [int(tape) for tape in np.argsort(-weight, kind="stable") if weight[tape] > 0]
    proposed = tuple(first + tape for tape in by_weight[:MAX_PROPOSED])
    return ChartState("drift" if pair else "noise", marginal_p, since, (first, last), table, pair, proposed)
