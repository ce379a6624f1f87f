"""The tagger on disk: its weights, what is known of their making, and the fold predictions behind its figures.

``network.onnx`` and ``words.npz`` are the fine-tuned network, ``tokenizer.json`` is its tokenizer, ``linear.npy`` and
``vocabulary.json`` are the linear view, ``metadata.json`` holds the calibration, the checksums and the data, and
``folds.csv.gz`` coded rows without text. Nothing in them runs but the operators of ONNX, and the same training writes
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.coding.calibration import Calibration
from pipeline.coding.inference.classifier import DECISIONS, OUTPUTS, Classifier, Linear
from pipeline.coding.inference.features import Matrix
from pipeline.coding.inference.onnx_scorer import NETWORK, TOKENIZER, WORDS, Encoder
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.coding.training.onnx_export import eighths, graph
from pipeline.errors import CodingError
from pipeline.files import sha256

LINEAR, VOCABULARY = "linear.npy", "vocabulary.json"
METADATA, FOLDS = "metadata.json", "folds.csv.gz"
RUNNING = (NETWORK, WORDS, TOKENIZER, LINEAR, VOCABULARY)
_GAPS = tuple(f"hand_{name}" for name in ("question", "reflection", "complex", "information", "change", "sustain"))
"""Columns of the folds that may be empty: nothing was asked, or nothing is known."""

FORMAT = 2
"""Raised when what `read` expects changes."""


@dataclass(frozen=True)
class Learned:
    """A fine-tuned network as it ships: its parameters by name, its tokenizer's file, and its shape."""

    state: Mapping[str, Matrix]
    tokenizer: bytes
    heads: int
    epsilon: float

    def write(self, place: Path) -> None:
        """Store it as `Encoder` reads it."""
        place.mkdir(parents=True, exist_ok=True)
        (place / NETWORK).write_bytes(graph(self.state, self.heads, self.epsilon))
        (place / TOKENIZER).write_bytes(self.tokenizer)
        words, scales = eighths(self.state["words"])
        buckets = np.int64(len(self.state["relative"]))
        with (place / WORDS).open("wb") as file:
            np.savez(file, words=words, scales=scales, places=self.state["places"], buckets=buckets)


@dataclass(frozen=True)
class Fitted:
    """A trained tagger: of all sessions, calibrated on held-out ones; the folds' calibrations and predictions."""

    linear: Linear
    network: Learned
    calibration: Calibration
    by_fold: Mapping[int, Calibration]
    folds: pd.DataFrame  # coded rows without text, with a column "variant"


@dataclass(frozen=True)
class Stored:
    """A tagger read from disk, with what is known of its making (data, seeds, checksums)."""

    classifier: Classifier
    calibration: Calibration
    about: Mapping[str, Any]


def write(place: Path, fitted: Fitted, about: Mapping[str, Any]) -> None:
    """Store a trained tagger in a folder."""
    fitted.network.write(place)
    np.save(place / LINEAR, fitted.linear.weights, allow_pickle=False)
    terms = json.dumps(fitted.linear.vocabulary.weights, ensure_ascii=False, indent=0)
    (place / VOCABULARY).write_text(terms + "\n", encoding="utf-8")
    _write_folds(place, fitted.folds)
    metadata = {
        **about,
        "format": FORMAT,
        "decisions": list(DECISIONS),
        "files": {name: sha256(place / name) for name in (*RUNNING, FOLDS)},
        "calibration": asdict(fitted.calibration),
        "folds": {str(fold): asdict(calibration) for fold, calibration in fitted.by_fold.items()},
    }
    _write_about(place, metadata)


def add_folds(place: Path, folds: pd.DataFrame) -> None:
    """Put the fold predictions of other seeds behind those that a folder holds; what runs stays as it is.

    Raises
    ------
    CodingError: C04 the folder holds no tagger.
    """
    about, held = read_about(place), _read_folds(place)
    every = pd.concat([held[~held["seed"].isin(folds["seed"])], folds])
    _write_folds(place, every)
    about["seeds"] = [int(seed) for seed in every["seed"].unique()]
    about["files"][FOLDS] = sha256(place / FOLDS)
    _write_about(place, about)


