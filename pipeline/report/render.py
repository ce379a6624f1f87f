"""The report of a tape: one self-contained HTML page that a peer group reads, prints and works from.

It leads with what went well, says of every machine tag that it is a suggestion, and grades nobody. The page runs no
script and loads nothing: a content security policy forbids both, and everything that comes from the tape is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from pipeline import languages
from pipeline.coding.codebook import Codebook
from pipeline.measures.session.coded_table import sort_by_time
from pipeline.measures.session.context import Transitions
from pipeline.measures.session.counts import CountingRule
from pipeline.measures.session.measures import Measure, SessionMeasures
from pipeline.measures.session.readiness import ReadinessLine
from pipeline.measures.session.strengths import strengths
from pipeline.measures.session.uncertain_tags import UncertainTag, uncertain_tags
from pipeline.report import charts, number_format, templating, transcript_view
from pipeline.report.transcript_view import Tags, UtteranceView
from pipeline.timeline import ROLE_LABELS, Role, Span, Vocalization, clock

FIRST_CHECKS = 12
"""Tags listed under "what to check first"; the transcript marks the others."""

_LANES = {
    "question": "Questions",
    "reflection": "Reflections",
    "affirmation": "Affirmations",
    "summary": "Summaries",
    "information": "Information",
    "change": "Change talk",
    "sustain": "Sustain talk",
}
_PAIRS = (
    ("What the client said right after the interviewer", "Interviewer"),
    ("How the interviewer answered the client", "Client"),
)
_EXPLAINED = {
    "reflections_per_question": "The number of reflections per question.",
    "reflections_per_open_question": "The number of reflections per open question.",
    "percent_complex_reflections": "The share of all reflections that go beyond the words.",
    "percent_open_questions": "The share of all questions that leave room for any answer.",
    "percent_change_talk": "The share of talk for the target behavior in all talk for or against it.",
}


@dataclass(frozen=True)
class Speaker:
    """A voice, its role, how likely that is (0 to 1), and why."""

    name: str
    role: Role
    probability: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    """Something about the recording that a reader should know, and where."""

    message: str
    span: Span | None = None


@dataclass(frozen=True)
class Passage:
    """Text that the transcriber invented or could not be sure of: listed, never shown as speech."""

    span: Span
    text: str
    reason: str


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows.

    ``start`` and ``end`` are ms within the source; every other time is ms from the segment's start. ``table`` is the
    coded table (see `pipeline.measures.session.coded_table`) with times, ``context`` and ``transitions`` come from
    `pipeline.measures.session.context`, ``codebook`` names the codes. ``vocalizations`` are voices without words.
    ``no_sound`` says that there are no times where a tape was coded from text; nothing with a time is shown then.
    """

    tape_id: str
    target_behavior: str
    source: str
    start: int
    end: int
    table: pd.DataFrame
    measures: SessionMeasures
    context: pd.DataFrame
    transitions: tuple[Transitions, Transitions]
    trajectory: ReadinessLine
    codebook: Codebook
    speakers: tuple[Speaker, ...] = ()
    warnings: tuple[Note, ...] = ()
    ghosts: tuple[str, ...] = ()
    suppressed: tuple[Passage, ...] = ()
    vocalizations: tuple[Vocalization, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    no_sound: str = ""


def render(tape: ReportData) -> str:
    """Return the report as HTML, to be written as UTF-8.

    Raises
    ------
    TableError: T03 a column lacks in the coded table.
    """
    table = sort_by_time(tape.table)
    tags = Tags(tape.codebook)
    lines = transcript_view.lines(table, tags)
    charted = [_charted(line) for line in lines]
    length = charts.duration(charted, tape.end - tape.start)
    axis = charts.Axis(0, length)
    unsure = uncertain_tags(table)
    roles = {speaker.name: speaker.role for speaker in tape.speakers}
    css = (resources.files("pipeline.report") / "templates" / "report.css").read_text(encoding="utf-8")
    page = _environment().get_template("report.html.j2")
    return page.render(
        tape=tape,
        css=Markup(css),  # noqa: S704 -- our own file, nothing from a tape
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        lines=lines,
        turns=transcript_view.turns(lines, table, tape.vocalizations, roles),
        strengths=[
            (strength.text, [[lines[row] for row in passage] for passage in strength.passages])
            for strength in strengths(table, tape.measures, tape.trajectory)
        ],
        moments=transcript_view.moments(tape.context, lines, table, tags),
        pairs=[_Pairs.of(caption, pairs) for caption, pairs in zip(_PAIRS, tape.transitions, strict=True)],
        doubts=[(doubt, lines[doubt.row], _instead(doubt, tags)) for doubt in unsure[:FIRST_CHECKS]],
        more_doubts=len(unsure[FIRST_CHECKS:]),
        explained=_EXPLAINED,
        plots={name: charts.plot(measure) for name, measure in tape.measures.ratios.items()},
        tag=tags.of,
        legend=[(tags.of(code), measure) for code, measure in tape.measures.counts.items()],
        counting=_counting(tape.measures.rule),
        thresholds=_thresholds(tape.measures),
        talk_note=tape.measures.client["change_talk"].note,
        length=length,
        axis=axis,
        bars=charts.bars(charted, axis),
        readiness=charts.readiness(tape.trajectory, axis, top=96, bottom=232),
        bands=charts.bands(charted, length),
        lanes=_lanes(charted, lines),
        lane_names=_LANES | {tag.lane: tag.label for line in lines for tag in line.tags if tag.lane not in _LANES},
    )


def _charted(line: UtteranceView) -> charts.ChartedUtterance:
    marks = tuple((tag.lane, tag.name) for tag in line.tags if tag.lane is not None)
    title = f"{clock(line.start)} {', '.join(tag.label for tag in line.tags)}: {line.text}"
    return charts.ChartedUtterance(line.row, line.start, line.end, line.role, marks, title, line.unsure)


@dataclass(frozen=True)
class _Pairs:
    """A transition table without the rows and columns that are empty."""

    caption: str
    first: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[tuple[int, float | None], ...]], ...]

    @classmethod
    def of(cls, caption: tuple[str, str], pairs: Transitions) -> _Pairs:
        used = [at for at in range(len(pairs.after)) if any(row[at] for row in pairs.counts)]
        rows = zip(pairs.before, pairs.totals, pairs.counts, pairs.rates, strict=True)
        cells = tuple(
            (code, total, tuple((counts[at], rates[at]) for at in used)) for code, total, counts, rates in rows if total
        )
        return cls(*caption, tuple(pairs.after[at] for at in used), cells)


