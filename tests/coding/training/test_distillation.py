"""Soft labels: which of them a fold's network is trained on, and with which weight."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS
from pipeline.coding.training import distillation
from pipeline.coding.training.distillation import COLUMNS, SoftLabels
from pipeline.errors import CodingError


def soft_labels(*rows: tuple[int | None, str, str, float]) -> pd.DataFrame:
    """Soft labels of rows whose scores are all equal."""
    table = pd.DataFrame([(*row[:3], *[row[3]] * NETWORK_OUTPUTS) for row in rows], columns=list(COLUMNS))
    return table.astype({"without": "Int64"})


LABELS = soft_labels((None, "a", "1", 1.0), (None, "a", "2", 2.0), (0, "a", "1", 3.0), (1, "a", "2", 4.0))
ROWS = pd.DataFrame({"tape_id": ["a", "a", "b"], "utterance_id": ["2", "1", "1"]})


def test_soft_labels_are_from_networks_that_were_not_trained_on_the_measured_fold() -> None:
    labels = SoftLabels(LABELS)
    nan = math.nan
    np.testing.assert_array_equal(labels.scores(ROWS), np.repeat([[2.0], [1.0], [nan]], NETWORK_OUTPUTS, axis=1))
    np.testing.assert_array_equal(labels.scores(ROWS, 0), np.repeat([[nan], [3.0], [nan]], NETWORK_OUTPUTS, axis=1))
    np.testing.assert_array_equal(labels.scores(ROWS, 1)[:, 0], [4.0, nan, nan])
    assert np.isnan(labels.scores(ROWS, 2)).all()


def test_soft_labels_come_back_as_they_were_stored(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv.gz"
    LABELS.to_csv(path, index=False)
    pd.testing.assert_frame_equal(distillation.read(path).table, LABELS)


@pytest.mark.parametrize(
    "content", [None, "", "a,b\n1,2\n", ",".join(COLUMNS) + "\nfirst,a,1" + ",0" * NETWORK_OUTPUTS + "\n"]
)
def test_a_file_without_soft_labels_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "answers.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CodingError, match=r"TR-C05 teacher .*answers\.csv"):
        distillation.read(path)


@pytest.mark.engines
def test_hand_codes_and_soft_labels_are_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from pipeline.coding.training import finetuning

    monkeypatch.setattr(finetuning, "SOFT_LABEL_WEIGHT", 0.25)
    hard = torch.tensor([[0.96, 0.04], [0.96, 0.04]])
    targets = finetuning._with_soft_labels(hard, torch.tensor([[0.5, 0.2], [math.nan, math.nan]]))
    # 3/4 of .96 and a quarter of .5; 3/4 of .04 and a quarter of .2
    torch.testing.assert_close(targets, torch.tensor([[0.845, 0.08], [0.96, 0.04]]))


def test_every_score_is_stored_under_its_name() -> None:
    assert len(COLUMNS) == 3 + NETWORK_OUTPUTS
    assert COLUMNS[3 : 3 + len(DECISIONS)] == DECISIONS
