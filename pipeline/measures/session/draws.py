"""Intervals of measures by Monte Carlo: codes are drawn repeatedly from the tags' probabilities.

A coder makes separate decisions, and so does each draw: is it a question, and if so an open one; is it a reflection,
and if so a complex one; does it inform; is it change or sustain talk, and if so which. The tags of one draw are counted
like the chosen tags, and the middle 90 % of the results is the interval.

Tags of one session err together (a soft-spoken client, an unusual dialect): ``session_effect_sd`` maps each decision to
the standard deviation of a shift that is added to all its log-odds in a draw. Probabilities of exactly 0 or 1 stay: a
tag that a person has confirmed is certain.

>>> ratio_interval(np.array([2, 2, 3]), np.array([1, 1, 1]), width=0.9, highest=np.inf)
Interval(low=2.0, high=3.0, median=2.0, defined=1.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.session.coded_table import CLIENT, INTERVIEWER, OTHER, UNKNOWN, codes_by_row

Presence = Mapping[str, NDArray[np.bool_]]
"""Code -> whether each utterance carries it, shape (draws, rows)."""


@dataclass(frozen=True)
class CodingDecision:
    """A coder's decision on an utterance of ``role``: whether it is one of ``codes``, and if there are two, which.

    ``whether`` and ``which`` are the keys of the two steps in ``session_effect_sd``.
    """

    role: str
    codes: tuple[str, ...]
    whether: str
    which: str | None = None


CODING_DECISIONS = (
    CodingDecision(INTERVIEWER, ("question_open", "question_closed"), "question", "open"),
    CodingDecision(INTERVIEWER, ("reflection_complex", "reflection_simple"), "reflection", "complex"),
    CodingDecision(INTERVIEWER, ("information",), "information"),
    CodingDecision(CLIENT, ("change", "sustain"), "client", "change"),
)

DEFAULT_CODE = {INTERVIEWER: "other", CLIENT: "neutral"}
"""Role -> the code of an utterance with no other code."""

CODE_ROLES = {name: decision.role for decision in CODING_DECISIONS for name in decision.codes} | {
    DEFAULT_CODE[role]: role for role in DEFAULT_CODE
}
"""Each code that the machine proposes -> the role whose utterances may carry it."""

SESSION_EFFECTS = tuple(key for decision in CODING_DECISIONS for key in (decision.whether, decision.which) if key)
"""Keys of ``session_effect_sd``: question, open, reflection, complex, information, client, change."""


@dataclass(frozen=True)
class Interval:
    """The range that holds a given share of the draws.

    ``high`` is None if there is no upper limit, and ``median``, the middle draw, if it is not finite; ``defined`` is
    the share of draws with a denominator.
    """

    low: float
    high: float | None
    median: float | None
    defined: float


def chosen_codes(table: pd.DataFrame) -> Presence:
    """Return the codes of the table's ``codes`` column as a single draw: arrays of shape (1, rows).

    A code on a row of the wrong role, or of no role, does not count.
    """
    rows = [set(row_codes) for row_codes in codes_by_row(table)]
    names = dict.fromkeys([*CODE_ROLES, *sorted(set().union(*rows))])
    return {name: np.array([name in row for row in rows], dtype=bool)[None] & _may_carry(table, name) for name in names}


def draw_codes(table: pd.DataFrame, draws: int, seed: int, session_effect_sd: Mapping[str, float]) -> Presence:
    """Draw codes from the ``p_<code>`` columns: arrays of shape (draws, rows); the same seed draws the same.

    A code without a column, and every code of a row whose ``probability`` is 1, is certain: it is drawn as chosen.

    Raises
    ------
    ValueError: ``session_effect_sd`` has a key that is no decision.
    """
    unknown = sorted(set(session_effect_sd) - set(SESSION_EFFECTS))
    if unknown:
        raise ValueError(f"session_effect_sd has {unknown[0]!r}; the decisions are {', '.join(SESSION_EFFECTS)}")
    random = np.random.default_rng(seed)
    certain = chosen_codes(table)
    extra = [CodingDecision("", (name,), name) for name in certain if name not in CODE_ROLES]
    result: dict[str, NDArray[np.bool_]] = {}
    for decision in (*CODING_DECISIONS, *extra):
        probabilities = [_probability(table, name, certain[name][0]) for name in decision.codes]
        result |= _decide(decision, probabilities, draws, random, session_effect_sd)
    coded = np.array([bool(row_codes) for row_codes in codes_by_row(table)], dtype=bool)
    rest = coded & ~np.any(list(result.values()), axis=0)
    return result | {name: rest & _may_carry(table, name) for name in DEFAULT_CODE.values()}


def ratio_interval(numerator: NDArray[Any], denominator: NDArray[Any], width: float, highest: float) -> Interval:
    """Return the middle ``width`` of ``numerator / denominator`` over draws; ratios lie from 0 to ``highest``.

    A draw of something over nothing is infinite: with too many of them the upper end stays open. A draw of nothing over
    nothing counts as 0 for the lower end and as ``highest`` for the upper one, so that the interval covers every value
    that it may stand for.
    """
    defined = denominator != 0
    ratio = np.where(numerator > 0, np.inf, np.nan)
    np.divide(numerator, denominator, out=ratio, where=defined)
    tail, last = (1 - width) / 2, len(ratio) - 1
    # The slack keeps 0.05 * 2000 from becoming 101.
    low = float(np.sort(np.where(np.isnan(ratio), 0.0, ratio))[int(np.floor(tail * last + 1e-9))])
    high = float(np.sort(np.where(np.isnan(ratio), highest, ratio))[int(np.ceil((1 - tail) * last - 1e-9))])
    known = np.sort(ratio[~np.isnan(ratio)])
    median = float(known[(len(known) - 1) // 2]) if 2 * len(known) >= len(ratio) else np.inf
    if np.isinf(low):
        low = float(ratio[defined].max(initial=0.0))
    return Interval(
        low,
        None if np.isinf(high) else high,
        None if np.isinf(median) else median,
        float(defined.mean()),
    )


def _may_carry(table: pd.DataFrame, code: str) -> NDArray[np.bool_]:
    """Return the rows whose role can carry a code; a code of another codebook may be on any row with a role."""
    role = table["role"].to_numpy(dtype=object)
    may = role == CODE_ROLES[code] if code in CODE_ROLES else ~np.isin(role, (OTHER, UNKNOWN))
    return np.asarray(may, dtype=bool)


def _probability(table: pd.DataFrame, code: str, certain: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the probability of a code on each row."""
    as_chosen = certain.astype(float)
    if f"p_{code}" not in table:
        return as_chosen
    column = table[f"p_{code}"].to_numpy(dtype=float, na_value=0.0)
    probability: NDArray[np.float64] = np.maximum(np.where(_may_carry(table, code), column, 0.0), 0.0)
    if "probability" not in table:
        return probability
    return np.where(table["probability"].to_numpy(dtype=float, na_value=0.0) >= 1.0, as_chosen, probability)


