"""How often each code counts, by the codebook's counting rule, and which totals a codebook allows.

A `CountingRule` holds what a codebook's codes mean (an open question, a complex reflection, ...). A total exists only
if the codebook distinguishes its parts: `CountingRule.lacks` returns the reason why one does not, as a sentence. No
other module compares code names.

Under MITI 4.2 each behavior counts at most once per volley, hence at most one question and one reflection, and a
complex reflection takes precedence over a simple one. MITI 4.2 does not distinguish open from closed questions. In a
codebook that counts by volley and does, a volley with both is one question, and counts once as open and once as closed.
The volleys stay the same while tags are drawn.

>>> from pipeline.measures.session.draws import chosen
>>> frame = pd.DataFrame({"role": "interviewer", "volley": [1, 1, 2],
...                       "codes": ["reflection_simple", "reflection_complex", "reflection_simple"]})
>>> for rule in (UTTERANCES, VOLLEYS):
...     rule.unit, totals(units(chosen(frame), rule, frame), rule)["reflections"].tolist()
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
"""All that a code can mean to the measures -> whose utterances carry it. QUESTION and REFLECTION: of whatever kind."""

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
"""What the machine's codes mean."""

BEHAVIOR_KINDS: Mapping[str, tuple[str, str]] = {QUESTION: (OPEN, CLOSED), REFLECTION: (COMPLEX, SIMPLE)}
"""The two kinds of a behavior. Under MITI's rule a volley holds one reflection: the complex one goes first."""

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
"""What measures are made of -> the meanings that it adds up."""

_NOUNS = {
    "change_talk": "utterances of change talk",
    "sustain_talk": "utterances of sustain talk",
    "talk": "utterances of change or sustain talk",
}


@dataclass(frozen=True)
class CountingRule:
    """How a codebook counts: each utterance, or each behavior once a volley (then the table needs a ``volley`` column).

    ``codes`` are those that are counted even where nobody gave them. ``names`` holds, for each meaning, the codes with
    it: the codebook's, and the machine's that propose them. ``roles`` says whose utterances may carry a code;
    ``folded`` takes a code of the machine to the one code of the codebook that it proposes and counts as.
    ``unproposed`` are meanings that the codebook has and the machine never proposes. With ``machine_talk`` the codebook
    has codes for neither change nor sustain talk: what is counted is the machine's, and nobody codes it by hand.
    """

    unit: CountingUnit = "utterance"
    codes: tuple[str, ...] = (
        *(name for decision in CODING_DECISIONS for name in decision.codes),
        *DEFAULT_CODE.values(),
    )
    names: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {meaning: (name,) for name, meaning in PRETAG_MEANINGS.items()}
    )
    roles: Mapping[str, str] = field(default_factory=lambda: dict(CODE_ROLES))
    folded: Mapping[str, str] = field(default_factory=dict)
    unproposed: frozenset[str] = frozenset()
    machine_talk: bool = False

    def of(self, *meanings: str) -> tuple[str, ...]:
        """The codes with one of these meanings."""
        return tuple(dict.fromkeys(name for meaning in meanings for name in self.names.get(meaning, ())))

    @property
    def questions(self) -> tuple[str, ...]:
        """The codes of questions."""
        return self.of(*TOTALS["questions"])

    @property
    def reflections(self) -> tuple[str, ...]:
        """The codes of reflections."""
        return self.of(*TOTALS["reflections"])

    def lacks(self, total: str) -> str | None:
        """Why the codebook cannot count one of `TOTALS`; None where it can."""
        meanings = TOTALS[total]
        behavior = next((behavior for behavior, kinds in BEHAVIOR_KINDS.items() if set(kinds) <= set(meanings)), None)
        absent = [meaning for meaning in meanings if meaning not in self.names and meaning not in BEHAVIOR_KINDS]
        if not absent or (behavior in meanings and behavior in self.names):
            return None
        unproposed = [_plural(meaning) for meaning in meanings if meaning in self.unproposed]
        if unproposed:
            return f"the machine suggests no {unproposed[0]} in this codebook"
        if behavior is None:
            return f"this codebook has no code for {_plural(absent[0])}"
        kinds = [kind for kind in BEHAVIOR_KINDS[behavior] if kind in self.names]
        if not kinds and behavior not in self.names:
            return f"this codebook has no code for {_plural(behavior)}"
        if behavior in meanings:
            return f"this codebook has a code for {_plural(kinds[0])} only, not for all {_plural(behavior)}"
        first, second = (kind.removesuffix(f" {behavior}") for kind in BEHAVIOR_KINDS[behavior])
        return f"this codebook does not distinguish {first} from {second} {_plural(behavior)}"


