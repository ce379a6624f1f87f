"""The summary of a tape: what the group takes along, as a page, as a PDF and as a Word document.

Strengths first, then what to try, then the course of the session and the measures with their doubt. No client's words
but those in the feedback, and no name of a client.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.review import authorization, form_answers
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.authorization import Admitted
from pipeline.review.coding import miti_summary
from pipeline.review.coding.current_measures import measured_board, measures_of
from pipeline.review.coding.miti_summary import MitiSummary
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.reflection import feedback, questions, session_course, summary_lines, word_document
from pipeline.review.reflection import pdf as paper
from pipeline.review.reflection.feedback import Comment
from pipeline.review.reflection.session_course import SessionCourse
from pipeline.review.tapes import titles
from pipeline.review.tapes.moments import TapeMoments
from pipeline.review.tapes.stored_measures import Figure
from pipeline.review.templating import day, render
from pipeline.tapes.clock import Clock
from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import Person
from pipeline.tapes.home import Home

router = APIRouter()


@dataclass(frozen=True)
class Summary:
    """The content of the summary."""

    title: str
    interviewer: str
    target: str
    came_in: str
    well: str
    next: str
    comments: tuple[Comment, ...]
    figures: tuple[Figure, ...]
    basis: str
    note: str
    languages: str
    miti: tuple[MitiSummary, ...]
    course: SessionCourse | None
    at: int
    moments: TapeMoments


@router.get("/tapes/{tape_id}/summary")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The summary as a page."""
    room = context_of(request)
    summary = collected(room.home, viewer, tape_id, room.clock)
    return render(
        request,
        "reflection/summary.html",
        tape_id=tape_id,
        summary=summary,
        opinion=miti_summary.OPINION,
        alternative=summary_lines.READINESS_ALT,
    )


@router.get("/tapes/{tape_id}/summary.pdf")
def pdf(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The summary on paper."""
    room = context_of(request)
    summary = collected(room.home, viewer, tape_id, room.clock, "summary.pdf")
    headers = {"Content-Disposition": f'attachment; filename="tape-{tape_id}.pdf"'}
    return Response(paper.printed(summary), media_type="application/pdf", headers=headers)


@router.get("/tapes/{tape_id}/summary.docx")
def docx(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The summary for the notes that people keep."""
    room = context_of(request)
    summary = collected(room.home, viewer, tape_id, room.clock, "summary.docx")
    headers = {"Content-Disposition": f'attachment; filename="tape-{tape_id}.docx"'}
    return Response(word_document.written(summary), media_type=word_document.MEDIA_TYPE, headers=headers)


def collected(home: Home, viewer: Viewer, tape_id: str, clock: Clock, thing: str = "summary") -> Summary:
    """Everything that the summary says; 404 for who may not see it."""
    now = clock()
    with home.database.writing() as database:
        tape = authorization.opened(database, viewer, tape_id, "show", now)
        admitted = Admitted(database, home, tape, database.get_one(Person, viewer.person_id), now)
        board = measured_board(admitted)
        measured, miti = measures_of(admitted, board), miti_summary.miti_summaries(admitted)
        authorization.read(database, viewer, tape_id, thing, now)
        answers = form_answers.read(database, home, tape_id, tape.interviewer_id, questions.SESSION_REVIEW)
        shown = answers if answers.get("shown") or tape.interviewer_id == viewer.person_id else {}
        return Summary(
            title=titles.title_on_paper(database, tape),
            interviewer=database.get_one(Person, tape.interviewer_id).name,
            target=target_behavior.read(database, home.vault, tape_id),
            came_in=day(tape.created_at),
            well=shown.get("well", ""),
            next=shown.get("next", ""),
            comments=tuple(feedback.comments(database, home, tape_id)),
            figures=measured.figures,
            basis=measured.basis,
            note=measured.note,
            languages=measured.languages,
            miti=miti,
            course=session_course.course(board) if board else None,
            at=now,
            moments=TapeMoments.of(tape),
        )
