"""The measures of a tape, each with an interval from the tags' probabilities.

The value of a measure is the count that a reader gets from the table; its interval shows how much the uncertainty of
the machine's tags could change it, and `Measure.median` in which direction.

>>> frame = pd.DataFrame({"tape_id": "t", "utterance_id": ["1", "2"], "role": "interviewer", "text": "",
...                       "codes": ["reflection_simple", "question_open|reflection_complex"]})
>>> result = session_measures(frame)
>>> result.ratios["reflections_per_question"].value, result.ratios["percent_complex_reflections"].value
(2.0, 50.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline import languages
from pipeline.measures.session.coded_table import (
    CLIENT,
    INTERVIEWER,
    OTHER,
    UNKNOWN,
    has_times,
    language_shares,
    sort_by_time,
    string_column,
)
from pipeline.measures.session.counts import (
    BY_UTTERANCE,
    CHANGE,
    SUSTAIN,
    TOTALS,
    CountingRule,
    Counts,
    count_codes,
    count_totals,
    counting_units,
    total_noun,
)
from pipeline.measures.session.draws import chosen_codes, draw_codes, ratio_interval
from pipeline.timeline import ROLE_LABELS, ROLES

SCHEMA = 1
"""Version of the structure that `SessionMeasures.as_dict` returns."""

MeasureUnit = Literal["ratio", "percent", "count"]

HEADLINE_RATIOS = (
    "reflections_per_question",
    "percent_complex_reflections",
    "percent_open_questions",
    "percent_change_talk",
)
"""The ratios to show if there is room for few."""


@dataclass(frozen=True)
class PublishedThreshold:
    """A published threshold to compare with: expert opinion without normative data, never a grade."""

    value: float
    label: str
    source: str = "MITI 4.2.1 (Moyers, Manuel and Ernst, 2014), expert opinion"


@dataclass(frozen=True)
class Measure:
    """One figure. Percentages run from 0 to 100.

    ``value`` is None if it is undefined, and ``undefined`` is then the reason. ``low`` to ``high`` is the interval;
    ``high`` None with a ``low`` means that there is no upper limit; both are None if tags do not matter (talk time) or
    the value is undefined. ``median`` is the middle of the draws and ``defined`` the share of them with a denominator.
    ``note`` is a sentence on anything else that a reader must know of the figure; the label then hints at it."""

    name: str
    label: str
    unit: MeasureUnit
    value: float | None
    numerator: float
    denominator: float | None = None
    low: float | None = None
    high: float | None = None
    median: float | None = None
    defined: float = 1.0
    undefined: str | None = None
    references: tuple[PublishedThreshold, ...] = ()
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; numbers are rounded to four decimals."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


@dataclass(frozen=True)
class SessionMeasures:
    """All measures of a tape, by name, and the parameters that they were computed with."""

    rule: CountingRule
    width: float
    draws: int
    seed: int
    session_effect_sd: Mapping[str, float]
    utterances: Mapping[str, int]
    ratios: Mapping[str, Measure]
    counts: Mapping[str, Measure]
    oars: Mapping[str, Measure]
    talk: Mapping[str, Measure]
    client: Mapping[str, Measure]
    withheld: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, the content of ``measures.json``; numbers are rounded to four decimals::

        schema      1
        rule        {unit: "utterance" | "volley", questions: [code], reflections: [code], codes: [code]}
        width, draws, seed, spread {decision: SD}     how the intervals were drawn
        utterances  {interviewer, client, other, unknown: rows of the table}
        ratios      {reflections_per_question, reflections_per_open_question, percent_complex_reflections,
                     percent_open_questions, percent_change_talk: measure}
        counts      {code: measure}
        oars        {open_questions, affirmations, reflections, summaries: measure}
        talk        {interviewer, client, other, unknown: measure}    percent of talk time; numerator in seconds
        withheld    text | null     why no figure has a value: nobody has said who is who
        client      {change_talk, sustain_talk: measure}         utterances, whatever the codes are called

        measure     {name, label, unit: "ratio" | "percent" | "count", value, numerator, denominator, low, high,
                     median, defined, undefined: text | null, references: [{value, label, source}], note: text | null}
        """
        parts = asdict(self)
        parts["rule"] = {name: getattr(self.rule, name) for name in ("unit", "questions", "reflections", "codes")}
        published_names = {"session_effect_sd": "spread"}
        return {"schema": SCHEMA} | {published_names.get(name, name): _plain(part) for name, part in parts.items()}


@dataclass(frozen=True)
class _Ratio:
    """A ratio of two totals (see `counts.TOTALS`); ``needs`` are other totals that the codebook must distinguish."""

    name: str
    label: str
    unit: MeasureUnit
    over: str
    under: str
    needs: tuple[str, ...] = ()
    published: tuple[tuple[float, str], ...] = ()


