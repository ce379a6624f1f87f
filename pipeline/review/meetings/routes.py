"""The pages of meetings: agenda, roles, whose tape is next, notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import (
    AfterQuery,
    FormId,
    Id,
    LineOfText,
    OptionalAddress,
    OptionalLineOfText,
    OptionalText,
)
from pipeline.review.meetings import group_text, turn_order
from pipeline.review.meetings import location as locations
from pipeline.review.meetings.agenda import LENGTHS
from pipeline.review.meetings.meeting_time import NoSuchTimeError, day_and_time, field_value, moment
from pipeline.review.meetings.rotation import ROLES, roles
from pipeline.review.meetings.schedule import schedule, seconds_each
from pipeline.review.paging import PAGE, Page
from pipeline.review.tapes import titles
from pipeline.review.tapes.moments import TapeMoments
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log, people
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Group, Meeting, MeetingRole, Person
from pipeline.tapes.home import Home
from pipeline.tapes.vault.vault import HOME

router = APIRouter()

_COLUMN = "meetings.notes"
_AHEAD = 7 * DAY  # the day that the form suggests; chosen here: a quiet default that people change


@router.get("/meetings")
def page(request: Request, viewer: SignedIn, after: AfterQuery = "") -> Response:
    """The meetings of my groups, the past ones a page at a time, and the form for the next."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
        groups = [group for group, _ in people.groups_of(database, person, now)]
        chosen = select(Meeting).where(Meeting.group_id.in_([group.id for group in groups]))
        coming = database.scalars(chosen.where(Meeting.ended_at.is_(None)).order_by(Meeting.at, Meeting.id)).all()
        ended = chosen.where(Meeting.ended_at.is_not(None)).order_by(Meeting.at.desc(), Meeting.id.desc())
        last = database.scalar(chosen.where(Meeting.id == after)) if after else None
        if last is not None:
            ended = ended.where(tuple_(Meeting.at, Meeting.id) < tuple_(literal(last.at), literal(last.id)))
        past = Page(database.scalars(ended.limit(PAGE + 1)).all(), after)
        zones = {group.id: group.time_zone for group in groups}
    return render(
        request,
        "meetings/list.html",
        groups=groups,
        by_id={group.id: group for group in groups},
        when={meeting.id: day_and_time(meeting.at, zones[meeting.group_id]) for meeting in (*coming, *past.rows)},
        link=locations.link,
        coming=coming,
        past=past.rows,
        past_page=past,
        lengths=LENGTHS,
        suggested=f"{field_value(now + _AHEAD, groups[0].time_zone if groups else '')[:10]}T18:00",
    )


@router.post("/meetings")
def plan(
    request: Request,
    viewer: SignedIn,
    group_id: FormId,
    at: LineOfText,
    minutes: Annotated[int, Form()] = 90,
    location: OptionalAddress = "",
) -> Response:
    """Plan a meeting; the roles come by rotation."""
    room = context_of(request)
    now = room.clock()
    if minutes not in LENGTHS:
        raise HTTPException(422, f"Go back and choose one of {', '.join(map(str, LENGTHS))} minutes.")
    with room.home.database.writing() as database:
        group = authorization.group(database, viewer, group_id, now)
        order = turn_order.next_tapes(database, group, now)
        meeting = Meeting(
            group_id=group.id, at=_moment(at, group), minutes=minutes, location=_checked(location), changed_at=now
        )
        database.add(meeting)
        database.flush()
        members = [member.person.id for member in turn_order.in_rotation(database, group, now)]
        busy = frozenset({order[0][0]} if order else set())
        for role, person_id in roles(members, turn_order.roles_before(database, group), busy).items():
            database.add(MeetingRole(meeting_id=meeting.id, person_id=person_id, role=role))
        audit_log.record(database, now, viewer.person_id, "meeting.plan", thing=meeting.id)
    return seeing(f"/meetings/{meeting.id}")