def _decide(
    decision: CodingDecision,
    probabilities: list[NDArray[np.float64]],
    draws: int,
    random: np.random.Generator,
    session_effect_sd: Mapping[str, float],
) -> dict[str, NDArray[np.bool_]]:
    """Draw whether, then which."""
    either = np.asarray(np.sum(probabilities, axis=0), dtype=float)  # above 1, by rounding, it is certain
    is_either = _draw(either, draws, random, session_effect_sd.get(decision.whether, 0.0))
    if decision.which is None:
        return {decision.codes[0]: is_either}
    first = np.divide(probabilities[0], either, out=np.zeros_like(either), where=either > 0)
    is_first = _draw(first, draws, random, session_effect_sd.get(decision.which, 0.0))
    return {decision.codes[0]: is_either & is_first, decision.codes[1]: is_either & ~is_first}


def _draw(
    probability: NDArray[np.float64], draws: int, random: np.random.Generator, deviation: float
) -> NDArray[np.bool_]:
    """Draw yes or no for each row, shape (draws, rows), with one shift of the log-odds per draw."""
    open_ = (probability > 0) & (probability < 1)
    inner = np.where(open_, probability, 0.5)
    logit = np.log(inner) - np.log1p(-inner)
    # The logistic function, written so that it cannot overflow.
    shifted = 0.5 + 0.5 * np.tanh((logit + deviation * random.standard_normal((draws, 1))) / 2)
    return np.asarray(random.random((draws, len(probability))) < np.where(open_, shifted, probability))
