"""From a classifier's log-odds to probabilities that mean what they say, and from probabilities to codes.

Everything here is fitted on sessions that the classifier has not seen (`pipeline.coding.training.fitting`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.coding.codebook import CLIENT_CODES, CODES
from pipeline.coding.inference.classifier import DECISIONS

_BEHAVIORS = ("question", "reflection", "information")

Probabilities = NDArray[np.float64]
"""Probability of a yes for each row and decision, shape (rows, decisions)."""


@dataclass(frozen=True)
class Calibration:
    """How log-odds become probabilities, and probabilities become codes.

    ``blend``: decision -> slope and intercept (logistic calibration). ``thresholds``: decision -> the probability
    from which on the answer is yes. ``check_below``: an utterance whose chance to be right in every decision is lower
    is to be checked first. ``spread``: decision -> standard deviation of the shift that a session's log-odds share.
    """

    blend: Mapping[str, tuple[float, float]]
    thresholds: Mapping[str, float]
    check_below: float = 0.0
    spread: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, logits: NDArray[np.float64]) -> Probabilities:
        """Calibrated probabilities from log-odds, shape (rows, decisions)."""
        blend = np.array([self.blend[decision] for decision in DECISIONS])
        joint = logits * blend[:, 0] + blend[:, 1]
        return np.asarray(expit(joint), dtype=np.float64)

    def sureness(self, roles: NDArray[np.object_], found: Probabilities) -> tuple[NDArray[np.float64], ...]:
        """How probable the least certain of each row's decisions is, and that all are right; 0 for an unknown role."""
        p = dict(zip(DECISIONS, found.T, strict=True))
        yes = {decision: p[decision] >= self.thresholds[decision] for decision in DECISIONS}
        sure = {decision: np.where(yes[decision], p[decision], 1 - p[decision]) for decision in DECISIONS}
        kinds = {"question": "open", "reflection": "complex", "client": "change"}
        kind = {decision: np.where(yes[decision], sure[which], 1.0) for decision, which in kinds.items()}
        interviewer = [*(sure[behavior] for behavior in _BEHAVIORS), kind["question"], kind["reflection"]]
        client = [sure["client"], kind["client"]]
        which = [roles == "interviewer", roles == "client"]
        least = np.select(which, [np.minimum.reduce(interviewer), np.minimum.reduce(client)], 0.0)
        return least, np.select(which, [np.prod(interviewer, axis=0), np.prod(client, axis=0)], 0.0)

    def coded(self, roles: NDArray[np.object_], found: Probabilities) -> dict[str, Any]:
        """The columns ``codes, probability, needs_check, p_<code>`` from the decisions' probabilities."""
        p = {decision: found[:, number] for number, decision in enumerate(DECISIONS)}
        yes = {decision: p[decision] >= self.thresholds[decision] for decision in DECISIONS}
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
        own = {code: client if code in CLIENT_CODES else interviewer for code in CODES}
        strength = {behavior: p[behavior] / self.thresholds[behavior] for behavior in _BEHAVIORS}
        least, every = self.sureness(roles, found)
        return {
            "codes": _joined(said, strength),
            "probability": np.round(least, 6),
            "needs_check": every < self.check_below,
            **{f"p_{code}": np.round(np.where(own[code], chances[code], 0.0), 6) for code in CODES},
        }


def _joined(said: Mapping[str, NDArray[np.bool_]], strength: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Each row's codes, the one first whose decision lies farthest beyond its threshold: it is the main behavior."""
    rows = []
    for row in range(len(said["other"])):
        held = [code for code in CODES if said[code][row]]
        if len(held) > 1:
            held.sort(key=lambda code: -strength[code.partition("_")[0]][row])
        rows.append("|".join(held))
    return rows


CAUTIOUS = 0.55
"""A reflection is complex where that is at least so probable: an unsure one is simple, as MITI tells its coders."""


WIDENED = {"question": 1.2, "reflection": 1.2, "complex": 0.7}
"""What a session's shared shift is multiplied by, where counts were held by too few or too many intervals without."""

CHECKED = 0.2
"""Share of utterances that a human is asked to look at first."""


def fit(
    logits: NDArray[np.float64], answers: NDArray[np.float64], tapes: NDArray[np.object_], roles: NDArray[np.object_]
) -> Calibration:
    """Fit blend, thresholds, check and spread to held-out log-odds.

    Parameters
    ----------
    logits: shape (rows, decisions), from classifiers that were not trained on these rows.
    answers: shape (rows, decisions), 1, 0, or NaN where a decision was not asked.
    tapes, roles: the tape and the role of each row.
    """
    from sklearn.linear_model import LogisticRegression

    blend = {}
    for number, decision in enumerate(DECISIONS):
        asked = ~np.isnan(answers[:, number])
        given = logits[asked, number, None]
        model = LogisticRegression(C=100.0).fit(given, answers[asked, number])
        blend[decision] = (float(model.coef_[0, 0]), float(model.intercept_[0]))
    found = Calibration(blend, {}).probabilities(logits)
    thresholds, spread = {}, {}
    for number, decision in enumerate(DECISIONS):
        asked = ~np.isnan(answers[:, number])
        p, answer = found[asked, number], answers[asked, number] == 1
        thresholds[decision] = CAUTIOUS if decision == "complex" else _threshold(p, answer)
        spread[decision] = round(_spread(p, answer, tapes[asked]) * WIDENED.get(decision, 1.0), 4)
    thresholds |= _talk_thresholds(found, answers)
    calibration = Calibration(blend, thresholds, spread=spread)
    return replace(
        calibration, check_below=round(float(np.quantile(calibration.sureness(roles, found)[1], CHECKED)), 4)
    )


def _threshold(p: NDArray[np.float64], answer: NDArray[np.bool_]) -> float:
    """The middle one of the thresholds within .002 of the best macro-F1: a broad hill rather than a lucky spike."""
    from sklearn.metrics import f1_score

    grid = np.round(np.arange(0.25, 0.6001, 0.01), 2)
    scores = np.array([f1_score(answer, p >= threshold, average="macro") for threshold in grid])
    near = grid[scores >= scores.max() - 0.002]
    return float(near[len(near) // 2])


def _talk_thresholds(found: Probabilities, answers: NDArray[np.float64]) -> dict[str, float]:
    """Thresholds of client talk for the best macro-F1 of its three kinds: the middle of all pairs within .004 of it."""
    from sklearn.metrics import f1_score

    client, change = DECISIONS.index("client"), DECISIONS.index("change")
    rows = ~np.isnan(answers[:, client])
    if not rows.any():
        return {}
    kinds = np.where(answers[rows, client] == 1, np.where(answers[rows, change] == 1, 1, 2), 0)
    pairs = [(one, two) for one in np.arange(0.25, 0.601, 0.025) for two in np.arange(0.4, 0.701, 0.025)]
    scores = []
    for one, two in pairs:
        tagged = np.where(found[rows, client] >= one, np.where(found[rows, change] >= two, 1, 2), 0)
        scores.append(f1_score(kinds, tagged, labels=[0, 1, 2], average="macro", zero_division=0))
    near = np.array(pairs)[np.array(scores) >= max(scores) - 0.004]
    return {"client": round(float(near[:, 0].mean()), 3), "change": round(float(near[:, 1].mean()), 3)}


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