BY_UTTERANCE = CountingRule()
"""How the machine's codes count by themselves."""

BY_VOLLEY = CountingRule("volley")


def counting_units(presence: Presence, rule: CountingRule, table: pd.DataFrame) -> Presence:
    """Whether each unit that counts carries a code, shape (draws, units): volleys or utterances, then the client's.

    A code on an utterance of the wrong role does not count.

    Raises
    ------
    TableError: T03 the rule counts volleys and the table has none.
    """
    role = table["role"].to_numpy(dtype=object)
    held: dict[str, NDArray[np.bool_]] = {}
    for name, given in presence.items():
        own = given & (role == rule.roles[name]) if name in rule.roles else given
        code = rule.folded.get(name, name)
        held[code] = held[code] | own if code in held else own
    if rule.unit == "utterance":
        return held
    if "volley" not in table:
        raise TableError("T03", "coded table", "lacks the column 'volley'", "number the volleys first")
    spoken = role == INTERVIEWER
    volleys = table["volley"].to_numpy(dtype=float, na_value=np.nan)[spoken]
    # A row without a number is a volley of its own: -1, -2, ...
    volleys = np.where(np.isnan(volleys), -1 - np.arange(len(volleys)), volleys)
    once = _once_per_volley({code: given[:, spoken] for code, given in held.items()}, rule, volleys)
    return {code: np.concatenate([once[code], given[:, ~spoken]], axis=1) for code, given in held.items()}


def _once_per_volley(presence: Presence, rule: CountingRule, volleys: NDArray[np.float64]) -> Presence:
    """Whether each volley counts a code, shape (draws, volleys)."""
    if not len(volleys):
        return presence
    order = np.argsort(volleys, kind="stable")
    starts = np.unique(volleys[order], return_index=True)[1]
    held = {code: np.logical_or.reduceat(given[:, order], starts, axis=1) for code, given in presence.items()}
    complex_ = carries_any(held, rule.of(COMPLEX))
    said = carries_any(held, [code for code in held if code not in rule.of(OTHER)])
    weaker = dict.fromkeys(rule.of(REFLECTION, SIMPLE), complex_) | dict.fromkeys(rule.of(OTHER), said)
    return held | {code: held[code] & ~stronger for code, stronger in weaker.items() if code in held}


def count_codes(held: Presence, codes: Iterable[str]) -> Counts:
    """How often each of these codes counts in each draw."""
    return {code: carries_any(held, [code]).sum(axis=1) for code in codes}


def count_totals(held: Presence, rule: CountingRule) -> Counts:
    """Those of `TOTALS` that the codebook can count; several codes of one meaning are one on a unit.

    A volley is one question and one reflection at most, of whatever kind.
    """
    found = {}
    for total, meanings in TOTALS.items():
        if rule.lacks(total) is None:
            parts = [carries_any(held, rule.of(meaning)) for meaning in meanings]
            whole = rule.unit == "volley" and meanings[0] in BEHAVIOR_KINDS
            found[total] = (np.any(parts, axis=0) if whole else np.sum(parts, axis=0)).sum(axis=-1)
    return found


def total_noun(total: str, number: float = 0) -> str:
    """What a total counts, in words: "1 reflection", "0 open questions"."""
    plural = _NOUNS.get(total, total.replace("_", " "))
    return plural.removesuffix("s") if number == 1 and total == "reflections" else plural


def carries_any(held: Presence, names: Iterable[str]) -> NDArray[np.bool_]:
    """Whether each unit carries one of these codes."""
    nothing = np.zeros_like(next(iter(held.values())))
    found: NDArray[np.bool_] = np.logical_or.reduce([nothing, *(held[name] for name in names if name in held)])
    return found


def _plural(meaning: str) -> str:
    return {SUMMARY: "summaries"}.get(meaning, meaning if meaning in (CHANGE, SUSTAIN) else f"{meaning}s")
