"""The coach's visit: what happened, whom to speak to, which tape to play; and what a member and the group see of it.

Drift is shown to the coder and the coach first. The group sees the group's row, a member also the own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Request
from fastapi.params import Query
from fastapi.responses import Response
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.measures.drift.drift import detect_drift, tapes_per_false_alarm
from pipeline.measures.drift.sentences import code_phrase, undefined_reason
from pipeline.measures.reliability.agreement import agreement_table
from pipeline.measures.reliability.automation_bias import MIN_UTTERANCES, automation_bias
from pipeline.measures.reliability.comparisons import group_comparisons
from pipeline.measures.reliability.confusions import confusions
from pipeline.measures.reliability.rating_matrix import MACHINE, RatingMatrix
from pipeline.measures.reliability.sampling import (
    RECODE_AFTER_MS,
    STRETCH_MS,
    draw_sample,
    required_sample_size,
    tapes_to_recode,
)
from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.authorization import SEEN, admit
from pipeline.review.coach import sentences
from pipeline.review.coach.chart_drawing import HEIGHT, WIDTH, draw_charts
from pipeline.review.coach.exclusions import count_left_out, exclusion_sentences
from pipeline.review.coach.group_codes import GROUP_CODER, GroupCodes, gather_group_codes
from pipeline.review.coach.group_overview_page import count_checked
from pipeline.review.coach.next_step import (
    COACH_COMPARISONS,
    chart_findings,
    coding_pace,
    find_next_step,
    open_coach_pass,
    past_recalibrations,
)
from pipeline.review.coding import transcripts
from pipeline.review.context import context_of
from pipeline.review.form_fields import CodebookQuery, FormId, Id, OptionalLineOfText
from pipeline.review.practice.baseline import baseline_points, squares
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log, people
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Group, Person, Recalibration
from pipeline.timeline import ROLE_LABELS

router = APIRouter(prefix="/groups/{group_id}")

INTERVAL_WIDTH, EXPECTED_AGREEMENT = 0.1, 0.8
"""What a sample is planned for: an interval of ten points to either side, at an agreement of 80 % (assumed)."""
USUAL_UTTERANCES = {"tapes": 80, "minutes": 20}
"""Utterances of a usual tape, and of a usual stretch."""
MAX_PAIRS, MAX_UTTERANCES = 12, 20
"""Pairs of codes on the page, and utterances of a pair, at most."""
EVERYONE = "0" * 16
"""The form's value for a recalibration of the whole group."""


