"""Fine-tuning and scoring a tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS
from pipeline.coding.training import finetuning
from pipeline.coding.training.network import Network

pytestmark = pytest.mark.engines


def test_a_network_is_trained_on_its_soft_labels(
    sessions: pd.DataFrame, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetuning, "SOFT_LABEL_WEIGHT", 1.0)
    monkeypatch.setattr(finetuning, "HEAD_LEARNING_RATE", 0.05)
    rows = sessions[sessions["tape_id"].isin(["0", "1", "2"])]
    means = []
    for label in (-3.0, 3.0):
        network = finetuning.finetune(rows, encoder, 0, soft_labels=np.full((len(rows), NETWORK_OUTPUTS), label))
        logits = finetuning.scores(network, finetuning.load_tokenizer(encoder), rows)
        means.append(logits[:, DECISIONS.index("question")].mean())
    assert means == pytest.approx([-3, 3], abs=1)  # independent of the hand codes


def test_a_window_is_scored_alike_alone_and_in_a_batch(sessions: pd.DataFrame, encoder: Path) -> None:
    table = sessions[sessions["tape_id"].isin(["0", "1", "2", "3"])]
    network = Network.of(encoder, NETWORK_OUTPUTS, 5).eval()
    tokenizer = finetuning.load_tokenizer(encoder)
    together = finetuning.scores(network, tokenizer, table)
    alone = [finetuning.scores(network, tokenizer, tape) for _, tape in table.groupby("tape_id", sort=False)]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)
