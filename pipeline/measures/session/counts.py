"""How often each code counts, by the codebook's counting rule, and which totals a codebook allows.

A `CountingRule` holds what a codebook's codes mean (an open question, a complex reflection, ...). A total exists only
if the codebook distinguishes its parts: `CountingRule.missing_reason` returns why one does not, as a sentence. No other
module compares code names.

Under MITI 4.2 each behavior counts at most once per volley, hence at most one question and one reflection, and a
complex reflection takes precedence over a simple one. MITI 4.2 does not distinguish open from closed questions. In a
codebook that counts by volley and does, a volley with both is one question, and counts once as open and once as closed.
The volleys stay the same while tags are drawn.

>>> from pipeline.measures.session.draws import chosen_codes
>>> frame = pd.DataFrame({"role": "interviewer", "volley": [1, 1, 2],
...                       "codes": ["reflection_simple", "reflection_complex", "reflection_simple"]})
>>> for rule in (BY_UTTERANCE, BY_VOLLEY):
...     units = counting_units(chosen_codes(frame), rule, frame)
...     rule.unit, count_totals(units, rule)["reflections"].tolist()
('utterance', [3])
('volley', [2])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import TableError
from pipeline.measures.session.coded_table import CLIENT, INTERVIEWER
from pipeline.measures.session.draws import CODE_ROLES, CODING_DECISIONS, DEFAULT_CODE, Presence

Counts = Mapping[str, NDArray[np.int64]]
"""Code or total -> how often it counts, shape (draws,)."""

CountingUnit = Literal["utterance", "volley"]

QUESTION, OPEN, CLOSED = "question", "open question", "closed question"
REFLECTION, COMPLEX, SIMPLE = "reflection", "complex reflection", "simple reflection"
AFFIRMATION, SUMMARY, INFORMATION, OTHER = "affirmation", "summary", "information", "other"
CHANGE, SUSTAIN, NEUTRAL = "change talk", "sustain talk", "neutral"

MEANING_ROLES: Mapping[str, str] = dict.fromkeys(
    (QUESTION, OPEN, CLOSED, REFLECTION, COMPLEX, SIMPLE, AFFIRMATION, SUMMARY, INFORMATION, OTHER), INTERVIEWER
) | dict.fromkeys((CHANGE, SUSTAIN, NEUTRAL), CLIENT)
"""Every meaning that a code can have for the measures -> the role whose utterances carry it. QUESTION and REFLECTION
are of either kind."""

PRETAG_MEANINGS: Mapping[str, str] = {
    "question_open": OPEN,
    "question_closed": CLOSED,
    "reflection_complex": COMPLEX,
    "reflection_simple": SIMPLE,
    "information": INFORMATION,
    "other": OTHER,
    "change": CHANGE,
    "sustain": SUSTAIN,
    "neutral": NEUTRAL,
}
"""Code of the machine -> its meaning."""

BEHAVIOR_KINDS: Mapping[str, tuple[str, str]] = {QUESTION: (OPEN, CLOSED), REFLECTION: (COMPLEX, SIMPLE)}
"""Behavior -> its two kinds. Under MITI's rule a volley has one reflection, and the complex kind takes precedence."""

TOTALS: Mapping[str, tuple[str, ...]] = {
    "questions": (QUESTION, OPEN, CLOSED),
    "open_questions": (OPEN,),
    "open_or_closed_questions": (OPEN, CLOSED),
    "reflections": (REFLECTION, COMPLEX, SIMPLE),
    "complex_reflections": (COMPLEX,),
    "simple_or_complex_reflections": (COMPLEX, SIMPLE),
    "change_talk": (CHANGE,),
    "sustain_talk": (SUSTAIN,),
    "talk": (CHANGE, SUSTAIN),
    "affirmations": (AFFIRMATION,),
    "summaries": (SUMMARY,),
}
"""Total that measures are made of -> the meanings that it adds up."""

_NOUNS = {
    "change_talk": "utterances of change talk",
    "sustain_talk": "utterances of sustain talk",
    "talk": "utterances of change or sustain talk",
}


@dataclass(frozen=True)
class CountingRule:
    """How a codebook counts: per utterance, or each behavior once per volley, which needs a ``volley`` column.

    ``codes`` are counted even if nobody gave them. ``codes_by_meaning`` maps a meaning to its codes: the codebook's,
    and the machine's that propose them. ``roles`` maps a code to the role whose utterances may carry it;
    ``code_of_pretag`` maps a code of the machine to the one code of the codebook that it proposes and counts as.
    ``unproposed`` are meanings that the codebook has and the machine never proposes. With ``machine_talk`` the codebook
    has codes for neither change nor sustain talk: the machine's codes are counted, and nobody codes them by hand.
    """

    unit: CountingUnit = "utterance"
    codes: tuple[str, ...] = (
        *(name for decision in CODING_DECISIONS for name in decision.codes),
        *DEFAULT_CODE.values(),
    )
    codes_by_meaning: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {meaning: (name,) for name, meaning in PRETAG_MEANINGS.items()}
    )
    roles: Mapping[str, str] = field(default_factory=lambda: dict(CODE_ROLES))
    code_of_pretag: Mapping[str, str] = field(default_factory=dict)
    unproposed: frozenset[str] = frozenset()
    machine_talk: bool = False

    def codes_for(self, *meanings: str) -> tuple[str, ...]:
        """The codes with one of these meanings."""
        return tuple(dict.fromkeys(code for meaning in meanings for code in self.codes_by_meaning.get(meaning, ())))

    @property
    def questions(self) -> tuple[str, ...]:
        """The codes of questions."""
        return self.codes_for(*TOTALS["questions"])

    @property
    def reflections(self) -> tuple[str, ...]:
        """The codes of reflections."""
        return self.codes_for(*TOTALS["reflections"])

    def missing_reason(self, total: str) -> str | None:
        """Return why the codebook cannot count one of `TOTALS`, or None if it can."""
        coded = frozenset(self.codes_by_meaning)
        reason = _codebook_reason(total, coded | self.unproposed)
        if reason is None and _codebook_reason(total, coded):
            unproposed = next(meaning for meaning in TOTALS[total] if meaning in self.unproposed)
            return f"the machine suggests no {_plural(unproposed)} in this codebook"
        return reason


