"""What a group's consensus codes teach: a small layer on the shipped tagger's probabilities, used only if it is better.

For each decision the log-odds are stretched and shifted, held near to what they were by a prior that a few dozen codes
begin to move. Whether that is better is found out on tapes that the layer was not fitted to: each of the group's tapes
is held out once. It is used where the held-out codes became more probable and no more of them are wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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

TAPES, ROWS = 2, 40
"""The least number of tapes, and of utterances with consensus codes, that can be adapted to."""

PRIOR = 20.0
"""How firmly log-odds stay as they were: the squared distance to it counts as much as so many surprises."""

FORMAT = 1

_FROM = {
    "question": ("question_open", "question_closed"),
    "reflection": ("reflection_simple", "reflection_complex"),
    "information": ("information",),
    "client": ("change", "sustain"),
    "open": ("question_open", "question_closed"),
    "complex": ("reflection_complex", "reflection_simple"),
    "change": ("change", "sustain"),
}
"""The codes whose probabilities make up each decision's; of the last three, the first one's share."""
_KINDS = ("open", "complex", "change")


@dataclass(frozen=True)
class Gain:
    """How the held-out codes fared: with the shipped tagger and with the layer.

    ``surprise``: mean negative log-probability of a decision; ``wrong``: share of decisions that the codes contradict.
    """

    decisions: int
    surprise: tuple[float, float]
    wrong: tuple[float, float]

    @property
    def better(self) -> bool:
        """Whether the layer is to be used."""
        return self.surprise[1] < self.surprise[0] and self.wrong[1] <= self.wrong[0]


@dataclass(frozen=True)
class Adaptation:
    """Decision -> stretch and shift of its log-odds, for the tagger of this checksum, with what it gains."""

    layer: Mapping[str, tuple[float, float]]
    tagger: str
    tapes: int
    utterances: int
    gain: Gain

    def __call__(self, calibration: Calibration) -> Calibration:
        """The tagger's calibration with the layer on top."""
        blend = {}
        for decision, (slope, intercept) in calibration.blend.items():
            stretch, shift = self.layer.get(decision, (1.0, 0.0))
            blend[decision] = (slope * stretch, intercept * stretch + shift)
        return replace(calibration, blend=blend)

    def write(self, path: Path) -> None:
        """Store it as JSON, whole or not at all.

        Raises
        ------
        OutputError: O04 the file cannot be written.
        """
        put(path, json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode() + b"\n")

    @classmethod
    def read(cls, path: Path) -> Adaptation:
        """Load what `write` stored.

        Raises
        ------
        CodingError: C07 it is missing, damaged or of another format.
        """
        try:
            shape: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if shape.pop("format") != FORMAT:
                raise ValueError("another format")
            gain = Gain(**{**shape["gain"], **{name: tuple(shape["gain"][name]) for name in ("surprise", "wrong")}})
            layer = {name: (float(one), float(two)) for name, (one, two) in shape["layer"].items() if name in DECISIONS}
            return cls(**{**shape, "layer": layer, "gain": gain})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            value = f"cannot be read ({type(error).__name__})"
            raise CodingError("C07", f"adaptation {path}", value, "make it again with `tape-review adapt`") from error


def adapt(table: pd.DataFrame, tagger: str, thresholds: Mapping[str, float], book: Codebook) -> Adaptation:
    """Fit the layer to a group's codes and find out what it gains.

    Parameters
    ----------
    table: the shipped tagger's rows (``tape_id``, ``role``, ``p_<code>``) with the group's codes in ``consensus``,
        joined by ``|``.
    tagger: the checksum of the tagger that the probabilities are from.
    thresholds: its thresholds.
    book: the codebook that the group's codes are of; other codes teach nothing.

    Raises
    ------
    CodingError: C06 there are too few tapes or codes, or none of the codes stands for one of the machine's.
    """
    tapes = table["tape_id"].to_numpy(dtype=object)
    names = np.unique(tapes.astype(str))
    if len(names) < TAPES or len(table) < ROWS:
        value = f"are {len(table)} on {len(names)} tape{'s' * (len(names) != 1)}"
        remedy = f"agree on codes for at least {ROWS} utterances on at least {TAPES} tapes"
        raise CodingError("C06", "consensus codes", value, remedy)
    logits, answers = log_odds(table), decided(table, book)
    if not (answers == 1).any():
        remedy = "give the codebook that they belong to"
        raise CodingError("C06", "consensus codes", f"match none of the machine's codes, by {book.name}", remedy)
    found = np.full((2, *logits.shape), np.nan)
    for name in names:
        held = tapes.astype(str) == name
        layer = _fit(logits[~held], answers[~held])
        found[0, held] = logits[held]
        found[1, held] = _applied(layer, logits[held])
    layer = _fit(logits, answers)
    return Adaptation(
        {decision: (round(one, 4), round(two, 4)) for decision, (one, two) in zip(DECISIONS, layer, strict=True)},
        tagger,
        len(names),
        len(table),
        _gain(found, answers, thresholds),
    )


