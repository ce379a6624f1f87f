"""The tagger's classifier: log-odds for every decision, from three views of an utterance.

- the fine-tuned network's log-odds;
- how far the network prefers a behavior to all others as the main one, for decisions that are a behavior;
- for an interviewer's decisions, logistic regressions on words, word pairs and hand-made features.

They are added with fixed weights; `pipeline.coding.calibration` brings the sum to probabilities.

Decisions are yes or no, in the order of `DECISIONS`; ``open`` means "open, if it is a question", ``complex`` and
``change`` likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.features import Context, Matrix, hand, lexical
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.measures.session.draws import SESSION_EFFECTS as DECISIONS
from pipeline.run.progress import Progress, ignore

__all__ = ["DECISIONS", "MAIN", "OUTPUTS", "Classifier", "Inputs", "Linear", "Scorer", "mixed"]

MAIN = ("question", "reflection", "information", "other")
"""Main behaviors, in the order of the network's scores after those of the decisions."""
OUTPUTS = len(DECISIONS) + len(MAIN)
PREFERENCE = 1.0
"""What the second view counts, beside the network's log-odds."""
WORDS = {"question": 1.0, "reflection": 1.0, "information": 1.0, "open": 0.25, "complex": 0.25}
"""What the third view counts for each decision."""


class Scorer(Protocol):
    """What scores every row of transcripts, shape (rows, `OUTPUTS`)."""

    def scores(self, table: pd.DataFrame, progress: Progress = ignore) -> NDArray[np.float64]:
        """Scores of ``tape_id, role, text, target_behavior``; the rows of a tape are in speaking order."""
        ...


@dataclass(frozen=True)
class Inputs:
    """What the linear view reads of some rows."""

    lexical: tuple[str, ...]
    hand: Matrix  # (rows, hand features)

    @classmethod
    def of(cls, table: pd.DataFrame) -> Inputs:
        """Read ``tape_id, role, text, target_behavior``."""
        return cls(tuple(lexical(text) for text in table["text"]), hand(table, Context.of(table)))

    def __getitem__(self, rows: NDArray[np.intp]) -> Inputs:
        return Inputs(tuple(self.lexical[row] for row in rows), self.hand[rows])


@dataclass(frozen=True)
class Linear:
    """Logistic regressions on terms and hand-made features."""

    vocabulary: Vocabulary
    weights: Matrix  # (terms + hand features + 1, decisions), the last row is the intercept

    def __call__(self, inputs: Inputs) -> NDArray[np.float64]:
        """Log-odds, shape (rows, decisions); rows of either role get all decisions."""
        terms = self.vocabulary(inputs.lexical)
        size = terms.shape[1]
        found = terms @ self.weights[:size] + inputs.hand @ self.weights[size:-1] + self.weights[-1]
        return np.asarray(found, dtype=np.float64)


def mixed(words: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """All views in one, shape (rows, decisions), from the linear view and the network's scores."""
    found, main = scores[:, : len(DECISIONS)].copy(), scores[:, len(DECISIONS) :]
    for number, decision in enumerate(DECISIONS):
        if decision in MAIN:
            behavior = MAIN.index(decision)
            others = np.logaddexp.reduce(np.delete(main, behavior, axis=1), axis=1)
            found[:, number] += PREFERENCE * (main[:, behavior] - others)
        found[:, number] += WORDS.get(decision, 0.0) * words[:, number]
    return found


@dataclass(frozen=True)
class Classifier:
    """All views of the tagger's classifier, fitted."""

    linear: Linear
    network: Scorer

    def __call__(self, table: pd.DataFrame, progress: Progress = ignore) -> NDArray[np.float64]:
        """Log-odds of ``tape_id, role, text, target_behavior``, shape (rows, decisions), for either role."""
        return mixed(self.linear(Inputs.of(table)), self.network.scores(table, progress))
