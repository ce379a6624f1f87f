from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from pipeline.measures.reliability.bootstrap import bootstrap_interval, tail_share, tape_weights


def test_each_draw_takes_as_many_tapes_as_there_are_and_a_seed_repeats_it() -> None:
    drawn = tape_weights(5, 200, 3)
    assert drawn.shape == (200, 5)
    assert (drawn.sum(axis=1) == 5).all()
    assert (drawn == tape_weights.__wrapped__(5, 200, 3)).all()
    assert (drawn != tape_weights(5, 200, 4)).any()


def test_few_tapes_widen_the_interval_as_students_t_does() -> None:
    # Two tapes: the tails of t with one degree of freedom, 12.7 standard errors of which sqrt(2) as many are normal.
    assert tail_share(2, 0.95) == pytest.approx(norm.cdf(np.sqrt(2) * t.ppf(0.025, 1)))
    assert tail_share(2, 0.95) < tail_share(20, 0.95) < 0.025
    assert tail_share(100_000, 0.95) == pytest.approx(0.025, abs=1e-4)


def test_one_tape_or_mostly_undefined_draws_have_no_interval() -> None:
    drawn = np.array([1.0, 2.0, 3.0, np.nan])
    assert bootstrap_interval(drawn, 1) is None
    assert bootstrap_interval(np.array([1.0, np.nan, np.nan]), 9) is None
    low, high = bootstrap_interval(drawn, 9) or (0.0, 0.0)
    assert 1 <= low < high <= 3
