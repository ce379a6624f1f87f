"""The trained tagger's files, as `pipeline.coding.inference.checkpoint` reads them.

The same training writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.coding.calibration import Calibration
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.checkpoint import (
    CALIBRATION_FIELDS,
    FOLDS,
    FORMAT,
    LINEAR,
    METADATA,
    RUNTIME_FILES,
    VOCABULARY,
)
from pipeline.coding.inference.classifier import DECISIONS, LinearModel
from pipeline.coding.inference.features import Matrix
from pipeline.coding.inference.onnx_scorer import NETWORK, TOKENIZER, WORD_VECTORS
from pipeline.coding.training.onnx_export import export_network, quantize_rows
from pipeline.errors import CodingError
from pipeline.files import sha256


@dataclass(frozen=True)
class NetworkWeights:
    """A fine-tuned network as it ships: its parameters by name, its tokenizer's file, and its shape."""

    state: Mapping[str, Matrix]
    tokenizer: bytes
    heads: int
    epsilon: float

    def write(self, folder: Path) -> None:
        """Store the network as `OnnxScorer` reads it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NETWORK).write_bytes(export_network(self.state, self.heads, self.epsilon))
        (folder / TOKENIZER).write_bytes(self.tokenizer)
        words, scales = quantize_rows(self.state["words"])
        buckets = np.int64(len(self.state["relative"]))
        with (folder / WORD_VECTORS).open("wb") as file:
            np.savez(file, words=words, scales=scales, places=self.state["places"], buckets=buckets)


@dataclass(frozen=True)
class FittedTagger:
    """A tagger trained on all sessions, calibrated on held-out ones, with each fold's calibration and predictions."""

    linear: LinearModel
    network: NetworkWeights
    calibration: Calibration
    by_fold: Mapping[int, Calibration]
    folds: pd.DataFrame  # coded rows without text, with a column "variant"


def write(folder: Path, fitted: FittedTagger, made_from: Mapping[str, Any]) -> None:
    """Store a trained tagger in a folder; its metadata begin with ``made_from``."""
    fitted.network.write(folder)
    np.save(folder / LINEAR, fitted.linear.weights, allow_pickle=False)
    terms = json.dumps(fitted.linear.vocabulary.weights, ensure_ascii=False, indent=0)
    (folder / VOCABULARY).write_text(terms + "\n", encoding="utf-8")
    _write_folds(folder, fitted.folds)
    metadata = {
        **made_from,
        "format": FORMAT,
        "decisions": list(DECISIONS),
        "files": {name: sha256(folder / name) for name in (*RUNTIME_FILES, FOLDS)},
        "calibration": _stored_calibration(fitted.calibration),
        "folds": {str(fold): _stored_calibration(calibration) for fold, calibration in fitted.by_fold.items()},
    }
    _write_metadata(folder, metadata)


def add_folds(folder: Path, folds: pd.DataFrame) -> None:
    """Append the fold predictions of other seeds to those in a folder; the weights stay as they are.

    Raises
    ------
    CodingError: C04 the folder holds no tagger.
    """
    metadata, stored_folds = checkpoint.read_metadata(folder), checkpoint.read_all_folds(folder)
    folds_of_all_seeds = pd.concat([stored_folds[~stored_folds["seed"].isin(folds["seed"])], folds])
    _write_folds(folder, folds_of_all_seeds)
    metadata["seeds"] = [int(seed) for seed in folds_of_all_seeds["seed"].unique()]
    metadata["files"][FOLDS] = sha256(folder / FOLDS)
    _write_metadata(folder, metadata)


def same_checksum(source: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two inputs of training have the same checksum; their names may differ."""
    return {**source, "name": ""} == {**other, "name": ""}


def other_seeds(folder: Path, made_from: Mapping[str, Mapping[str, str]], seeds: Sequence[int]) -> pd.DataFrame:
    """Return the fold predictions of other seeds that earlier runs stored in a folder, made from the same inputs.

    The table is empty where there are none, or none that can be read.
    """
    try:
        metadata = checkpoint.read_metadata(folder)
        if not all(same_checksum(metadata.get(name, {}), source) for name, source in made_from.items()):
            return pd.DataFrame()
        folds = checkpoint.read_all_folds(folder)
    except CodingError:
        return pd.DataFrame()
    return folds[~folds["seed"].isin(seeds)]


def _write_folds(folder: Path, folds: pd.DataFrame) -> None:
    compression = {"method": "gzip", "compresslevel": 9, "mtime": 1}
    folds.to_csv(folder / FOLDS, index=False, float_format="%.4f", compression=compression)


def _write_metadata(folder: Path, metadata: Mapping[str, Any]) -> None:
    (folder / METADATA).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def _stored_calibration(calibration: Calibration) -> dict[str, Any]:
    keys = {field: key for key, field in CALIBRATION_FIELDS.items()}
    return {keys.get(field, field): value for field, value in asdict(calibration).items()}
