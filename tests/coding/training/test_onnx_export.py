from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.coding.inference.classifier import NETWORK_OUTPUTS
from pipeline.coding.inference.onnx_scorer import OnnxScorer
from pipeline.coding.training import cross_validation, data, finetuning
from pipeline.coding.training.network import Network
from pipeline.coding.training.onnx_export import quantize_rows
from tests.coding.invented import write_annomi, write_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return data.read(write_annomi(tmp_path_factory.mktemp("data"), 4))


@pytest.fixture(scope="module")
def network(folder: Path) -> Network:
    torch.manual_seed(3)
    return Network.of(folder, NETWORK_OUTPUTS, 5).eval()


def test_the_stored_network_scores_as_the_trained_one(
    tmp_path: Path, folder: Path, table: pd.DataFrame, network: Network
) -> None:
    cross_validation.network_weights(network, folder).write(tmp_path)
    exact = finetuning.scores(network, finetuning.load_tokenizer(folder), table)
    stored = OnnxScorer(tmp_path).scores(table)
    assert stored.shape == (len(table), NETWORK_OUTPUTS)
    assert np.abs(stored - exact).max() < 0.1 * exact.std()
    assert np.corrcoef(stored.ravel(), exact.ravel())[0, 1] > 0.999


def test_quantized_rows_are_within_half_a_step() -> None:
    rows = np.random.default_rng(0).normal(0, 1, (5, 40)).astype(np.float32) * np.array([[1], [10], [0.1], [1], [0]])
    integers, scales = quantize_rows(rows.astype(np.float32), 63)
    assert np.abs(integers).max() == 63
    assert (np.abs(integers * scales[:, None] - rows) <= scales[:, None] * 0.5001).all()
