"""The shipped network at work: scores for every utterance of a session, by ONNX Runtime, without torch.

Windows go through one by one, because the 8-bit network scales its numbers by what goes through at once: in company an
utterance's scores would depend on other sessions.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.context_windows import Reader, Window, windows
from pipeline.coding.inference.features import Matrix
from pipeline.run.progress import Progress, ignore

NETWORK, WORDS, TOKENIZER = "network.onnx", "words.npz", "tokenizer.json"
FAR = 128
"""Word pieces beyond which all distances are one."""
_FIRST_PLACE = 2
"""The place vector of a window's first piece: the encoder was pretrained so."""


class Encoder:
    """The network in a folder (``network.onnx``, ``words.npz``, ``tokenizer.json``), on one core unless told otherwise.

    Raises
    ------
    ValueError, KeyError, OSError: a file is missing or of another kind.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._reader = Reader((folder / TOKENIZER).read_text(encoding="utf-8"))
        try:
            self._session = InferenceSession(folder / NETWORK, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library raises bare exceptions of its own
            raise ValueError(f"no network ({error})") from error
        with np.load(io.BytesIO((folder / WORDS).read_bytes()), allow_pickle=False) as stored:
            self._words, self._scales, self._places = stored["words"], stored["scales"], stored["places"]
            self._buckets = int(stored["buckets"])
        self.outputs = int(self._session.get_outputs()[0].shape[1])

    def scores(self, table: pd.DataFrame, progress: Progress = ignore) -> NDArray[np.float64]:
        """Scores of every row, shape (rows, outputs): log-odds of the decisions, then scores of the main behaviors.

        Parameters
        ----------
        table: ``tape_id, role, text, target_behavior``; the rows of a tape are in speaking order.
        """
        found = np.zeros((len(table), self.outputs))
        done = 0
        for window in windows(table, self._reader):
            found[[span.row for span in window.spans]] = self._scored(window)
            done += len(window.spans)
            progress(done / len(table))
        return found

    def _scored(self, window: Window) -> Matrix:
        pieces = np.array(window.pieces)
        words = self._words[pieces].astype(np.float32) * self._scales[pieces, None]
        read = np.zeros((len(window.spans), len(pieces)), dtype=np.float32)
        for number, span in enumerate(window.spans):
            read[number, span.start : span.end] = 1 / (span.end - span.start)
        given = {
            "vectors": words + self._places[_FIRST_PLACE : _FIRST_PLACE + len(pieces)],
            "buckets": buckets(len(pieces), self._buckets),
            "read": read,
            "ends": np.array([span.end - 1 for span in window.spans], dtype=np.int64),
            "roles": np.array([span.start for span in window.spans], dtype=np.int64),
        }
        (scores,) = self._session.run(None, given)
        return np.asarray(scores, dtype=np.float32)


def buckets(count: int, number: int) -> NDArray[np.int64]:
    """For each piece and each other its bucket of distance: exact when near, ever wider when far, apart by direction.

    >>> buckets(3, 8).tolist()
    [[0, 5, 6], [1, 0, 5], [2, 1, 0]]
    """
    away = np.arange(count)[None, :] - np.arange(count)[:, None]
    half = number // 2
    exact = half // 2
    distance = np.abs(away)
    wide = exact + (np.log(np.maximum(distance, 1) / exact) / np.log(FAR / exact) * (half - exact)).astype(np.int64)
    return half * (away > 0) + np.where(distance < exact, distance, np.minimum(wide, half - 1))
