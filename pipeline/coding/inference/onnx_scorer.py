"""Runs the shipped network with ONNX Runtime, without torch: scores of every utterance of a session.

Windows run one by one, because the 8-bit network scales its inputs per batch: in a batch of several, an utterance's
scores would depend on other sessions.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.context_windows import ContextWindow, WindowTokenizer, context_windows
from pipeline.coding.inference.features import Matrix
from pipeline.run.progress import Progress, ignore

NETWORK, WORD_VECTORS, TOKENIZER = "network.onnx", "words.npz", "tokenizer.json"
MAX_DISTANCE = 128
"""Distance in word pieces from which on all distances share one bucket."""
_FIRST_POSITION = 2
"""Index of the position vector of a window's first piece, as in MPNet's pretraining."""


class OnnxScorer:
    """The network in a folder (``network.onnx``, ``words.npz``, ``tokenizer.json``), run with ``threads`` threads.

    Raises
    ------
    ValueError, KeyError, OSError: a file is missing or of another kind.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._tokenizer = WindowTokenizer((folder / TOKENIZER).read_text(encoding="utf-8"))
        try:
            self._session = InferenceSession(folder / NETWORK, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library raises bare exceptions of its own
            raise ValueError(f"no network ({error})") from error
        with np.load(io.BytesIO((folder / WORD_VECTORS).read_bytes()), allow_pickle=False) as stored:
            self._words, self._scales, self._positions = stored["words"], stored["scales"], stored["places"]
            self._buckets = int(stored["buckets"])
        self.outputs = int(self._session.get_outputs()[0].shape[1])

    def scores(self, table: pd.DataFrame, progress: Progress = ignore) -> NDArray[np.float64]:
        """Return scores of shape (rows, outputs): log-odds of the decisions, then scores of the main behaviors.

        Parameters
        ----------
        table: ``tape_id, role, text, target_behavior``; the rows of a tape are in speaking order.
        """
        scores = np.zeros((len(table), self.outputs))
        done = 0
        for window in context_windows(table, self._tokenizer):
            scores[[utterance.row for utterance in window.utterances]] = self._score(window)
            done += len(window.utterances)
            progress(done / len(table))
        return scores

    def _score(self, window: ContextWindow) -> Matrix:
        pieces = np.array(window.pieces)
        words = self._words[pieces].astype(np.float32) * self._scales[pieces, None]
        pooling = np.zeros((len(window.utterances), len(pieces)), dtype=np.float32)
        for number, utterance in enumerate(window.utterances):
            pooling[number, utterance.start : utterance.end] = 1 / (utterance.end - utterance.start)
        inputs = {
            "vectors": words + self._positions[_FIRST_POSITION : _FIRST_POSITION + len(pieces)],
            "buckets": distance_buckets(len(pieces), self._buckets),
            "read": pooling,
            "ends": np.array([utterance.end - 1 for utterance in window.utterances], dtype=np.int64),
            "roles": np.array([utterance.start for utterance in window.utterances], dtype=np.int64),
        }
        (scores,) = self._session.run(None, inputs)
        return np.asarray(scores, dtype=np.float32)


def distance_buckets(count: int, number: int) -> NDArray[np.int64]:
    """Return the bucket of the distance between each two pieces, shape (count, count).

    Near distances have a bucket each, far ones share ever wider buckets, and the two directions have buckets apart.

    >>> distance_buckets(3, 8).tolist()
    [[0, 5, 6], [1, 0, 5], [2, 1, 0]]
    """
    offset = np.arange(count)[None, :] - np.arange(count)[:, None]
    half = number // 2
    exact = half // 2
    distance = np.abs(offset)
    share = np.log(np.maximum(distance, 1) / exact) / np.log(MAX_DISTANCE / exact)
    wide = exact + (share * (half - exact)).astype(np.int64)
    return half * (offset > 0) + np.where(distance < exact, distance, np.minimum(wide, half - 1))
