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

LAMBDA, L = 0.3, 2.7
CALIBRATION_TAPES = 5
"""Tapes that give the center line."""
MAX_CREDIT = 2.0
MAX_CENTER_SHIFT = 0.5
WINDOW = 6
"""Tapes that the watch for one-sided confusions looks back upon."""
ONE_SIDED_ALPHA = 0.002
"""How unlikely a one-sided confusion must be by chance, over all ordered pairs of codes together."""
LEANING_ALPHA = 0.05
"""Significance at which confusions count as one-sided where something else speaks for it, too."""
OVERDISPERSION_ALPHA = 0.001
"""Calibrated tapes that vary more than chance at this level widen the limits."""
MAX_OVERDISPERSION = 2.0
"""Variance of that kind counts for so many times chance at most: five tapes do not say more."""
MIN_FALL = 0.03
"""A fall by less than this share of the utterances is not worth a talk, however sure it is."""
MAX_TAPE_WEIGHT = 3.0
"""A tape counts for so many usual tapes at most."""
MARGINALS_ALPHA = 0.05
"""Significance at which marginals count as moved where agreement has fallen already."""
MAX_PROPOSED = 3
"""Tapes that are proposed to talk about, at most."""

StateName = Literal["steady", "drift", "noise"]


@dataclass(frozen=True)
class OneSidedConfusion:
    """A one-sided confusion: the reference says ``reference``, the coder says ``coder``; ``units`` of them against
    ``reverse`` the other way round, on the tapes from place ``first`` to ``last``."""

    reference: int
    coder: int
    units: int
    reverse: int
    first: int
    last: int


@dataclass(frozen=True)
class ControlChart:
    """A chart's lines, one entry a tape in order of time, as shares of agreement.

    ``alarms`` are places where the mean lies below its limit, ``shifts`` the places with a one-sided confusion.
    ``moved`` is the p-value of Stuart and Maxwell's test at each place, over the tapes that it looks back upon.
    """

    units: NDArray[np.int64]
    agreement: Array
    mean: Array
    center: float
    limit: Array
    alarms: tuple[int, ...]
    shifts: tuple[OneSidedConfusion, ...]
    moved: Array


def control_chart(tables: Array) -> ControlChart | None:
    """Chart tapes in order of time.

    Parameters
    ----------
    tables: for each tape the reference's values (rows) by the coder's (columns), shape (tapes, values, values); no tape
        without units. The tapes since the last recalibration, the calibrated ones first.

    Returns
    -------
    None where there are fewer tapes than a center line needs.
    """
    if len(tables) < CALIBRATION_TAPES:
        return None
    agree, units = np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2))
    lines, sides = _lines(agree, units), _one_sided(tables)
    return ControlChart(
        units=units.astype(np.int64),
        agreement=agree / units,
        mean=_share(lines.mean),
        center=float(_share(lines.center)),
        limit=_share(np.maximum(lines.limit, 0)),
        alarms=tuple(int(place) for place in np.flatnonzero(lines.alarms)),
        shifts=_one_sided_confusions(sides),
        moved=_marginal_p_values(sides, len(tables)),
    )


