"""Length against depth."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.benchmarks.lengths import correlations


def test_only_reflections_whose_depth_an_expert_told_count() -> None:
    rows = pd.DataFrame(
        [
            ("you", 1, 0.0, 0.1, 0.3),  # .25
            ("you want", 1, 1.0, 0.4, 0.4),  # .5
            ("you want to", 1, 0.0, 0.3, 0.7),  # .3
            ("you want to quit", 1, None, 0.9, 0.1),
            ("do you want to quit now", 0, 1.0, 0.9, 0.1),
        ],
        columns=["text", "hand_reflection", "hand_complex", "p_reflection_complex", "p_reflection_simple"],
    )
    ours, theirs, number = correlations(rows)
    # Ranks 1, 2, 3 against 1, 3, 2: one minus 6 times 2 by 3 times 8. Against 1.5, 3, 1.5 the covariance is zero.
    assert (ours, number) == (pytest.approx(0.5), 3)
    assert theirs == pytest.approx(0.0)
