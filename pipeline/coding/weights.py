"""The tagger on disk: its weights, what is known of their making, and the fold predictions behind its figures.

``classifier.onnx`` is the classifier's arithmetic, ``vocabulary.json`` its terms with their weights, ``metadata.json``
the calibration, the checksums and the data, and ``folds.csv.gz`` holds coded rows without text. Nothing in them runs
but the operators of ONNX, and the same training writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.calibration import Calibration
from pipeline.coding.classifier import DECISIONS, Classifier, Inputs, Scorer
from pipeline.coding.vocabulary import Vocabulary
from pipeline.errors import CodingError

CLASSIFIER, VOCABULARY, METADATA, FOLDS = "classifier.onnx", "vocabulary.json", "metadata.json", "folds.csv.gz"
FORMAT = 1
"""Raised when what `read` expects changes."""

_OPSET, _IR = 17, 8
_AT_ONCE = 256
"""Rows that are classified at once: the terms are a full matrix then."""


@dataclass(frozen=True)
class Fitted:
    """A trained tagger: of all sessions, calibrated on held-out ones; the folds' calibrations and predictions."""

    classifier: Classifier
    calibration: Calibration
    by_fold: Mapping[int, Calibration]
    folds: pd.DataFrame  # coded rows without text, with a column "variant"


@dataclass(frozen=True)
class Stored:
    """A tagger read from disk, with what is known of its making (data, seeds, checksums)."""

    classifier: Scorer
    calibration: Calibration
    by_fold: Mapping[int, Calibration]
    about: Mapping[str, Any]


class OnnxScorer:
    """A stored `Classifier`, run by ONNX Runtime on one core."""

    def __init__(self, graph: bytes, vocabulary: Vocabulary) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = 1
        self._session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._vocabulary = vocabulary

    def __call__(self, inputs: Inputs) -> NDArray[np.float64]:
        """Log-odds of each view, shape (2, rows, decisions)."""
        found = [np.zeros((2, 0, len(DECISIONS)))]
        for start in range(0, len(inputs.lexical), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            terms = self._vocabulary(inputs.lexical[part]).toarray()
            given = {"terms": terms, "hand": inputs.hand[part], "dense": inputs.dense[part]}
            found.append(np.asarray(self._session.run(None, given)[0], dtype=np.float64))
        return np.concatenate(found, axis=1)


def write(place: Path, fitted: Fitted, about: Mapping[str, Any]) -> None:
    """Store a trained tagger in a folder."""
    place.mkdir(parents=True, exist_ok=True)
    (place / CLASSIFIER).write_bytes(_graph(fitted.classifier))
    terms = json.dumps(fitted.classifier.vocabulary.weights, ensure_ascii=False, indent=0)
    (place / VOCABULARY).write_text(terms + "\n", encoding="utf-8")
    fitted.folds.to_csv(
        place / FOLDS, index=False, float_format="%.4f", compression={"method": "gzip", "compresslevel": 9, "mtime": 1}
    )
    metadata = {
        **about,
        "format": FORMAT,
        "decisions": list(DECISIONS),
        "files": {name: _sha256(place / name) for name in (CLASSIFIER, VOCABULARY, FOLDS)},
        "calibration": asdict(fitted.calibration),
        "folds": {str(fold): asdict(calibration) for fold, calibration in fitted.by_fold.items()},
    }
    (place / METADATA).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def read(place: Path) -> Stored:
    """Load what `write` stored; the files must have the checksums that the metadata name.

    Raises
    ------
    CodingError: C04 a file is missing, altered or of another kind.
    """
    try:
        about = json.loads((place / METADATA).read_text(encoding="utf-8"))
        if (about["format"], tuple(about["decisions"])) != (FORMAT, DECISIONS):
            raise _wrong(place, "is of another format")
        for name in (CLASSIFIER, VOCABULARY):
            if _sha256(place / name) != about["files"][name]:
                raise _wrong(place, f"holds an altered {name}")
        vocabulary = Vocabulary(json.loads((place / VOCABULARY).read_text(encoding="utf-8")))
        scorer = OnnxScorer((place / CLASSIFIER).read_bytes(), vocabulary)
        by_fold = {int(fold): _calibration(shape) for fold, shape in about["folds"].items()}
        return Stored(scorer, _calibration(about["calibration"]), by_fold, about)
    except OSError as error:
        raise _wrong(place, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(place, f"is damaged ({type(error).__name__})") from error


def read_folds(place: Path, variant: str) -> pd.DataFrame:
    """Fold predictions of one variant, ``written`` or ``bare``.

    Raises
    ------
    CodingError: C04 they are missing or damaged.
    """
    try:
        text = dict.fromkeys(("tape_id", "utterance_id", "codes"), str)
        folds = pd.read_csv(place / FOLDS, dtype=text, keep_default_na=False)
        return folds[folds["variant"] == variant].drop(columns="variant").reset_index(drop=True)
    except (OSError, ValueError, EOFError, KeyError, zlib.error) as error:
        raise _wrong(place, f"has no proper {FOLDS} ({type(error).__name__})") from error


def _graph(classifier: Classifier) -> bytes:
    """The classifier's arithmetic as ONNX: terms, hand and dense in, log-odds of both views out."""
    from onnx import TensorProto, helper, numpy_helper

    terms = len(classifier.vocabulary.weights)
    hand = classifier.linear.shape[0] - 1 - terms
    arrays = {
        "linear": classifier.linear[:-1],
        "intercept": classifier.linear[-1],
        "reduction": classifier.reduction,
        "first": np.zeros(1, dtype=np.int64),
    }
    nodes = [
        helper.make_node("Concat", ["terms", "hand"], ["plain"], axis=1),
        helper.make_node("Gemm", ["plain", "linear", "intercept"], ["view0"]),
        helper.make_node("MatMul", ["terms", "reduction"], ["latent"]),
        helper.make_node("Concat", ["latent", "hand", "dense"], ["read"], axis=1),
    ]
    for number, network in enumerate(classifier.networks):
        arrays |= {f"hidden{number}": network.hidden[:-1], f"hidden_bias{number}": network.hidden[-1]}
        arrays |= {f"output{number}": network.output[:-1], f"output_bias{number}": network.output[-1]}
        nodes += [
            helper.make_node("Gemm", ["read", f"hidden{number}", f"hidden_bias{number}"], [f"sum{number}"]),
            helper.make_node("Relu", [f"sum{number}"], [f"units{number}"]),
            helper.make_node("Gemm", [f"units{number}", f"output{number}", f"output_bias{number}"], [f"net{number}"]),
        ]
    nodes += [
        helper.make_node("Mean", [f"net{number}" for number in range(len(classifier.networks))], ["view1"]),
        *(helper.make_node("Unsqueeze", [f"view{view}", "first"], [f"part{view}"]) for view in (0, 1)),
        helper.make_node("Concat", ["part0", "part1"], ["logits"], axis=0),
    ]
    dense = classifier.networks[0].hidden.shape[0] - 1 - classifier.reduction.shape[1] - hand
    widths = {"terms": terms, "hand": hand, "dense": dense}
    graph = helper.make_graph(
        nodes,
        "utterance-tagger",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width]) for name, width in widths.items()],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [2, "rows", len(DECISIONS)])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    return bytes(model.SerializeToString(deterministic=True))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _calibration(shape: Mapping[str, Any]) -> Calibration:
    return Calibration(**{**shape, "blend": {name: tuple(values) for name, values in shape["blend"].items()}})


def _wrong(place: Path, value: str) -> CodingError:
    return CodingError("C04", f"tagger {place}", value, "restore the folder, or make it anew with `tape-review train`")
