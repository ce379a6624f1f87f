"""Sentence vectors: all-MiniLM-L6-v2 (Apache-2.0) as 8-bit ONNX, on one core, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.coding.features import Matrix
from pipeline.errors import ModelError
from pipeline.progress import Progress, ignore

SIZE = 384
LONGEST = 128
"""Word pieces of an utterance that are read; the few longer ones are cut."""


class Encoder:
    """Texts to vectors; equal texts get equal vectors whatever stands beside them.

    Texts go through one by one, because the 8-bit model scales its numbers by the batch: in company a vector would
    depend on its neighbors.
    """

    def __init__(self, folder: Path) -> None:
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        except Exception as error:  # both libraries raise bare exceptions of their own
            remedy = "fetch it anew with `tape-review models --fetch`"
            raise ModelError("M07", f"sentence encoder {folder.name}", f"cannot be loaded ({error})", remedy) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self._inputs = [given.name for given in self._session.get_inputs()]

    def encode(self, texts: list[str], progress: Progress = ignore) -> Matrix:
        """Vectors of unit length, shape (texts, 384)."""
        known: dict[str, Matrix] = {}
        for done, text in enumerate(texts):
            if text not in known:
                known[text] = self._encode(text)
            progress((done + 1) / len(texts))
        return np.stack([known[text] for text in texts]) if texts else np.zeros((0, SIZE), dtype=np.float32)

    def _encode(self, text: str) -> Matrix:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, {name: given[name] for name in self._inputs})
        mean = np.asarray(states[0], dtype=np.float32).mean(axis=0)
        vector: Matrix = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return vector