def signals(tables: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the mean, and where the watch for one-sided confusions, would speak, for many charts of equal length.

    Parameters
    ----------
    tables: as for `control_chart`, with any number of leading axes, shape (..., tapes, values, values); at least as
        many tapes as a center line needs. Both results have the shape (..., tapes).
    """
    lines = _lines(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))
    shifts = np.zeros(lines.alarms.shape, dtype=bool)
    shifts[..., CALIBRATION_TAPES:] = _one_sided(tables).least < _one_sided_limit(tables.shape[-1])
    return lines.alarms, shifts


@dataclass(frozen=True)
class _Lines:
    """The lines of charts as angles: ``center`` has one entry a chart, the others one a tape."""

    center: Array
    mean: Array
    limit: Array
    alarms: NDArray[np.bool_]


def _lines(agree: Array, units: Array) -> _Lines:
    """The lines of charts, from units agreed upon and all units, shape (..., tapes)."""
    base = units[..., :CALIBRATION_TAPES].sum(axis=-1)
    center = _angle(agree[..., :CALIBRATION_TAPES].sum(axis=-1), base)
    angles, usual = _angle(agree, units), base / CALIBRATION_TAPES
    spread = _overdispersion(angles[..., :CALIBRATION_TAPES], units[..., :CALIBRATION_TAPES], center)
    noise = spread[..., None] / (4 * (units + 0.5))
    trusted = MAX_CENTER_SHIFT * np.sqrt(spread / (4 * (base + 0.5)))
    credit = MAX_CREDIT * np.sqrt(LAMBDA / (2 - LAMBDA) * spread / (4 * (usual + 0.5)))
    agreed, seen = np.cumsum(agree, axis=-1), np.cumsum(units, axis=-1)
    known, among = agreed[..., CALIBRATION_TAPES - 1], seen[..., CALIBRATION_TAPES - 1]
    weights = 1 - (1 - LAMBDA) ** np.minimum(units / usual[..., None], MAX_TAPE_WEIGHT)
    mean, limit = np.repeat(center[..., None], units.shape[-1], axis=-1), np.full(units.shape, np.nan)
    variance = np.zeros_like(center)
    for place in range(CALIBRATION_TAPES, units.shape[-1]):
        line = center + np.clip(_angle(known, among) - center, -trusted, trusted)
        lowest = np.arcsin(np.sqrt(np.maximum(_share(line) - MIN_FALL, 0.0)))
        weight = weights[..., place]
        moved = weight * angles[..., place] + (1 - weight) * mean[..., place - 1]
        mean[..., place] = np.minimum(moved, line + credit)
        variance = weight**2 * noise[..., place] + (1 - weight) ** 2 * variance
        limit[..., place] = np.minimum(line - L * np.sqrt(variance), lowest)
        calm = mean[..., place] >= line
        known, among = np.where(calm, agreed[..., place], known), np.where(calm, seen[..., place], among)
    return _Lines(center, mean, limit, mean < limit)


def _angle(agree: Array, units: Array) -> Array:
    return np.asarray(np.arcsin(np.sqrt((agree + 0.375) / (units + 0.75))))


def _share(angle: Array) -> Array:
    return np.asarray(np.sin(angle) ** 2)


def _overdispersion(angles: Array, units: Array, center: Array) -> Array:
    """How many times as much as chance allows the calibrated tapes vary; 1 where chance may explain it."""
    from scipy.stats import chi2

    found = ((angles - center[..., None]) ** 2 * 4 * (units + 0.5)).sum(axis=-1)
    free = angles.shape[-1] - 1
    return np.where(chi2.sf(found, free) < OVERDISPERSION_ALPHA, np.minimum(found / free, MAX_OVERDISPERSION), 1.0)


@dataclass(frozen=True)
class _OneSided:
    """One-sided confusions, one entry a tape after the calibrated ones: ``window`` sums up the tapes from ``start`` on,
    ``pair`` is the least likely (row and column as one number) and ``least`` how likely it is by chance."""

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
    places = np.arange(CALIBRATION_TAPES, number)
    start = np.maximum(CALIBRATION_TAPES, places + 1 - WINDOW)
    window = running[..., places + 1, :, :] - running[..., start, :, :]
    before = running[..., CALIBRATION_TAPES : CALIBRATION_TAPES + 1, :, :]
    # Where the calibrated tapes lean one way already, only more of it than then is news.
    leans = mcnemar(before, np.swapaxes(before, -2, -1)) < LEANING_ALPHA
    seen = window.sum(axis=(-2, -1), keepdims=True)
    exposed = seen / (seen + before.sum(axis=(-2, -1), keepdims=True))
    reverse = np.swapaxes(window, -2, -1)
    parts = (window, reverse, before, np.swapaxes(before, -2, -1), leans, exposed)
    chance = np.ones(window.shape)
    # Few confusions lean at all: the tests are for those alone.
    some = np.nonzero(window > reverse)
    some = tuple(axis[mcnemar(window[some], reverse[some]) < LEANING_ALPHA] for axis in some)
    one, other, once, back, leant, share = (np.broadcast_to(part, window.shape)[some] for part in parts)
    chance[some] = binom.sf(
        one - 1, np.where(leant, one + once, one + other + once + back), np.where(leant, share, share / 2)
    )
    flat = chance.reshape(*chance.shape[:-2], values**2)
    return _OneSided(start, window, flat.argmin(axis=-1), flat.min(axis=-1))


def _one_sided_confusions(sides: _OneSided) -> tuple[OneSidedConfusion, ...]:
    """The one-sided confusions of one chart that chance does not explain, the least likely at each tape."""
    found, values = [], sides.window.shape[-1]
    for row in np.flatnonzero(sides.least < _one_sided_limit(values)):
        one, other = divmod(int(sides.pair[row]), values)
        counts = (int(sides.window[row, one, other]), int(sides.window[row, other, one]))
        found.append(OneSidedConfusion(one, other, *counts, int(sides.start[row]), CALIBRATION_TAPES + int(row)))
    return tuple(found)


def _marginal_p_values(sides: _OneSided, number: int) -> Array:
    """The p-values of the marginals of one chart."""
    from scipy.stats import chi2

    moved = np.full(number, np.nan)
    if number > CALIBRATION_TAPES and sides.window.shape[-1] > 1:
        statistic, free = homogeneity(sides.window)
        moved[CALIBRATION_TAPES:] = np.where(free > 0, chi2.sf(statistic, np.maximum(free, 1)), 1.0)
    return moved


def most_one_sided(table: Array) -> tuple[int, int] | None:
    """The ordered pair (reference, coder) whose confusions are the most one-sided in a table; None where none are."""
    sides = np.where(table > table.T, mcnemar(table, table.T), 2.0)
    one, other = divmod(int(sides.argmin()), len(table))
    return (one, other) if sides[one, other] <= 1 else None


@dataclass(frozen=True)
class ChartState:
    """Places are of tapes in the chart.

    ``since`` is the first of the last tapes at which the chart spoke; ``window`` the tapes (first, last) that ``table``
    sums up; ``pair`` the reference's value and the coder's; ``proposed`` the tapes with most of it.
    """

    state: StateName
    moved: float
    since: int | None = None
    window: tuple[int, int] = (0, 0)
    table: Array | None = None
    pair: tuple[int, int] | None = None
    proposed: tuple[int, ...] = ()


def chart_state(tables: Array, found: ControlChart) -> ChartState:
    """Read the last `WINDOW` tapes of a chart of these tables; there is at least one after the calibrated ones."""
    recent = max(CALIBRATION_TAPES, len(tables) - WINDOW)
    fallen = [place for place in found.alarms if place >= recent]
    shifts = [shift for shift in found.shifts if shift.last >= recent]
    if not fallen and not shifts:
        return ChartState("steady", float(found.moved[-1]))
    spoken = sorted([*fallen, *(shift.last for shift in shifts)])
    since, last = spoken[0], spoken[-1]
    begin = max(CALIBRATION_TAPES, last + 1 - WINDOW)
    window = tables[begin : last + 1]
    table = window.sum(axis=0)
    pair = (shifts[-1].reference, shifts[-1].coder) if shifts else most_one_sided(table)
    moved = float(found.moved[last])
    if pair is None or not (shifts or moved < MARGINALS_ALPHA):
        pair = None
    weight = window[:, pair[0], pair[1]] if pair else window.sum(axis=(1, 2)) - np.trace(window, axis1=1, axis2=2)
    order = [int(place) for place in np.argsort(-weight, kind="stable") if weight[place] > 0]
    proposed = tuple(begin + place for place in order[:MAX_PROPOSED])
    return ChartState("drift" if pair else "noise", moved, since, (begin, last), table, pair, proposed)
