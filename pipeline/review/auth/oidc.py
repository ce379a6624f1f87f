"""Signing in with an organization.

Only people who were invited come in: the organization says who somebody is, the room says whether that person has an
account. The first sign-in finds the account by its e-mail address, and binds it to the organization's own name for the
person (``sub``): an address can be given to somebody else later, that name cannot. Coaches and administrators still
take the second step.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import ReviewError, VaultError
from pipeline.review.auth import cookies, csrf, limits, login, request_origin
from pipeline.review.auth.oidc_provider import LASTS, Identity, Pending, Provider, refusal
from pipeline.review.context import context_of
from pipeline.review.templating import render
from pipeline.tapes import audit_log, logs
from pipeline.tapes.db.records import OrganizationIdentity, Person
from pipeline.tapes.home import Home
from pipeline.tapes.vault.vault import HOME

router = APIRouter()

COOKIE = "tape_review_organization"
"""Holds a sign-in on its way, sealed with the home's key: whoever begins a thousand fills nobody's memory."""

_SEALED = "cookies.organization"
_REFUSED = "You could not sign in this way. Ask your administrator whether this e-mail address is invited."
_OTHER = (
    "Your account here is linked to another account of your organization. If you no longer have that one, ask your "
    "administrator for a link, sign in with a password, and unlink the old account under 'My account'."
)


@router.get("/oidc/start")
def start(request: Request, way_on: login.Next = "/") -> Response:
    """Go to the organization; from another site's page only to our own, so that nobody is signed in unasked."""
    room = context_of(request)
    if room.oidc is None:
        raise HTTPException(404)
    if csrf.comes_from_elsewhere(request):
        return RedirectResponse(f"/login?next={quote(login.safe(way_on))}", 303)
    address, pending = room.oidc.begin(login.safe(way_on), room.clock())
    answer = RedirectResponse(address, 303)
    cookies.give(request, answer, COOKIE, _sealed(room.home, pending), LASTS)
    return answer


@router.get("/oidc/back")
def back(
    request: Request,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Come back from the organization."""
    provider = context_of(request).oidc
    if provider is None:
        raise HTTPException(404)
    answer = _come_back(request, provider, state, code)
    cookies.take(request, answer, COOKIE)
    return answer


def identity(database: Session, person_id: str) -> OrganizationIdentity | None:
    """The organization's account that somebody signs in with."""
    return database.scalar(select(OrganizationIdentity).where(OrganizationIdentity.person_id == person_id))


def _come_back(request: Request, provider: Provider, state: str, code: str) -> Response:
    room = context_of(request)
    now = room.clock()
    try:
        pending = _opened(room.home, cookies.read(request, COOKIE) or "", state, now)
        attempt = limits.count_attempt(room.home, now, limits.ORGANIZATION, "", request_origin.of(request))
        came = provider.finish(pending, code, now)
    except ReviewError as error:
        logs.get().info("request.fail", exc_info=error, status=401)
        return _refused(request, _REFUSED)
    except limits.TooSoonError as error:
        return error.with_retry_after(_refused(request, error.detail, 429))
    with room.home.database.writing() as database:
        person, refused = _person(database, came, now)
    if person is None:
        return _refused(request, refused)
    limits.forgive(room.home, attempt)
    return login.start(request, person, pending.way_on)


def _person(database: Session, came: Identity, now: int) -> tuple[Person | None, str]:
    """Whom an identity belongs to, bound to it now if it was to none of this issuer; else why nobody comes in."""
    same = (OrganizationIdentity.issuer == came.issuer, OrganizationIdentity.subject == came.subject)
    known = database.scalar(select(OrganizationIdentity).where(*same))
    if known is not None:
        owner = database.get_one(Person, known.person_id)
        return (owner, "") if owner.disabled_at is None else (None, _REFUSED)
    person = database.scalar(select(Person).where(Person.email == came.email, Person.disabled_at.is_(None)))
    if person is None:
        return None, _REFUSED
    bound = identity(database, person.id)
    if bound is not None and bound.issuer == came.issuer:
        return None, _OTHER
    if bound is not None:  # the settings name another organization now
        database.delete(bound)
        database.flush()
    database.add(OrganizationIdentity(person_id=person.id, issuer=came.issuer, subject=came.subject, bound_at=now))
    audit_log.record(database, now, person.id, "login.bind")
    return person, ""


def _sealed(home: Home, pending: Pending) -> str:
    return base64.urlsafe_b64encode(home.vault.seal(HOME, json.dumps(asdict(pending)).encode(), _SEALED)).decode()


def _opened(home: Home, cookie: str, state: str, now: int) -> Pending:
    """The sign-in that a browser brings back.

    Raises
    ------
    ReviewError: R05 it brings none of ours, another one than the organization answers, or comes too late.
    """
    try:
        pending = Pending(**json.loads(home.vault.unseal(HOME, base64.urlsafe_b64decode(cookie), _SEALED)))
    except (VaultError, binascii.Error, ValueError) as error:
        raise refusal("belongs to another browser") from error
    if not secrets.compare_digest(pending.state.encode(), state.encode()):
        raise refusal("belongs to another sign-in")
    if not pending.until - LASTS <= now < pending.until:
        raise refusal("came too late")
    return pending


def _refused(request: Request, error: str, status: int = 401) -> Response:
    return render(request, "auth/login.html", status, way_on="/", error=error, email="", sso=True)
