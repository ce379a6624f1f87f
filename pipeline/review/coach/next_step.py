"""The one thing that a coach should do now: code a part of a tape, talk to somebody, talk about a code, or look again.

Before a chart can show anything it is the spot check: enough utterances of both people for the charts of one tape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log
from statistics import median
from typing import Any, Literal

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.languages import is_foreign
from pipeline.measures.drift.control_chart import LAMBDA
from pipeline.measures.drift.drift import MIN_UNITS
from pipeline.measures.reliability.agreement import agreement_table
from pipeline.measures.reliability.sampling import STRETCH_MS, SampleUnit, draw_sample
from pipeline.review.authorization import all_open
from pipeline.review.coach import sentences
from pipeline.review.coach.group_codes import GROUP_CODER, GroupCodes
from pipeline.review.tapes import titles
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import CodeEvent, Group, Pass, Person, Recalibration, Tape, Utterance
from pipeline.timeline import OTHER

REPORTED_STATES = ("drift", "noise")
COACH_COMPARISONS = ("coder and coach", "group and coach")
DIFFER = "differ: talk about it"
"""The verdict of a table of agreement for codes on which two coders differ for certain."""
LISTENING = 2.5
"""Times its length that a stretch takes to code, until the coach's own passes show it (assumed: heard once for the
codes with stops, once more for the unclear places)."""
USUAL_MS = 15_000
"""Length of an utterance, with its pause, where a tape has no sound: a usual tape has 80 in 20 minutes."""
PAUSE_MS = 120_000
"""Milliseconds between two codes above which a coder is taken to have stopped working (chosen here)."""
NEW_TAPES = ceil(log(0.5) / log(1 - LAMBDA))
"""Tapes after which more than half of a chart's running mean is new."""


@dataclass(frozen=True)
class ChartFinding:
    """Something to talk about: with whom, what it is, and the tapes to play."""

    who: str
    family: str
    state: str
    sentence: str
    tapes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SpotCheck:
    """A part of a tape for the coach to code: ``utterances`` from ``start`` to ``end`` (ms; None: all of it).

    ``minutes`` is about how long it takes.
    """

    tape_id: str
    title: str
    start: int | None
    end: int | None
    utterances: int
    minutes: int


@dataclass(frozen=True)
class LowAgreement:
    """A family of codes on which a coder, or the group, differs from the coach for certain; figures are shares."""

    who: str
    family: str
    label: str
    percent: float
    units: int

    @property
    def subject(self) -> tuple[str, str]:
        """Who, and on which family of codes."""
        return self.who, self.family


@dataclass(frozen=True)
class NextStep:
    """The first thing to do, and what the page needs for it.

    ``kind``: ``start`` (no chart has enough tapes), ``talk`` (coding changed), ``differ`` (agreement is low), ``calm``.
    ``open_pass``: tape, title and pass that the coach has not locked yet. ``again_at``: about when there will be
    `NEW_TAPES` more tapes, in ms.
    """

    kind: Literal["start", "talk", "differ", "calm"]
    spot_check: SpotCheck | None = None
    talk_to: tuple[str, ...] = ()
    open_pass: tuple[str, str, str] | None = None
    low: LowAgreement | None = None
    again_at: int | None = None
    new_tapes: int = NEW_TAPES

    def to_discuss(self, findings: Sequence[ChartFinding]) -> list[ChartFinding]:
        """Return the findings about those to talk to."""
        names = {"the group": (GROUP_CODER, "consensus")}
        people = {name for who in self.talk_to for name in names.get(who, (who,))}
        return [finding for finding in findings if finding.who in people]


def find_next_step(
    table: pd.DataFrame,
    points: pd.DataFrame,
    gathered: GroupCodes,
    open_pass: tuple[str, str, str] | None,
    pace: float | None,
    now: int,
) -> NextStep:
    """Return what the coach should do first.

    Parameters
    ----------
    table, points: of `pipeline.measures.drift.drift.detect_drift`.
    open_pass: the coach's pass that is not locked; see `open_coach_pass`.
    pace: ms that the coach takes for an utterance; see `coding_pace`.
    """
    if not table["state"].ne(sentences.TOO_FEW).any():
        return NextStep("start", None if open_pass else draw_spot_check(gathered, pace, now), open_pass=open_pass)
    if names := people_to_talk_to(table, points, gathered.recalibrated):
        return NextStep("talk", talk_to=names)
    if low := lowest_agreement(agreement_table(gathered.recent_rating_matrix)):
        return NextStep("differ", low=low)
    coach_points = points[points["reference"] == "coach"]
    return NextStep("calm", again_at=next_visit(coach_points if len(coach_points) else points, now))


