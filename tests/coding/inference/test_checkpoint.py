"""A tagger on disk: what is stored comes back, and nothing else is accepted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import NETWORK_OUTPUTS
from pipeline.coding.training import tagger_files
from pipeline.coding.training.cross_validation import fit_tagger
from pipeline.coding.training.distillation import SoftLabels
from pipeline.coding.training.folds import VARIANTS, TrainingData
from pipeline.coding.training.network import Network
from pipeline.coding.training.tagger_files import FittedTagger
from pipeline.errors import CodingError
from tests.coding.conftest import CONFUSIONS

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def fitted(sessions: pd.DataFrame, encoder: Path, no_soft_labels: SoftLabels) -> FittedTagger:
    """A tagger with an untrained network and random held-out scores."""
    scores = np.random.default_rng(0).normal(0, 1, (len(VARIANTS), len(sessions), NETWORK_OUTPUTS))
    training_data = TrainingData(sessions, encoder, CONFUSIONS, no_soft_labels)
    return fit_tagger(training_data, {0: scores}, Network.of(encoder, NETWORK_OUTPUTS, 5).eval())


def test_what_is_stored_comes_back(tmp_path: Path, sessions: pd.DataFrame, fitted: FittedTagger) -> None:
    tagger_files.write(tmp_path, fitted, {"version": "test"})
    stored = checkpoint.read(tmp_path)
    assert np.isfinite(stored.classifier(sessions)).all()
    np.testing.assert_array_equal(stored.classifier.linear.weights, fitted.linear.weights)
    assert stored.calibration == fitted.calibration
    assert checkpoint.fold_calibrations(stored.metadata) == fitted.by_fold
    assert stored.metadata["version"] == "test"
    bare = checkpoint.read_folds(tmp_path, "bare")
    assert list(bare["codes"]) == list(fitted.folds.loc[fitted.folds["variant"] == "bare", "codes"])


def test_the_same_tagger_is_stored_in_the_same_bytes(tmp_path: Path, fitted: FittedTagger) -> None:
    for name in ("first", "second"):
        tagger_files.write(tmp_path / name, fitted, {})
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


@pytest.mark.parametrize("name", [*checkpoint.RUNTIME_FILES, checkpoint.METADATA, checkpoint.FOLDS])
def test_a_missing_or_altered_file_is_named(tmp_path: Path, fitted: FittedTagger, name: str) -> None:
    tagger_files.write(tmp_path, fitted, {})
    path = tmp_path / name
    data = path.read_bytes()
    for content in (data[: len(data) // 2], data[:40] + bytes([data[40] ^ 1]) + data[41:], b"", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CodingError, match="TR-C04"):
            checkpoint.read_folds(tmp_path, "bare") if name == checkpoint.FOLDS else checkpoint.read(tmp_path)
        path.touch()


def test_weights_of_another_format_are_refused(
    tmp_path: Path, fitted: FittedTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger_files.write(tmp_path, fitted, {})
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    with pytest.raises(CodingError, match="another format"):
        checkpoint.read(tmp_path)


def test_the_keys_of_stored_calibrations_stay(tmp_path: Path, fitted: FittedTagger) -> None:
    tagger_files.write(tmp_path, fitted, {})
    metadata = json.loads((tmp_path / checkpoint.METADATA).read_text())
    for calibration in (metadata["calibration"], *metadata["folds"].values()):
        assert list(calibration) == ["blend", "thresholds", "check_below", "spread"]


def test_the_identity_depends_on_weights_and_calibration_alone(tmp_path: Path, fitted: FittedTagger) -> None:
    tagger_files.write(tmp_path, fitted, {"version": "1"})
    metadata = checkpoint.read_metadata(tmp_path)
    identity = checkpoint.identity(metadata)
    assert checkpoint.identity(metadata | {"version": "2"}) == identity
    assert checkpoint.identity(metadata | {"calibration": metadata["calibration"] | {"check_below": 0.5}}) != identity
    assert checkpoint.identity(metadata | {"files": metadata["files"] | {"linear.npy": "0"}}) != identity


def test_predictions_of_other_seeds_are_appended(tmp_path: Path, fitted: FittedTagger) -> None:
    made_from = {"data": {"name": "a", "sha256": "1"}}
    tagger_files.write(tmp_path, fitted, {**made_from, "seeds": [0]})
    tagger_files.add_folds(tmp_path, fitted.folds.assign(seed=4))
    assert checkpoint.read_metadata(tmp_path)["seeds"] == [0, 4]
    moved = {"data": {"name": "b", "sha256": "1"}}
    assert list(tagger_files.other_seeds(tmp_path, moved, [0])["seed"].unique()) == [4]
    assert tagger_files.other_seeds(tmp_path, {"data": {"name": "a", "sha256": "2"}}, [0]).empty
    assert tagger_files.other_seeds(tmp_path / "nothing", made_from, [0]).empty
