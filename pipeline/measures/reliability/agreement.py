"""How far coders agree: one row a comparison and level, each figure with its interval over tapes.

Percent agreement comes first: it is what a group can picture. Kappa is what it has been asked for since 1960; the
prevalence and the bias index say why it may be low where agreement is high, PABAK and AC1 what it would be otherwise.
Alpha takes several coders and missing cells. Below `MIN_UNITS` units there is no verdict. A figure that is undefined is
None, and ``undefined`` says why.
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
"""Units that a verdict needs at least."""

AGREEMENT_COLUMNS = (
    *("comparison", "a", "b", "level", "name", "tapes", "units"),
    *("percent", "percent_low", "percent_high", "kappa", "kappa_low", "kappa_high", "prevalence_index", "bias_index"),
    *("pabak", "ac1", "ac1_low", "ac1_high", "alpha", "alpha_low", "alpha_high"),
    *("alpha_ordinal", "alpha_ordinal_low", "alpha_ordinal_high", "verdict", "undefined"),
)
"""Columns of the table of agreement."""

RELIABLE, TENTATIVE = 0.8, 0.667
"""Krippendorff's limits for alpha: to rely on, and for tentative conclusions."""

SESSION_ICC_COLUMNS = (
    *("comparison", "a", "b", "measure", "tapes", "mean_a", "mean_b"),
    *("icc_a1", "icc_a1_low", "icc_a1_high", "icc_c1", "icc_c1_low", "icc_c1_high", "undefined"),
)
"""Columns of the table of sessions."""

REFLECTIONS_PER_QUESTION = "reflections per question"


def agreement_table(
    panel: RatingMatrix,
    compared: Sequence[Comparison] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    width: float = WIDTH,
) -> pd.DataFrame:
    """All comparisons at all levels.

    Parameters
    ----------
    panel: the codes.
    compared: who is compared; all that `group_comparisons` finds where not given.
    draws, seed, width: of the intervals.
    """
    compared = group_comparisons(panel) if compared is None else compared
    rows: list[list[tuple[object, ...]]] = [[] for _ in compared]
    for level in panel.levels:
        cells = level.of(panel.grid)
        for number, comparison in enumerate(compared):
            found = tape_sums(panel, level, comparison, cells)
            if found is not None:
                head = (comparison.kind, comparison.a, comparison.b, level.kind, level.name)
                rows[number].append((*head, *_row(found, level, draws, seed, width)))
    return pd.DataFrame([row for several in rows for row in several], columns=list(AGREEMENT_COLUMNS))


def coefficient_values(found: TapeSums) -> dict[str, NDArray[np.float64]]:
    """Name -> value, for every coefficient that has an interval, from sums that are `weighted`."""
    result = {
        "percent": coefficients.percent(found.agree, found.units),
        "ac1": coefficients.ac1_of(found.agree, found.units, found.shares, found.coded),
        "alpha": coefficients.alpha_of(found.same, found.given),
    }
    if found.rows is not None and found.columns is not None:
        result["kappa"] = coefficients.kappa_of(found.agree, found.rows, found.columns)
    if found.coincidences is not None:
        result["alpha_ordinal"] = coefficients.ordinal_alpha_of(found.coincidences)
    return result


def _row(found: TapeSums, level: Level, draws: int, seed: int, width: float) -> tuple[object, ...]:
    tapes = len(found.units)
    drawn = coefficient_values(found.weighted(tape_weights(tapes, draws, seed)))
    cells: dict[str, float | None] = {}
    for name, figure in coefficient_values(found.weighted(np.ones(tapes))).items():
        value = float(figure)
        between = None if np.isnan(value) else bootstrap_interval(drawn[name], tapes, width)
        cells[name] = None if np.isnan(value) else value
        cells[f"{name}_low"], cells[f"{name}_high"] = between or (None, None)
    agree, units = float(found.agree.sum()), float(found.units.sum())
    cells["pabak"] = float(coefficients.pabak(agree, units, found.shares.shape[-1]))
    if found.rows is not None and found.columns is not None and level.kind == "code":
        rows, columns = found.rows.sum(axis=0), found.columns.sum(axis=0)
        cells["prevalence_index"] = float(coefficients.prevalence_index(rows, columns))
        cells["bias_index"] = float(coefficients.bias_index(rows, columns))
    cells = {name: None if value is None or np.isnan(value) else value for name, value in cells.items()}
    words = {"verdict": _verdict(cells, found.utterances), "undefined": _undefined(cells, found)}
    return (tapes, found.utterances, *(words.get(name, cells.get(name)) for name in AGREEMENT_COLUMNS[7:]))


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


def _undefined(cells: dict[str, float | None], found: TapeSums) -> str:
    """Why figures are missing."""
    reasons = []
    chance = ["kappa", "alpha"] if found.rows is not None else ["alpha"]
    if lacking := [name for name in chance if cells.get(name) is None]:
        reasons.append(f"{' and '.join(lacking)}: one value throughout")
    if found.coincidences is not None and cells.get("alpha_ordinal") is None:
        reasons.append("alpha_ordinal: one rank throughout")
    if cells.get("ac1") is None:
        reasons.append("pabak, ac1: one value only")
    if found.rows is None:
        reasons.append(f"kappa: more than two coders ({found.coders})")
    if len(found.units) < 2:
        reasons.append("intervals: only one tape")
    elif lacking := [name for name in chance if cells.get(name) is not None and cells.get(f"{name}_low") is None]:
        reasons.append(f"interval of {' and '.join(lacking)}: most draws hold one value throughout")
    return "; ".join(reasons)


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
            counts = _session_counts(panel, comparison, (name,), (name,))
            if len(counts):
                rows.append(_icc_row(comparison, name, counts, "", draws, seed, width))
        if panel.scheme.ratio:
            asked = tuple(code for part in panel.scheme.ratio for code in part)
            both = [_session_counts(panel, comparison, part, asked) for part in panel.scheme.ratio]
            if len(both[0]):
                ratio, left_out = _session_ratios(*both)
                rows.append(_icc_row(comparison, REFLECTIONS_PER_QUESTION, ratio, left_out, draws, seed, width))
    return pd.DataFrame(rows, columns=list(SESSION_ICC_COLUMNS))


def _session_counts(
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


def _session_ratios(over: NDArray[np.float64], under: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    asked = (under > 0).all(axis=1)
    left_out = int((~asked).sum())
    return over[asked] / under[asked], f"{left_out} without questions left out" if left_out else ""


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
        why = "only one tape" if tapes else "no tape with questions by both"
        return (*head, *means, *[None] * 6, "; ".join(filter(None, (why, note))))
    squares, by_tape = (counts**2).sum(axis=1), counts.sum(axis=1) ** 2
    again = tape_weights(tapes, draws, seed)
    once = coefficients.icc_of(counts.sum(axis=0), squares.sum(), by_tape.sum(), tapes)
    often = coefficients.icc_of(again @ counts, again @ squares, again @ by_tape, tapes)
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