def log_odds(table: pd.DataFrame) -> NDArray[np.float64]:
    """The log-odds of each decision, shape (rows, decisions), from the ``p_<code>`` columns."""
    columns = []
    for decision in DECISIONS:
        first, *rest = (table[f"p_{code}"].to_numpy(dtype=float) for code in _FROM[decision])
        whole = np.sum([first, *rest], axis=0)
        chance = np.divide(first, whole, out=np.full_like(first, 0.5), where=whole > 0) if decision in _KINDS else whole
        chance = np.clip(chance, 1e-6, 1 - 1e-6)
        columns.append(np.log(chance / (1 - chance)))
    return np.column_stack(columns)


def decided(table: pd.DataFrame, book: Codebook) -> NDArray[np.float64]:
    """The decisions that the ``consensus`` codes hold, shape (rows, decisions): 1, 0, or NaN where nothing is known.

    A codebook may be coarser than the machine: MITI's question is open or closed, and which is not known. It may lack
    what the machine decides (OARS has no closed questions), and some of its codes stand for none of the machine's:
    there a "no" is not known either.
    """
    means = {code.name: frozenset(code.pretags) for code in book.codes}
    held = [[means.get(code, frozenset()) for code in str(cell).split("|") if code] for cell in table["consensus"]]
    told = frozenset().union(*means.values())
    plain = np.array([all(codes) for codes in held], dtype=bool)
    roles = table["role"].to_numpy(dtype=object)

    def holds(test: Callable[[frozenset[str]], object]) -> NDArray[np.bool_]:
        return np.array([any(test(codes) for codes in row) for row in held], dtype=bool)

    answers = {}
    for decision in ("question", "reflection", "information", "client"):
        own = frozenset(_FROM[decision])
        no = plain & (own <= told) & (roles == ("client" if decision == "client" else "interviewer"))
        answers[decision] = np.where(holds(own.intersection), 1.0, np.where(no, 0.0, np.nan))
    for kind in _KINDS:
        one, other = (frozenset([code]) for code in _FROM[kind])
        both = one | other
        yes, no = (holds(partial(_only, both, only)) for only in (one, other))
        answers[kind] = np.where(yes, 1.0, np.where(no, 0.0, np.nan))
    return np.column_stack([answers[decision] for decision in DECISIONS])


def _only(both: frozenset[str], one: frozenset[str], codes: frozenset[str]) -> bool:
    return codes & both == one


def _fit(logits: NDArray[np.float64], answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretch and shift of each decision, shape (decisions, 2)."""
    from scipy.optimize import minimize

    found = np.tile([1.0, 0.0], (len(DECISIONS), 1))
    for number in range(len(DECISIONS)):
        asked = ~np.isnan(answers[:, number])
        given, sign = logits[asked, number], np.where(answers[asked, number] == 1, 1.0, -1.0)

        def cost(layer: NDArray[np.float64], given: Any = given, sign: Any = sign) -> float:
            surprise = np.logaddexp(0, -sign * (layer[0] * given + layer[1])).sum()
            return float(surprise + PRIOR * ((layer[0] - 1) ** 2 + layer[1] ** 2))

        found[number] = minimize(cost, found[number], method="L-BFGS-B", bounds=[(0.1, 3.0), (-3.0, 3.0)]).x
    return found


def _applied(layer: NDArray[np.float64], logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return logits * layer[:, 0] + layer[:, 1]


def _gain(found: NDArray[np.float64], answers: NDArray[np.float64], thresholds: Mapping[str, float]) -> Gain:
    asked = ~np.isnan(answers)
    sign = np.where(answers == 1, 1.0, -1.0)
    limits = np.array([thresholds[decision] for decision in DECISIONS])
    surprise = [float(np.logaddexp(0, -sign * logits)[asked].mean()) for logits in found]
    wrong = [float(((expit(logits) >= limits)[asked] != (answers[asked] == 1)).mean()) for logits in found]
    return Gain(int(asked.sum()), (surprise[0], surprise[1]), (wrong[0], wrong[1]))