@router.get("/meetings/{meeting_id}")
def meeting_page(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """One meeting."""
    return _page(request, viewer, meeting_id)


@router.post("/meetings/{meeting_id}/when")
def move(request: Request, viewer: SignedIn, meeting_id: Id, at: LineOfText) -> Response:
    """Meet at another day or time; the roles stay."""
    with _changed_meeting(request, viewer, meeting_id, "meeting.move") as (_, meeting, group):
        if meeting.ended_at is not None:
            raise HTTPException(409, "The meeting is over. Its day cannot change.")
        meeting.at = _moment(at, group)
        _changed(meeting, context_of(request).clock())
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/where")
def meet_elsewhere(request: Request, viewer: SignedIn, meeting_id: Id, location: OptionalAddress = "") -> Response:
    """Meet at another place, or in another video call."""
    with _changed_meeting(request, viewer, meeting_id, "meeting.where") as (_, meeting, _):
        if meeting.ended_at is not None:
            raise HTTPException(409, "The meeting is over. Its place cannot change.")
        meeting.location = _checked(location)
        _changed(meeting, context_of(request).clock())
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/cancel")
def cancel(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """A coming meeting does not take place: it goes with its roles, which count as nobody's turn."""
    with _changed_meeting(request, viewer, meeting_id, "meeting.cancel") as (database, meeting, _):
        if meeting.ended_at is not None or meeting.sealed_notes:
            raise HTTPException(409, "The meeting is over or has notes. It cannot be canceled.")
        database.delete(meeting)
    return seeing("/meetings", "canceled")


@router.post("/meetings/{meeting_id}/roles")
def change_roles(
    request: Request,
    viewer: SignedIn,
    meeting_id: Id,
    facilitator: FormId,
    time_keeper: FormId,
    note_taker: FormId,
) -> Response:
    """Deal the roles otherwise than the rotation did."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, group = _meeting(database, viewer, meeting_id, now)
        known = {member.person.id for member in turn_order.eligible(database, group, now)}
        given = dict(zip(ROLES, (facilitator, time_keeper, note_taker), strict=True))
        if not set(given.values()) <= known:
            raise HTTPException(404)
        for row in database.scalars(select(MeetingRole).where(MeetingRole.meeting_id == meeting.id)).all():
            database.delete(row)
        database.add_all(MeetingRole(meeting_id=meeting.id, person_id=who, role=role) for role, who in given.items())
        audit_log.record(database, now, viewer.person_id, "meeting.roles", thing=meeting.id)
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/tape")
def choose_tape(request: Request, viewer: SignedIn, meeting_id: Id, tape_id: Annotated[str, Form()] = "") -> Response:
    """Say which tape the group listens to.

    Notes about a tape end with it: while there are any, the meeting stays with that tape, and for good once it is over.
    Notes that were written before a tape was chosen are sealed with its key from then on.
    """
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, group = _meeting(database, viewer, meeting_id, now)
        if tape_id and authorization.tape(database, viewer, tape_id, "show", now).group_id != group.id:
            raise HTTPException(404)
        if meeting.tape_id:
            authorization.tape(database, viewer, meeting.tape_id, "show", now)
        if (tape_id or None) != meeting.tape_id:
            if meeting.ended_at is not None:
                raise HTTPException(409, "This meeting is over. Its tape cannot change.")
            if meeting.tape_id and meeting.sealed_notes:
                raise HTTPException(
                    409, "The notes are about this tape and will be destroyed with it. Remove the notes first."
                )
        notes = _notes(room.home, meeting)
        meeting.tape_id = tape_id or None
        _keep_notes(room.home, meeting, notes)
        audit_log.record(database, now, viewer.person_id, "meeting.tape", tape_id or None, thing=meeting.id)
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/notes")
def write_notes(
    request: Request,
    viewer: SignedIn,
    meeting_id: Id,
    notes: OptionalText = "",
    was: OptionalLineOfText = "",
    step: Annotated[Literal["save", "keep"], Form()] = "save",
) -> Response:
    """Keep the notes, sealed with the key of the tape that they are about.

    What somebody else has written since is not written over: ``was`` is the version of the notes that the page knows.
    ``keep`` is what the page sends by itself while somebody types; it is answered in JSON.
    """
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, _ = _meeting(database, viewer, meeting_id, now)
        if meeting.tape_id:
            authorization.tape(database, viewer, meeting.tape_id, "show", now)
        stored = _notes(room.home, meeting)
        is_stale = group_text.would_overwrite(stored, notes, was)
        if is_stale and step == "keep":
            detail = "Someone else has changed the notes. Copy yours, reload this page, and combine the two."
            raise HTTPException(409, detail)
        if not is_stale:
            _keep_notes(room.home, meeting, notes)
            audit_log.record(database, now, viewer.person_id, "meeting.notes", meeting.tape_id, thing=meeting.id)
    if is_stale:
        return _page(request, viewer, meeting_id, unsaved=notes)
    if step == "keep":
        return JSONResponse({"was": group_text.version(notes)})
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/end")
def end(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """The meeting is over."""
    with _changed_meeting(request, viewer, meeting_id, "meeting.end") as (_, meeting, _):
        meeting.ended_at = meeting.ended_at or context_of(request).clock()
    return seeing("/meetings", "closed")


def _page(request: Request, viewer: Viewer, meeting_id: str, unsaved: str | None = None) -> Response:
    """The page of a meeting; ``unsaved`` are notes that somebody typed while another changed those that are stored."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        meeting, group = _meeting(database, viewer, meeting_id, now)
        person = database.get_one(Person, viewer.person_id)
        of_group = authorization.listed(database, person, now, group_id=group.id)
        tapes = {tape.id: tape for tape in of_group if tape.state == "ready"}
        tape = tapes.get(meeting.tape_id or "")
        held = database.scalars(select(MeetingRole).where(MeetingRole.meeting_id == meeting.id)).all()
        everyone = turn_order.everyone(database, group, now)
        may_read = meeting.tape_id is None or tape is not None
        notes = _notes(room.home, meeting) if may_read else ""
        is_open = tape is not None and authorization.is_open(database, viewer.person_id, tape)
        is_mine = tape is not None and tape.interviewer_id == viewer.person_id
        steps = schedule(meeting, group.time_zone, tape, is_open, is_mine)
        page = render(
            request,
            "meetings/page.html",
            409 if unsaved is not None else 200,
            meeting=meeting,
            when=day_and_time(meeting.at, group.time_zone),
            at=field_value(meeting.at, group.time_zone),
            link=locations.link(meeting.location),
            group=group,
            steps=steps,
            now=now,
            everyone=everyone,
            seconds=seconds_each(steps[0].item.minutes, len(everyone)),
            bringer=database.get_one(Person, tape.interviewer_id).name if tape else "",
            is_mine=is_mine,
            roles=[(role, next((duty.person_id for duty in held if duty.role == role), "")) for role in ROLES],
            eligible=turn_order.eligible(database, group, now),
            tapes=titles.titles(database, list(tapes.values())),
            order=turn_order.next_tapes(database, group, now),
            notes=notes,
            unsaved=unsaved,
            moments=TapeMoments.of(tape).named(notes) if tape else (),
            was=group_text.version(notes),
            may_read=may_read,
        )
    if meeting.sealed_notes and may_read:
        authorization.note(request, viewer, meeting.tape_id, "read", "meeting notes")
    return page


def _moment(at: str, group: Group) -> int:
    """The moment, in ms, of a field for a day and time by the group's clock; else 422."""
    try:
        return moment(at, group.time_zone)
    except NoSuchTimeError as error:
        raise HTTPException(422, f"Go back. {error}") from error


def _checked(location: str) -> str:
    """Where a group meets; 422 for an address that no page may link to."""
    try:
        return locations.checked(location)
    except locations.LocationError as error:
        raise HTTPException(422, f"Go back. {error}") from error


def _changed(meeting: Meeting, now: int) -> None:
    """Count a change of which calendars must learn."""
    meeting.sequence, meeting.changed_at = meeting.sequence + 1, now


@contextmanager
def _changed_meeting(
    request: Request, viewer: Viewer, meeting_id: str, action: str
) -> Iterator[tuple[Session, Meeting, Group]]:
    """A transaction that changes a meeting of the viewer's groups, with its row in the audit; else 404."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, group = _meeting(database, viewer, meeting_id, now)
        yield database, meeting, group
        audit_log.record(database, now, viewer.person_id, action, thing=meeting_id)


def _meeting(database: Session, viewer: Viewer, meeting_id: str, now: int) -> tuple[Meeting, Group]:
    meeting = database.get(Meeting, meeting_id)
    if meeting is None:
        raise HTTPException(404)
    return meeting, authorization.group(database, viewer, meeting.group_id, now)


def _notes(home: Home, meeting: Meeting) -> str:
    if not meeting.sealed_notes:
        return ""
    return home.vault.unseal(meeting.tape_id or HOME, meeting.sealed_notes, _COLUMN).decode()


def _keep_notes(home: Home, meeting: Meeting, notes: str) -> None:
    meeting.sealed_notes = home.vault.seal(meeting.tape_id or HOME, notes.encode(), _COLUMN) if notes else None
