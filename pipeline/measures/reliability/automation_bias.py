"""Automation bias: a coder's agreement with the machine's code where it was shown against where it was hidden.

The difference is the effect of showing it; its interval is a bootstrap over tapes. Some pre-tags are hidden at random
during coding so that it can be measured. Below `MIN_UTTERANCES` utterances on either side there is no verdict.
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
"""Fewest utterances on either side for a verdict: with 20, an agreement of 80 % has a 95 % interval of
18 points to either side."""
SMALL_DIFFERENCE = 0.1
"""A difference that lies below this, with its whole interval, does not show."""

AUTOMATION_BIAS_COLUMNS = (
    *("coder", "level", "name", "tapes", "units_shown", "agree_shown", "units_hidden", "agree_hidden"),
    *("difference", "difference_low", "difference_high", "verdict", "undefined"),
    *("agree_shown_low", "agree_shown_high", "agree_hidden_low", "agree_hidden_high"),
)
"""Columns of the table of automation bias."""

ALL_MEMBERS = "members"


def automation_bias(ratings: RatingMatrix, draws: int = DRAWS, seed: int = SEED, width: float = WIDTH) -> pd.DataFrame:
    """Return the table for all members together and one by one, over all codes that the machine proposes and by family;
    empty if it is unknown what was shown."""
    members, machine = ratings.rows(MEMBER), ratings.rows(MACHINE)
    rows = []
    if ratings.shown is not None and members and machine:
        coders = [(ALL_MEMBERS, members), *((ratings.coders[row][1], [row]) for row in members)]
        for level in (ratings.proposed, *(level for level in ratings.levels if level.kind == "family")):
            cells = level.values_of(ratings.grid)
            proposed = cells[machine].max(axis=0)
            for order, (name, chosen) in enumerate(coders):
                counts = np.stack([_counts(ratings, cells, proposed, chosen, shown) for shown in (1, 0)], axis=1)
                if counts[:, :, 1].sum():
                    row = (name, level.kind, level.name, *_row(counts, draws, seed, width))
                    rows.append((order, row))
    rows.sort(key=lambda row: row[0])
    return pd.DataFrame([row for _, row in rows], columns=list(AUTOMATION_BIAS_COLUMNS))


def _counts(
    ratings: RatingMatrix, cells: NDArray[np.int32], proposed: NDArray[np.int32], rows: list[int], shown: int
) -> NDArray[np.float64]:
    """Return the agreements and units of each tape, shape (tapes, 2)."""
    counts = np.zeros((len(ratings.tapes), 2))
    if ratings.shown is None:
        return counts
    for row in rows:
        units = (cells[row] >= 0) & (proposed >= 0) & (ratings.shown[row] == shown)
        tape = ratings.tape_index[units]
        same = cells[row, units] == proposed[units]
        counts[:, 0] += np.bincount(tape, weights=same, minlength=len(counts))
        counts[:, 1] += np.bincount(tape, minlength=len(counts))
    return counts


@dataclass(frozen=True)
class _Side:
    """Agreement where the machine's codes were shown, or where they were hidden (``word``)."""

    word: str
    units: int
    agree: float | None
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, word: str, counts: NDArray[np.float64], draws: int, seed: int, width: float) -> _Side:
        counts = counts[counts[:, 1] > 0]
        agree, units = counts.sum(axis=0)
        if not units:
            return cls(word, 0, None, None)
        resampled = tape_weights(len(counts), draws, seed) @ counts
        return cls(
            word,
            int(units),
            float(agree / units),
            bootstrap_interval(ratio(resampled[:, 0], resampled[:, 1]), len(counts), width),
        )

    @property
    def missing_reason(self) -> str:
        """The reason for no verdict, or an empty string."""
        if not self.units:
            return f"never {self.word}"
        if self.units >= MIN_UTTERANCES:
            return ""
        return f"{self.word}: {self.units} of at least {MIN_UTTERANCES} utterances"


def _row(counts: NDArray[np.float64], draws: int, seed: int, width: float) -> tuple[object, ...]:
    counts = counts[counts[:, :, 1].sum(axis=1) > 0]
    shown, hidden = (
        _Side.of(word, counts[:, side], draws, seed, width) for side, word in enumerate(("shown", "hidden"))
    )
    head = (len(counts), shown.units, shown.agree, hidden.units, hidden.agree)
    tail = (*(shown.interval or (None, None)), *(hidden.interval or (None, None)))
    reasons = [side.missing_reason for side in (shown, hidden) if side.missing_reason]
    if shown.agree is None or hidden.agree is None:
        return (*head, None, None, None, "", "; ".join(reasons), *tail)
    resampled = np.tensordot(tape_weights(len(counts), draws, seed), counts, axes=1)
    drawn = ratio(resampled[:, 0, 0], resampled[:, 0, 1]) - ratio(resampled[:, 1, 0], resampled[:, 1, 1])
    interval = bootstrap_interval(drawn, len(counts), width)
    if interval is None:
        reasons.append("interval: only one tape" if len(counts) < 2 else "interval: most draws have only one side")
        verdict = "no interval: no verdict"
    else:
        verdict = "too few utterances: no verdict" if reasons else _verdict(*interval)
    difference = shown.agree - hidden.agree
    return (*head, difference, *(interval or (None, None)), verdict, "; ".join(reasons), *tail)


def _verdict(low: float, high: float) -> str:
    return "sways" if low > 0 else "does not show" if high < SMALL_DIFFERENCE else "not clear yet"
