"""People and groups, for whoever runs the room: who is there, who is invited, in which group and role.

An administrator hears and sees no tape by being one.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import select
from starlette.exceptions import HTTPException

from pipeline.review.access.invitations import invite
from pipeline.review.access.viewer import Administrator
from pipeline.review.fields import FormId, Id, Line
from pipeline.review.pages import render, seeing
from pipeline.tapes import audit, people
from pipeline.tapes.home import Home
from pipeline.tapes.records import Group, Membership, Person, Role

router = APIRouter()

FormRole = Annotated[Role, Form()]


@router.get("/people")
def page(request: Request, viewer: Administrator) -> Response:
    """Everybody, and the forms to invite."""
    return _page(request)


@router.post("/people")
def add(request: Request, viewer: Administrator, name: Line, email: Line, group_id: FormId, role: FormRole) -> Response:
    """Invite somebody into a group; who has an account already is only added."""
    state = request.app.state
    link = invited(state.home, state.clock(), viewer.person_id, name, email, group_id, role)
    return _page(request, link)


@router.post("/people/{person_id}/link")
def link(request: Request, viewer: Administrator, person_id: Id) -> Response:
    """A new link for somebody who lost the first one, the password, or the authenticator."""
    state = request.app.state
    now = state.clock()
    with state.home.database.writing() as database:
        person = database.get(Person, person_id)
        if person is None or person.disabled_at is not None:
            raise HTTPException(404)
        path = invite(database, now, "reset" if person.password_hash else "join", person.id)
        audit.record(database, now, viewer.person_id, "link.make", thing=person.id)
    return _page(request, path)


@router.post("/people/{person_id}/disable")
def disable(request: Request, viewer: Administrator, person_id: Id) -> Response:
    """Close or open an account; a closed one is signed out everywhere at once."""
    state = request.app.state
    now = state.clock()
    with state.home.database.writing() as database:
        person = database.get(Person, person_id)
        if person is None or person.id == viewer.person_id:
            raise HTTPException(404)
        change = people.enable if person.disabled_at else people.disable
        change(database, person, now, viewer.person_id)
    return seeing("/people", "saved")


@router.post("/people/{person_id}/leave")
def leave(request: Request, viewer: Administrator, person_id: Id, group_id: FormId) -> Response:
    """End somebody's time in a group."""
    state = request.app.state
    with state.home.database.writing() as database:
        person, group = database.get(Person, person_id), database.get(Group, group_id)
        if person is None or group is None:
            raise HTTPException(404)
        people.leave(database, group, person, state.clock(), viewer.person_id)
    return seeing("/people", "saved")


@router.post("/groups")
def add_group(request: Request, viewer: Administrator, name: Line) -> Response:
    """Found a group."""
    state = request.app.state
    with state.home.database.writing() as database:
        people.add_group(database, name, state.clock(), actor_id=viewer.person_id)
    return seeing("/people", "saved")


def invited(home: Home, now: int, by: str, name: str, email: str, group_id: str, role: Role) -> str:
    """Add a person to a group; the path of a link to come in, or nothing where the person has a password.

    Who is in the group already keeps the role.
    """
    with home.database.writing() as database:
        group = database.get(Group, group_id)
        if group is None:
            raise HTTPException(404)
        person = database.scalar(select(Person).where(Person.email == email.lower()))
        if person is None:
            person = people.add(database, name, email, now, actor_id=by)
        if all(member.person.id != person.id for member in people.members(database, group, now)):
            people.join(database, group, person, role, now, by)
        return "" if person.password_hash else invite(database, now, "join", person.id)


def _page(request: Request, path: str | None = None) -> Response:
    state = request.app.state
    with state.home.database.reading() as database:
        everybody = database.scalars(select(Person).order_by(Person.name)).all()
        groups = database.scalars(select(Group).order_by(Group.name)).all()
        memberships = database.scalars(select(Membership).where(Membership.until.is_(None))).all()
    return render(
        request,
        "access/people.html",
        people=everybody,
        groups=groups,
        names={group.id: group.name for group in groups},
        memberships=memberships,
        link=state.address + path if path else None,
        no_link=path == "",
    )
