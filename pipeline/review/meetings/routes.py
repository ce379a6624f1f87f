"""The pages of meetings and of a group: agenda, roles, whose tape is next, agreements, notes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import TapesError
from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.auth.invitation_card import Card, invite_member, mailed
from pipeline.review.context import context_of
from pipeline.review.form_fields import FormId, Id, LineOfText, OptionalLineOfText, OptionalText
from pipeline.review.meetings.agenda import LENGTHS, agenda
from pipeline.review.meetings.rotation import ROLES, roles, turn
from pipeline.review.tapes import titles
from pipeline.review.tapes.moments import TapeMoments
from pipeline.review.templating import render, seeing
from pipeline.settings import MOST_TERMS
from pipeline.tapes import audit_log, group_terms, people
from pipeline.tapes.db.records import Group, Meeting, MeetingRole, Person, TapeTurn
from pipeline.tapes.home import Home
from pipeline.tapes.people import Member
from pipeline.tapes.vault.vault import HOME

router = APIRouter()

_COLUMN = "meetings.notes"
_WEEK = 7 * 24 * 3600 * 1000  # ms


@router.get("/meetings")
def page(request: Request, viewer: SignedIn) -> Response:
    """The meetings of my groups, and the form for the next."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
        groups = [group for group, _ in people.groups_of(database, person, now)]
        chosen = select(Meeting).where(Meeting.group_id.in_([group.id for group in groups])).order_by(Meeting.at.desc())
        meetings = database.scalars(chosen).all()
        next_tapes = {group.id: _next_tape(database, group, now) for group in groups}
    return render(
        request,
        "meetings/list.html",
        groups=groups,
        names={group.id: group.name for group in groups},
        coming=sorted((meeting for meeting in meetings if meeting.ended_at is None), key=lambda meeting: meeting.at),
        past=[meeting for meeting in meetings if meeting.ended_at is not None],
        next_tapes=next_tapes,
        lengths=LENGTHS,
        suggested=f"{_local(now + _WEEK):%Y-%m-%dT18:00}",
    )


@router.post("/meetings")
def plan(
    request: Request, viewer: SignedIn, group_id: FormId, at: LineOfText, minutes: Annotated[int, Form()] = 90
) -> Response:
    """Plan a meeting; the roles come by rotation."""
    room = context_of(request)
    now = room.clock()
    moment = _moment(at)
    if minutes not in LENGTHS:
        raise HTTPException(422, f"Go back and choose one of {', '.join(map(str, LENGTHS))} minutes.")
    with room.home.database.writing() as database:
        group = authorization.group(database, viewer, group_id, now)
        order = _next_tape(database, group, now)
        meeting = Meeting(group_id=group.id, at=moment, minutes=minutes)
        database.add(meeting)
        database.flush()
        members = _members(database, group, now)
        busy = frozenset({order[0][0]} if order else set())
        for role, person_id in roles([member.person.id for member in members], _held(database, group), busy).items():
            database.add(MeetingRole(meeting_id=meeting.id, person_id=person_id, role=role))
        audit_log.record(database, now, viewer.person_id, "meeting.plan", thing=meeting.id)
    return seeing(f"/meetings/{meeting.id}")


