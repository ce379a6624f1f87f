"""Meetings in calendars: one as a file, and a group's as a feed at a secret address.

A calendar cannot sign in, so a feed's address holds a random token; the database holds its hash. Everybody makes their
own, and it answers while they are in the group.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Delete, delete, select
from starlette.exceptions import HTTPException

from pipeline.review import authorization
from pipeline.review.auth.credentials import token, token_hash
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.auth.invitations import Token
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.meetings.calendar_file import calendar_file
from pipeline.review.meetings.group_page import rendered_group_page
from pipeline.review.templating import seeing
from pipeline.tapes import audit_log
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import CalendarFeed, Group, Meeting

router = APIRouter()

_BACK = 90 * DAY  # past meetings that a feed still holds; chosen here


@router.get("/meetings/{meeting_id}/meeting.ics")
def meeting_file(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """One meeting as a file."""
    room = context_of(request)
    with room.home.database.reading() as database:
        meeting = database.get(Meeting, meeting_id)
        if meeting is None:
            raise HTTPException(404)
        group = authorization.group(database, viewer, meeting.group_id, room.clock())
        return calendar_file(group, [meeting], room.reach.address)


@router.get("/calendar/{token}.ics")
def feed(request: Request, token: Token) -> Response:
    """A group's meetings for the calendar of whoever made this address; else 404, whatever the reason."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        calendar = database.get(CalendarFeed, token_hash(token))
        if calendar is None or not authorization.is_member(database, calendar.person_id, calendar.group_id, now):
            raise HTTPException(404)
        meetings = select(Meeting).where(Meeting.group_id == calendar.group_id, Meeting.at > now - _BACK)
        group = database.get_one(Group, calendar.group_id)
        return calendar_file(group, database.scalars(meetings.order_by(Meeting.at)).all(), room.reach.address)


@router.post("/groups/{group_id}/calendar")
def make_feed(request: Request, viewer: SignedIn, group_id: Id) -> Response:
    """Make my address of the group's meetings; an earlier one of mine stops working. It is shown this once."""
    room = context_of(request)
    now, fresh = room.clock(), token()
    with room.home.database.writing() as database:
        authorization.group(database, viewer, group_id, now)
        database.execute(_mine(viewer.person_id, group_id))
        hashed = token_hash(fresh)
        database.add(CalendarFeed(token_hash=hashed, person_id=viewer.person_id, group_id=group_id, made_at=now))
        audit_log.record(database, now, viewer.person_id, "calendar.make", thing=group_id)
    address = room.reach.address or room.address
    return rendered_group_page(request, viewer, group_id, feed=f"{address}/calendar/{fresh}.ics")


@router.post("/groups/{group_id}/calendar/stop")
def stop_feed(request: Request, viewer: SignedIn, group_id: Id) -> Response:
    """Let my address of the group's meetings answer no more."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        authorization.group(database, viewer, group_id, now)
        database.execute(_mine(viewer.person_id, group_id))
        audit_log.record(database, now, viewer.person_id, "calendar.stop", thing=group_id)
    return seeing(f"/groups/{group_id}", "saved")


def _mine(person_id: str, group_id: str) -> Delete:
    return delete(CalendarFeed).where(CalendarFeed.person_id == person_id, CalendarFeed.group_id == group_id)