def chart_findings(table: pd.DataFrame, tape_titles: Mapping[str, str]) -> list[ChartFinding]:
    """Return the findings: drift before noise, persons before the group."""
    order = {state: position for position, state in enumerate(REPORTED_STATES)}
    rows = [row for row in table.to_dict("records") if row["state"] in REPORTED_STATES]
    rows.sort(key=lambda row: (order[row["state"]], row["layer"] != "member", row["layer"] == "machine"))
    return [
        ChartFinding(
            who=str(row["coder"]),
            family=sentences.family_in_sentence(str(row["family"])),
            state=str(row["state"]),
            sentence=str(row["sentence"]),
            tapes=tuple((name, tape_titles[name]) for name in row["tapes_to_discuss"].split("|") if name),
        )
        for row in rows
    ]


def people_to_talk_to(
    table: pd.DataFrame, points: pd.DataFrame, recalibrated: Mapping[str, Sequence[float]]
) -> tuple[str, ...]:
    """Return the coders whose charts signal a change; "the group" only where no member's chart does.

    What began in the group's chart before somebody was recalibrated has been talked about: that chart goes on with the
    others' codes, and signals it for some tapes more.
    """
    rows = table[table["state"].isin(REPORTED_STATES)]
    if members := tuple(dict.fromkeys(rows[rows["layer"] == "member"]["coder"])):
        return members
    last_talk = max((moment for moments in recalibrated.values() for moment in moments), default=0)
    for row in rows[rows["layer"].isin([GROUP_CODER, "consensus"])].to_dict("records"):
        dated = points[(points["layer"] == row["layer"]) & (points["tape_id"] == row["since_tape"])]
        if dated["coded_at"].max() >= last_talk:
            return ("the group",)
    return ()


