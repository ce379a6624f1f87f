"""Bootstrap intervals over tapes: utterances of one tape are not independent, tapes nearly are.

The interval is Hesterberg's expanded percentile interval (The American Statistician 2015, 69(4)): with few tapes plain
percentiles are too narrow, so the tails are those of Student's t.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DRAWS, SEED, WIDTH = 1000, 0, 0.95
"""Draws, the seed that makes a table the same each time, and the share that an interval covers."""


@lru_cache(maxsize=256)
def tape_weights(tapes: int, draws: int = DRAWS, seed: int = SEED) -> NDArray[np.float64]:
    """Return how often each tape is drawn in each draw, shape (draws, tapes)."""
    random = np.random.default_rng([seed, tapes])
    return random.multinomial(tapes, np.full(tapes, 1 / tapes), size=draws).astype(float)


@lru_cache(maxsize=256)
def tail_share(tapes: int, width: float) -> float:
    """Return the share of draws beyond each end of the interval."""
    from scipy.stats import norm, t

    return float(norm.cdf(np.sqrt(tapes / (tapes - 1)) * t.ppf((1 - width) / 2, tapes - 1)))


def bootstrap_interval(drawn: NDArray[np.float64], tapes: int, width: float = WIDTH) -> tuple[float, float] | None:
    """Return the interval; None with only one tape, or if most draws leave the figure undefined (NaN)."""
    known = drawn[~np.isnan(drawn)]
    if tapes < 2 or 2 * len(known) < len(drawn):
        return None
    share = tail_share(tapes, width)
    low, high = np.quantile(known, [share, 1 - share])
    return float(low), float(high)
