"""The page of a transcript that a member brought: what was read, who is the interviewer, and what comes next."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline.errors import ReviewError
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.review import errors
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.tapes import titles
from pipeline.review.templating import render, seeing
from pipeline.review.upload import chunked_uploads, queueing, quotas, transcripts
from pipeline.review.upload.drafts import draft

router = APIRouter()

SHOWN = 8
"""Turns that the page shows."""

NOT_SURE = -1
"""The choice of who does not know which voice is the interviewer's."""


@router.get("/tapes/{tape_id}/transcript")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page with the transcript as read, and the question who is the interviewer."""
    return _page(request, viewer, tape_id)


@router.post("/tapes/{tape_id}/transcript")
def go_on(
    request: Request,
    viewer: SignedIn,
    tape_id: Id,
    way: Annotated[Literal["sound", "text"], Form()],
    voice: Annotated[int, Form(ge=NOT_SURE, le=200)] = NOT_SURE,
) -> Response:
    """Note which voice is the interviewer's, and go on with the sound, or hand the transcript in without any."""
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())
    written = _stored_transcript(request, tape_id)
    names = list(written.voices)
    if voice >= len(names):
        raise HTTPException(404)
    if voice != NOT_SURE:
        written = written.with_interviewer(names[voice])
        quota = room.settings.review.drafts_limit_mb * quotas.MEGABYTE
        transcripts.keep(room.home, tape_id, written, room.clock(), quota)
    if way == "text":
        try:
            transcripts.require_speakers(written)
            queueing.queue_text(room.home, tape_id, viewer.person_id, room.clock())
        except ReviewError as error:
            return _page(request, viewer, tape_id, error)
        return seeing(f"/tapes/{tape_id}")
    whole = chunked_uploads.survey(room.home, tape_id) is not None
    return seeing(f"/tapes/{tape_id}/part" if whole else f"/tapes/{tape_id}/recording")


@router.post("/tapes/{tape_id}/transcript/discard")
def discard(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Take the transcript back."""
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())
    transcripts.discard(room.home, tape_id)
    return seeing(f"/tapes/{tape_id}/recording")


def _stored_transcript(request: Request, tape_id: str) -> WrittenTranscript:
    written = transcripts.stored(context_of(request).home, tape_id)
    if written is None:
        raise HTTPException(404)
    return written


def _page(request: Request, viewer: Viewer, tape_id: str, refused: ReviewError | None = None) -> Response:
    room = context_of(request)
    with room.home.database.reading() as database:
        tape = draft(database, viewer, tape_id, room.clock())
        name = titles.title(database, tape)
    written = _stored_transcript(request, tape_id)
    first = {turn.voice: turn.text for turn in reversed(written.turns)}
    return render(
        request,
        "upload/transcript.html",
        422 if refused else 200,
        tape=tape,
        title=name,
        written=written,
        words=sum(len(turn.text.split()) for turn in written.turns),
        shown=written.turns[:SHOWN],
        voices=[(number, voice, role, first[voice]) for number, (voice, role) in enumerate(written.voices.items())],
        not_sure=NOT_SURE,
        whole=chunked_uploads.survey(room.home, tape_id) is not None,
        begun=chunked_uploads.offset(room.home, tape_id) > 0,
        error=errors.member_text(refused).words if refused else "",
    )
