"""How often each code counts, by the codebook's counting rule.

Under MITI 4.2 each behavior counts at most once a volley, hence at most one question and one reflection, and a
complex reflection goes before a simple one. MITI 4.2 does not tell open from closed questions; where a volley holds
both, ours counts the open one. Volleys stay as they are while tags are drawn.

>>> from pipeline.measures.intervals import chosen
>>> frame = pd.DataFrame({"role": "interviewer", "volley": [1, 1, 2],
...                       "codes": ["reflection_simple", "reflection_complex", "reflection_simple"]})
>>> {rule.unit: int(count(chosen(frame), rule, frame)["reflection_simple"][0]) for rule in (UTTERANCES, VOLLEYS)}
{'utterance': 2, 'volley': 1}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import TableError
from pipeline.measures.intervals import DECISIONS, REST, Presence
from pipeline.measures.table import INTERVIEWER

OPEN, COMPLEX = "question_open", "reflection_complex"
"""Codes that go before the others of their family where a volley holds several."""

Counts = Mapping[str, NDArray[np.int64]]
"""Code -> how often it counts, shape (draws,)."""


@dataclass(frozen=True)
class Rule:
    """How a codebook counts: each utterance, or each behavior once a volley (then the table needs a ``volley`` column).

    ``questions`` and ``reflections`` are the codes of these families, ``codes`` all that the codebook offers.
    """

    unit: Literal["utterance", "volley"] = "utterance"
    questions: tuple[str, ...] = (OPEN, "question_closed")
    reflections: tuple[str, ...] = (COMPLEX, "reflection_simple")
    codes: tuple[str, ...] = (*(name for decision in DECISIONS for name in decision.codes), *REST.values())

    @classmethod
    def of(cls, counting: str, families: Mapping[str, tuple[str, ...]]) -> Rule:
        """The rule of a codebook that counts by "utterance" or "miti-4.2-volley" and has these families of codes."""
        if counting not in ("utterance", "miti-4.2-volley"):
            raise ValueError(f"counting {counting!r} is unknown")
        return cls(
            unit="utterance" if counting == "utterance" else "volley",
            questions=families.get("question", ()),
            reflections=families.get("reflection", ()),
            codes=tuple(name for names in families.values() for name in names),
        )


UTTERANCES = Rule("utterance")
VOLLEYS = Rule("volley")


def count(presence: Presence, rule: Rule, table: pd.DataFrame) -> Counts:
    """Count each code in each draw: the interviewer's by the rule, the client's utterance by utterance.

    Raises
    ------
    TableError: T03 the rule counts volleys and the table has none.
    """
    if rule.unit == "utterance":
        return {code: found.sum(axis=1) for code, found in presence.items()}
    if "volley" not in table:
        raise TableError("T03", "coded table", "lacks the column 'volley'", "number its volleys first")
    spoken = table["role"].to_numpy(dtype=object) == INTERVIEWER
    volleys = table["volley"].to_numpy(dtype=float, na_value=np.nan)[spoken]
    # A row without a number is a volley of its own: -1, -2, ...
    volleys = np.where(np.isnan(volleys), -1 - np.arange(len(volleys)), volleys)
    once = _once({code: found[:, spoken] for code, found in presence.items()}, rule, volleys)
    return {code: once[code].sum(axis=1) + found[:, ~spoken].sum(axis=1) for code, found in presence.items()}


def _once(presence: Presence, rule: Rule, volleys: NDArray[np.float64]) -> Presence:
    """Whether each volley counts a code, shape (draws, volleys)."""
    if not len(volleys):
        return presence
    order = np.argsort(volleys, kind="stable")
    starts = np.unique(volleys[order], return_index=True)[1]
    held = {code: np.logical_or.reduceat(found[:, order], starts, axis=1) for code, found in presence.items()}
    for family in (rule.questions, rule.reflections):
        ranked = sorted((code for code in family if code in held), key=lambda code: code not in (OPEN, COMPLEX))
        for stronger, weaker in combinations(ranked, 2):
            held[weaker] = held[weaker] & ~held[stronger]
    rest = REST[INTERVIEWER]
    said = np.any([found for code, found in held.items() if code != rest], axis=0)
    return held | {rest: held[rest] & ~said}


def totals(counts: Counts, rule: Rule) -> Counts:
    """The totals that measures are made of, beside the counts by code; what the codebook does not code is left out."""
    groups = {
        "questions": rule.questions,
        "open_questions": (OPEN,),
        "reflections": rule.reflections,
        "complex_reflections": (COMPLEX,),
        "change_talk": ("change",),
        "talk": ("change", "sustain"),
        "affirmations": ("affirmation",),
        "summaries": ("summary",),
    }
    found = {name: [counts[code] for code in group if code in counts] for name, group in groups.items()}
    return dict(counts) | {name: np.sum(parts, axis=0) for name, parts in found.items() if parts}
