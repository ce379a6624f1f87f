"""The measures of a tape, each with an interval from the tags' probabilities.

The value of a measure is what a reader counts in the table; its interval shows how far the machine's doubt could move
it, and `Measure.median` where the doubt points to.

>>> frame = pd.DataFrame({"tape_id": "t", "utterance_id": ["1", "2"], "role": "interviewer", "text": "",
...                       "codes": ["reflection_simple", "question_open|reflection_complex"]})
>>> result = measures(frame)
>>> result.ratios["reflections_per_question"].value, result.ratios["percent_complex_reflections"].value
(2.0, 50.0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline.measures.counts import UTTERANCES, Counts, Rule, count, totals
from pipeline.measures.intervals import chosen, drawn, interval
from pipeline.measures.table import CLIENT, INTERVIEWER, UNKNOWN, has_times, ordered

SCHEMA = 1
"""Version of the structure that `Measures.as_dict` gives."""

Unit = Literal["ratio", "percent", "count"]

MAIN = ("reflections_per_question", "percent_complex_reflections", "percent_open_questions", "percent_change_talk")
"""The ratios that are shown where there is room for few."""


@dataclass(frozen=True)
class Reference:
    """A published value to compare with. Expert opinion without normative data behind it, never a grade."""

    value: float
    label: str
    source: str = "MITI 4.2.1 (Moyers, Manuel and Ernst, 2014), expert opinion"


@dataclass(frozen=True)
class Measure:
    """One figure. Percentages run from 0 to 100.

    ``value`` is None where ``undefined`` says why. ``low`` to ``high`` is the interval; ``high`` None beside a
    ``low`` means that there is no upper limit; both are None where tags do not matter (talk time) and where the value
    is undefined. ``median`` is the middle of the draws and ``defined`` the share of them that have a denominator."""

    name: str
    label: str
    unit: Unit
    value: float | None
    numerator: float
    denominator: float | None = None
    low: float | None = None
    high: float | None = None
    median: float | None = None
    defined: float = 1.0
    undefined: str | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Measures:
    """All measures of a tape, by name, and how they came about."""

    rule: Rule
    width: float
    draws: int
    seed: int
    spread: Mapping[str, float]
    utterances: Mapping[str, int]
    ratios: Mapping[str, Measure]
    counts: Mapping[str, Measure]
    oars: Mapping[str, Measure]
    talk: Mapping[str, Measure]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, the content of ``measures.json``; numbers are rounded to four decimals::

        schema      1
        rule        {unit: "utterance" | "volley", questions: [code], reflections: [code], codes: [code]}
        width, draws, seed, spread {decision: SD}     how the intervals were drawn
        utterances  {interviewer, client, unknown: rows of the table}
        ratios      {reflections_per_question, reflections_per_open_question, percent_complex_reflections,
                     percent_open_questions, percent_change_talk: measure}
        counts      {code: measure}
        oars        {open_questions, affirmations, reflections, summaries: measure}
        talk        {interviewer, client, unknown: measure}      percent of talk time; numerator in seconds

        measure     {name, label, unit: "ratio" | "percent" | "count", value, numerator, denominator, low, high,
                     median, defined, undefined: text | null, references: [{value, label, source}]}
        """
        return {"schema": SCHEMA} | {name: _plain(part) for name, part in asdict(self).items()}


@dataclass(frozen=True)
class _Ratio:
    """Which total (see `counts.totals`) is divided by which."""

    name: str
    label: str
    unit: Unit
    over: str
    under: str
    references: tuple[Reference, ...] = ()


_RATIOS = (
    _Ratio(
        "reflections_per_question",
        "Reflections per question (R:Q)",
        *("ratio", "reflections", "questions"),
        (Reference(1, "fair"), Reference(2, "good")),
    ),
    _Ratio("reflections_per_open_question", "Reflections per open question", "ratio", "reflections", "open_questions"),
    _Ratio(
        "percent_complex_reflections",
        "Complex reflections (%CR)",
        *("percent", "complex_reflections", "reflections"),
        (Reference(40, "fair"), Reference(50, "good")),
    ),
    _Ratio("percent_open_questions", "Open questions (%OQ)", "percent", "open_questions", "questions"),
    _Ratio("percent_change_talk", "Change talk (%CT)", "percent", "change_talk", "talk"),
)

_OARS = ("open_questions", "affirmations", "reflections", "summaries")

_NOUNS = {"change_talk": "utterances of change talk", "talk": "utterances of change or sustain talk"}


