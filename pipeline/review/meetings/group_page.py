"""The page of a group: its people, agreements, time zone and terms, and who takes turns."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import select
from starlette.exceptions import HTTPException

from pipeline.errors import TapesError
from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.auth.invitation_card import Card, invite_member, mailed
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, LineOfText, OptionalLineOfText, OptionalText
from pipeline.review.meetings import group_text, turn_order
from pipeline.review.meetings.meeting_time import time_zones
from pipeline.review.templating import render, seeing
from pipeline.settings import MOST_TERMS
from pipeline.tapes import audit_log, group_terms, people
from pipeline.tapes.db.records import CalendarFeed, Membership

router = APIRouter()


@router.get("/groups/{group_id}")
def group_page(request: Request, viewer: SignedIn, group_id: Id) -> Response:
    """A group: its people and its agreements."""
    return rendered_group_page(request, viewer, group_id)


@router.post("/groups/{group_id}/members")
def take_in(request: Request, viewer: SignedIn, group_id: Id, name: LineOfText, email: LineOfText) -> Response:
    """A coordinator invites somebody into the own group, as a member; for others this does not exist."""
    room = context_of(request)
    now = room.clock()
    try:
        with room.home.database.writing() as database:
            group = authorization.group(database, viewer, group_id, now, "coordinator")
            card = invite_member(room, database, group, name, email, viewer.person_id)
    except TapesError as error:
        if error.code not in ("TR-K08", "TR-K09"):
            raise
        problem = f"{error.value[:1].upper()}{error.value[1:]}."
        return rendered_group_page(request, viewer, group_id, error=problem, status=422)
    return rendered_group_page(request, viewer, group_id, card=mailed(room, card) if card else None, done=True)


@router.post("/groups/{group_id}/agreements")
def agree(
    request: Request, viewer: SignedIn, group_id: Id, agreements: OptionalText = "", was: OptionalLineOfText = ""
) -> Response:
    """Write down what the group agreed on; every member may, and writes over nothing that another wrote meanwhile."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        group = authorization.group(database, viewer, group_id, now)
        is_stale = group_text.would_overwrite(group.agreements, agreements, was)
        if not is_stale:
            group.agreements = agreements
            audit_log.record(database, now, viewer.person_id, "group.agreements", thing=group_id)
    if is_stale:
        return rendered_group_page(request, viewer, group_id, status=409, agreements=agreements)
    return seeing(f"/groups/{group_id}", "saved")


@router.post("/groups/{group_id}/time-zone")
def choose_time_zone(request: Request, viewer: SignedIn, group_id: Id, time_zone: OptionalLineOfText = "") -> Response:
    """Say by which clock the group meets; every member may. Planned meetings stay at their moment."""
    room = context_of(request)
    now = room.clock()
    if time_zone and time_zone not in time_zones():
        raise HTTPException(422, "Go back and choose a time zone from the list.")
    with room.home.database.writing() as database:
        authorization.group(database, viewer, group_id, now).time_zone = time_zone
        audit_log.record(database, now, viewer.person_id, "group.time-zone", thing=group_id)
    return seeing(f"/groups/{group_id}", "saved")


@router.post("/groups/{group_id}/turns")
def choose_turns(
    request: Request, viewer: SignedIn, group_id: Id, turns: Annotated[Literal["", "yes"], Form()] = ""
) -> Response:
    """A coordinator or coach says whether they take turns with tapes and roles; every member does."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        authorization.group(database, viewer, group_id, now)
        mine = select(Membership).where(Membership.group_id == group_id, Membership.person_id == viewer.person_id)
        membership = database.scalars(mine.where(Membership.until.is_(None), Membership.since <= now)).one()
        if membership.role == "member":
            raise HTTPException(409, "Every member takes turns.")
        membership.takes_turns = turns == "yes"
        audit_log.record(database, now, viewer.person_id, "group.turns", thing=group_id)
    return seeing(f"/groups/{group_id}", "saved")


def rendered_group_page(
    request: Request,
    viewer: Viewer,
    group_id: str,
    card: Card | None = None,
    done: bool = False,
    error: str = "",
    status: int = 200,
    terms: str | None = None,
    terms_error: str = "",
    feed: str = "",
    agreements: str | None = None,
) -> Response:
    """Return the page of a group, with what came of a form.

    Parameters
    ----------
    terms: as somebody typed them; else the group's.
    feed: an address for the viewer's calendar that was just made.
    agreements: as somebody typed them while another changed those that are stored.
    """
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        group = authorization.group(database, viewer, group_id, now)
        stored_terms = ", ".join(group_terms.read(room.home.vault, group))
        members = people.members(database, group, now)
        feeds = select(CalendarFeed.made_at).where(CalendarFeed.person_id == viewer.person_id)
        return render(
            request,
            "meetings/group.html",
            status,
            group=group,
            members=members,
            me=next(member for member in members if member.person.id == viewer.person_id),
            time_zones=time_zones(),
            order=turn_order.next_tapes(database, group, now),
            warning=people.size_warning(database, group, now),
            coordinates=authorization.is_member(database, viewer.person_id, group_id, now, "coordinator"),
            card=card,
            done=done,
            error=error,
            agreements=agreements,
            terms=stored_terms if terms is None else terms,
            stored_terms=stored_terms,
            version=group_text.version,
            terms_error=terms_error,
            most_terms=MOST_TERMS,
            feed=feed,
            feed_made_at=database.scalar(feeds.where(CalendarFeed.group_id == group_id)),
            is_reachable=bool(room.reach.address),
        )
