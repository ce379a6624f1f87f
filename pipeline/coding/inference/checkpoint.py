"""The tagger on disk: its weights, how they were made, and the fold predictions behind its figures.

``network.onnx`` and ``words.npz`` are the fine-tuned network, ``tokenizer.json`` is its tokenizer, ``linear.npy`` and
``vocabulary.json`` are the linear model, ``metadata.json`` holds the calibration, the checksums and the data, and
``folds.csv.gz`` holds coded rows without text. Nothing in them is executed but the operators of ONNX.
`pipeline.coding.training.tagger_files` writes them.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.coding.calibration import Calibration
from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS, Classifier, LinearModel
from pipeline.coding.inference.onnx_scorer import NETWORK, TOKENIZER, WORD_VECTORS, OnnxScorer
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.errors import CodingError
from pipeline.files import sha256

LINEAR, VOCABULARY = "linear.npy", "vocabulary.json"
METADATA, FOLDS = "metadata.json", "folds.csv.gz"
RUNTIME_FILES = (NETWORK, WORD_VECTORS, TOKENIZER, LINEAR, VOCABULARY)
_OPTIONAL_COLUMNS = tuple(
    f"hand_{name}" for name in ("question", "reflection", "complex", "information", "change", "sustain")
)
"""Columns of the folds that may be empty, where a decision does not apply or has no hand code."""

CALIBRATION_FIELDS = {"blend": "platt_scaling", "spread": "session_effect_sd"}
"""Key of a calibration in ``metadata.json`` -> its field, where they differ."""

FORMAT = 2
"""The version of what `read` expects; raised when that changes."""


@dataclass(frozen=True)
class StoredTagger:
    """A tagger read from disk, with how it was made (data, seeds, checksums)."""

    classifier: Classifier
    calibration: Calibration
    metadata: Mapping[str, Any]


def read(folder: Path) -> StoredTagger:
    """Load a stored tagger; the files must have the checksums that the metadata name.

    Raises
    ------
    CodingError: C04 a file is missing, altered or of another kind.
    """
    metadata = read_metadata(folder)
    try:
        for name in RUNTIME_FILES:
            if sha256(folder / name) != metadata["files"][name]:
                raise _error(folder, f"holds an altered {name}")
        vocabulary = Vocabulary(json.loads((folder / VOCABULARY).read_text(encoding="utf-8")))
        linear = LinearModel(vocabulary, np.load(folder / LINEAR, allow_pickle=False))
        network = OnnxScorer(folder)
        if network.outputs != NETWORK_OUTPUTS:
            raise _error(folder, f"gives {network.outputs} scores rather than {NETWORK_OUTPUTS}")
        return StoredTagger(Classifier(linear, network), read_calibration(metadata["calibration"]), metadata)
    except OSError as error:
        raise _error(folder, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _error(folder, f"is damaged ({type(error).__name__})") from error


def read_metadata(folder: Path) -> dict[str, Any]:
    """Return a stored tagger's metadata (data, seeds, checksums, calibrations) without loading its weights.

    Raises
    ------
    CodingError: C04 the metadata are missing, damaged or of another format.
    """
    try:
        metadata: dict[str, Any] = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        if (metadata["format"], tuple(metadata["decisions"])) != (FORMAT, DECISIONS):
            raise _error(folder, "is of another format")
        return metadata
    except OSError as error:
        raise _error(folder, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _error(folder, f"is damaged ({type(error).__name__})") from error


def identity(metadata: Mapping[str, Any]) -> str:
    """The SHA-256 of everything that a tagger's probabilities depend on: network, linear model and calibration."""
    parts = [metadata["files"][NETWORK], metadata["files"][LINEAR], metadata["calibration"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def fold_calibrations(metadata: Mapping[str, Any]) -> dict[int, Calibration]:
    """Fold -> its calibration, from metadata as `read_metadata` returns them."""
    return {int(fold): read_calibration(stored) for fold, stored in metadata["folds"].items()}


def read_calibration(stored: Mapping[str, Any]) -> Calibration:
    """Return the calibration that a tagger's metadata hold, where Platt scaling is called ``blend``."""
    fields = {CALIBRATION_FIELDS.get(key, key): value for key, value in stored.items()}
    scaling = {decision: tuple(values) for decision, values in fields["platt_scaling"].items()}
    return Calibration(**{**fields, "platt_scaling": scaling})


def read_folds(folder: Path, variant: str) -> pd.DataFrame:
    """Return the fold predictions of one variant, ``written`` or ``bare``, of all seeds (column ``seed``; the shipped
    one is first).

    Raises
    ------
    CodingError: C04 they are missing or damaged.
    """
    folds = read_all_folds(folder)
    return folds[folds["variant"] == variant].drop(columns="variant").reset_index(drop=True)


def read_all_folds(folder: Path) -> pd.DataFrame:
    """Return the fold predictions of all variants (column ``variant``) and seeds (``seed``).

    Raises
    ------
    CodingError: C04 they are missing or damaged.
    """
    try:
        types = dict.fromkeys(("tape_id", "utterance_id", "role", "family", "hand", "codes", "variant"), str)
        empty_values = dict.fromkeys(_OPTIONAL_COLUMNS, "")
        folds = pd.read_csv(folder / FOLDS, dtype=types, keep_default_na=False, na_values=empty_values)
        return folds.astype({"seed": int, "needs_check": bool})
    except (OSError, ValueError, EOFError, KeyError, zlib.error) as error:
        raise _error(folder, f"has no valid {FOLDS} ({type(error).__name__})") from error


def _error(folder: Path, value: str) -> CodingError:
    return CodingError(
        "C04", f"tagger {folder}", value, "restore the folder, or make it again with `tape-review train`"
    )
