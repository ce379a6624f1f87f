"""The first page: what is mine to do next, and the tapes of my groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.first_steps import first_steps
from pipeline.review.form_fields import AfterQuery
from pipeline.review.paging import PAGE, Page
from pipeline.review.tapes import destroyed, tape_steps, titles
from pipeline.review.tapes.tape_steps import TapeProgress
from pipeline.review.templating import render
from pipeline.tapes import people
from pipeline.tapes.db.records import Person, Tape
from pipeline.tapes.retention import retention

router = APIRouter()


@dataclass(frozen=True)
class TapeEntry:
    """A tape in a list, and what is next for the one who looks."""

    tape: Tape
    title: str
    mine: bool
    next: str
    link: str
    urgent: bool
    summary: str = ""  # where a tape that is done has its summary


@router.get("/")
def page(request: Request, viewer: SignedIn, after: AfterQuery = "") -> Response:
    """The page; ``after``: the tape behind which its list goes on."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
        groups = people.groups_of(database, person, now)
        tapes = Page(authorization.listed(database, person, now, after, PAGE + 1), after)
        entries = _entries(database, viewer.person_id, tapes.rows)
        beginning = first_steps(database, person, now)
        gone = destroyed.has_any(database, viewer.person_id)
        warned = retention.warnings(database, now, [tape.id for tape in tapes.rows])
    return render(
        request,
        "dashboard.html",
        groups=groups,
        soon={warning.tape_id: warning.destroy_by for warning in warned},
        first_steps=beginning,
        next=[entry for entry in entries if entry.urgent],
        others=[entry for entry in entries if not entry.urgent],
        tapes=tapes,
        destroyed=gone,
        may_submit=any(role != "coach" for _, role in groups),
    )


def _entries(database: Session, person_id: str, tapes: Sequence[Tape]) -> list[TapeEntry]:
    """Return the entries of some tapes; as many statements for many as for one."""
    names = titles.titles(database, tapes)
    progress = tape_steps.progress_of(database, person_id, tapes)
    return [_entry(person_id, tape, names[tape.id], progress[tape.id]) for tape in tapes]


def _entry(person_id: str, tape: Tape, name: str, progress: TapeProgress) -> TapeEntry:
    mine, at = tape.interviewer_id == person_id, f"/tapes/{tape.id}"
    if tape.state == "draft":
        return TapeEntry(tape, name, mine, "Finish submitting it", f"{at}/recording", True)
    if tape.state in ("queued", "running"):
        return TapeEntry(tape, name, mine, "The machine is working on it", at, False)
    if tape.state == "failed":
        return TapeEntry(tape, name, mine, "Processing failed: see why", at, mine)
    way = tape_steps.steps(person_id, tape, progress)
    following = next((step for step in way if step.state == "now"), None)
    if following is not None:
        return TapeEntry(tape, name, mine, following.name, following.link, True)
    waiting = any(step.state == "waiting" for step in way)
    if waiting:
        return TapeEntry(tape, name, mine, "The interviewer reviews their own work first", at, False)
    return TapeEntry(tape, name, mine, "All done", at, False, f"{at}/summary")
