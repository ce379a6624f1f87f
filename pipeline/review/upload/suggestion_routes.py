"""Wanting a suggested part of a draft's recording: a member asks for one, a worker makes it, and the member decides."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.templating import seeing
from pipeline.review.upload import chunked_uploads, suggested_parts
from pipeline.review.upload.drafts import draft
from pipeline.tapes.jobs import suggestions
from pipeline.tapes.jobs.suggestions import PartRequest

router = APIRouter()


@router.get("/tapes/{tape_id}/part/suggestion")
def suggestion_state(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Return how far the suggestion is; the page asks from time to time."""
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())
    return JSONResponse({"state": suggestions.current(room.home, tape_id).state})


@router.post("/tapes/{tape_id}/part/suggestion")
def want_suggestion(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Have a worker look for a part."""
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())
        authorization.own_tape(database, viewer, tape_id, "process", room.clock())
    survey, length = chunked_uploads.survey(room.home, tape_id), suggested_parts.longest_part(room.settings.audio)
    if survey is None or not suggested_parts.is_choice(survey, length):
        raise HTTPException(404)
    suggestions.want(room.home, tape_id, viewer.person_id, PartRequest(survey.shown, length), room.clock())
    return seeing(f"/tapes/{tape_id}/part#suggestion")
