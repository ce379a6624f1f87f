"""The names and terms that a group listens for on its tapes, from the form on the group's page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.errors import SettingsError
from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, OptionalLineOfText, OptionalText
from pipeline.review.meetings import group_page, group_text
from pipeline.review.templating import seeing
from pipeline.settings import MOST_TERMS, listed_terms
from pipeline.tapes import audit_log, group_terms

router = APIRouter()


@router.post("/groups/{group_id}/terms")
def choose_terms(
    request: Request, viewer: SignedIn, group_id: Id, terms: OptionalText = "", was: OptionalLineOfText = ""
) -> Response:
    """Say what to listen for on the group's next tapes; every member may, and writes over nothing of another's."""
    room = context_of(request)
    now = room.clock()
    listed = listed_terms(terms)
    try:
        with room.home.database.writing() as database:
            group = authorization.group(database, viewer, group_id, now)
            stored = ", ".join(group_terms.read(room.home.vault, group))
            if group_text.would_overwrite(stored, ", ".join(listed), was):
                return group_page.rendered_group_page(request, viewer, group_id, status=409, terms=terms)
            group_terms.store(room.home.vault, group, listed, room.settings)
            audit_log.record(database, now, viewer.person_id, "group.terms", thing=group_id)
    except SettingsError:
        others = len(room.settings.transcription.terms)
        with_others = f" with the {others} of the settings" if others else ""
        error = (
            f"These are {len(listed)}. List at most {MOST_TERMS} names and terms{with_others}, each of at most 60 "
            "characters."
        )
        return group_page.rendered_group_page(request, viewer, group_id, status=422, terms=terms, terms_error=error)
    return seeing(f"/groups/{group_id}", "saved")