def _codebook_reason(total: str, coded: frozenset[str]) -> str | None:
    """Return why codes with these meanings do not give a total, or None if they do."""
    meanings = TOTALS[total]
    behavior = next((behavior for behavior, kinds in BEHAVIOR_KINDS.items() if set(kinds) <= set(meanings)), None)
    absent = [meaning for meaning in meanings if meaning not in coded and meaning not in BEHAVIOR_KINDS]
    if not absent or (behavior in meanings and behavior in coded):
        return None
    if behavior is None:
        return f"this codebook has no code for {_plural(absent[0])}"
    kinds = [kind for kind in BEHAVIOR_KINDS[behavior] if kind in coded]
    if not kinds and behavior not in coded:
        return f"this codebook has no code for {_plural(behavior)}"
    if behavior in meanings:
        return f"this codebook has a code for {_plural(kinds[0])} only, not for all {_plural(behavior)}"
    first, second = (kind.removesuffix(f" {behavior}") for kind in BEHAVIOR_KINDS[behavior])
    return f"this codebook does not distinguish {first} from {second} {_plural(behavior)}"


BY_UTTERANCE = CountingRule()
"""The rule for the machine's codes without a codebook."""

BY_VOLLEY = CountingRule("volley")


def counting_units(presence: Presence, rule: CountingRule, table: pd.DataFrame) -> Presence:
    """Return whether each counted unit carries a code, shape (draws, units): the interviewer's volleys, then the other
    utterances; all utterances where the rule counts those.

    A code on an utterance of the wrong role does not count.

    Raises
    ------
    TableError: T03 the rule counts volleys and the table has none.
    """
    role = table["role"].to_numpy(dtype=object)
    carried: dict[str, NDArray[np.bool_]] = {}
    for name, present in presence.items():
        countable = present & (role == rule.roles[name]) if name in rule.roles else present
        code = rule.code_of_pretag.get(name, name)
        carried[code] = carried[code] | countable if code in carried else countable
    if rule.unit == "utterance":
        return carried
    if "volley" not in table:
        raise TableError("T03", "coded table", "lacks the column 'volley'", "number the volleys first")
    interviewer = role == INTERVIEWER
    volleys = table["volley"].to_numpy(dtype=float, na_value=np.nan)[interviewer]
    # A row without a number is a volley of its own: -1, -2, ...
    volleys = np.where(np.isnan(volleys), -1 - np.arange(len(volleys)), volleys)
    once = _once_per_volley({code: present[:, interviewer] for code, present in carried.items()}, rule, volleys)
    return {code: np.concatenate([once[code], present[:, ~interviewer]], axis=1) for code, present in carried.items()}


def _once_per_volley(presence: Presence, rule: CountingRule, volleys: NDArray[np.float64]) -> Presence:
    """Return whether each volley counts a code, shape (draws, volleys)."""
    if not len(volleys):
        return presence
    order = np.argsort(volleys, kind="stable")
    starts = np.unique(volleys[order], return_index=True)[1]
    carried = {code: np.logical_or.reduceat(present[:, order], starts, axis=1) for code, present in presence.items()}
    has_complex = carries_any(carried, rule.codes_for(COMPLEX))
    has_behavior = carries_any(carried, [code for code in carried if code not in rule.codes_for(OTHER)])
    weaker = dict.fromkeys(rule.codes_for(REFLECTION, SIMPLE), has_complex)
    weaker |= dict.fromkeys(rule.codes_for(OTHER), has_behavior)
    return carried | {code: carried[code] & ~stronger for code, stronger in weaker.items() if code in carried}


def count_codes(units: Presence, codes: Iterable[str]) -> Counts:
    """Count each of these codes in each draw; ``units`` as from `counting_units`."""
    return {code: carries_any(units, [code]).sum(axis=1) for code in codes}


def count_totals(units: Presence, rule: CountingRule) -> Counts:
    """Count those of `TOTALS` that the codebook can count; several codes of one meaning on a unit count once.

    A volley counts at most one question and one reflection, of either kind.
    """
    counts = {}
    for total, meanings in TOTALS.items():
        if rule.missing_reason(total) is None:
            parts = [carries_any(units, rule.codes_for(meaning)) for meaning in meanings]
            at_most_one = rule.unit == "volley" and meanings[0] in BEHAVIOR_KINDS
            counts[total] = (np.any(parts, axis=0) if at_most_one else np.sum(parts, axis=0)).sum(axis=-1)
    return counts


def total_noun(total: str, number: float = 0) -> str:
    """Return the noun for a number of a total: "1 reflection", "0 open questions"."""
    plural = _NOUNS.get(total, total.replace("_", " "))
    return plural.removesuffix("s") if number == 1 and total == "reflections" else plural


def carries_any(units: Presence, codes: Iterable[str]) -> NDArray[np.bool_]:
    """Return whether each unit carries one of these codes, shape (draws, units)."""
    nothing = np.zeros_like(next(iter(units.values())))
    carried: NDArray[np.bool_] = np.logical_or.reduce([nothing, *(units[code] for code in codes if code in units)])
    return carried


def _plural(meaning: str) -> str:
    return {SUMMARY: "summaries"}.get(meaning, meaning if meaning in (CHANGE, SUSTAIN) else f"{meaning}s")
