"""Do two coders come to the same counts a session? Intraclass correlations of counts and of R:Q, a row a comparison.

ICC(A,1) asks for the same numbers, ICC(C,1) for the same order and distances: a coder who always counts three more
reflections than the coach has a high ICC(C,1) and a low ICC(A,1). Counts are of the utterances that both coders heard;
where a side has several coders, their mean. R:Q is there where the codebook can tell all reflections and all questions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.reliability.bootstrap import DRAWS, SEED, WIDTH, bootstrap_interval, tape_weights
from pipeline.measures.reliability.coefficients import icc_of
from pipeline.measures.reliability.comparisons import Comparison, group_comparisons
from pipeline.measures.reliability.rating_matrix import RatingMatrix

SESSION_ICC_COLUMNS = (
    *("comparison", "a", "b", "measure", "tapes", "mean_a", "mean_b"),
    *("icc_a1", "icc_a1_low", "icc_a1_high", "icc_c1", "icc_c1_low", "icc_c1_high", "undefined"),
)
"""Columns of the table of sessions."""

REFLECTIONS_PER_QUESTION = "reflections per question"


def session_icc(
    panel: RatingMatrix,
    compared: Sequence[Comparison] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    width: float = WIDTH,
) -> pd.DataFrame:
    """Counts of each code and R:Q, for every comparison of two sides."""
    compared = [each for each in (group_comparisons(panel) if compared is None else compared) if each.second]
    rows = []
    for comparison in compared:
        for name in panel.codes:
            counts = _counts(panel, comparison, (name,), (name,))
            if len(counts):
                rows.append(_row(comparison, name, counts, "", draws, seed, width))
        if panel.scheme.ratio:
            asked = tuple(code for part in panel.scheme.ratio for code in part)
            both = [_counts(panel, comparison, part, asked) for part in panel.scheme.ratio]
            if len(both[0]):
                ratio, left_out = _ratio(*both)
                rows.append(_row(comparison, REFLECTIONS_PER_QUESTION, ratio, left_out, draws, seed, width))
    return pd.DataFrame(rows, columns=list(SESSION_ICC_COLUMNS))


def _counts(
    panel: RatingMatrix, comparison: Comparison, codes: Collection[str], asked: Collection[str]
) -> NDArray[np.float64]:
    """Mean count of each side's utterances with one of some codes, shape (tapes, 2).

    On each tape that is shared by coders who could give all of the codes that are ``asked``.
    """
    number = len(panel.tapes)
    has = np.array([not each.isdisjoint(codes) for each in panel.sets])
    grid = np.where(panel.could(asked)[:, panel.tape], panel.grid, -1).astype(np.int32)
    total, pairs = np.zeros((number, 2)), np.zeros(number)
    for one, other in comparison.pairs:
        both = panel.both(one, other, grid)
        tape = panel.tape[both]
        for side, row in enumerate((one, other)):
            total[:, side] += np.bincount(tape, weights=has[grid[row, both]], minlength=number)
        pairs += np.bincount(tape, minlength=number) > 0
    shared = pairs > 0
    return np.asarray(total[shared] / pairs[shared, None])


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    asked = (under > 0).all(axis=1)
    left_out = int((~asked).sum())
    return over[asked] / under[asked], f"{left_out} without questions left out" if left_out else ""


def _row(
    comparison: Comparison,
    name: str,
    counts: NDArray[np.float64],
    note: str,
    draws: int,
    seed: int,
    width: float,
) -> tuple[object, ...]:
    tapes = len(counts)
    head = (comparison.kind, comparison.a, comparison.b, name, tapes)
    means = tuple(float(mean) for mean in counts.mean(axis=0)) if tapes else (None, None)
    if tapes < 2:
        why = "only one tape" if tapes else "no tape with questions by both"
        return (*head, *means, *[None] * 6, "; ".join(filter(None, (why, note))))
    squares, by_tape = (counts**2).sum(axis=1), counts.sum(axis=1) ** 2
    again = tape_weights(tapes, draws, seed)
    once = icc_of(counts.sum(axis=0), squares.sum(), by_tape.sum(), tapes)
    often = icc_of(again @ counts, again @ squares, again @ by_tape, tapes)
    cells: list[float | None] = []
    for value, drawn in zip(once, often, strict=True):
        known = not np.isnan(value)
        between = bootstrap_interval(drawn, tapes, width) if known else None
        cells += [float(value) if known else None, *(between or (None, None))]
    why = ""
    if cells[0] is None or cells[3] is None:
        why = "the counts do not vary"
    elif cells[1] is None or cells[4] is None:
        why = "intervals: in most draws the counts do not vary"
    return (*head, *means, *cells, "; ".join(filter(None, (why, note))))
