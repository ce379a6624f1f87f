"""Links that work once: to set up a room, to come in, to choose a new password.

A link holds a random token; the database holds its hash. Using it and what it brings about are one transaction. A link
gives a password and nothing else: a second step stays, and whoever lost it needs a recovery code or two administrators.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import Response
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review.auth import login, request_origin
from pipeline.review.auth.credentials import objection, token, token_hash
from pipeline.review.context import context_of
from pipeline.review.form_fields import OptionalLineOfText, Secret
from pipeline.review.templating import render
from pipeline.tapes import accounts, audit_log, people
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.db.records import Group, Invitation, Person
from pipeline.tapes.db.records.people import InvitationKind
from pipeline.tapes.home import Home

router = APIRouter()

Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]

GONE = "This link was already used or has expired. Sign in with your password, or ask for a new link."
"""What a link tells that does not work; the same, whatever the reason."""

LASTS: Mapping[InvitationKind, int] = {"setup": HOUR, "join": 7 * DAY, "reset": DAY}
"""For how many ms a link works: the administrator is at the machine, who joins reads mail within a week."""


def invite(
    database: Session,
    now: int,
    kind: InvitationKind,
    person_id: str | None,
    by: str | None = None,
    group_id: str | None = None,
) -> str:
    """The path of a new link; earlier links for the same person stop working.

    Who uses the account already is told on the next sign-in who made the link.

    Parameters
    ----------
    by: who makes it; None is a command.
    group_id: the group that a coordinator makes it for; it then works for as long as the account is in reach.
    """
    if person_id is None:
        nobody = update(Invitation).where(Invitation.kind == kind, Invitation.person_id.is_(None))
        database.execute(nobody.where(Invitation.used_at.is_(None)).values(used_at=now))
    else:
        accounts.void_links(database, person_id, now)
        if accounts.is_used(database, database.get_one(Person, person_id)):
            accounts.tell(database, person_id, "link-made", now, by)
    fresh = token()
    expires_at = now + LASTS[kind]
    database.add(
        Invitation(
            token_hash=token_hash(fresh), kind=kind, person_id=person_id, group_id=group_id, expires_at=expires_at
        )
    )
    return f"/invitation/{fresh}"


def setup_link(home: Home, now: int) -> str | None:
    """The path of a one-time link that sets the room up; None once somebody who administers it has come in."""
    living = select(Person).where(Person.is_admin, Person.disabled_at.is_(None)).order_by(Person.created_at)
    with home.database.writing() as database:
        administrators = database.scalars(living).all()
        if any(accounts.is_used(database, person) for person in administrators):
            return None
        return invite(database, now, "setup", administrators[0].id if administrators else None)


@router.get("/invitation/{token}")
def page(request: Request, token: Token) -> Response:
    """The page that a link opens."""
    room = context_of(request)
    with room.home.database.reading() as database:
        invitation, person = _open(database, token, room.clock())
        return _page(request, invitation, person)


@router.post("/invitation/{token}")
def accept(
    request: Request,
    token: Token,
    password: Secret,
    again: Annotated[str, Form(max_length=1024)],
    name: OptionalLineOfText = "",
    email: OptionalLineOfText = "",
    group: OptionalLineOfText = "",
) -> Response:
    """Take the link: the account gets its password, and its owner is signed in."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        invitation, person = _open(database, token, now)
    told_name, told_email = (person.name, person.email) if person else (name, people.address(email))
    error = "" if password == again else "The two passwords are not the same."
    error = error or objection(password, told_name, told_email)
    if not person and not (name and "@" in email):
        error = "Enter your name and your e-mail address."
    if error:
        return _page(request, invitation, person, error, {"name": name, "email": email, "group": group})
    hashed = room.passwords.hash(password)
    with room.home.database.writing() as database:
        invitation, person = _open(database, token, now)
        invitation.used_at = now
        if person is None:
            person = people.add(database, name, email, now, is_admin=True)
        if invitation.kind == "setup":
            person.is_admin = True
            _first_group(database, group, person, now)
        if accounts.is_used(database, person):
            accounts.tell(database, person.id, "link-used", now, person.id)
        person.password_hash = hashed
        accounts.void_links(database, person.id, now)
        accounts.end_sessions(database, person.id)
        request_origin.forget(database, person.id)
        audit_log.record(database, now, person.id, f"link.{invitation.kind}", thing=person.id)
    return login.start(request, person, "/")


def _open(database: Session, token: str, now: int) -> tuple[Invitation, Person | None]:
    """A link that still works, and whom it is for."""
    invitation = database.get(Invitation, token_hash(token))
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise HTTPException(404, GONE)
    person = database.get(Person, invitation.person_id) if invitation.person_id else None
    if person is not None and person.disabled_at is not None:
        raise HTTPException(404, GONE)
    if person is not None and invitation.group_id and not accounts.in_reach(database, person, invitation.group_id):
        raise HTTPException(404, GONE)  # the account came to open more than the coordinator's group
    return invitation, person


def _first_group(database: Session, name: str, person: Person, now: int) -> None:
    if not name or database.scalar(select(Group.id).limit(1)):
        return
    people.join(database, people.add_group(database, name, now, actor_id=person.id), person, "member", now, person.id)


def _page(
    request: Request,
    invitation: Invitation,
    person: Person | None,
    error: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    with context_of(request).home.database.reading() as database:
        no_group = database.scalar(select(Group.id).limit(1)) is None
    return render(
        request,
        "auth/invitation.html",
        422 if error else 200,
        kind=invitation.kind,
        person=person,
        ask_group=invitation.kind == "setup" and no_group,
        error=error,
        typed=typed or {"name": "", "email": "", "group": ""},
    )
