"""The ensemble of the linear model and the network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import (
    DECISIONS,
    MAIN_BEHAVIORS,
    Classifier,
    LinearInputs,
    LinearModel,
    ensemble,
)
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.run.progress import Progress, ignore


def test_the_ensemble_adds_the_preference_for_a_behavior_and_the_weighted_linear_model() -> None:
    scores = np.zeros((1, len(DECISIONS) + len(MAIN_BEHAVIORS)))
    scores[0, DECISIONS.index("question")] = 0.5
    scores[0, len(DECISIONS) + MAIN_BEHAVIORS.index("question")] = 2.0
    logits = dict(zip(DECISIONS, ensemble(np.ones((1, len(DECISIONS))), scores)[0], strict=True))
    # The network prefers a question by 2 to three others of 0: 2 - log(3). The linear model adds 1, to a kind .25.
    assert logits["question"] == pytest.approx(0.5 + 2 - np.log(3) + 1)
    assert logits["reflection"] == pytest.approx(0 - np.log(np.exp(2) + 2) + 1)
    assert logits["open"] == logits["complex"] == 0.25
    assert logits["client"] == logits["change"] == 0


class NoScores:
    """A network that scores all 0."""

    def scores(self, table: pd.DataFrame, progress: Progress = ignore) -> np.ndarray:
        return np.zeros((len(table), len(DECISIONS) + len(MAIN_BEHAVIORS)))


def test_the_linear_model_weighs_terms_features_and_an_intercept() -> None:
    table = pd.DataFrame({"tape_id": ["a", "a"], "role": ["interviewer"] * 2, "text": ["How?", "So."]})
    table["target_behavior"] = ""
    inputs = LinearInputs.of(table)
    weights = np.zeros((1 + inputs.features.shape[1] + 1, len(DECISIONS)), dtype=np.float32)
    weights[0, DECISIONS.index("open")] = 4.0  # of the only term, "how"
    weights[-1] = -1.0
    linear = LinearModel(Vocabulary({"how": 1.5}), weights)
    column = DECISIONS.index("open")
    assert linear(inputs)[:, column].tolist() == [3.0, -1.0]
    assert linear(inputs[np.array([1])])[:, column].tolist() == [-1.0]
    assert Classifier(linear, NoScores())(table)[:, column].tolist() == [0.75, -0.25]
