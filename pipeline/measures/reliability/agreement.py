"""Agreement of coders: coefficients per unit for each comparison and level, and intraclass correlations of counts per
session, each figure with its interval over tapes.

Percent agreement comes first: a group can picture it. Kappa is the usual figure; the prevalence and the bias index show
why it may be low although agreement is high, PABAK and AC1 what it would be otherwise. Alpha takes several coders and
missing cells. Below `MIN_UNITS` units there is no verdict. An undefined figure is None, and ``undefined`` is the
reason.

ICC(A,1) asks for the same counts, ICC(C,1) for the same order and distances: a coder who always counts three more
reflections than the coach has a high ICC(C,1) and a low ICC(A,1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.reliability import coefficients
from pipeline.measures.reliability.bootstrap import DRAWS, SEED, WIDTH, bootstrap_interval, tape_weights
from pipeline.measures.reliability.comparisons import Comparison, TapeSums, group_comparisons, tape_sums
from pipeline.measures.reliability.rating_matrix import Level, RatingMatrix

MIN_UNITS = 50
"""Fewest units for a verdict: an agreement of 80 % then has a 95 % interval of 11 points to either side."""

AGREEMENT_COLUMNS = (
    *("comparison", "a", "b", "level", "name", "tapes", "units"),
    *("percent", "percent_low", "percent_high", "kappa", "kappa_low", "kappa_high", "prevalence_index", "bias_index"),
    *("pabak", "ac1", "ac1_low", "ac1_high", "alpha", "alpha_low", "alpha_high"),
    *("alpha_ordinal", "alpha_ordinal_low", "alpha_ordinal_high", "verdict", "undefined"),
)
"""Columns of the table of agreement."""

RELIABLE, TENTATIVE = 0.8, 0.667
"""Krippendorff's limits for alpha (Content Analysis, 2004): to rely on, and for tentative conclusions."""

SESSION_ICC_COLUMNS = (
    *("comparison", "a", "b", "measure", "tapes", "mean_a", "mean_b"),
    *("icc_a1", "icc_a1_low", "icc_a1_high", "icc_c1", "icc_c1_low", "icc_c1_high", "undefined"),
)
"""Columns of the table of sessions."""

REFLECTIONS_PER_QUESTION = "reflections per question"


def agreement_table(
    ratings: RatingMatrix,
    compared: Sequence[Comparison] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    width: float = WIDTH,
) -> pd.DataFrame:
    """Return the coefficients of all comparisons at all levels.

    Parameters
    ----------
    ratings: the codes.
    compared: the comparisons; by default those of `group_comparisons`.
    draws, seed, width: of the bootstrap intervals.
    """
    compared = group_comparisons(ratings) if compared is None else compared
    rows: list[list[tuple[object, ...]]] = [[] for _ in compared]
    for level in ratings.levels:
        cells = level.values_of(ratings.grid)
        for number, comparison in enumerate(compared):
            sums = tape_sums(ratings, level, comparison, cells)
            if sums is not None:
                head = (comparison.kind, comparison.a, comparison.b, level.kind, level.name)
                rows[number].append((*head, *_row(sums, level, draws, seed, width)))
    return pd.DataFrame([row for several in rows for row in several], columns=list(AGREEMENT_COLUMNS))


def coefficient_values(sums: TapeSums) -> dict[str, NDArray[np.float64]]:
    """Map the name of each coefficient with an interval to its value, from `TapeSums.weighted` sums."""
    result = {
        "percent": coefficients.percent(sums.agree, sums.units),
        "ac1": coefficients.ac1_of(sums.agree, sums.units, sums.shares, sums.coded),
        "alpha": coefficients.alpha_of(sums.same, sums.marginals),
    }
    if sums.rows is not None and sums.columns is not None:
        result["kappa"] = coefficients.kappa_of(sums.agree, sums.rows, sums.columns)
    if sums.coincidences is not None:
        result["alpha_ordinal"] = coefficients.ordinal_alpha_of(sums.coincidences)
    return result


def _row(sums: TapeSums, level: Level, draws: int, seed: int, width: float) -> tuple[object, ...]:
    tapes = len(sums.units)
    drawn = coefficient_values(sums.weighted(tape_weights(tapes, draws, seed)))
    cells: dict[str, float | None] = {}
    for name, figure in coefficient_values(sums.weighted(np.ones(tapes))).items():
        value = float(figure)
        interval = None if np.isnan(value) else bootstrap_interval(drawn[name], tapes, width)
        cells[name] = None if np.isnan(value) else value
        cells[f"{name}_low"], cells[f"{name}_high"] = interval or (None, None)
    agree, units = float(sums.agree.sum()), float(sums.units.sum())
    cells["pabak"] = float(coefficients.pabak(agree, units, sums.shares.shape[-1]))
    if sums.rows is not None and sums.columns is not None and level.kind == "code":
        rows, columns = sums.rows.sum(axis=0), sums.columns.sum(axis=0)
        cells["prevalence_index"] = float(coefficients.prevalence_index(rows, columns))
        cells["bias_index"] = float(coefficients.bias_index(rows, columns))
    cells = {name: None if value is None or np.isnan(value) else value for name, value in cells.items()}
    words = {"verdict": _verdict(cells, sums.utterances), "undefined": _undefined(cells, sums)}
    return (tapes, sums.utterances, *(words.get(name, cells.get(name)) for name in AGREEMENT_COLUMNS[7:]))


