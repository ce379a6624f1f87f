"""People and groups, for whoever runs the room: who is there, who is invited, in which group and role.

An administrator hears and sees no tape by being one.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import literal, or_, select, tuple_
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import TapesError
from pipeline.review.auth.current_user import Administrator
from pipeline.review.auth.invitation_card import Card, mailed, new_card
from pipeline.review.context import Context, context_of
from pipeline.review.form_fields import AfterQuery, FindQuery, FormId, Id, LineOfText
from pipeline.review.mail import notices
from pipeline.review.paging import PAGE, Page
from pipeline.review.templating import render, seeing
from pipeline.tapes import accounts, people, second_step
from pipeline.tapes.db.records import Group, Membership, Person, Role

router = APIRouter()

FormRole = Annotated[Role, Form()]


@router.get("/people")
def page(request: Request, viewer: Administrator, after: AfterQuery = "", find: FindQuery = "") -> Response:
    """Everybody, or whose name or address has some letters in it, by name; and the forms to invite."""
    return _page(request, after=after, find=find)


@router.post("/people")
def add(
    request: Request, viewer: Administrator, name: LineOfText, email: LineOfText, group_id: FormId, role: FormRole
) -> Response:
    """Invite somebody into a group; who has an account already is only added."""
    room = context_of(request)
    new_link = invited(room, viewer.person_id, name, email, group_id, role)
    return _page(request, mailed(room, new_link) if new_link else None, no_link=new_link is None)


@router.post("/people/{person_id}/link")
def link(request: Request, viewer: Administrator, person_id: Id) -> Response:
    """A new link for somebody who lost the first one, or the password; a second step stays."""
    room = context_of(request)
    with room.home.database.writing() as database:
        person = _open_account(database, person_id)
        new_link = new_card(room, database, person, viewer.person_id)
    return _page(request, mailed(room, new_link))


@router.post("/people/{person_id}/second-step")
def lift_second_step(request: Request, viewer: Administrator, person_id: Id) -> Response:
    """Ask for somebody's second step to be lifted, or confirm what another administrator asked for."""
    room = context_of(request)
    try:
        with room.home.database.writing() as database:
            person = _open_account(database, person_id)
            second_step.ask_to_lift(database, person, room.clock(), viewer.person_id)
    except TapesError as error:
        if error.code != "TR-K09":
            raise
        return _page(request, error=f"This person {error.value}: {error.remedy}.", status=422)
    return seeing("/people", "saved")


@router.post("/people/{person_id}/disable")
def disable(request: Request, viewer: Administrator, person_id: Id) -> Response:
    """Close or open an account; a closed one is signed out everywhere at once."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        person = database.get(Person, person_id)
        if person is None or person.id == viewer.person_id:
            raise HTTPException(404)
        change = people.enable if person.disabled_at else people.disable
        change(database, person, now, viewer.person_id)
    return seeing("/people", "saved")


@router.post("/people/{person_id}/leave")
def leave(request: Request, viewer: Administrator, person_id: Id, group_id: FormId) -> Response:
    """End somebody's time in a group."""
    room = context_of(request)
    with room.home.database.writing() as database:
        person, group = database.get(Person, person_id), database.get(Group, group_id)
        if person is None or group is None:
            raise HTTPException(404)
        people.leave(database, group, person, room.clock(), viewer.person_id)
    return seeing("/people", "saved")


@router.post("/groups")
def add_group(request: Request, viewer: Administrator, name: LineOfText) -> Response:
    """Found a group."""
    room = context_of(request)
    with room.home.database.writing() as database:
        people.add_group(database, name, room.clock(), actor_id=viewer.person_id)
    return seeing("/people", "saved")


def invited(room: Context, by: str, name: str, email: str, group_id: str, role: Role) -> Card | None:
    """Add a person to a group; the card of a link to come in, or None where the account is in use.

    Who is in the group already keeps the role. Who was invited and has not come in yet gets the name that is given now.
    """
    now = room.clock()
    with room.home.database.writing() as database:
        group = database.get(Group, group_id)
        if group is None:
            raise HTTPException(404)
        person = database.scalar(select(Person).where(Person.email == people.address(email)))
        if person is None:
            person = people.add(database, name, email, now, actor_id=by)
        if all(member.person.id != person.id for member in people.members(database, group, now)):
            people.join(database, group, person, role, now, by)
        if accounts.is_used(database, person):
            return None
        people.rename(database, person, name, now, by)
        return new_card(room, database, person, by)


def _open_account(database: Session, person_id: str) -> Person:
    """The person with this id, whose account is open; else 404."""
    person = database.get(Person, person_id)
    if person is None or person.disabled_at is not None:
        raise HTTPException(404)
    return person


def _page(
    request: Request,
    card: Card | None = None,
    error: str = "",
    status: int = 200,
    no_link: bool = False,
    after: str = "",
    find: str = "",
) -> Response:
    room = context_of(request)
    query = select(Person, accounts.used(), accounts.with_second_step()).order_by(Person.name, Person.id)
    if find:
        query = query.where(or_(*(column.icontains(find, autoescape=True) for column in (Person.name, Person.email))))
    with room.home.database.reading() as database:
        last = database.get(Person, after) if after else None
        if last is not None:
            query = query.where(tuple_(Person.name, Person.id) > tuple_(literal(last.name), literal(last.id)))
        rows = Page(database.execute(query.limit(PAGE + 1)).all(), after)
        everybody = [row[0] for row in rows.rows]
        ids = [person.id for person in everybody]
        groups = database.scalars(select(Group).order_by(Group.name)).all()
        memberships = database.scalars(
            select(Membership).where(Membership.person_id.in_(ids), Membership.until.is_(None))
        ).all()
        failures = notices.failures(database)
        lifts = accounts.open_lifts(database, ids)
        askers = select(Person.id, Person.name).where(Person.id.in_([lift.asked_by_id for lift in lifts.values()]))
        called = {row.id: row.name for row in database.execute(askers)}
    return render(
        request,
        "auth/people.html",
        status,
        people=everybody,
        rows=rows,
        find=find,
        groups=groups,
        names={group.id: group.name for group in groups},
        called=called,
        memberships=memberships,
        lifts={person_id: (lift, second_step.due(lift)) for person_id, lift in lifts.items()},
        used={row[0].id for row in rows.rows if row[1]},
        enrolled={row[0].id for row in rows.rows if row[2]},
        card=card,
        no_link=no_link,
        reach=room.reach,
        mails=room.mailer is not None,
        failures=failures,
        error=error,
    )
