"""Adapts the tagger to a group's consensus codes with a small layer on its probabilities, used only if it is better.

For each decision, the layer scales and shifts the log-odds. A prior keeps them near the shipped tagger's; a few dozen
codes begin to move it. Each of the group's tapes is held out once, and the layer is used only if the held-out codes
became more probable and no more of them are wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.coding.calibration import Calibration
from pipeline.coding.codebook import Codebook
from pipeline.coding.inference.classifier import DECISIONS
from pipeline.errors import CodingError
from pipeline.files import put

MIN_TAPES, MIN_UTTERANCES = 2, 40
"""Least number of tapes, and of utterances with consensus codes, that an adaptation is fitted to."""

PRIOR_WEIGHT = 20.0
"""Weight of the squared distance to the identity layer, beside the log loss of each known decision; `tape-review adapt`
prints the gain on held-out tapes, which moves with it."""

FORMAT = 1
"""Version of the stored file; raised when its fields change."""

_GAIN_KEYS = {"log_loss": "surprise", "error_rate": "wrong"}
"""Field of `HeldOutGain` -> its key in the stored file, where they differ."""

_DECISION_CODES = {
    "question": ("question_open", "question_closed"),
    "reflection": ("reflection_simple", "reflection_complex"),
    "information": ("information",),
    "client": ("change", "sustain"),
    "open": ("question_open", "question_closed"),
    "complex": ("reflection_complex", "reflection_simple"),
    "change": ("change", "sustain"),
}
"""Decision -> the codes whose probabilities add up to its own; for the last three, it is the first code's share."""
_KIND_DECISIONS = ("open", "complex", "change")


@dataclass(frozen=True)
class HeldOutGain:
    """Loss on held-out codes: first with the shipped tagger, then with the layer.

    ``log_loss``: mean negative log-probability of a decision; ``error_rate``: share of decisions that the codes
    contradict.
    """

    decisions: int
    log_loss: tuple[float, float]
    error_rate: tuple[float, float]

    @property
    def better(self) -> bool:
        """Whether the layer should be used."""
        return self.log_loss[1] < self.log_loss[0] and self.error_rate[1] <= self.error_rate[0]


@dataclass(frozen=True)
class Adaptation:
    """Decision -> scale and shift of its log-odds, for the tagger of this checksum, with its gain on held-out tapes."""

    layer: Mapping[str, tuple[float, float]]
    tagger: str
    tapes: int
    utterances: int
    gain: HeldOutGain

    def __call__(self, calibration: Calibration) -> Calibration:
        """Return the tagger's calibration with the layer applied on top."""
        scaling = {}
        for decision, (slope, intercept) in calibration.platt_scaling.items():
            scale, shift = self.layer.get(decision, (1.0, 0.0))
            scaling[decision] = (slope * scale, intercept * scale + shift)
        return replace(calibration, platt_scaling=scaling)

    def write(self, path: Path) -> None:
        """Store the adaptation as JSON, whole or not at all.

        Raises
        ------
        OutputError: O04 the file cannot be written.
        """
        stored = {"format": FORMAT, **asdict(self)}
        stored["gain"] = {_GAIN_KEYS.get(name, name): value for name, value in stored["gain"].items()}
        put(path, json.dumps(stored, indent=2).encode() + b"\n")

    @classmethod
    def read(cls, path: Path) -> Adaptation:
        """Load an adaptation that `write` stored.

        Raises
        ------
        CodingError: C07 it is missing, damaged or of another format.
        """
        try:
            stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if stored.pop("format") != FORMAT:
                raise ValueError("another format")
            counts = {key: value for key, value in stored["gain"].items() if key not in _GAIN_KEYS.values()}
            losses: dict[str, Any] = {name: tuple(stored["gain"][key]) for name, key in _GAIN_KEYS.items()}
            layer = {
                decision: (float(scale), float(shift))
                for decision, (scale, shift) in stored["layer"].items()
                if decision in DECISIONS
            }
            return cls(**{**stored, "layer": layer, "gain": HeldOutGain(**counts, **losses)})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            value = f"cannot be read ({type(error).__name__})"
            raise CodingError("C07", f"adaptation {path}", value, "make it again with `tape-review adapt`") from error


def adapt(table: pd.DataFrame, tagger: str, thresholds: Mapping[str, float], book: Codebook) -> Adaptation:
    """Fit the layer to a group's codes, and measure its gain on held-out tapes.

    Parameters
    ----------
    table: the shipped tagger's rows (``tape_id``, ``role``, ``p_<code>``) with the group's codes in ``consensus``,
        joined by ``|``.
    tagger: the checksum of the tagger that the probabilities are from.
    thresholds: the tagger's thresholds.
    book: the codebook of the group's codes; codes that it lacks are ignored.

    Raises
    ------
    CodingError: C06 there are too few tapes or codes, or none of the codes maps to one of the machine's.
    """
    tapes = table["tape_id"].to_numpy(dtype=object)
    names = np.unique(tapes.astype(str))
    if len(names) < MIN_TAPES or len(table) < MIN_UTTERANCES:
        value = f"are {len(table)} on {len(names)} tape{'s' * (len(names) != 1)}"
        remedy = f"agree on codes for at least {MIN_UTTERANCES} utterances on at least {MIN_TAPES} tapes"
        raise CodingError("C06", "consensus codes", value, remedy)
    logits, answers = log_odds(table), answers_by_hand(table, book)
    if not (answers == 1).any():
        remedy = "give the codebook that they belong to"
        raise CodingError("C06", "consensus codes", f"match none of the machine's codes, by {book.name}", remedy)
    adapted_logits = np.full(logits.shape, np.nan)
    for name in names:
        held_out = tapes.astype(str) == name
        layer = _fit(logits[~held_out], answers[~held_out])
        adapted_logits[held_out] = _apply(layer, logits[held_out])
    layer = _fit(logits, answers)
    return Adaptation(
        {
            decision: (round(scale, 4), round(shift, 4))
            for decision, (scale, shift) in zip(DECISIONS, layer, strict=True)
        },
        tagger,
        len(names),
        len(table),
        _gain((logits, adapted_logits), answers, thresholds),
    )


