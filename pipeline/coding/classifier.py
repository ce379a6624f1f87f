"""The tagger's classifier: two views of an utterance, each giving log-odds for every decision.

- `Classifier.linear`: logistic regressions on words, word pairs and hand-made features;
- `Classifier.networks`: small networks that share one layer among all decisions, on the sentence vector, the words
  reduced to their latent dimensions, and the hand-made features; several seeds, averaged.

Decisions are yes or no, in the order of `DECISIONS`; ``open`` means "open, if it is a question", ``complex`` and
``change`` likewise. What is fitted here is stored and run as ONNX (`pipeline.coding.weights`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pipeline.coding.encoder import Encoder
from pipeline.coding.features import Context, Matrix, hand, lexical
from pipeline.coding.vocabulary import Vocabulary
from pipeline.measures.intervals import SPREAD_KEYS as DECISIONS
from pipeline.progress import Progress, ignore

__all__ = ["DECISIONS", "Classifier", "Inputs", "Network", "Scorer"]

VECTOR_SCALE, CONTEXT_SCALE = 8.0, 4.8
"""Unit vectors of 384 numbers times 8 are near 0.4 each, on a par with the other features; context counts less."""


@dataclass(frozen=True)
class Inputs:
    """What the classifier reads of some rows."""

    lexical: tuple[str, ...]
    hand: Matrix  # (rows, hand features)
    dense: Matrix  # (rows, 3 x 384 of the sentence vectors: own, before, after; 3 likenesses: to these and the target)

    @classmethod
    def of(cls, table: pd.DataFrame, encoder: Encoder, progress: Progress = ignore) -> Inputs:
        """Read ``tape_id, role, text, target_behavior``; the sentence vectors take nearly all the time."""
        context = Context.of(table)
        texts = list(table["text"])
        vectors = encoder.encode(texts, progress)
        targets = encoder.encode(list(table["target_behavior"]))
        before, after = _stretch(vectors, context.before), _stretch(vectors, context.after)
        likeness = [(vectors * other).sum(axis=1) for other in (before, after, targets)]
        around = [part * CONTEXT_SCALE for part in (before, after)]
        dense = np.column_stack([vectors * VECTOR_SCALE, *around, *likeness]).astype(np.float32)
        return cls(tuple(lexical(text) for text in texts), hand(table, context), dense)

    def __getitem__(self, rows: NDArray[np.intp]) -> Inputs:
        return Inputs(tuple(self.lexical[row] for row in rows), self.hand[rows], self.dense[rows])


def _stretch(vectors: Matrix, neighbors: tuple[tuple[int, ...], ...]) -> Matrix:
    """The mean vector of each row's neighbors, zero where there are none."""
    return np.stack([vectors[list(rows)].mean(axis=0) if rows else np.zeros_like(vectors[0]) for rows in neighbors])


class Scorer(Protocol):
    """What gives log-odds of each view, shape (2, rows, decisions); rows of either role get all decisions."""

    def __call__(self, inputs: Inputs) -> NDArray[np.float64]:
        """Log-odds of some rows."""
        ...


@dataclass(frozen=True)
class Network:
    """One hidden layer of rectified units, then one log-odds a decision."""

    hidden: Matrix  # (inputs + 1, units), the last row is the bias
    output: Matrix  # (units + 1, decisions)

    def __call__(self, given: Matrix) -> Matrix:
        """Log-odds, shape (rows, decisions)."""
        units = np.maximum(given @ self.hidden[:-1] + self.hidden[-1], 0)
        logits: Matrix = units @ self.output[:-1] + self.output[-1]
        return logits


@dataclass(frozen=True)
class Classifier:
    """Both views of the tagger's classifier, fitted."""

    vocabulary: Vocabulary
    linear: Matrix  # (terms + hand features + 1, decisions), the last row is the intercept
    reduction: Matrix  # (terms, latent dimensions)
    networks: tuple[Network, ...]

    def __call__(self, inputs: Inputs) -> NDArray[np.float64]:
        """Log-odds of each view, shape (2, rows, decisions); rows of either role get all decisions."""
        terms = self.vocabulary(inputs.lexical)
        size = terms.shape[1]
        linear = terms @ self.linear[:size] + inputs.hand @ self.linear[size:-1] + self.linear[-1]
        dense = self.dense(terms, inputs)
        network = np.mean([network(dense) for network in self.networks], axis=0)
        return np.stack([linear, network]).astype(np.float64)

    def dense(self, terms: csr_matrix, inputs: Inputs) -> Matrix:
        """What the networks read."""
        return np.column_stack([terms @ self.reduction, inputs.hand, inputs.dense]).astype(np.float32)