_RATIOS = (
    _Ratio(
        "reflections_per_question",
        "Reflections per question (R:Q)",
        *("ratio", "reflections", "questions"),
        published=((1, "fair"), (2, "good")),
    ),
    _Ratio(
        "reflections_per_open_question",
        "Reflections per open question",
        *("ratio", "reflections", "open_questions", ("open_or_closed_questions",)),
    ),
    _Ratio(
        "percent_complex_reflections",
        "Complex reflections (%CR)",
        *("percent", "complex_reflections", "simple_or_complex_reflections"),
        published=((40, "fair"), (50, "good")),
    ),
    _Ratio("percent_open_questions", "Open questions (%OQ)", "percent", "open_questions", "open_or_closed_questions"),
    _Ratio("percent_change_talk", "Change talk (%CT)", "percent", "change_talk", "talk"),
)

_OARS = ("open_questions", "affirmations", "reflections", "summaries")
_CLIENT = ("change_talk", "sustain_talk")

_BY_UTTERANCE = "; meant for counts per volley, while these count every utterance"
_BY_MACHINE = (
    "This codebook has no codes for change and sustain talk. The figure comes from the machine, and nobody coded it by "
    "hand."
)


@dataclass(frozen=True)
class _Tally:
    """The counts of codes or of totals, as chosen (one draw) and as drawn; ``by_machine`` are those to be marked."""

    chosen: Counts
    drawn: Counts
    rule: CountingRule
    width: float
    by_machine: frozenset[str]

    def count(self, name: str, label: str) -> Measure:
        head = self._head(name, label, "count", name)
        if name not in self.drawn:
            return replace(head, undefined=self.rule.missing_reason(name))
        number, sample = int(self.chosen[name][0]), self.drawn[name]
        interval = ratio_interval(sample, np.ones_like(sample), self.width, np.inf)
        return replace(
            head, value=number, numerator=number, low=interval.low, high=interval.high, median=interval.median
        )

    def ratio(self, ratio: _Ratio) -> Measure:
        head = self._head(ratio.name, ratio.label, ratio.unit, ratio.under)
        totals = (*ratio.needs, ratio.under, ratio.over)
        reasons = [reason for total in totals if (reason := self.rule.missing_reason(total))]
        if reasons:
            return replace(head, undefined=reasons[0])
        scale, highest = (100, 100.0) if ratio.unit == "percent" else (1, np.inf)
        over, under = (int(self.chosen[part][0]) for part in (ratio.over, ratio.under))
        interval = ratio_interval(scale * self.drawn[ratio.over], self.drawn[ratio.under], self.width, highest)
        head = replace(head, numerator=over, denominator=under, defined=interval.defined)
        if under == 0:
            above = f"{over} {total_noun(ratio.over, over)}, " if ratio.unit == "ratio" else ""
            return replace(head, undefined=f"{above}0 {total_noun(ratio.under)}")
        return replace(
            head,
            value=scale * over / under,
            references=tuple(self._reference(*entry) for entry in ratio.published),
            low=interval.low,
            high=interval.high,
            median=interval.median,
        )

    def _head(self, name: str, label: str, unit: MeasureUnit, total: str) -> Measure:
        """Return a measure without figures, marked if only the machine codes what it counts."""
        if total in self.by_machine:
            return Measure(name, f"{label}, by the machine", unit, None, 0, note=_BY_MACHINE)
        return Measure(name, label, unit, None, 0)

    def _reference(self, value: float, label: str) -> PublishedThreshold:
        """Return a published threshold, with a note if it is meant for counts per volley and these are not."""
        plain = PublishedThreshold(value, label)
        return plain if self.rule.unit == "volley" else replace(plain, source=plain.source + _BY_UTTERANCE)


_UNCOUNTED = {
    OTHER: "who is neither interviewer nor client does not count in any figure",
    UNKNOWN: "a voice without a role does not count in any figure",
}

WITHHELD = "nobody has said yet who is who"
"""Why a tape without an interviewer and without a client has no figures: zeros would be false."""


