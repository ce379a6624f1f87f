"""The tags that a person should check first: those with the lowest probability, each with its best alternative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.measures.session.coded_table import codes_by_row, sort_by_time, string_column
from pipeline.measures.session.draws import CODING_DECISIONS, CodingDecision


@dataclass(frozen=True)
class UncertainTag:
    """One uncertain tag: ``row`` in the table in order of time, its codes, and the next best answer.

    ``instead`` is a code, or None if the alternative is that none of the codes of ``decision`` fits.
    """

    row: int
    utterance_id: str
    codes: tuple[str, ...]
    probability: float
    decision: str
    instead: str | None
    instead_probability: float


def uncertain_tags(table: pd.DataFrame) -> tuple[UncertainTag, ...]:
    """Return the tags that need a check, lowest probability first; rows without a role or a probability are left out.

    Raises
    ------
    TableError: T03 a column is missing.
    """
    rows = sort_by_time(table)
    if not {"needs_check", "probability"} <= set(rows.columns):
        return ()
    codes, names = codes_by_row(rows), string_column(rows, "utterance_id")
    probability = rows["probability"].to_numpy(dtype=float, na_value=np.nan)
    role = rows["role"].isin([decision.role for decision in CODING_DECISIONS])
    unsure = rows["needs_check"].to_numpy(dtype=bool) & role.to_numpy(dtype=bool) & ~np.isnan(probability)
    result = []
    for row in sorted((int(row) for row in np.flatnonzero(unsure)), key=lambda row: (probability[row], row)):
        decision, instead, likely = _alternative(rows.iloc[row], codes[row])
        result.append(UncertainTag(row, names[row], codes[row], float(probability[row]), decision, instead, likely))
    return tuple(result)


def _alternative(row: pd.Series, chosen: tuple[str, ...]) -> tuple[str, str | None, float]:
    """Return the decision whose chosen answer is least likely, its next best answer, and that answer's probability."""
    candidates: list[tuple[float, str, str | None, float]] = []
    for decision in (decision for decision in CODING_DECISIONS if decision.role == row["role"]):
        answers = _answers(row, decision)
        given = next((code for code in decision.codes if code in chosen), None)
        other = max((answer for answer in answers if answer != given), key=lambda answer: answers[answer])
        candidates.append((answers[given], decision.whether, other, answers[other]))
    _, name, other, likely = min(candidates, key=lambda candidate: candidate[0])
    return name, other, likely


def _answers(row: pd.Series, decision: CodingDecision) -> dict[str | None, float]:
    """Map each code of a decision, and None for none of them, to its probability."""
    answers: dict[str | None, float] = {code: float(row.get(f"p_{code}", 0.0)) for code in decision.codes}
    answers[None] = max(0.0, 1.0 - sum(answers.values()))
    return answers