@router.get("/visit")
def visit_page(
    request: Request,
    viewer: SignedIn,
    group_id: Id,
    by: Annotated[Literal["tapes", "minutes"], Query()] = "tapes",
    codebook: CodebookQuery = "",
) -> Response:
    """The coach's page."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        group, person = _coached_group(database, viewer, group_id, now)
        gathered = gather_group_codes(home, database, person, group, now, codebook=codebook)
        members = [member.person for member in people.members(database, group, now) if member.role != "coach"]
        names = {member.id: gathered.names.get(member.id, member.name) for member in members}
        baseline = baseline_points(request, database, viewer, group, names, gathered.name)
        coach = database.get_one(Person, viewer.person_id)
        talks = past_recalibrations(database, group, names)
        begun, pace = open_coach_pass(database, coach, group, now), coding_pace(database, coach)
    reads = ((tape_id, "read", "agreement") for tape_id in gathered.tapes)
    authorization.note_each(request, viewer, [(None, "read", f"visit {group_id}"), *reads])
    panel = gathered.rating_matrix
    drift_report = detect_drift(panel, gathered.recalibrated)
    sample = draw_sample(gathered.full_rating_matrix, by, seed=now // DAY).sort_values(["tape_id", "start"])
    findings = chart_findings(drift_report.table, gathered.titles)
    pairs = _confusion_pairs(gathered, COACH_COMPARISONS, None)
    step = find_next_step(drift_report.table, drift_report.points, gathered, begun, pace, now)
    watched = int(drift_report.table["state"].ne("too few tapes").sum())
    return render(
        request,
        "coach/visit.html",
        group=group,
        book=gathered.book,
        others=[gathered.books[name] for name in gathered.used if name != gathered.name],
        findings=findings,
        moved=sentences.unchanged_sentence(drift_report.table),
        steady=int((drift_report.table["state"] == "steady").sum()),
        few=sentences.too_early_phrases(drift_report.table),
        notes=[
            *(note.as_sentence(sentences.family_in_sentence) for note in drift_report.notes),
            *sentences.not_compared_sentences(panel, gathered.book),
            *([sentences.FOREIGN] if gathered.has_foreign else []),
        ],
        pictures=draw_charts(drift_report.table, drift_report.points, gathered.titles, squares(baseline)),
        baseline=baseline,
        family=sentences.family_in_sentence,
        wide=WIDTH,
        high=HEIGHT,
        figures=[*_agreement_rows(agreement_table(panel)), *_intra_rater_rows(gathered)],
        watched=watched,
        every=tapes_per_false_alarm(drift_report.table),
        again=[
            (row["coder"], gathered.titles[row["tape_id"]], row["tape_id"])
            for row in tapes_to_recode(panel, now).to_dict("records")
        ],
        old=RECODE_AFTER_MS // DAY,
        sway=_automation_bias_rows(panel),
        pairs=pairs[:MAX_PAIRS],
        low_pair=next((row for row in pairs if step.low and (row["a"], row["family"]) == step.low.subject), None),
        step=step,
        talks=talks,
        others_changed=[finding for finding in findings if finding not in step.to_discuss(findings)],
        to_discuss=step.to_discuss(findings),
        fewest_tapes=sentences.MIN_TAPES,
        sampled=[(row, gathered.titles[row["tape_id"]]) for row in sample.to_dict("records")],
        by=by,
        minutes=STRETCH_MS // 60_000,
        needed=required_sample_size(INTERVAL_WIDTH, EXPECTED_AGREEMENT, USUAL_UTTERANCES[by]),
        usual=USUAL_UTTERANCES[by],
        members=members,
        first=next((key for finding in findings for key, name in gathered.names.items() if name == finding.who), None),
        everyone=EVERYONE,
        blind=gathered.hidden_tapes,
        coded=any(layer != MACHINE for layer, _ in gathered.full_rating_matrix.coders),
        compared=any(comparison.kind in COACH_COMPARISONS for comparison in group_comparisons(panel)),
        fewest=MIN_UTTERANCES,
    )


@router.post("/recalibrated")
def recalibrate(
    request: Request, viewer: SignedIn, group_id: Id, person_id: FormId, note: OptionalLineOfText = ""
) -> Response:
    """Coach and coder have talked: the coder's charts, or everyone's, begin anew."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as database:
        group, _ = _coached_group(database, viewer, group_id, now)
        member_ids = [member.person.id for member in people.members(database, group, now) if member.role != "coach"]
        chosen = (
            member_ids if person_id == EVERYONE else [member_id for member_id in member_ids if member_id == person_id]
        )
        if not chosen:
            raise HTTPException(404)
        for member_id in chosen:
            database.add(
                Recalibration(group_id=group.id, person_id=member_id, by_person_id=viewer.person_id, at=now, note=note)
            )
            audit_log.record(database, now, viewer.person_id, "recalibrate", thing=member_id)
    return seeing(f"/groups/{group_id}/visit", "recalibrated")


