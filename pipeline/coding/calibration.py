"""Turns a classifier's log-odds into calibrated probabilities, and probabilities into codes.

A calibration is fitted to sessions that the classifier was not trained on
(`pipeline.coding.training.cross_validation`).
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

    ``platt_scaling``: decision -> slope and intercept of the logistic calibration. ``thresholds``: decision -> the
    probability from which on the answer is yes. ``check_below``: an utterance is to be checked first where the
    probability that all its decisions are right is lower. ``session_effect_sd``: decision -> standard deviation of the
    shift that the log-odds of a session share.
    """

    platt_scaling: Mapping[str, tuple[float, float]]
    thresholds: Mapping[str, float]
    check_below: float = 0.0
    session_effect_sd: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, logits: NDArray[np.float64]) -> Probabilities:
        """Return calibrated probabilities from log-odds, shape (rows, decisions)."""
        scaling = np.array([self.platt_scaling[decision] for decision in DECISIONS])
        return np.asarray(expit(logits * scaling[:, 0] + scaling[:, 1]), dtype=np.float64)

    def confidence(self, roles: NDArray[np.object_], probabilities: Probabilities) -> tuple[NDArray[np.float64], ...]:
        """Return two arrays of shape (rows,); both are 0 for an unknown role.

        The first is the probability that the row's least certain decision is right, the second that all of them are.
        """
        p = dict(zip(DECISIONS, probabilities.T, strict=True))
        yes = {decision: p[decision] >= self.thresholds[decision] for decision in DECISIONS}
        sure = {decision: np.where(yes[decision], p[decision], 1 - p[decision]) for decision in DECISIONS}
        kinds = {"question": "open", "reflection": "complex", "client": "change"}
        sure_kind = {decision: np.where(yes[decision], sure[kind], 1.0) for decision, kind in kinds.items()}
        interviewer = [*(sure[behavior] for behavior in _BEHAVIORS), sure_kind["question"], sure_kind["reflection"]]
        client = [sure["client"], sure_kind["client"]]
        is_role = [roles == "interviewer", roles == "client"]
        least = np.select(is_role, [np.minimum.reduce(interviewer), np.minimum.reduce(client)], 0.0)
        return least, np.select(is_role, [np.prod(interviewer, axis=0), np.prod(client, axis=0)], 0.0)

    def pretag_columns(self, roles: NDArray[np.object_], probabilities: Probabilities) -> dict[str, Any]:
        """Return the columns ``codes, probability, needs_check, p_<code>`` from the decisions' probabilities."""
        p = {decision: probabilities[:, number] for number, decision in enumerate(DECISIONS)}
        yes = {decision: p[decision] >= self.thresholds[decision] for decision in DECISIONS}
        interviewer, client = roles == "interviewer", roles == "client"
        rest = (1 - p["question"]) * (1 - p["reflection"]) * (1 - p["information"])
        code_probabilities = {
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
        chosen = {
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
        applies = {code: client if code in CLIENT_CODES else interviewer for code in CODES}
        strength = {behavior: p[behavior] / self.thresholds[behavior] for behavior in _BEHAVIORS}
        least, all_right = self.confidence(roles, probabilities)
        return {
            "codes": _joined_codes(chosen, strength),
            "probability": np.round(least, 6),
            "needs_check": all_right < self.check_below,
            **{f"p_{code}": np.round(np.where(applies[code], code_probabilities[code], 0.0), 6) for code in CODES},
        }


def _joined_codes(chosen: Mapping[str, NDArray[np.bool_]], strength: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Join each row's codes with ``|``, the main behavior first: its probability exceeds its threshold the most."""
    rows = []
    for row in range(len(chosen["other"])):
        codes = [code for code in CODES if chosen[code][row]]
        if len(codes) > 1:
            codes.sort(key=lambda code: -strength[code.partition("_")[0]][row])
        rows.append("|".join(codes))
    return rows


COMPLEX_THRESHOLD = 0.55
"""The probability from which on a reflection is complex: MITI 4.2 has its coders code a doubtful one as simple."""


SESSION_EFFECT_FACTORS = {"question": 1.2, "reflection": 1.2, "complex": 0.7}
"""Decision -> factor on its session effect: without it, too few or too many of the 90 % intervals cover the hand-coded
counts (`tape-review evaluate`)."""

CHECK_SHARE = 0.2
"""Share of utterances that are to be checked first."""


def fit(
    logits: NDArray[np.float64], answers: NDArray[np.float64], tapes: NDArray[np.object_], roles: NDArray[np.object_]
) -> Calibration:
    """Fit a calibration to held-out log-odds.

    Parameters
    ----------
    logits: shape (rows, decisions), from classifiers that were not trained on these rows.
    answers: shape (rows, decisions), 1, 0, or NaN where a decision does not apply.
    tapes, roles: the tape and the role of each row.
    """
    from sklearn.linear_model import LogisticRegression

    platt_scaling = {}
    for number, decision in enumerate(DECISIONS):
        known = ~np.isnan(answers[:, number])
        model = LogisticRegression(C=100.0).fit(logits[known, number, None], answers[known, number])
        platt_scaling[decision] = (float(model.coef_[0, 0]), float(model.intercept_[0]))
    probabilities = Calibration(platt_scaling, {}).probabilities(logits)
    thresholds, session_effect_sd = {}, {}
    for number, decision in enumerate(DECISIONS):
        known = ~np.isnan(answers[:, number])
        p, answer = probabilities[known, number], answers[known, number] == 1
        thresholds[decision] = COMPLEX_THRESHOLD if decision == "complex" else _threshold(p, answer)
        deviation = _session_effect_sd(p, answer, tapes[known]) * SESSION_EFFECT_FACTORS.get(decision, 1.0)
        session_effect_sd[decision] = round(deviation, 4)
    thresholds |= _talk_thresholds(probabilities, answers)
    calibration = Calibration(platt_scaling, thresholds, session_effect_sd=session_effect_sd)
    _, all_right = calibration.confidence(roles, probabilities)
    return replace(calibration, check_below=round(float(np.quantile(all_right, CHECK_SHARE)), 4))


def _threshold(p: NDArray[np.float64], answer: NDArray[np.bool_]) -> float:
    """Return the middle one of the thresholds within .002 of the best macro-F1: a plateau rather than a lucky peak."""
    from sklearn.metrics import f1_score

    grid = np.round(np.arange(0.25, 0.6001, 0.01), 2)
    scores = np.array([f1_score(answer, p >= threshold, average="macro") for threshold in grid])
    near = grid[scores >= scores.max() - 0.002]
    return float(near[len(near) // 2])


def _talk_thresholds(probabilities: Probabilities, answers: NDArray[np.float64]) -> dict[str, float]:
    """Return the thresholds of client talk: the mean of all pairs within .004 of the best macro-F1 of its kinds."""
    from sklearn.metrics import f1_score

    client, change = DECISIONS.index("client"), DECISIONS.index("change")
    rows = ~np.isnan(answers[:, client])
    if not rows.any():
        return {}
    kinds = np.where(answers[rows, client] == 1, np.where(answers[rows, change] == 1, 1, 2), 0)
    pairs = [(talk, kind) for talk in np.arange(0.25, 0.601, 0.025) for kind in np.arange(0.4, 0.701, 0.025)]
    scores = []
    for talk, kind in pairs:
        change_or_sustain = np.where(probabilities[rows, change] >= kind, 1, 2)
        tagged = np.where(probabilities[rows, client] >= talk, change_or_sustain, 0)
        scores.append(f1_score(kinds, tagged, labels=[0, 1, 2], average="macro", zero_division=0))
    near = np.array(pairs)[np.array(scores) >= max(scores) - 0.004]
    return {"client": round(float(near[:, 0].mean()), 3), "change": round(float(near[:, 1].mean()), 3)}


def _session_effect_sd(p: NDArray[np.float64], answer: NDArray[np.bool_], tapes: NDArray[np.object_]) -> float:
    """Return the standard deviation of a normal shift that all log-odds of a tape share.

    It is fitted by maximum likelihood, with Gauss-Hermite quadrature over the shift.
    """
    from scipy.optimize import minimize_scalar

    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    logit = np.log(np.clip(p, 1e-6, 1 - 1e-6) / np.clip(1 - p, 1e-6, 1))
    sign = np.where(answer, 1.0, -1.0)
    _, tape = np.unique(tapes.astype(str), return_inverse=True)

    def negative_log_likelihood(deviation: float) -> float:
        log_likelihood = -np.logaddexp(0, -sign[:, None] * (logit[:, None] + deviation * nodes))
        joint = np.zeros((tape.max() + 1, len(nodes)))
        np.add.at(joint, tape, log_likelihood)
        top = joint.max(axis=1)
        return -float((top + np.log(np.exp(joint - top[:, None]) @ weights)).sum())

    return round(float(minimize_scalar(negative_log_likelihood, bounds=(0.0, 3.0), method="bounded").x), 4)
