"""The client's permission, changed after the tape was handed in: what the client allows now holds from now on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import ConsentError, ReviewError
from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.templating import seeing
from pipeline.review.upload import drafts, permission_form
from pipeline.review.upload.permission_form import Allowed
from pipeline.tapes.clock import day_of
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import Consent, Group, Person, Tape

router = APIRouter()


@router.get("/tapes/{tape_id}/permission")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The form, as it was filled in last."""
    return _page(request, viewer, tape_id, {})


@router.post("/tapes/{tape_id}/permission")
def change(request: Request, viewer: SignedIn, tape_id: Id, typed: Allowed) -> Response:
    """Write down what the client allows now, in the place of what was allowed before."""
    home = context_of(request).home
    try:
        named = permission_form.named(typed["people_named"])
        with home.database.writing() as database:
            now = context_of(request).clock()
            given = permission_form.given(typed, named, now)
            tape, before = own_tape(database, viewer, tape_id, now)
            if not set(typed["group_ids"]) <= set(groups_of(database, viewer, before, now)):
                raise HTTPException(404)
            permission_form.require_accounts(database, named)
            consent_form.give(database, tape, given, now, viewer.person_id, before.form_item_id)
    except (ConsentError, ReviewError) as error:
        return _page(request, viewer, tape_id, typed, error)
    return seeing(f"/tapes/{tape_id}", "saved")


def filled(database: Session, consent: Consent) -> dict[str, Any]:
    """Return the form's fields as they were filled in last."""
    people = database.scalars(select(Person.email).where(Person.id.in_(consent.person_ids)).order_by(Person.email))
    return {
        "pseudonym": consent.pseudonym,
        "destroy_by": str(day_of(consent.destroy_by)),
        "signed_on": str(day_of(consent.signed_at)),
        "signed_form": consent.signed_form,
        **permission_form.method_fields(consent.method),
        "people_named": " ".join(people),
        "uses": consent.uses,
        "group_ids": list(consent.group_ids),
    }


def own_tape(database: Session, viewer: Viewer, tape_id: str, now: int) -> tuple[Tape, Consent]:
    """Return the viewer's tape and what its client allows; 404 where there is none."""
    tape = authorization.own_tape(database, viewer, tape_id, "store", now)
    consent = consent_form.latest(database, tape_id)
    if consent is None:
        raise HTTPException(404)
    return tape, consent


def groups_of(database: Session, viewer: Viewer, consent: Consent, now: int) -> dict[str, Group]:
    """The groups that may be ticked: the viewer's, and those that the client named before."""
    before = database.scalars(select(Group).where(Group.id.in_(consent.group_ids)))
    return drafts.groups(database, viewer, now) | {group.id: group for group in before}


def _page(
    request: Request,
    viewer: Viewer,
    tape_id: str,
    typed: dict[str, Any],
    error: ConsentError | ReviewError | None = None,
) -> Response:
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        tape, consent = own_tape(database, viewer, tape_id, now)
        groups = groups_of(database, viewer, consent, now)
        typed = filled(database, consent) | typed
    message, code = (permission_form.error_message(error), error.code) if error else ("", "")
    fields = {"groups": groups, "methods": permission_form.METHODS, "typed": typed, "code": code}
    return drafts.tape_form(request, "upload/permission.html", tape, message, **fields)