def _verdict(cells: dict[str, float | None], units: int) -> str:
    if units < MIN_UNITS:
        return f"fewer than {MIN_UNITS} units: no verdict"
    low, high = cells.get("alpha_low"), cells.get("alpha_high")
    if low is None or high is None:
        return "no interval: no verdict"
    if (cells.get("percent") or 0) >= 0.95 and low < TENTATIVE:
        return "rare: look at the pairs"
    if low >= RELIABLE:
        return "agree"
    if low >= TENTATIVE:
        return "mostly agree"
    return "differ: talk about it" if high < TENTATIVE else "not clear yet"


def _undefined(cells: dict[str, float | None], sums: TapeSums) -> str:
    """Return the reasons for missing figures."""
    reasons = []
    chance = ["kappa", "alpha"] if sums.rows is not None else ["alpha"]
    if missing := [name for name in chance if cells.get(name) is None]:
        reasons.append(f"{' and '.join(missing)}: one value throughout")
    if sums.coincidences is not None and cells.get("alpha_ordinal") is None:
        reasons.append("alpha_ordinal: one rank throughout")
    if cells.get("ac1") is None:
        reasons.append("pabak, ac1: one value only")
    if sums.rows is None:
        reasons.append(f"kappa: more than two coders ({sums.coders})")
    if len(sums.units) < 2:
        reasons.append("intervals: only one tape")
    elif missing := [name for name in chance if cells.get(name) is not None and cells.get(f"{name}_low") is None]:
        reasons.append(f"interval of {' and '.join(missing)}: most draws hold one value throughout")
    return "; ".join(reasons)


def session_icc(
    ratings: RatingMatrix,
    compared: Sequence[Comparison] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    width: float = WIDTH,
) -> pd.DataFrame:
    """Return the intraclass correlations of each code's counts and of R:Q, for every comparison of two sides.

    Counts are of the utterances that both coders coded; if a side has several coders, their mean. R:Q is included if
    the codebook has codes for all reflections and all questions.
    """
    compared = group_comparisons(ratings) if compared is None else compared
    compared = [comparison for comparison in compared if comparison.second]
    rows = []
    for comparison in compared:
        for name in ratings.codes:
            counts = _session_counts(ratings, comparison, (name,), (name,))
            if len(counts):
                rows.append(_icc_row(comparison, name, counts, "", draws, seed, width))
        if ratings.scheme.ratio:
            required = tuple(code for part in ratings.scheme.ratio for code in part)
            parts = [_session_counts(ratings, comparison, codes, required) for codes in ratings.scheme.ratio]
            if len(parts[0]):
                ratio, left_out = _session_ratios(*parts)
                rows.append(_icc_row(comparison, REFLECTIONS_PER_QUESTION, ratio, left_out, draws, seed, width))
    return pd.DataFrame(rows, columns=list(SESSION_ICC_COLUMNS))


def _session_counts(
    ratings: RatingMatrix, comparison: Comparison, codes: Collection[str], required: Collection[str]
) -> NDArray[np.float64]:
    """Return the mean count of each side's utterances with one of ``codes``, shape (tapes, 2).

    On each tape with units in common of coders who could give all of the ``required`` codes.
    """
    number = len(ratings.tapes)
    has_code = np.array([not code_set.isdisjoint(codes) for code_set in ratings.code_sets])
    grid = np.where(ratings.could_give(required)[:, ratings.tape_index], ratings.grid, -1).astype(np.int32)
    total, pairs = np.zeros((number, 2)), np.zeros(number)
    for pair in comparison.pairs:
        units = ratings.comparable(*pair, grid)
        tape = ratings.tape_index[units]
        for side, row in enumerate(pair):
            total[:, side] += np.bincount(tape, weights=has_code[grid[row, units]], minlength=number)
        pairs += np.bincount(tape, minlength=number) > 0
    shared = pairs > 0
    return np.asarray(total[shared] / pairs[shared, None])


def _session_ratios(over: NDArray[np.float64], under: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    with_questions = (under > 0).all(axis=1)
    left_out = int((~with_questions).sum())
    return over[with_questions] / under[with_questions], f"{left_out} without questions left out" if left_out else ""


def _icc_row(
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
        reason = "only one tape" if tapes else "no tape with questions by both"
        return (*head, *means, *[None] * 6, "; ".join(filter(None, (reason, note))))
    squares, by_tape = (counts**2).sum(axis=1), counts.sum(axis=1) ** 2
    draw_weights = tape_weights(tapes, draws, seed)
    values = coefficients.icc_of(counts.sum(axis=0), squares.sum(), by_tape.sum(), tapes)
    resampled = coefficients.icc_of(draw_weights @ counts, draw_weights @ squares, draw_weights @ by_tape, tapes)
    cells: list[float | None] = []
    for value, drawn in zip(values, resampled, strict=True):
        known = not np.isnan(value)
        interval = bootstrap_interval(drawn, tapes, width) if known else None
        cells += [float(value) if known else None, *(interval or (None, None))]
    reason = ""
    if cells[0] is None or cells[3] is None:
        reason = "the counts do not vary"
    elif cells[1] is None or cells[4] is None:
        reason = "intervals: in most draws the counts do not vary"
    return (*head, *means, *cells, "; ".join(filter(None, (reason, note))))
