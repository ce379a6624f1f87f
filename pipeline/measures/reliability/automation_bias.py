"""Does seeing the machine's code sway a coder? Agreement with it where it was shown against where it was hidden.

The difference is what showing adds; its interval comes from drawing tapes again. Some pre-tags are hidden at random
while coding so that this can be known. Below `MIN_UTTERANCES` utterances on either side nothing is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.reliability.bootstrap import DRAWS, SEED, WIDTH, bootstrap_interval, tape_weights
from pipeline.measures.reliability.coefficients import ratio
from pipeline.measures.reliability.rating_matrix import MACHINE, MEMBER, RatingMatrix

MIN_UTTERANCES = 20
"""Utterances that a verdict needs at least on either side."""

AUTOMATION_BIAS_COLUMNS = (
    *("coder", "level", "name", "tapes", "units_shown", "agree_shown", "units_hidden", "agree_hidden"),
    *("difference", "difference_low", "difference_high", "verdict", "undefined"),
    *("agree_shown_low", "agree_shown_high", "agree_hidden_low", "agree_hidden_high"),
)
"""Columns of the table of automation bias."""

ALL_MEMBERS = "members"


def automation_bias(panel: RatingMatrix, draws: int = DRAWS, seed: int = SEED, width: float = WIDTH) -> pd.DataFrame:
    """All members together and one by one, over all codes that the machine proposes and by family; empty where nothing
    says what was shown."""
    members, machine = panel.rows(MEMBER), panel.rows(MACHINE)
    rows = []
    if panel.shown is not None and members and machine:
        coders = [(ALL_MEMBERS, members), *((panel.coders[row][1], [row]) for row in members)]
        for level in (panel.proposed, *(level for level in panel.levels if level.kind == "family")):
            cells = level.of(panel.grid)
            proposed = cells[machine].max(axis=0)
            for place, (name, chosen) in enumerate(coders):
                found = np.stack([_counts(panel, cells, proposed, chosen, shown) for shown in (1, 0)], axis=1)
                if found[:, :, 1].sum():
                    row = (name, level.kind, level.name, *_row(found, draws, seed, width))
                    rows.append((place, row))
    rows.sort(key=lambda row: row[0])
    return pd.DataFrame([row for _, row in rows], columns=list(AUTOMATION_BIAS_COLUMNS))


def _counts(
    panel: RatingMatrix, cells: NDArray[np.int32], proposed: NDArray[np.int32], rows: list[int], shown: int
) -> NDArray[np.float64]:
    """Agreements and units of each tape, shape (tapes, 2)."""
    result = np.zeros((len(panel.tapes), 2))
    if panel.shown is None:
        return result
    for row in rows:
        asked = (cells[row] >= 0) & (proposed >= 0) & (panel.shown[row] == shown)
        tape = panel.tape[asked]
        same = cells[row, asked] == proposed[asked]
        result[:, 0] += np.bincount(tape, weights=same, minlength=len(result))
        result[:, 1] += np.bincount(tape, minlength=len(result))
    return result


@dataclass(frozen=True)
class _Side:
    """Agreement where the machine's codes were shown, or where they were hidden."""

    word: str
    units: int
    agree: float | None
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, word: str, found: NDArray[np.float64], draws: int, seed: int, width: float) -> _Side:
        found = found[found[:, 1] > 0]
        agree, units = found.sum(axis=0)
        if not units:
            return cls(word, 0, None, None)
        again = tape_weights(len(found), draws, seed) @ found
        return cls(
            word,
            int(units),
            float(agree / units),
            bootstrap_interval(ratio(again[:, 0], again[:, 1]), len(found), width),
        )

    @property
    def lacks(self) -> str:
        """Why nothing is said of it."""
        if not self.units:
            return f"never {self.word}"
        return (
            f"{self.word}: {self.units} of at least {MIN_UTTERANCES} utterances" if self.units < MIN_UTTERANCES else ""
        )


def _row(found: NDArray[np.float64], draws: int, seed: int, width: float) -> tuple[object, ...]:
    found = found[found[:, :, 1].sum(axis=1) > 0]
    shown, hidden = (
        _Side.of(word, found[:, side], draws, seed, width) for side, word in enumerate(("shown", "hidden"))
    )
    head = (len(found), shown.units, shown.agree, hidden.units, hidden.agree)
    tail = (*(shown.interval or (None, None)), *(hidden.interval or (None, None)))
    reasons = [side.lacks for side in (shown, hidden) if side.lacks]
    if shown.agree is None or hidden.agree is None:
        return (*head, None, None, None, "", "; ".join(reasons), *tail)
    again = np.tensordot(tape_weights(len(found), draws, seed), found, axes=1)
    drawn = ratio(again[:, 0, 0], again[:, 0, 1]) - ratio(again[:, 1, 0], again[:, 1, 1])
    between = bootstrap_interval(drawn, len(found), width)
    if between is None:
        reasons.append("interval: only one tape" if len(found) < 2 else "interval: most draws have only one side")
    if between is None:
        verdict = "no interval: no verdict"
    else:
        verdict = "too few utterances: no verdict" if reasons else _verdict(*between)
    difference = shown.agree - hidden.agree
    return (*head, difference, *(between or (None, None)), verdict, "; ".join(reasons), *tail)


def _verdict(low: float, high: float) -> str:
    return "sways" if low > 0 else "does not show" if high < 0.1 else "not clear yet"
