"""The tagger's classifier: log-odds of every decision, an ensemble of three scores per utterance.

- the fine-tuned network's log-odds;
- for decisions that are a behavior, how far the network prefers it to all others as the main behavior;
- for an interviewer's decisions, logistic regressions on words, word pairs and hand-made features.

They are added with fixed weights; `pipeline.coding.calibration` turns the sum into probabilities.

Decisions are yes or no, in the order of `DECISIONS`; ``open`` means "open, if it is a question", ``complex`` and
``change`` likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.features import Matrix, Neighbors, handmade_features, lexical_terms
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.measures.session.draws import SESSION_EFFECTS as DECISIONS
from pipeline.run.progress import Progress, ignore

__all__ = [
    "DECISIONS",
    "MAIN_BEHAVIORS",
    "NETWORK_OUTPUTS",
    "Classifier",
    "LinearInputs",
    "LinearModel",
    "Scorer",
    "ensemble",
]

MAIN_BEHAVIORS = ("question", "reflection", "information", "other")
"""Main behaviors, in the order of the network's scores after those of the decisions."""
NETWORK_OUTPUTS = len(DECISIONS) + len(MAIN_BEHAVIORS)
# Chosen on the held-out folds among some twenty ways within .02 of each other (the tagger's card).
# `tape-review evaluate` shows the figures of those that ship, ``python -m tests.benchmarks.taggers`` those of others.
MAIN_BEHAVIOR_WEIGHT = 1.0
"""Weight of the preference for a main behavior, beside the network's log-odds."""
LINEAR_WEIGHTS = {"question": 1.0, "reflection": 1.0, "information": 1.0, "open": 0.25, "complex": 0.25}
"""Decision -> weight of the linear model's log-odds; 0 for all others."""


class Scorer(Protocol):
    """A network that scores every row of transcripts, shape (rows, `NETWORK_OUTPUTS`)."""

    def scores(self, table: pd.DataFrame, progress: Progress = ignore) -> NDArray[np.float64]:
        """Return the scores of ``tape_id, role, text, target_behavior``; the rows of a tape are in speaking order."""
        ...


@dataclass(frozen=True)
class LinearInputs:
    """The linear model's inputs for some rows."""

    terms: tuple[str, ...]
    features: Matrix  # (rows, hand-made features)

    @classmethod
    def of(cls, table: pd.DataFrame) -> LinearInputs:
        """Compute the inputs from ``tape_id, role, text, target_behavior``."""
        terms = tuple(lexical_terms(text) for text in table["text"])
        return cls(terms, handmade_features(table, Neighbors.of(table)))

    def __getitem__(self, rows: NDArray[np.intp]) -> LinearInputs:
        return LinearInputs(tuple(self.terms[row] for row in rows), self.features[rows])


@dataclass(frozen=True)
class LinearModel:
    """Logistic regressions on terms and hand-made features."""

    vocabulary: Vocabulary
    weights: Matrix  # (terms + hand-made features + 1, decisions), the last row is the intercept

    def __call__(self, inputs: LinearInputs) -> NDArray[np.float64]:
        """Return log-odds, shape (rows, decisions); rows of either role get all decisions."""
        terms = self.vocabulary(inputs.terms)
        size = terms.shape[1]
        logits = terms @ self.weights[:size] + inputs.features @ self.weights[size:-1] + self.weights[-1]
        return np.asarray(logits, dtype=np.float64)


def ensemble(linear_logits: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Combine the linear model's log-odds and the network's scores into log-odds of shape (rows, decisions)."""
    logits, main_scores = scores[:, : len(DECISIONS)].copy(), scores[:, len(DECISIONS) :]
    for number, decision in enumerate(DECISIONS):
        if decision in MAIN_BEHAVIORS:
            behavior = MAIN_BEHAVIORS.index(decision)
            others = np.logaddexp.reduce(np.delete(main_scores, behavior, axis=1), axis=1)
            logits[:, number] += MAIN_BEHAVIOR_WEIGHT * (main_scores[:, behavior] - others)
        logits[:, number] += LINEAR_WEIGHTS.get(decision, 0.0) * linear_logits[:, number]
    return logits


@dataclass(frozen=True)
class Classifier:
    """The tagger's fitted linear model and network."""

    linear: LinearModel
    network: Scorer

    def __call__(self, table: pd.DataFrame, progress: Progress = ignore) -> NDArray[np.float64]:
        """Return log-odds of ``tape_id, role, text, target_behavior``, shape (rows, decisions), for either role."""
        return ensemble(self.linear(LinearInputs.of(table)), self.network.scores(table, progress))