def _instead(doubt: UncertainTag, tags: Tags) -> str:
    """Return the next best answer in words."""
    none = {"question": "not a question", "reflection": "not a reflection", "information": "not information"}
    if doubt.instead is None:
        return none.get(doubt.decision, "neither change nor sustain talk")
    return tags.of(doubt.instead).label.lower()


def _lanes(utterances: Sequence[charts.ChartedUtterance], lines: Sequence[UtteranceView]) -> dict[str, list[str]]:
    """Lanes of marks above the interviewer's and below the client's talk, as far as they occur."""
    order = ["question", "reflection", "affirmation", "summary", "information"]
    used = {lane for utterance in utterances for lane, _ in utterance.marks if utterance.role == "interviewer"}
    above = [*(lane for lane in order if lane in used), *sorted(used - set(order))]
    below = {lane for utterance in utterances for lane, _ in utterance.marks if utterance.role == "client"}
    client = ["change", "sustain"]
    third = [role for role in ("other", "unknown") if any(line.role == role for line in lines)]
    return {"above": above, "below": [*client, *sorted(below - set(client))], "talk": ["interviewer", "client", *third]}


def _counting(rule: CountingRule) -> str:
    if rule.unit == "utterance":
        return "Every coded utterance counts. An utterance may have two codes."
    both = " A volley with an open and a closed question is one question, and counts once as open and once as closed."
    return (
        "Counted by MITI 4.2's rule: each behavior counts at most once per volley, and a complex reflection takes "
        "precedence over a simple one."
        f"{both if rule.missing_reason('open_or_closed_questions') is None else ''}"
    )


def _thresholds(measures: SessionMeasures) -> str:
    """Return what the marks in the charts are; empty where there are none."""
    if not any(measure.references for measure in measures.ratios.values()):
        return ""
    sentence = "Dashed lines mark the values that MITI 4.2 calls fair and good: expert opinion without normative data, "
    if measures.rule.unit == "utterance":
        sentence += "meant for counts per volley, while this page counts every utterance, "
    return f"{sentence}for discussion, not a passing grade."


def figure(measure: Measure) -> str:
    """Return the value of a measure, or why it has none."""
    return (
        f"undefined ({measure.undefined})"
        if measure.value is None
        else number_format.format_value(measure.value, measure.unit)
    )


def spread(measure: Measure) -> str:
    """Return the interval of a measure in words; empty where it has none."""
    return "" if measure.value is None else number_format.format_interval(measure.low, measure.high, measure.unit)


@cache
def _environment() -> Environment:
    environment = templating.templates("pipeline.report")
    environment.filters |= {"number": number_format.format_number, "figure": figure, "spread": spread}
    environment.filters |= {"language": languages.name, "role": ROLE_LABELS.__getitem__}
    return environment