def session_measures(
    table: pd.DataFrame,
    rule: CountingRule = BY_UTTERANCE,
    width: float = 0.9,
    seed: int = 0,
    session_effect_sd: Mapping[str, float] | None = None,
    draws: int = 2000,
) -> SessionMeasures:
    """Measure one tape.

    Parameters
    ----------
    table: coded utterances (see `pipeline.measures.session.coded_table`); rows without a role count for nobody.
    rule: the codebook's counting rule.
    width: share of the draws that an interval holds.
    seed, draws: of the random draws.
    session_effect_sd: decision -> standard deviation of the log-odds shift that a session's tags share
        (see `pipeline.measures.session.draws.SESSION_EFFECTS`).

    Raises
    ------
    TableError: T03 a column is missing, such as ``volley`` if the rule counts volleys.
    ValueError: ``width`` is not between 0 and 1, or ``session_effect_sd`` has an unknown decision.
    """
    if not 0 < width < 1:
        raise ValueError(f"width is {width}; it must lie between 0 and 1")
    rows, session_effect_sd = sort_by_time(table), dict(session_effect_sd or {})
    certain = counting_units(chosen_codes(rows), rule, rows)
    random = counting_units(draw_codes(rows, draws, seed, session_effect_sd), rule, rows)
    codes = tuple(dict.fromkeys((*rule.codes, *(code for code, present in certain.items() if present.any()))))
    talk = {CHANGE, SUSTAIN} if rule.machine_talk else set()
    machine_codes = frozenset(rule.codes_for(*talk))
    machine_totals = frozenset(total for total, meanings in TOTALS.items() if talk & {*meanings})
    by_code = _Tally(count_codes(certain, codes), count_codes(random, codes), rule, width, machine_codes)
    total = _Tally(count_totals(certain, rule), count_totals(random, rule), rule, width, machine_totals)
    roles = rows["role"].to_numpy(dtype=object)
    measured = SessionMeasures(
        *(rule, width, draws, seed, session_effect_sd),
        utterances={role: int((roles == role).sum()) for role in ROLES},
        ratios={ratio.name: total.ratio(ratio) for ratio in _RATIOS},
        counts={code: by_code.count(code, code) for code in codes},
        oars={name: total.count(name, total_noun(name).capitalize()) for name in _OARS},
        talk=_talk(rows),
        client={name: total.count(name, total_noun(name).capitalize()) for name in _CLIENT},
    )
    nobody = len(roles) and not np.isin(roles, (INTERVIEWER, CLIENT)).any() and not any(string_column(rows, "codes"))
    reason = languages.no_figures_reason(language_shares(rows)) or (WITHHELD if nobody else None)
    return _withheld(measured, reason) if reason else measured


def _withheld(measured: SessionMeasures, reason: str) -> SessionMeasures:
    """Return the same without a value in any figure but talk time: zeros would be false."""
    return replace(
        measured,
        ratios=_without_values(measured.ratios, reason),
        counts=_without_values(measured.counts, reason),
        oars=_without_values(measured.oars, reason),
        client=_without_values(measured.client, reason),
        withheld=reason,
    )


def _without_values(measures: Mapping[str, Measure], reason: str) -> dict[str, Measure]:
    nothing: dict[str, Any] = dict.fromkeys(("value", "denominator", "low", "high", "median"))
    return {
        name: replace(measure, **nothing, numerator=0, undefined=reason, references=())
        for name, measure in measures.items()
    }


def _talk(table: pd.DataFrame) -> dict[str, Measure]:
    """Return each role's share of talk time; overlapping speech counts for both who speak.

    No tag is involved, so there is no interval. A third voice and one without a role have seconds and no share.
    """
    timed = has_times(table)
    durations = (table["end"] - table["start"]).to_numpy(dtype=float) / 1000 if timed else np.zeros(len(table))
    roles = table["role"].to_numpy(dtype=object)
    seconds = {role: float(durations[roles == role].sum()) for role in ROLES}
    total = seconds[INTERVIEWER] + seconds[CLIENT]
    reason = None if total else ("nobody with a role speaks" if timed else "the utterances have no times")
    talk = {}
    for role, spoken in seconds.items():
        measure = Measure(
            f"percent_talk_{role}",
            f"Talk time, {ROLE_LABELS[role].lower()}",
            "percent",
            None,
            spoken,
            total,
            undefined=reason,
        )
        if role in _UNCOUNTED:
            measure = replace(measure, undefined=reason or _UNCOUNTED[role])
        elif total:
            measure = replace(measure, value=100 * spoken / total)
        talk[role] = measure
    return talk


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value


def headline_measures(measures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the measures to show if there is room for few, from the content of ``measures.json``: `HEADLINE_RATIOS`,
    then the client's talk.

    Files of an earlier version count the client's talk by code alone."""
    talk = measures.get("client") or {
        code: measures["counts"][code] | {"label": f"Utterances of {code} talk"}
        for code in ("change", "sustain")
        if code in measures["counts"]
    }
    shown = {name: measures["ratios"][name] for name in HEADLINE_RATIOS} | talk
    return [{"name": name} | measure for name, measure in shown.items()]
