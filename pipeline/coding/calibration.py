"""From a classifier's log-odds to probabilities that mean what they say, and from probabilities to codes.

Everything here is fitted on sessions that the classifier has not seen (`pipeline.coding.training`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.coding.classifier import DECISIONS
from pipeline.coding.codebook import CLIENT_CODES, CODES

Probabilities = NDArray[np.float64]
"""Probability of a yes for each row and decision, shape (rows, decisions)."""


@dataclass(frozen=True)
class Calibration:
    """How log-odds become probabilities, and probabilities become codes.

    ``blend``: decision -> weights of the two views and an intercept (logistic calibration). ``check_below``: an
    utterance whose ``probability`` is lower is to be checked first. ``spread``: decision -> standard deviation of the
    shift that a session's log-odds share.
    """

    blend: Mapping[str, tuple[float, float, float]]
    thresholds: Mapping[str, float]
    check_below: float = 0.0
    spread: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, logits: NDArray[np.float64]) -> Probabilities:
        """Calibrated probabilities from the views' log-odds, shape (2, rows, decisions)."""
        blend = np.array([self.blend[decision] for decision in DECISIONS])
        joint = logits[0] * blend[:, 0] + logits[1] * blend[:, 1] + blend[:, 2]
        result: Probabilities = 0.5 + 0.5 * np.tanh(joint / 2)
        return result

    def coded(self, roles: NDArray[np.object_], found: Probabilities) -> dict[str, Any]:
        """The columns ``codes, probability, needs_check, p_<code>`` from the decisions' probabilities."""
        p = {decision: found[:, number] for number, decision in enumerate(DECISIONS)}
        yes = {decision: p[decision] >= self.thresholds[decision] for decision in DECISIONS}
        sure = {decision: np.where(yes[decision], p[decision], 1 - p[decision]) for decision in DECISIONS}
        interviewer, client = roles == "interviewer", roles == "client"
        rest = (1 - p["question"]) * (1 - p["reflection"]) * (1 - p["information"])
        chances = {
            "question_open": p["question"] * p["open"],
            "question_closed": p["question"] * (1 - p["open"]),
            "reflection_simple": p["reflection"] * (1 - p["complex"]),
            "reflection_complex": p["reflection"] * p["complex"],
            "information": p["information"],
            "other": rest,
            "change": p["client"] * p["change"],
            "sustain": p["client"] * (1 - p["change"]),
            "neutral": 1 - p["client"],
        }
        said = {
            "question_open": interviewer & yes["question"] & yes["open"],
            "question_closed": interviewer & yes["question"] & ~yes["open"],
            "reflection_simple": interviewer & yes["reflection"] & ~yes["complex"],
            "reflection_complex": interviewer & yes["reflection"] & yes["complex"],
            "information": interviewer & yes["information"],
            "other": interviewer & ~(yes["question"] | yes["reflection"] | yes["information"]),
            "change": client & yes["client"] & yes["change"],
            "sustain": client & yes["client"] & ~yes["change"],
            "neutral": client & ~yes["client"],
        }
        which = {"question": "open", "reflection": "complex", "client": "change"}
        steps = {
            decision: np.where(yes[decision], np.minimum(sure[decision], sure[next_]), sure[decision])
            for decision, next_ in which.items()
        }
        asked = np.minimum.reduce([steps["question"], steps["reflection"], sure["information"]])
        probability = np.round(np.select([interviewer, client], [asked, steps["client"]], 0.0), 6)
        own = {code: client if code in CLIENT_CODES else interviewer for code in CODES}
        return {
            "codes": ["|".join(code for code in CODES if said[code][row]) for row in range(len(roles))],
            "probability": probability,
            "needs_check": probability < self.check_below,
            **{f"p_{code}": np.round(np.where(own[code], chances[code], 0.0), 6) for code in CODES},
        }


CAUTIOUS = 0.55
"""A reflection is complex where that is at least so probable: an unsure one is simple, as MITI tells its coders."""


CHECKED = 0.2
"""Share of utterances that a human is asked to look at first."""


def fit(
    logits: NDArray[np.float64], answers: NDArray[np.float64], tapes: NDArray[np.object_], roles: NDArray[np.object_]
) -> Calibration:
    """Fit blend, thresholds, check and spread to held-out log-odds.

    Parameters
    ----------
    logits: shape (2, rows, decisions), from classifiers that were not trained on these rows.
    answers: shape (rows, decisions), 1, 0, or NaN where a decision was not asked.
    tapes, roles: the tape and the role of each row.
    """
    from sklearn.linear_model import LogisticRegression

    blend = {}
    for number, decision in enumerate(DECISIONS):
        asked = ~np.isnan(answers[:, number])
        views = logits[:, asked, number].T
        model = LogisticRegression(C=100.0).fit(views, answers[asked, number])
        blend[decision] = (float(model.coef_[0, 0]), float(model.coef_[0, 1]), float(model.intercept_[0]))
    found = Calibration(blend, {}).probabilities(logits)
    thresholds, spread = {}, {}
    for number, decision in enumerate(DECISIONS):
        asked = ~np.isnan(answers[:, number])
        p, answer = found[asked, number], answers[asked, number] == 1
        thresholds[decision] = CAUTIOUS if decision == "complex" else _threshold(p, answer)
        spread[decision] = _spread(p, answer, tapes[asked])
    calibration = Calibration(blend, thresholds, spread=spread)
    probability = calibration.coded(roles, found)["probability"]
    return replace(calibration, check_below=round(float(np.quantile(probability, CHECKED)), 4))


def _threshold(p: NDArray[np.float64], answer: NDArray[np.bool_]) -> float:
    """The middle one of the thresholds within .002 of the best macro-F1: a broad hill rather than a lucky spike."""
    from sklearn.metrics import f1_score

    grid = np.round(np.arange(0.25, 0.6001, 0.01), 2)
    scores = np.array([f1_score(answer, p >= threshold, average="macro") for threshold in grid])
    near = grid[scores >= scores.max() - 0.002]
    return float(near[len(near) // 2])


def _spread(p: NDArray[np.float64], answer: NDArray[np.bool_], tapes: NDArray[np.object_]) -> float:
    """Standard deviation of a normal shift that all log-odds of a tape share: maximum likelihood, Gauss-Hermite."""
    from scipy.optimize import minimize_scalar

    nodes, shares = np.polynomial.hermite_e.hermegauss(15)
    logit = np.log(np.clip(p, 1e-6, 1 - 1e-6) / np.clip(1 - p, 1e-6, 1))
    sign = np.where(answer, 1.0, -1.0)
    _, tape = np.unique(tapes.astype(str), return_inverse=True)

    def unlikeliness(deviation: float) -> float:
        each = -np.logaddexp(0, -sign[:, None] * (logit[:, None] + deviation * nodes))
        joint = np.zeros((tape.max() + 1, len(nodes)))
        np.add.at(joint, tape, each)
        top = joint.max(axis=1)
        return -float((top + np.log(np.exp(joint - top[:, None]) @ shares)).sum())

    return round(float(minimize_scalar(unlikeliness, bounds=(0.0, 3.0), method="bounded").x), 4)