def read(place: Path) -> Stored:
    """Load what `write` stored; the files must have the checksums that the metadata name.

    Raises
    ------
    CodingError: C04 a file is missing, altered or of another kind.
    """
    about = read_about(place)
    try:
        for name in RUNNING:
            if sha256(place / name) != about["files"][name]:
                raise _wrong(place, f"holds an altered {name}")
        vocabulary = Vocabulary(json.loads((place / VOCABULARY).read_text(encoding="utf-8")))
        linear = Linear(vocabulary, np.load(place / LINEAR, allow_pickle=False))
        encoder = Encoder(place)
        if encoder.outputs != OUTPUTS:
            raise _wrong(place, f"gives {encoder.outputs} scores rather than {OUTPUTS}")
        return Stored(Classifier(linear, encoder), read_calibration(about["calibration"]), about)
    except OSError as error:
        raise _wrong(place, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(place, f"is damaged ({type(error).__name__})") from error


def read_about(place: Path) -> dict[str, Any]:
    """What is known of a tagger's making, without its weights.

    Raises
    ------
    CodingError: C04 the metadata are missing, damaged or of another format.
    """
    try:
        about: dict[str, Any] = json.loads((place / METADATA).read_text(encoding="utf-8"))
        if (about["format"], tuple(about["decisions"])) != (FORMAT, DECISIONS):
            raise _wrong(place, "is of another format")
        return about
    except OSError as error:
        raise _wrong(place, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(place, f"is damaged ({type(error).__name__})") from error


def identity(about: Mapping[str, Any]) -> str:
    """What tells one tagger's probabilities from another's: the checksum of its network and its calibration."""
    told = json.dumps([about["files"][NETWORK], about["files"][LINEAR], about["calibration"]], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def by_fold(about: Mapping[str, Any]) -> dict[int, Calibration]:
    """The folds' calibrations, of what `read_about` gives."""
    return {int(fold): read_calibration(shape) for fold, shape in about["folds"].items()}


def read_calibration(shape: Mapping[str, Any]) -> Calibration:
    """A calibration from its stored form."""
    return Calibration(**{**shape, "blend": {name: tuple(values) for name, values in shape["blend"].items()}})


def read_folds(place: Path, variant: str) -> pd.DataFrame:
    """Fold predictions of one variant, ``written`` or ``bare``, of all seeds (column ``seed``; what ships is first).

    Raises
    ------
    CodingError: C04 they are missing or damaged.
    """
    folds = _read_folds(place)
    return folds[folds["variant"] == variant].drop(columns="variant").reset_index(drop=True)


def _read_folds(place: Path) -> pd.DataFrame:
    try:
        text = dict.fromkeys(("tape_id", "utterance_id", "role", "family", "hand", "codes", "variant"), str)
        folds = pd.read_csv(place / FOLDS, dtype=text, keep_default_na=False, na_values=dict.fromkeys(_GAPS, ""))
        return folds.astype({"seed": int, "needs_check": bool})
    except (OSError, ValueError, EOFError, KeyError, zlib.error) as error:
        raise _wrong(place, f"has no valid {FOLDS} ({type(error).__name__})") from error


def same(source: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two things that taggers were made from have one checksum; where they lay may differ."""
    return {**source, "name": ""} == {**other, "name": ""}


def other_seeds(place: Path, made_from: Mapping[str, Mapping[str, str]], seeds: Sequence[int]) -> pd.DataFrame:
    """Fold predictions that earlier runs left in a folder, made from the same things and of other seeds.

    Empty where none are there, or none that can be read.
    """
    try:
        about = read_about(place)
        if not all(same(about.get(what, {}), source) for what, source in made_from.items()):
            return pd.DataFrame()
        folds = _read_folds(place)
    except CodingError:
        return pd.DataFrame()
    return folds[~folds["seed"].isin(seeds)]


def _write_folds(place: Path, folds: pd.DataFrame) -> None:
    compression = {"method": "gzip", "compresslevel": 9, "mtime": 1}
    folds.to_csv(place / FOLDS, index=False, float_format="%.4f", compression=compression)


def _write_about(place: Path, about: Mapping[str, Any]) -> None:
    (place / METADATA).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _wrong(place: Path, value: str) -> CodingError:
    return CodingError("C04", f"tagger {place}", value, "restore the folder, or make it again with `tape-review train`")
