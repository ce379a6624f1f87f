"""One control chart: a coder's agreement with the reference on one family of codes, tape after tape.

The first `CALIBRATED` tapes give the center line. From then on an exponentially weighted mean (lambda .3) runs behind
the tapes' own points (Shewhart points); it speaks when it falls below its limit (L 2.7). Three choices make it quick
and quiet:

- It watches for a fall only, and good tapes buy no credit: the mean never lies above the center line.
- Shares of agreement are charted on the arcsine scale (Anscombe 1948), where their variance depends on the number of
  units only, so that the rate of false alarms is the same for a coder who agrees on 70 % and one who agrees on 95 %.
- A tape with fewer units than the calibrated ones moves the mean less, one with more moves it more.

Beside it runs a watch for one-sided confusions: how many units that are code A to the reference the coder makes code
B, in the last `WINDOW` tapes, against the reverse (McNemar) and against the calibrated tapes.
``tests/benchmarks/drift.py`` measures how long both take, with and without a change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.coefficients import Array, homogeneity, mcnemar

LAMBDA, L = 0.3, 2.7
CALIBRATED = 5
"""Tapes that give the center line."""
WINDOW = 6
"""Tapes that the watch for one-sided confusions looks back upon."""
RARE = 0.002
"""How unlikely a one-sided confusion must be by chance, over all ordered pairs of codes together."""
LEANS = 0.05
"""Significance at which confusions count as one-sided where something else speaks for it, too."""
SPREAD = 0.001
"""Calibrated tapes that vary more than chance at this level widen the limits."""
WIDEST = 2.0
"""Variance of that kind counts for so many times chance at most: five tapes do not say more."""
LEAST_FALL = 0.03
"""A fall by less than this share of the utterances is not worth a talk, however sure it is."""
HEAVIEST = 3.0
"""A tape counts for so many usual tapes at most."""


@dataclass(frozen=True)
class Shift:
    """A one-sided confusion: the reference says ``reference``, the coder says ``coder``; ``units`` of them against
    ``reverse`` the other way round, on the tapes from place ``first`` to ``last``."""

    reference: int
    coder: int
    units: int
    reverse: int
    first: int
    last: int


@dataclass(frozen=True)
class Chart:
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
    shifts: tuple[Shift, ...]
    moved: Array

    @property
    def first_alarm(self) -> int | None:
        """Place of the first tape at which either watch spoke."""
        places = [*self.alarms[:1], *(shift.last for shift in self.shifts[:1])]
        return min(places, default=None)


def chart(tables: Array) -> Chart | None:
    """Chart tapes in order of time.

    Parameters
    ----------
    tables: for each tape the reference's values (rows) by the coder's (columns), shape (tapes, values, values); no tape
        without units. The tapes since the last recalibration, the calibrated ones first.

    Returns
    -------
    None where there are fewer tapes than a center line needs.
    """
    if len(tables) < CALIBRATED:
        return None
    agree, units = np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2))
    calibrated = slice(0, CALIBRATED)
    base = float(units[calibrated].sum())
    center = float(_angle(agree[calibrated].sum(), base))
    angles = _angle(agree, units)
    noise = _spread(angles[calibrated], units[calibrated], center) / (4 * (units + 0.5))
    usual = base / CALIBRATED
    mean, limit = np.full(len(units), center), np.full(len(units), np.nan)
    lowest = float(np.arcsin(np.sqrt(max(float(_share(center)) - LEAST_FALL, 0.0))))
    variance = 0.0
    for place in range(CALIBRATED, len(units)):
        weight = 1 - (1 - LAMBDA) ** min(float(units[place]) / usual, HEAVIEST)
        mean[place] = min(weight * angles[place] + (1 - weight) * mean[place - 1], center)
        variance = weight**2 * float(noise[place]) + (1 - weight) ** 2 * variance
        limit[place] = min(center - L * np.sqrt(variance), lowest)
    alarms = tuple(int(place) for place in np.flatnonzero(mean < limit))
    shifts, moved = _confusions(tables)
    return Chart(
        units=units.astype(np.int64),
        agreement=agree / units,
        mean=_share(mean),
        center=float(_share(center)),
        limit=_share(np.maximum(limit, 0)),
        alarms=alarms,
        shifts=shifts,
        moved=moved,
    )


def _angle(agree: Array | float, units: Array | float) -> Array:
    return np.asarray(np.arcsin(np.sqrt((agree + 0.375) / (units + 0.75))))


def _share(angle: Array | float) -> Array:
    return np.asarray(np.sin(angle) ** 2)


def _spread(angles: Array, units: Array, center: float) -> float:
    """How many times as much as chance allows the calibrated tapes vary; 1 where chance may explain it."""
    from scipy.stats import chi2  # type: ignore[import-untyped]

    found = float(((angles - center) ** 2 * 4 * (units + 0.5)).sum())
    free = len(angles) - 1
    return min(found / free, WIDEST) if chi2.sf(found, free) < SPREAD else 1.0


def _confusions(tables: Array) -> tuple[tuple[Shift, ...], Array]:
    """One-sided confusions at each place, the least likely of each, and the p-values of the marginals."""
    from scipy.stats import binom, chi2

    number, values = len(tables), tables.shape[1]
    running = np.concatenate([np.zeros((1, values, values)), np.cumsum(tables, axis=0)])
    places = np.arange(CALIBRATED, number)
    moved = np.full(number, np.nan)
    if not len(places) or values < 2:
        return (), moved
    start = np.maximum(CALIBRATED, places + 1 - WINDOW)
    window, before = running[places + 1] - running[start], running[CALIBRATED]
    statistic, free = homogeneity(window)
    moved[places] = np.where(free > 0, chi2.sf(statistic, np.maximum(free, 1)), 1.0)
    reverse, seen = np.swapaxes(window, 1, 2), window.sum(axis=(1, 2))
    sides = mcnemar(window, reverse)
    # Where the calibrated tapes lean one way already, only more of it than then is news.
    leans = mcnemar(before, before.T) < LEANS
    exposed = seen / (seen + before.sum())
    with_reverse = binom.sf(window - 1, window + reverse + before + before.T, exposed[:, None, None] / 2)
    alone = binom.sf(window - 1, window + before, exposed[:, None, None])
    chance = np.where(leans, alone, with_reverse)
    chance = np.where((sides < LEANS) & (window > reverse), chance, 1.0)
    chance[:, np.arange(values), np.arange(values)] = 1.0
    least = chance.reshape(len(places), -1).argmin(axis=1)
    found = []
    for row in np.flatnonzero(chance.reshape(len(places), -1).min(axis=1) < RARE / (values * (values - 1))):
        one, other = divmod(int(least[row]), values)
        counts = (int(window[row, one, other]), int(window[row, other, one]))
        found.append(Shift(one, other, *counts, int(start[row]), int(places[row])))
    return tuple(found), moved


def leaning(table: Array) -> tuple[int, int] | None:
    """The ordered pair (reference, coder) whose confusions are the most one-sided in a table; None where none are."""
    sides = np.where(table > table.T, mcnemar(table, table.T), 2.0)
    one, other = divmod(int(sides.argmin()), len(table))
    return (one, other) if sides[one, other] <= 1 else None
