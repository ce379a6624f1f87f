"""Two networks of the same folds are compared on the same draws of families."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.training import cross_validation, data, evaluation
from tests.benchmarks import seeds
from tests.coding.invented import write_annomi


def tagged(table: pd.DataFrame, certainty: float) -> pd.DataFrame:
    """Rows with tags from log-odds that lean to the hand codes and are blurred."""
    answers = table[list(DECISIONS)].to_numpy(dtype=float)
    blur = np.random.default_rng(0).normal(size=answers.shape)
    logits = np.nan_to_num(answers - 0.5) * certainty + blur
    return evaluation.join_predictions(
        table, cross_validation.fold_predictions(table, logits, cross_validation.cross_calibrate(table, logits))
    )


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of families, and of the intervals of each figure, which nothing here looks at."""
    draws = evaluation._draws
    monkeypatch.setattr(seeds, "DRAWS", 4)
    monkeypatch.setattr(evaluation, "_draws", lambda number, _=0: draws(number, 10))


def test_a_network_differs_from_itself_by_nothing(tmp_path: Path) -> None:
    rows = tagged(data.read(write_annomi(tmp_path, sessions=10)), 2)
    assert set(seeds.differences(rows, rows).values()) == {(0, 0)}


def test_what_is_better_in_every_draw_has_an_interval_over_nothing(tmp_path: Path) -> None:
    table = data.read(write_annomi(tmp_path, sessions=10))
    low, high = seeds.differences(tagged(table, 1), tagged(table, 8))["question yes/no"]
    assert 0 < low <= high