@router.get("/meetings/{meeting_id}")
def meeting_page(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """One meeting."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, group = _meeting(database, viewer, meeting_id, now)
        person = database.get_one(Person, viewer.person_id)
        tapes = [
            tape
            for tape in authorization.listed(database, person, now)
            if tape.group_id == group.id and tape.state == "ready"
        ]
        held = database.scalars(select(MeetingRole).where(MeetingRole.meeting_id == meeting.id)).all()
        members = _members(database, group, now)
        may_read = meeting.tape_id is None or meeting.tape_id in {tape.id for tape in tapes}
        notes = _notes(room.home, meeting) if may_read else ""
        if meeting.sealed_notes and may_read:
            audit_log.record(database, now, viewer.person_id, "read", meeting.tape_id, "meeting notes")
        return render(
            request,
            "meetings/page.html",
            meeting=meeting,
            at=f"{_local(meeting.at):%Y-%m-%dT%H:%M}",
            group=group,
            parts=agenda(meeting.minutes),
            roles=[(role, next((duty.person_id for duty in held if duty.role == role), "")) for role in ROLES],
            members=members,
            names={member.person.id: member.person.name for member in members},
            tapes={tape.id: titles.title(database, tape) for tape in tapes},
            order=_next_tape(database, group, now),
            notes=notes,
            moments=next((TapeMoments.of(tape).named(notes) for tape in tapes if tape.id == meeting.tape_id), ()),
            was=_digest(notes),
            may_read=may_read,
        )


@router.post("/meetings/{meeting_id}/when")
def move(request: Request, viewer: SignedIn, meeting_id: Id, at: LineOfText) -> Response:
    """Meet at another day or time; the roles stay."""
    moment = _moment(at)
    with _changed_meeting(request, viewer, meeting_id, "meeting.move") as (_, meeting):
        if meeting.ended_at is not None:
            raise HTTPException(409, "The meeting is over. Its day cannot change.")
        meeting.at = moment
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/cancel")
def cancel(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """A coming meeting does not take place: it goes with its roles, which count as nobody's turn."""
    with _changed_meeting(request, viewer, meeting_id, "meeting.cancel") as (database, meeting):
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
        known = {member.person.id for member in _members(database, group, now)}
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

    ``keep`` is what the page sends by itself while somebody types; it is answered in JSON, and does not write over
    what somebody else has written since: ``was`` is the digest of the notes that this page knows.
    """
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, _ = _meeting(database, viewer, meeting_id, now)
        if meeting.tape_id:
            authorization.tape(database, viewer, meeting.tape_id, "show", now)
        if step == "keep" and was != _digest(_notes(room.home, meeting)):
            detail = "Someone else has changed the notes. Copy yours, reload this page, and combine the two."
            raise HTTPException(409, detail)
        _keep_notes(room.home, meeting, notes)
        audit_log.record(database, now, viewer.person_id, "meeting.notes", meeting.tape_id, thing=meeting.id)
    if step == "keep":
        return JSONResponse({"was": _digest(notes)})
    return seeing(f"/meetings/{meeting_id}", "saved")


@router.post("/meetings/{meeting_id}/end")
def end(request: Request, viewer: SignedIn, meeting_id: Id) -> Response:
    """The meeting is over."""
    with _changed_meeting(request, viewer, meeting_id, "meeting.end") as (_, meeting):
        meeting.ended_at = meeting.ended_at or context_of(request).clock()
    return seeing("/meetings", "closed")


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
def agree(request: Request, viewer: SignedIn, group_id: Id, agreements: OptionalText = "") -> Response:
    """Write down what the group agreed on; every member may."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        authorization.group(database, viewer, group_id, now).agreements = agreements
        audit_log.record(database, now, viewer.person_id, "group.agreements", thing=group_id)
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
) -> Response:
    """Return the page of a group, with what came of a form; ``terms`` as somebody typed them, else the group's."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        group = authorization.group(database, viewer, group_id, now)
        return render(
            request,
            "meetings/group.html",
            status,
            group=group,
            members=people.members(database, group, now),
            order=_next_tape(database, group, now),
            warning=people.size_warning(database, group, now),
            coordinates=authorization.is_member(database, viewer.person_id, group_id, now, "coordinator"),
            card=card,
            done=done,
            error=error,
            terms=", ".join(group_terms.read(room.home.vault, group)) if terms is None else terms,
            terms_error=terms_error,
            most_terms=MOST_TERMS,
        )


def _moment(at: str) -> int:
    """The moment, in ms, of a field for a day and time here; else 422."""
    try:
        moment = int(datetime.fromisoformat(at).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        moment = 0
    if not 0 < moment < 1 << 42:
        raise HTTPException(422, "Go back and enter the day and time.")
    return moment


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone()


@contextmanager
def _changed_meeting(
    request: Request, viewer: Viewer, meeting_id: str, action: str
) -> Iterator[tuple[Session, Meeting]]:
    """A transaction that changes a meeting of the viewer's groups, with its row in the audit; else 404."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        meeting, _ = _meeting(database, viewer, meeting_id, now)
        yield database, meeting
        audit_log.record(database, now, viewer.person_id, action, thing=meeting_id)


def _meeting(database: Session, viewer: Viewer, meeting_id: str, now: int) -> tuple[Meeting, Group]:
    meeting = database.get(Meeting, meeting_id)
    if meeting is None:
        raise HTTPException(404)
    return meeting, authorization.group(database, viewer, meeting.group_id, now)


def _members(database: Session, group: Group, now: int) -> list[Member]:
    """Who takes turns: coaches do not."""
    members = [member for member in people.members(database, group, now) if member.role != "coach"]
    return sorted(members, key=lambda member: (member.since, member.person.name))


def _held(database: Session, group: Group) -> list[tuple[str, str]]:
    rows = database.execute(
        select(MeetingRole.role, MeetingRole.person_id)
        .join(Meeting, Meeting.id == MeetingRole.meeting_id)
        .where(Meeting.group_id == group.id)
        .order_by(Meeting.at)
    )
    return [(role, person_id) for role, person_id in rows]


def _next_tape(database: Session, group: Group, now: int) -> list[tuple[str, str]]:
    """(id, name) of the members in the order in which their tape comes."""
    members = _members(database, group, now)
    turns = select(TapeTurn.person_id).where(TapeTurn.group_id == group.id).order_by(TapeTurn.at)
    brought = database.scalars(turns).all()
    names = {member.person.id: member.person.name for member in members}
    return [(person_id, names[person_id]) for person_id in turn(list(names), brought)]


def _notes(home: Home, meeting: Meeting) -> str:
    if not meeting.sealed_notes:
        return ""
    return home.vault.unseal(meeting.tape_id or HOME, meeting.sealed_notes, _COLUMN).decode()


def _digest(notes: str) -> str:
    return hashlib.sha256(notes.encode()).hexdigest()


def _keep_notes(home: Home, meeting: Meeting, notes: str) -> None:
    meeting.sealed_notes = home.vault.seal(meeting.tape_id or HOME, notes.encode(), _COLUMN) if notes else None
