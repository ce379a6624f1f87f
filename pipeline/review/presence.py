"""What a page asks again and again by itself: whether its viewer is still signed in, and may still see its tape."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline.review.access.viewer import SignedIn
from pipeline.tapes import consent
from pipeline.tapes.records import Person, Tape

router = APIRouter()


@router.get("/here")
def here(request: Request, viewer: SignedIn, tape: str = "") -> Response:
    """Nothing, as long as the page may stay: else 401, or 404 for a tape that may no longer be seen.

    The answer tells nothing of the tape, and no row of the audit is written for it.
    """
    state = request.app.state
    with state.home.database.reading() as database:
        if tape:
            shown = database.get(Tape, tape)
            person = database.get_one(Person, viewer.person_id)
            if shown is None or not consent.allows(database, person, "show", shown, state.clock()):
                raise HTTPException(404)
    return Response(status_code=204)