def log_odds(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the log-odds of each decision, shape (rows, decisions), from the ``p_<code>`` columns."""
    columns = []
    for decision in DECISIONS:
        first, *rest = (table[f"p_{code}"].to_numpy(dtype=float) for code in _DECISION_CODES[decision])
        total = np.sum([first, *rest], axis=0)
        is_share = decision in _KIND_DECISIONS
        p = np.divide(first, total, out=np.full_like(first, 0.5), where=total > 0) if is_share else total
        p = np.clip(p, 1e-6, 1 - 1e-6)
        columns.append(np.log(p / (1 - p)))
    return np.column_stack(columns)


def answers_by_hand(table: pd.DataFrame, book: Codebook) -> NDArray[np.float64]:
    """Return the decisions in the ``consensus`` codes, shape (rows, decisions): 1, 0, or NaN where one is not known.

    A codebook may be coarser than the machine: MITI's question is open or closed, and which is not known. It may lack
    a code of the machine (OARS has no closed questions), and some of its codes may map to none of the machine's: then
    a "no" is not known either.
    """
    pretags = {code.name: frozenset(code.pretags) for code in book.codes}
    rows = [[pretags.get(code, frozenset()) for code in str(cell).split("|") if code] for cell in table["consensus"]]
    expressible = frozenset().union(*pretags.values())
    all_mapped = np.array([all(codes) for codes in rows], dtype=bool)
    roles = table["role"].to_numpy(dtype=object)

    def any_code(test: Callable[[frozenset[str]], object]) -> NDArray[np.bool_]:
        return np.array([any(test(codes) for codes in row) for row in rows], dtype=bool)

    answers = {}
    for decision in ("question", "reflection", "information", "client"):
        codes = frozenset(_DECISION_CODES[decision])
        no = all_mapped & (codes <= expressible) & (roles == ("client" if decision == "client" else "interviewer"))
        answers[decision] = np.where(any_code(codes.intersection), 1.0, np.where(no, 0.0, np.nan))
    for decision in _KIND_DECISIONS:
        yes_code, no_code = (frozenset([code]) for code in _DECISION_CODES[decision])
        either = yes_code | no_code
        yes, no = (any_code(partial(_is_kind, either, kind)) for kind in (yes_code, no_code))
        answers[decision] = np.where(yes, 1.0, np.where(no, 0.0, np.nan))
    return np.column_stack([answers[decision] for decision in DECISIONS])


def _is_kind(either: frozenset[str], kind: frozenset[str], codes: frozenset[str]) -> bool:
    return codes & either == kind


def _fit(logits: NDArray[np.float64], answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scale and shift of each decision, shape (decisions, 2)."""
    from scipy.optimize import minimize

    layer = np.tile([1.0, 0.0], (len(DECISIONS), 1))
    for number in range(len(DECISIONS)):
        known = ~np.isnan(answers[:, number])
        logit, sign = logits[known, number], np.where(answers[known, number] == 1, 1.0, -1.0)

        def cost(scale_and_shift: NDArray[np.float64], logit: Any = logit, sign: Any = sign) -> float:
            scale, shift = scale_and_shift
            log_loss = np.logaddexp(0, -sign * (scale * logit + shift)).sum()
            return float(log_loss + PRIOR_WEIGHT * ((scale - 1) ** 2 + shift**2))

        layer[number] = minimize(cost, layer[number], method="L-BFGS-B", bounds=[(0.1, 3.0), (-3.0, 3.0)]).x
    return layer


def _apply(layer: NDArray[np.float64], logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return logits * layer[:, 0] + layer[:, 1]


def _gain(
    logits_of_each: Sequence[NDArray[np.float64]], answers: NDArray[np.float64], thresholds: Mapping[str, float]
) -> HeldOutGain:
    known = ~np.isnan(answers)
    sign = np.where(answers == 1, 1.0, -1.0)
    limits = np.array([thresholds[decision] for decision in DECISIONS])
    log_loss = [float(np.logaddexp(0, -sign * logits)[known].mean()) for logits in logits_of_each]
    wrong = [float(((expit(logits) >= limits)[known] != (answers[known] == 1)).mean()) for logits in logits_of_each]
    return HeldOutGain(int(known.sum()), (log_loss[0], log_loss[1]), (wrong[0], wrong[1]))
