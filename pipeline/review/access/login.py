"""Signing in and out: the password, the second step, and what a browser is given for it.

Whether an account exists is never told: the same words, the same work, the same limits.
"""

from __future__ import annotations

from typing import Annotated

import segno
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from pipeline.review.access import limits, secrecy
from pipeline.review.access.viewer import SESSION, Found, Viewer
from pipeline.review.fields import Line, Secret
from pipeline.review.pages import render, seeing
from pipeline.review.problems import SignInError
from pipeline.tapes import audit
from pipeline.tapes.home import Home
from pipeline.tapes.records import Membership, Person

router = APIRouter()

_WRONG = "The e-mail address or the password is not right."
_TOO_OFTEN = "There were too many attempts. Wait a quarter of an hour and try again."
_WRONG_CODE = "This code is not right, or it was used already. Wait for the next one."

Next = Annotated[str, Query(alias="next", max_length=500)]
Code = Annotated[str, Form(min_length=1, max_length=20)]


def safe(path: str) -> str:
    """A page of ours to go on to; the first page instead of anything else."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if fine and not path.startswith(("/login", "/logout")) else "/"


def needs_code(home: Home, person: Person) -> bool:
    """Whether a person signs in with a second step: coaches, administrators, and who set one up."""
    if person.is_admin or person.totp_secret:
        return True
    query = select(Membership.id).where(
        Membership.person_id == person.id, Membership.role == "coach", Membership.until.is_(None)
    )
    with home.database.reading() as database:
        return database.scalar(query.limit(1)) is not None


def start(request: Request, person: Person, way_on: str, *, second_factor: bool | None = None) -> RedirectResponse:
    """Begin a session, rotate the cookie, and go on: to the second step where one is needed.

    Parameters
    ----------
    second_factor: that nothing more is asked; decided by the person where it is None.
    """
    state = request.app.state
    now = state.clock()
    whole = not needs_code(state.home, person) if second_factor is None else second_factor
    token = state.sessions.start(person.id, now, whole, request.cookies.get(SESSION))
    if whole:
        with state.home.database.writing() as database:
            audit.record(database, now, person.id, "login")
    step = "" if whole else "code" if person.totp_secret else "enroll"
    answer = seeing(way_on if whole else f"/login/{step}?next={way_on}")
    answer.set_cookie(SESSION, token, httponly=True, secure=state.https, samesite="lax", path="/")
    return answer


@router.get("/login")
def page(request: Request, viewer: Found, way_on: Next = "/") -> Response:
    """The login page."""
    if viewer and not viewer.step:
        return seeing(safe(way_on))
    return _login(request, safe(way_on))


@router.post("/login")
def sign_in(request: Request, email: Line, password: Secret, way_on: Annotated[str, Form()] = "/") -> Response:
    """Check the password; begin a session."""
    state = request.app.state
    address = request.client.host if request.client else ""
    if not limits.counted(state.home, state.clock(), email, address):
        return _login(request, safe(way_on), _TOO_OFTEN, 429)
    with state.home.database.reading() as database:
        person = database.scalar(select(Person).where(Person.email == email.lower(), Person.disabled_at.is_(None)))
    if not state.passwords.fits(person.password_hash if person else None, password) or person is None:
        return _login(request, safe(way_on), _WRONG, 401)
    limits.forgiven(state.home, email)
    if person.password_hash and state.passwords.is_old(person.password_hash):
        with state.home.database.writing() as database:
            database.get_one(Person, person.id).password_hash = state.passwords.hash(password)
    return start(request, person, safe(way_on))


@router.get("/login/code")
def code_page(request: Request, viewer: Found, way_on: Next = "/") -> Response:
    """The page that asks for the code."""
    _waiting(viewer, "code")
    return render(request, "access/code.html", way_on=safe(way_on), error="")


@router.post("/login/code")
def check_code(request: Request, viewer: Found, code: Code, way_on: Annotated[str, Form()] = "/") -> Response:
    """Check the code; the session is whole then."""
    state, waiting = request.app.state, _waiting(viewer, "code")
    now = state.clock()
    address = request.client.host if request.client else ""
    if not limits.counted(state.home, now, f"code {waiting.person_id}", address):
        return render(request, "access/code.html", 429, way_on=safe(way_on), error=_TOO_OFTEN)
    with state.home.database.reading() as database:
        person = database.get_one(Person, waiting.person_id)
    secret = secrecy.opened(state.home, person.totp_secret or "")
    if not state.codes.fits(person.id, secret, code, now):
        return render(request, "access/code.html", 401, way_on=safe(way_on), error=_WRONG_CODE)
    limits.forgiven(state.home, f"code {person.id}")
    return start(request, person, safe(way_on), second_factor=True)


@router.get("/login/enroll")
def enroll_page(request: Request, viewer: Found, way_on: Next = "/") -> Response:
    """The page that sets up an authenticator before the first sign-in is whole."""
    waiting = _waiting(viewer, "enroll")
    return enrollment(request, waiting.email, secrecy.authenticator_secret(), "/login/enroll", safe(way_on))


@router.post("/login/enroll")
def enroll(
    request: Request,
    viewer: Found,
    code: Code,
    secret: Annotated[str, Form(pattern=r"^[A-Z2-7]{32}$")],
    way_on: Annotated[str, Form()] = "/",
) -> Response:
    """Keep the authenticator's secret once a code shows that it was read."""
    waiting = _waiting(viewer, "enroll")
    person = enrolled(request, waiting, secret, code)
    if person is None:
        return enrollment(request, waiting.email, secret, "/login/enroll", safe(way_on), _WRONG_CODE)
    return start(request, person, safe(way_on), second_factor=True)


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    token = request.cookies.get(SESSION)
    if token:
        request.app.state.sessions.end(token, request.app.state.clock())
    answer = seeing("/login", "signed-out")
    answer.delete_cookie(SESSION, path="/")
    return answer


def enrollment(
    request: Request,
    email: str,
    secret: str,
    action: str,
    way_on: str = "/",
    error: str = "",
    status: int = 401,
    asks: str = "",
) -> Response:
    """The page with the picture that an authenticator reads.

    Parameters
    ----------
    status: where there is an error.
    asks: what shows besides that it is the account's owner who asks: "password", "code", or nothing.
    """
    picture = segno.make(secrecy.authenticator_link(secret, email), error="m")
    return render(
        request,
        "access/enroll.html",
        status if error else 200,
        picture=picture.svg_data_uri(scale=5, border=3, light="#fff"),
        secret=secret,
        action=action,
        way_on=way_on,
        error=error,
        asks=asks,
    )


def enrolled(request: Request, viewer: Viewer, secret: str, code: str) -> Person | None:
    """Keep an authenticator's secret if the code is its own."""
    state = request.app.state
    now = state.clock()
    if not state.codes.fits(viewer.person_id, secret, code, now):
        return None
    with state.home.database.writing() as database:
        person: Person = database.get_one(Person, viewer.person_id)
        person.totp_secret = secrecy.closed(state.home, secret)
        audit.record(database, now, person.id, "login.enroll")
        return person


def _login(request: Request, way_on: str, error: str = "", status: int = 200) -> Response:
    return render(
        request, "access/login.html", status, way_on=way_on, error=error, sso=request.app.state.oidc is not None
    )


def _waiting(viewer: Viewer | None, step: str) -> Viewer:
    if viewer is None or viewer.step != step:
        raise SignInError(viewer.step if viewer else "")
    return viewer