def draw_spot_check(gathered: GroupCodes, pace: float | None, now: int) -> SpotCheck | None:
    """Return a part of a tape that the group coded and the coach did not, the same all day; None if there is none.

    It begins with a stretch that is drawn as all samples are, and grows until each of the two people has the
    `MIN_UNITS` utterances that a chart needs of a tape, or the tape ends.
    """
    units: tuple[SampleUnit, ...] = ("minutes", "tapes")  # a tape from text alone has no stretches
    samples = (draw_sample(gathered.full_rating_matrix, unit, seed=now // DAY) for unit in units)
    sample = next((drawn for drawn in samples if len(drawn)), None)
    if sample is None:
        return None
    row: dict[Any, Any] = sample.to_dict("records")[0]
    tape_id = str(row["tape_id"])
    spoken = [
        utterance
        for utterance in gathered.utterances[tape_id].values()
        if utterance.role != OTHER and not is_foreign(utterance.language)
    ]
    title = gathered.titles[tape_id]
    if pd.isna(row["start"]):
        return SpotCheck(tape_id, title, None, None, len(spoken), _minutes(len(spoken), 0, pace))
    first = int(row["start"]) * 1000
    start, end = grown_stretch(spoken, first, first + STRETCH_MS)
    number = sum(start <= utterance.start_ms < end for utterance in spoken)
    last = max(utterance.end_ms for utterance in spoken)
    return SpotCheck(tape_id, title, start, min(end, last), number, _minutes(number, min(end, last) - start, pace))


def grown_stretch(spoken: Sequence[Utterance], start: int, end: int) -> tuple[int, int]:
    """Return a stretch (ms), grown forward and then backward until each role that has `MIN_UNITS` utterances on a tape
    has them in the stretch."""
    roles = [role for role, number in Counter(row.role for row in spoken).items() if number >= MIN_UNITS]
    last = max((utterance.start_ms for utterance in spoken), default=0)

    def is_enough() -> bool:
        inside = [utterance.role for utterance in spoken if start <= utterance.start_ms < end]
        return all(inside.count(role) >= MIN_UNITS for role in roles)

    while not is_enough() and end <= last:
        end += STRETCH_MS
    while not is_enough() and start > 0:
        start = max(0, start - STRETCH_MS)
    return start, end


def _minutes(utterances: int, sound: int, pace: float | None) -> int:
    """Return the minutes that some utterances take, whose sound is so long (ms): never less than to hear them."""
    assumed = LISTENING * (sound or USUAL_MS * utterances)
    return max(1, round(max(sound, assumed if pace is None else pace * utterances) / 60_000))


def coding_pace(session: Session, coach: Person) -> float | None:
    """Return the median of the coach's locked passes: ms of work per utterance, without pauses; None without any."""
    query = (
        select(CodeEvent.pass_id, CodeEvent.utterance_id, CodeEvent.at)
        .join(Pass, Pass.id == CodeEvent.pass_id)
        .where(Pass.person_id == coach.id, Pass.layer == "coach", Pass.locked_at.is_not(None), Pass.task == "all")
        .order_by(CodeEvent.at)
    )
    moments: dict[str, list[int]] = {}
    coded: dict[str, set[str]] = {}
    for pass_id, utterance_id, at in session.execute(query):
        moments.setdefault(pass_id, []).append(at)
        coded.setdefault(pass_id, set()).add(utterance_id)
    paces = [
        sum(gap for gap in (later - at for at, later in pairwise(times)) if gap <= PAUSE_MS) / (len(coded[pass_id]) - 1)
        for pass_id, times in moments.items()
        if len(coded[pass_id]) > 1
    ]
    return median(paces) if paces else None


def past_recalibrations(session: Session, group: Group, names: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Return who was recalibrated, when (ms), and what was agreed on, the latest first; several at once are one row."""
    query = select(Recalibration).where(Recalibration.group_id == group.id).order_by(Recalibration.at.desc())
    people_at: dict[tuple[int, str], list[str]] = {}
    for row in session.scalars(query):
        if row.person_id in names:
            people_at.setdefault((row.at, row.note), []).append(names[row.person_id])
    return [(", ".join(sorted(people)), at, note) for (at, note), people in people_at.items()]


def open_coach_pass(session: Session, coach: Person, group: Group, now: int) -> tuple[str, str, str] | None:
    """Return tape, title and pass of the newest pass that the coach has begun in this group and not locked."""
    query = (
        select(Pass, Tape)
        .join(Tape, Tape.id == Pass.tape_id)
        .where(Tape.group_id == group.id, Tape.state == "ready")
        .where(Pass.person_id == coach.id, Pass.layer == "coach", Pass.locked_at.is_(None))
        .order_by(Pass.started_at.desc(), Pass.id)
    )
    rows = session.execute(query).all()
    may_open = {tape.id for tape in all_open(session, coach, [tape for _, tape in rows], now)}
    return next(
        ((tape.id, titles.title(session, tape), open_pass.id) for open_pass, tape in rows if tape.id in may_open), None
    )


def lowest_agreement(agreement: pd.DataFrame) -> LowAgreement | None:
    """Return the family with the lowest alpha of those on which the coach and somebody differ for certain."""
    rows = agreement[
        agreement["level"].eq("family")
        & agreement["comparison"].isin(COACH_COMPARISONS)
        & agreement["verdict"].eq(DIFFER)
    ]
    if rows.empty:
        return None
    row = rows.sort_values("alpha", kind="stable").iloc[0]
    label = sentences.family_in_sentence(str(row["name"]))
    return LowAgreement(str(row["a"]), str(row["name"]), label, float(row["percent"]), int(row["units"]))


def next_visit(points: pd.DataFrame, now: int) -> int | None:
    """Return about when `NEW_TAPES` more tapes will have been coded (ms), by the median time between the last ones.

    None where the pace so far would have brought them by now.
    """
    times = sorted(points.groupby("tape_id")["coded_at"].max())
    if len(times) < 2:
        return None
    again = int(times[-1] + NEW_TAPES * median(later - at for at, later in pairwise(times)))
    return again if again > now else None