@dataclass(frozen=True)
class _Tally:
    """What is counted of all that the codebook codes: as chosen (one draw), and as drawn."""

    chosen: Counts
    drawn: Counts
    width: float

    def count(self, name: str, total: str) -> Measure:
        label = _noun(total).capitalize() if total in _OARS else total
        if total not in self.drawn:
            return Measure(name, label, "count", None, 0, undefined=f"{_noun(total)} are not coded here")
        number, sample = int(self.chosen[total][0]), self.drawn[total]
        found = interval(sample, np.ones_like(sample), self.width, np.inf)
        return Measure(name, label, "count", number, number, None, found.low, found.high, found.median)

    def ratio(self, ratio: _Ratio) -> Measure:
        head = (ratio.name, ratio.label, ratio.unit)
        for part in (ratio.over, ratio.under):
            if part not in self.drawn:
                why = f"{_noun(part)} are not coded here"
                return Measure(*head, None, 0, None, undefined=why, references=ratio.references)
        scale, highest = (100, 100.0) if ratio.unit == "percent" else (1, np.inf)
        over, under = self.count("", ratio.over).numerator, self.count("", ratio.under).numerator
        found = interval(scale * self.drawn[ratio.over], self.drawn[ratio.under], self.width, highest)
        if under == 0:
            why = f"0 {_noun(ratio.under)}"
            if ratio.unit == "ratio":
                why = f"{over} {_noun(ratio.over, over)}, {why}"
            return Measure(*head, None, over, 0, defined=found.defined, undefined=why, references=ratio.references)
        plain = Measure(*head, scale * over / under, over, under, references=ratio.references)
        return replace(plain, low=found.low, high=found.high, median=found.median, defined=found.defined)


def _whole(counts: Counts, codes: Sequence[str], rule: Rule) -> Counts:
    """The totals of all codes: of those that nobody gave, nothing."""
    nothing = np.zeros(len(next(iter(counts.values()))), dtype=np.int64)
    return totals({code: counts.get(code, nothing) for code in codes}, rule)


def measures(
    table: pd.DataFrame,
    rule: Rule = UTTERANCES,
    width: float = 0.9,
    seed: int = 0,
    spread: Mapping[str, float] | None = None,
    draws: int = 2000,
) -> Measures:
    """Measure one tape.

    Parameters
    ----------
    table: coded utterances (see `pipeline.measures.table`); rows without a role count for nobody.
    rule: the codebook's counting rule.
    width: share of draws that an interval holds.
    seed, draws: of the random draws.
    spread: decision -> standard deviation of the log-odds shift that a session's tags have in common
        (see `pipeline.measures.intervals.SPREAD_KEYS`).

    Raises
    ------
    TableError: T03 a column lacks, ``volley`` included where the rule counts volleys.
    ValueError: ``width`` is not between 0 and 1, or ``spread`` names an unknown decision.
    """
    if not 0 < width < 1:
        raise ValueError(f"width is {width}; it must lie between 0 and 1")
    rows, spread = ordered(table), dict(spread or {})
    certain = chosen(rows)
    codes = tuple(dict.fromkeys((*rule.codes, *(code for code, found in certain.items() if found.any()))))
    tally = _Tally(
        _whole(count(certain, rule, rows), codes, rule),
        _whole(count(drawn(rows, draws, seed, spread), rule, rows), codes, rule),
        width,
    )
    roles = rows["role"].to_numpy(dtype=object)
    return Measures(
        *(rule, width, draws, seed, spread),
        utterances={role: int((roles == role).sum()) for role in (INTERVIEWER, CLIENT, UNKNOWN)},
        ratios={ratio.name: tally.ratio(ratio) for ratio in _RATIOS},
        counts={code: tally.count(code, code) for code in codes},
        oars={name: tally.count(name, name) for name in _OARS},
        talk=_talk(rows),
    )


def _talk(table: pd.DataFrame) -> dict[str, Measure]:
    """Share of talk time; overlapping speech counts for both who speak. No tag is involved, so there is no interval."""
    timed = has_times(table)
    spoken = (table["end"] - table["start"]).to_numpy(dtype=float) / 1000 if timed else np.zeros(len(table))
    total = float(spoken.sum())
    roles = table["role"].to_numpy(dtype=object)
    why = None if total else ("nobody speaks" if timed else "the utterances have no times")
    found = {}
    for role in (INTERVIEWER, CLIENT, UNKNOWN):
        seconds = float(spoken[roles == role].sum())
        share = 100 * seconds / total if total else None
        found[role] = Measure(
            f"percent_talk_{role}", f"Talk time, {role}", "percent", share, seconds, total, undefined=why
        )
    return found


def _noun(total: str, number: float = 0) -> str:
    """What a total counts, in words: "1 reflection", "0 open questions"."""
    plural = _NOUNS.get(total, total.replace("_", " "))
    return plural.removesuffix("s") if number == 1 and total == "reflections" else plural


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value
