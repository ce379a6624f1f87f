"""Coefficients of agreement from sums over tapes, so that tapes can be resampled by a matrix product.

Every function takes arrays with any number of leading axes (such as one for bootstrap draws) and returns NaN where a
figure is undefined: the tables (`pipeline.measures.reliability.agreement`) turn that into a reason. The libraries that
have some of these (scikit-learn, statsmodels) take one table at a time; the tests compare ours with theirs.

Sources: Cohen 1960 (kappa); Byrt, Bishop and Carlin 1993 (prevalence index, bias index, PABAK); Bennett, Alpert and
Goldstein 1954 (S, which is PABAK for more than two codes); Gwet 2008 (AC1); Krippendorff 2004 (alpha); McGraw and Wong
1996 (ICC(A,1), ICC(C,1)); Stuart 1955, Maxwell 1970, McNemar 1947 (marginal homogeneity).

>>> round(float(kappa(np.array([[20, 5], [10, 15]]))), 3)
0.4
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ratio(over: Any, under: Any) -> Array:
    """Divide; NaN without a warning where the denominator is 0."""
    over, under = np.broadcast_arrays(np.asarray(over, dtype=float), np.asarray(under, dtype=float))
    # Differences of shares near 1 leave rounding errors, which count as 0.
    nonzero = np.abs(under) > 1e-12
    return np.asarray(np.divide(over, under, out=np.full(under.shape, np.nan), where=nonzero))


def percent(agree: Any, units: Any) -> Array:
    """Return the share of units with the same value."""
    return ratio(agree, units)


def kappa_of(agree: Array, rows: Array, columns: Array) -> Array:
    """Return Cohen's kappa from the number of agreements and the two coders' marginals, shape (..., values)."""
    units = rows.sum(axis=-1)
    observed, expected = ratio(agree, units), ratio((rows * columns).sum(axis=-1), units**2)
    return ratio(observed - expected, 1 - expected)


def kappa(table: Any) -> Array:
    """Return Cohen's kappa of square tables, shape (..., values, values)."""
    table = np.asarray(table, dtype=float)
    return kappa_of(np.trace(table, axis1=-2, axis2=-1), table.sum(axis=-1), table.sum(axis=-2))


def pabak(agree: Any, units: Any, values: int) -> Array:
    """Return kappa as it would be if every value were equally common: 2 p - 1 for a yes or no."""
    if values < 2:
        return np.full(np.shape(agree), np.nan)
    return np.asarray((values * ratio(agree, units) - 1) / (values - 1))


def prevalence_index(rows: Array, columns: Array) -> Array:
    """Return how far yes and no are from equally common, for marginals of (no, yes): -1 all no, 1 all yes."""
    units = rows.sum(axis=-1)
    return ratio(rows[..., 1] + columns[..., 1] - units, units)


def bias_index(rows: Array, columns: Array) -> Array:
    """Return how much more often the first coder gives yes than the second, as a share of the units."""
    return ratio(rows[..., 1] - columns[..., 1], rows.sum(axis=-1))


def ac1_of(agree: Any, units: Any, shares: Array, coded: Any) -> Array:
    """Return Gwet's AC1.

    Parameters
    ----------
    agree, units: sum over units of the share of coder pairs that agree, and the number of units with two coders or
        more.
    shares, coded: sum over units of the share of coders that chose each value, shape (..., values), and the number of
        units with one coder or more.
    """
    values = shares.shape[-1]
    if values < 2:
        return np.full(np.shape(agree), np.nan)
    chosen = ratio(shares, np.asarray(coded, dtype=float)[..., None])
    expected = (chosen * (1 - chosen)).sum(axis=-1) / (values - 1)
    return ratio(ratio(agree, units) - expected, 1 - expected)


def alpha_of(same: Any, marginals: Array) -> Array:
    """Return Krippendorff's nominal alpha.

    Parameters
    ----------
    same: sum of the coincidence matrix's diagonal.
    marginals: how often each value was given on units with two coders or more, shape (..., values).
    """
    total = marginals.sum(axis=-1)
    return 1 - ratio((total - 1) * (total - same), total**2 - (marginals**2).sum(axis=-1))


def ordinal_alpha_of(coincidences: Array) -> Array:
    """Return Krippendorff's ordinal alpha of coincidence matrices, shape (..., values, values), values in order."""
    marginals = coincidences.sum(axis=-1)
    below = np.cumsum(marginals, axis=-1) - marginals / 2
    distance = (below[..., :, None] - below[..., None, :]) ** 2
    observed = (coincidences * distance).sum(axis=(-2, -1))
    expected = (marginals[..., :, None] * marginals[..., None, :] * distance).sum(axis=(-2, -1))
    return 1 - ratio((marginals.sum(axis=-1) - 1) * observed, expected)


def icc_of(totals: Any, squares: Any, by_tape: Any, tapes: Any) -> tuple[Array, Array]:
    """Return ICC(A,1) and ICC(C,1) of several coders' counts.

    Parameters
    ----------
    totals: each coder's sum of counts, shape (..., coders).
    squares: sum of the squares of all counts.
    by_tape: sum over tapes of the square of the coders' total.
    tapes: number of tapes.
    """
    totals, number = np.asarray(totals, dtype=float), np.asarray(tapes, dtype=float)
    coders = totals.shape[-1]
    center = totals.sum(axis=-1) ** 2 / (number * coders)
    between_tapes = by_tape / coders - center
    between_coders = (totals**2).sum(axis=-1) / number - center
    rest = squares - center - between_tapes - between_coders
    msr, mse = ratio(between_tapes, number - 1), ratio(rest, (number - 1) * (coders - 1))
    msc = between_coders / (coders - 1)
    consistency = ratio(msr - mse, msr + (coders - 1) * mse)
    agreement = ratio(msr - mse, msr + (coders - 1) * mse + coders * (msc - mse) / number)
    return agreement, consistency


def homogeneity(tables: Any) -> tuple[Array, NDArray[np.int64]]:
    """Return Stuart and Maxwell's chi-square for equal marginals of square tables, and its degrees of freedom.

    Values that the two coders give only to the same units carry no information and are left out; a table without
    disagreement has 0 degrees of freedom.
    """
    tables = np.asarray(tables, dtype=float)
    differences = tables.sum(axis=-1) - tables.sum(axis=-2)
    off = tables + np.swapaxes(tables, -1, -2)
    diagonal = np.eye(tables.shape[-1], dtype=bool)
    off[..., diagonal] = 0
    covariance = np.where(diagonal, off.sum(axis=-1)[..., None], -off)
    # The pseudo-inverse drops the value that the others determine, and what is never confused.
    inverse = np.linalg.pinv(covariance, rcond=1e-9)
    chi2 = np.einsum("...i,...ij,...j->...", differences, inverse, differences)
    return chi2, np.linalg.matrix_rank(covariance, tol=1e-9).astype(np.int64)


def mcnemar(first: Any, second: Any) -> Array:
    """Return the two-sided mid-p value of McNemar's test for counts of opposite disagreements; 1 without any."""
    from scipy.stats import binom

    first, second = np.broadcast_arrays(np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64))
    # The same counts recur in long tables: each pair of them is computed once.
    fewer, total = np.minimum(first, second), first + second
    _, index, inverse = np.unique(total * (total + 1) // 2 + fewer, return_index=True, return_inverse=True)
    few, all_ = fewer.ravel()[index], total.ravel()[index]
    p_value = (2 * binom.cdf(few, all_, 0.5) - binom.pmf(few, all_, 0.5))[inverse].reshape(first.shape)
    return np.where(first == second, 1.0, np.minimum(p_value, 1.0))
