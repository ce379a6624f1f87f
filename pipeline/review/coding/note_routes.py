"""The notes on a tape as a page, and the page that plays one moment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from pipeline.review.auth.current_user import SignedIn
from pipeline.review.authorization import SEEN, admit, note
from pipeline.review.coding import notes, passes, transcripts
from pipeline.review.coding.corrections import CorrectedUtterance
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, LineOfText, OptionalLineOfText
from pipeline.review.tapes import stored_measures, titles
from pipeline.review.tapes.moments import TapeMoments
from pipeline.review.templating import render, seeing
from pipeline.tapes.db.records import new_id

router = APIRouter(prefix="/tapes/{tape_id}")

AROUND = 4
"""Utterances before and after a moment on its page: enough to see what it answers, and what follows."""

LEAD_MS = 3000
"""How long before a moment its sound begins, in ms: a listener needs the end of what was said before."""


@router.get("/notes")
def notes_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The own notes on a tape, and those that others share."""
    return _notes_page(request, viewer, tape_id)


@router.post("/notes")
def add_note(
    request: Request, viewer: SignedIn, tape_id: Id, text: LineOfText, moment: OptionalLineOfText = ""
) -> Response:
    """Add a note by a form."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        moments = TapeMoments.of(admitted.tape)
        at = moments.parse(moment)
        problem = f"“{moment}” is no moment of this tape" if at is None else notes.add(admitted, at, text, new_id())
    if problem:
        return _notes_page(request, viewer, tape_id, f"{problem[0].upper()}{problem[1:]}.", text, moment)
    return seeing(f"/tapes/{tape_id}/notes", "saved")


@router.post("/notes/{note_id}/share")
def share_note(request: Request, viewer: SignedIn, tape_id: Id, note_id: Id) -> Response:
    """Share a note with those who may see others' codes of this tape."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        notes.own_note(admitted, note_id).shared_at = admitted.now
        admitted.record("note.share", note_id)
    return seeing(f"/tapes/{tape_id}/notes", "shared")


@router.post("/notes/{note_id}/unshare")
def unshare_note(request: Request, viewer: SignedIn, tape_id: Id, note_id: Id) -> Response:
    """Keep a note for oneself again."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        notes.own_note(admitted, note_id).shared_at = None
        admitted.record("note.unshare", note_id)
    return seeing(f"/tapes/{tape_id}/notes", "saved")


@router.post("/notes/{note_id}/remove")
def remove_note(request: Request, viewer: SignedIn, tape_id: Id, note_id: Id) -> Response:
    """Remove a note."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        session.delete(notes.own_note(admitted, note_id))
        admitted.record("note.remove", note_id)
    return seeing(f"/tapes/{tape_id}/notes", "saved")


@router.get("/moment")
def moment_page(
    request: Request, viewer: SignedIn, tape_id: Id, at: Annotated[int, Query(ge=0, le=2**40)] = 0
) -> Response:
    """Play one moment of a tape, with what is said around it; names stay masked."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "play")
        moments = TapeMoments.of(admitted.tape)
        utterances = transcripts.visible_transcript(admitted)
        current = _current(utterances, at, admitted.tape.from_text)
        first = max(0, current - AROUND)
        own_passes = passes.own_passes(admitted)
        page = render(
            request,
            "coding/moment.html",
            tape_id=tape_id,
            title=titles.title(session, admitted.tape),
            moment=moments.words(at),
            lines=[
                (
                    moments.words(number if admitted.tape.from_text else utterance.start),
                    utterance,
                    number == current + 1,
                )
                for number, utterance in enumerate(utterances[first : current + AROUND + 1], first + 1)
            ],
            from_text=admitted.tape.from_text,
            no_sound=stored_measures.FROM_TEXT,
            begin=max(0, at - LEAD_MS) / 1000,
            pass_id=own_passes[-1].id if own_passes else "",
        )
    note(request, viewer, tape_id, "tape.show", "moment")
    return page


def _current(utterances: list[CorrectedUtterance], at: int, from_text: bool) -> int:
    """Return the place in the list of the utterance at a moment."""
    if from_text:
        return min(max(0, at - 1), max(0, len(utterances) - 1))
    return max(0, sum(utterance.start <= at for utterance in utterances) - 1)


def _notes_page(
    request: Request, viewer: SignedIn, tape_id: str, problem: str = "", text: str = "", moment: str = ""
) -> Response:
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        moments = TapeMoments.of(admitted.tape)
        shown = notes.shown_notes(admitted)
        page = render(
            request,
            "coding/notes.html",
            422 if problem else 200,
            tape_id=tape_id,
            title=titles.title(session, admitted.tape),
            moments=moments,
            notes=shown,
            problem=problem,
            text=text,
            moment=moment,
            example="#12" if admitted.tape.from_text else "3:10",
            longest=notes.LONGEST,
        )
    # Who has read what others noted cannot go back to a blind pass.
    others = any(each.author for each in shown)
    note(request, viewer, tape_id, SEEN if others else "tape.show", "notes")
    return page
