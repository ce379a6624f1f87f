from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.coding.inference.classifier import OUTPUTS
from pipeline.coding.inference.onnx_scorer import Encoder, buckets
from pipeline.coding.training import data, finetuning, fitting
from pipeline.coding.training.network import Network
from pipeline.coding.training.onnx_export import eighths
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
    return Network.of(folder, OUTPUTS, 5).eval()


def test_the_stored_network_scores_as_the_trained_one(
    tmp_path: Path, folder: Path, table: pd.DataFrame, network: Network
) -> None:
    fitting.learned(network, folder).write(tmp_path)
    exact = finetuning.scores(network, finetuning.reader_of(folder), table)
    stored = Encoder(tmp_path).scores(table)
    assert stored.shape == (len(table), OUTPUTS)
    assert np.abs(stored - exact).max() < 0.1 * exact.std()
    assert np.corrcoef(stored.ravel(), exact.ravel())[0, 1] > 0.999


def test_a_window_is_scored_alike_alone_and_in_company(folder: Path, table: pd.DataFrame, network: Network) -> None:
    reader = finetuning.reader_of(folder)
    together = finetuning.scores(network, reader, table)
    alone = [finetuning.scores(network, reader, tape) for _, tape in table.groupby("tape_id", sort=False)]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)


def test_whole_numbers_come_back_within_half_a_step() -> None:
    rows = np.random.default_rng(0).normal(0, 1, (5, 40)).astype(np.float32) * np.array([[1], [10], [0.1], [1], [0]])
    whole, scales = eighths(rows.astype(np.float32), 63)
    assert np.abs(whole).max() == 63
    assert (np.abs(whole * scales[:, None] - rows) <= scales[:, None] * 0.5001).all()


def test_distances_fall_into_buckets() -> None:
    found = buckets(400, 32)
    assert found.min() == 0
    assert found.max() == 31
    assert (np.diag(found) == 0).all()
    assert ((found >= 16) == (np.arange(400)[None, :] > np.arange(400)[:, None])).all()
    assert (np.diff(found[-1][::-1]) >= 0).all()  # ever farther back
    assert found[0, 7] == 16 + 7  # near ones are exact
    assert found[0, 200] == found[0, 399]
