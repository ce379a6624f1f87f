"""The networks of the folds: what each is trained on, alone and side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import NETWORK_OUTPUTS
from pipeline.coding.training.asr_confusions import COLUMNS as CONFUSION_COLUMNS
from pipeline.coding.training.augmentation import WordNoise
from pipeline.coding.training.cross_validation import network_folds
from pipeline.coding.training.distillation import COLUMNS as SOFT_LABEL_COLUMNS
from pipeline.coding.training.distillation import SoftLabels
from pipeline.coding.training.folds import VARIANTS, CheckpointStore, TrainingData, train_networks
from pipeline.coding.training.network import Network
from pipeline.errors import ModelError
from tests.coding.conftest import CONFUSIONS

pytestmark = pytest.mark.engines

FOLDS = (None, 0, 1, 2, 3, 4)


@pytest.fixture(scope="module")
def training_data(sessions: pd.DataFrame, encoder: Path, no_soft_labels: SoftLabels) -> TrainingData:
    return TrainingData(sessions, encoder, CONFUSIONS, no_soft_labels)


def test_a_fold_is_scored_by_the_network_that_was_not_trained_on_it(
    training_data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_on: list[set[int]] = []
    scored: list[set[int]] = []
    noisy: list[str] = []
    labels_of_fold: list[dict[int, float]] = []

    def finetune(
        rows: pd.DataFrame, folder: Path, seed: int, progress: object, add_noise: WordNoise, soft_labels: np.ndarray
    ) -> Network:
        trained_on.append(set(rows["fold"]))
        labels_of_fold.append(dict(zip(rows["fold"], soft_labels[:, 0], strict=True)))
        noisy.append(add_noise("help", np.random.default_rng(0)))
        return Network.of(folder, NETWORK_OUTPUTS, 1)

    def scores(network: object, tokenizer: object, rows: pd.DataFrame) -> np.ndarray:
        scored.append(set(rows["fold"]))
        return np.zeros((len(rows), NETWORK_OUTPUTS))

    monkeypatch.setattr("pipeline.coding.training.finetuning.finetune", finetune)
    monkeypatch.setattr("pipeline.coding.training.finetuning.scores", scores)
    certain = pd.DataFrame([(2, "help", "kelp", 10**6)], columns=list(CONFUSION_COLUMNS))
    # Every soft label encodes the fold of its utterance and the other that was held out (9: none).
    rows = training_data.table[["tape_id", "utterance_id", "fold"]]
    without = [rows.assign(without=fold, score=10 * rows["fold"] + (9 if fold is None else fold)) for fold in FOLDS]
    labels = pd.concat(without).astype({"without": "Int64"})
    labels[list(SOFT_LABEL_COLUMNS[3:])] = labels[["score"] * NETWORK_OUTPUTS].to_numpy()
    training_data = replace(
        training_data, asr_confusions=certain, soft_labels=SoftLabels(labels[list(SOFT_LABEL_COLUMNS)])
    )
    train_networks(training_data, [(0, fold) for fold in (0, 1, 2, 3, 4, None)], CheckpointStore(tmp_path))
    # The longest first; those of equal length in the order of the runs.
    assert trained_on == [set(range(5)), *(set(range(5)) - {fold} for fold in range(5))]
    assert scored == [{fold} for fold in range(5) for _ in VARIANTS]
    assert noisy == ["kelp", "kelp", "kelp", "help", "kelp", "kelp"]
    assert labels_of_fold == [
        {fold: 10 * fold + (9 if out is None else out) for fold in range(5) if fold != out} for out in FOLDS
    ]
    assert network_folds(training_data.table, 0, CheckpointStore(tmp_path)).shape == (
        len(VARIANTS),
        len(training_data.table),
        NETWORK_OUTPUTS,
    )


def test_networks_do_not_depend_on_how_many_are_trained_at_once(training_data: TrainingData, tmp_path: Path) -> None:
    rows = training_data.table[training_data.table["tape_id"].isin(["0", "1"])].assign(
        fold=lambda rows: rows["tape_id"].astype(int)
    )
    training_data = replace(training_data, table=rows.reset_index(drop=True))
    runs = [(1, 0), (1, 1)]
    for cores in (1, 2):
        (tmp_path / str(cores)).mkdir()
        done: list[float] = []
        train_networks(training_data, runs, CheckpointStore(tmp_path / str(cores)), cores, done.append)
        assert done == sorted(done)
        assert done[-1] == 1
    alone, side_by_side = ({path.name: path.read_bytes() for path in (tmp_path / cores).iterdir()} for cores in "12")
    assert sorted(alone) == [f"seed-1-fold-{fold}.{kind}" for fold in (0, 1) for kind in ("npy", "safetensors")]
    assert alone == side_by_side


def test_an_error_in_a_worker_process_is_raised(training_data: TrainingData, tmp_path: Path) -> None:
    broken = replace(training_data, encoder=tmp_path)
    with pytest.raises(ModelError, match="TR-M07"):
        train_networks(broken, [(0, 0), (0, 1)], CheckpointStore(tmp_path), cores=2)
