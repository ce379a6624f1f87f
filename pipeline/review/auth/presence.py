"""The question that a page repeats by itself: whether its viewer is still signed in, and may still see its tape."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of

router = APIRouter()


@router.get("/here")
def presence(request: Request, viewer: SignedIn, tape: str = "") -> Response:
    """Nothing, as long as the page may stay: else 401, or 404 for a tape that may no longer be seen.

    The answer tells nothing of the tape, and no row of the audit is written for it.
    """
    room = context_of(request)
    with room.home.database.reading() as database:
        if tape:
            authorization.still(database, viewer, tape, "show", room.clock())
    return Response(status_code=204)
