"""A sheet of paper on which the client signs the permission, with the answers of the form filled in, or empty.

Nothing is stored: the form sends what is typed so far, and gets the sheet back.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, day
from pipeline.review.templating import render
from pipeline.review.upload import drafts, permission_form
from pipeline.review.upload.permission import filled, groups_of, own_tape
from pipeline.review.upload.permission_form import Allowed
from pipeline.tapes.db.records import Person

router = APIRouter()

USES = {
    "group_review": "The group listens to it and talks about how the conversation went.",
    "coach_check": "A coach listens to it, too.",
    "adapt_tagger": "What the group noticed is used to make the computer's suggestions better.",
}
"""What a client may allow, in the client's words."""


@router.get("/consent-sheet")
def empty(request: Request, viewer: SignedIn) -> Response:
    """The sheet with lines to write on."""
    return _sheet(request, [], {})


@router.post("/consent-sheet")
def filled_in(request: Request, viewer: SignedIn, typed: Allowed) -> Response:
    """The sheet with what is typed so far."""
    room = context_of(request)
    with room.home.database.reading() as database:
        mine = drafts.groups(database, viewer, room.clock())
        people = _people(database, typed, {group_id: group.name for group_id, group in mine.items()})
    return _sheet(request, people, typed)


@router.get("/tapes/{tape_id}/permission/sheet")
def of_tape(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The sheet with what was written down for a tape."""
    room = context_of(request)
    with room.home.database.reading() as database:
        _, consent = own_tape(database, viewer, tape_id, room.clock())
        typed = filled(database, consent)
        names = {group_id: group.name for group_id, group in groups_of(database, viewer, consent, room.clock()).items()}
        people = _people(database, typed, names)
    return _sheet(request, people, typed)


def _people(database: Session, typed: dict[str, Any], groups: dict[str, str]) -> list[str]:
    """The names of groups and people; an address that nobody here has stays as it is."""
    addresses = permission_form.named(typed["people_named"])
    known = {row.email: row.name for row in database.scalars(select(Person).where(Person.email.in_(addresses)))}
    chosen = [groups[group_id] for group_id in typed["group_ids"] if group_id in groups]
    return [*chosen, *(known.get(address, address) for address in addresses)]


def _sheet(request: Request, people: list[str], typed: dict[str, Any]) -> Response:
    until = day(typed.get("destroy_by", ""))
    return render(
        request,
        "upload/consent_sheet.html",
        people=people,
        uses=[(text, name in typed.get("uses", ())) for name, text in USES.items()],
        until=f"{until:%B} {until.day}, {until.year}" if until else "",
        method=permission_form.method_words(typed) if typed else "",
    )