@router.get("/pairs")
def pair_page(
    request: Request,
    viewer: SignedIn,
    group_id: Id,
    family: Annotated[str, Query(max_length=80)] = "",
    coder: Annotated[str, Query(max_length=200)] = "",
    a: Annotated[str, Query(max_length=200)] = "",
    b: Annotated[str, Query(max_length=200)] = "",
    codebook: CodebookQuery = "",
) -> Response:
    """The page with the utterances of one pair of codes, to be played one after another."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        group, person = _coached_group(database, viewer, group_id, now)
        gathered = gather_group_codes(home, database, person, group, now, codebook=codebook)
        rows = _confusion_pairs(gathered, COACH_COMPARISONS, None)
        wanted = {"family": family, "a": coder, "a_code": a, "b_code": b}
        row = next(
            (candidate for candidate in rows if all(candidate[key] == value for key, value in wanted.items())), None
        )
        if row is None:
            raise HTTPException(404)
        texts = _utterance_texts(request, database, viewer, row["places"])
        page = render(
            request,
            "coach/pair.html",
            group=group,
            row=row,
            texts=texts,
            book=gathered.book,
            from_text=gathered.from_text,
            role_labels=ROLE_LABELS,
        )
    # Who looks at others' codes of a tape is no longer blind to them there.
    looked_at = sorted({pair_utterance.tape_id for pair_utterance in row["places"]})
    seen = [deed for tape_id in looked_at for deed in ((tape_id, SEEN, "pairs"), (tape_id, "read", "transcript"))]
    authorization.note_each(request, viewer, seen)
    return page


@router.get("/agreement")
def agreement_page(request: Request, viewer: SignedIn, group_id: Id, codebook: CodebookQuery = "") -> Response:
    """The member's page: the group as a whole, and the member's own charts."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        group = authorization.group(database, viewer, group_id, now)
        person = database.get_one(Person, viewer.person_id)
        gathered = gather_group_codes(home, database, person, group, now, codebook=codebook)
        left_out = exclusion_sentences(count_left_out(database, group, person, person, gathered.tapes, now))
    authorization.note(request, viewer, None, "read", f"agreement {group_id}")
    viewer_name = gathered.names.get(viewer.person_id)
    own_name = {viewer.person_id: viewer_name or viewer.name}
    with home.database.reading() as database:
        baseline = baseline_points(request, database, viewer, group, own_name, gathered.name)
    panel = gathered.rating_matrix
    drift_report = detect_drift(panel, gathered.recalibrated)
    visible_charts = drift_report.table[
        (drift_report.table["layer"].isin([GROUP_CODER, "consensus", "machine"]))
        | (drift_report.table["coder"] == viewer_name)
    ]
    comparisons = [
        comparison
        for comparison in group_comparisons(panel)
        if comparison.kind in ("members", "group and coach", "machine")
    ]
    return render(
        request,
        "coach/agreement.html",
        group=group,
        viewer_name=viewer_name,
        book=gathered.book,
        others=[gathered.books[name] for name in gathered.used if name != gathered.name],
        moved=sentences.unchanged_sentence(visible_charts),
        findings=(findings := chart_findings(visible_charts, gathered.titles)),
        drifted=any(finding.who == viewer_name and finding.state == "drift" for finding in findings),
        pictures=draw_charts(visible_charts, drift_report.points, gathered.titles, squares(baseline)),
        baseline=baseline,
        family=sentences.family_in_sentence,
        wide=WIDTH,
        high=HEIGHT,
        figures=[
            *_agreement_rows(agreement_table(panel, comparisons)),
            *_intra_rater_rows(gathered, viewer_name or ""),
        ],
        again=[
            (gathered.titles[row["tape_id"]], row["tape_id"])
            for row in tapes_to_recode(panel, now).to_dict("records")
            if row["coder"] == viewer_name
        ],
        old=RECODE_AFTER_MS // DAY,
        notes=[
            *(
                note.as_sentence(sentences.family_in_sentence)
                for note in drift_report.notes
                if note.coder in ("", *visible_charts["coder"])
            ),
            *sentences.not_compared_sentences(panel, gathered.book, viewer_name, everybody=False),
            *([sentences.FOREIGN] if gathered.has_foreign else []),
        ],
        tapes=len(gathered.tapes),
        checked=count_checked(panel),
        left=left_out,
    )


def _coached_group(database: Session, viewer: Viewer, group_id: str, now: int) -> tuple[Group, Person]:
    """Return the group and its coach, the viewer; for others the page does not exist."""
    group = authorization.group(database, viewer, group_id, now, "coach")
    return group, database.get_one(Person, viewer.person_id)


def _agreement_rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return agreement by family: the group's comparisons, those with the coach, and coders with themselves."""
    shown = table[table["level"].isin(["all", "family"]) & ~table["comparison"].isin(["coders", "coaches"])]
    shown = shown[shown["level"].eq("family") | shown["comparison"].ne("coder and consensus")]
    rows: list[dict[Any, Any]] = shown.astype(object).where(shown.notna(), None).to_dict("records")
    figures = ("percent", "intervals", "kappa", "ac1", "alpha")
    return [
        {
            **row,
            "label": sentences.family_label(str(row["name"])),
            "why": {figure: undefined_reason(str(row["undefined"]), figure) for figure in figures},
        }
        for row in rows
    ]


def _automation_bias_rows(panel: RatingMatrix) -> list[dict[Any, Any]]:
    """Return agreement with the machine where its pre-tags were shown and where they were hidden."""
    rows = automation_bias(panel).query("level == 'all'")
    records: list[dict[Any, Any]] = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return records


def _intra_rater_rows(gathered: GroupCodes, coder: str | None = None) -> list[dict[str, object]]:
    """Return coders' agreement with themselves on tapes that they coded again; of one coder, if named."""
    if gathered.intra_rater is None:
        return []
    panel, compared = gathered.intra_rater
    return _agreement_rows(
        agreement_table(panel, [comparison for comparison in compared if coder in (None, comparison.a)])
    )


@dataclass(frozen=True)
class PairUtterance:
    """Where one utterance of a pair lies; ``start`` and ``end`` in ms."""

    tape_id: str
    title: str
    utterance_id: str
    start: int
    end: int


def _confusion_pairs(
    gathered: GroupCodes, kinds: tuple[str, ...], most: int | None = MAX_PAIRS
) -> list[dict[str, Any]]:
    """Return pairs of codes that differ, with their utterances, the latest tape's first."""
    table = confusions(gathered.rating_matrix, shown=MAX_UTTERANCES * MAX_UTTERANCES)
    order = {tape_id: position for position, tape_id in enumerate(gathered.tapes)}
    table = table[table["comparison"].isin(kinds)].sort_values("units", ascending=False, kind="stable")
    labels = gathered.rating_matrix.scheme.labels
    confusion_rows: list[dict[Any, Any]] = table.head(most or len(table)).to_dict("records")
    rows: list[dict[str, Any]] = []
    for row in confusion_rows:
        pair_utterances = []
        for name in row["utterances"].split("|"):
            tape_id, _, utterance_id = name.partition("/")
            times = gathered.times(tape_id, utterance_id)
            pair_utterances.append(PairUtterance(tape_id, gathered.titles[tape_id], utterance_id, *times))
        pair_utterances = sorted(pair_utterances, key=lambda utterance: (-order[utterance.tape_id], utterance.start))[
            :MAX_UTTERANCES
        ]
        phrases = {"a_words": code_phrase(row["a_code"], labels), "b_words": code_phrase(row["b_code"], labels)}
        rows.append({**row, **phrases, "places": pair_utterances})
    return rows


def _utterance_texts(
    request: Request, database: Session, viewer: Viewer, pair_utterances: Sequence[PairUtterance]
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return (tape, utterance) -> (role, text) of the previous utterance and of itself, corrected, names masked."""
    texts: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for tape_id in dict.fromkeys(pair_utterance.tape_id for pair_utterance in pair_utterances):
        try:
            utterances = transcripts.visible_transcript(admit(request, database, viewer, tape_id, "show"))
        except LookupError:
            continue
        lines = [(utterance.role, " ".join(word.text for word in utterance.words)) for utterance in utterances]
        texts |= {
            (tape_id, utterance.id): lines[max(0, index - 1) : index + 1] for index, utterance in enumerate(utterances)
        }
    return texts
