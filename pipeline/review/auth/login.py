"""Signing in and out: the password, the second step, and what a browser is given for it.

Whether an account exists is never told: the same words, the same work, the same limits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

import segno
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from pipeline.review.auth import cookies, credentials, limits, relying_party, request_origin
from pipeline.review.auth.cookies import GUEST, SESSION
from pipeline.review.auth.current_user import MaybeViewer, Viewer
from pipeline.review.auth.sessions import device
from pipeline.review.context import Context, context_of
from pipeline.review.errors import SignInError
from pipeline.review.form_fields import LineOfText, Secret
from pipeline.review.templating import render, seeing
from pipeline.tapes import accounts, audit_log, passkeys, people, request_trail, second_step
from pipeline.tapes.db.records import Person

router = APIRouter()

_WRONG = "The e-mail address or the password is wrong."
_WRONG_CODE = "This code is wrong, or it was already used. Wait for the next one."
_WRONG_RECOVERY_CODE = "This recovery code is wrong, or it was already used."

Next = Annotated[str, Query(alias="next", max_length=500)]
TypedCode = Annotated[str, Form(min_length=1, max_length=20)]
TypedRecoveryCode = Annotated[str, Form(min_length=1, max_length=60)]


def safe(path: str) -> str:
    """A page of ours to go on to; the first page instead of anything else."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if fine and not path.startswith(("/login", "/logout")) else "/"


def start(request: Request, person: Person, way_on: str, *, second_factor: bool = False) -> RedirectResponse:
    """Begin a session, rotate the cookie, and go on: to the second step where one is needed.

    Parameters
    ----------
    second_factor: that a second step was passed just now.
    """
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        person = database.get_one(Person, person.id)
        if second_factor:  # the authenticator is not lost
            second_step.stop_lifting(database, person.id, now, person.id)
        else:
            second_step.lift_what_is_due(database, person, now)
        required = not second_factor and accounts.needs_second_step(database, person.id, now)
        enrolled = accounts.has_second_step(database, person.id)
        step = "" if second_factor else "code" if enrolled else "enroll" if required else ""
        if not step:
            accounts.signed_in(database, person, now)
            by = f"{request.method} {request.scope['route'].path}"
            audit_log.record(database, now, person.id, "login", thing=by, why="second step" if second_factor else "")
    source, agent = request.client.host if request.client else "", request.headers.get("user-agent", "")
    before = cookies.read(request, SESSION)
    token = room.sessions.start(person.id, now, second_factor, before, source, device(agent))
    answer = seeing(f"/login/{step}?next={quote(way_on)}" if step else way_on)
    cookies.give(request, answer, SESSION, token)
    if not step:
        request_origin.remember(request, answer, person, now)
    return answer


@router.get("/login")
def page(request: Request, viewer: MaybeViewer, way_on: Next = "/") -> Response:
    """The login page."""
    if viewer and not viewer.step:
        return seeing(safe(way_on))
    return _login(request, safe(way_on))


@router.post("/login")
def sign_in(request: Request, email: LineOfText, password: Secret, way_on: Annotated[str, Form()] = "/") -> Response:
    """Check the password; begin a session."""
    room = context_of(request)
    with room.home.database.reading() as database:
        person = database.scalar(
            select(Person).where(Person.email == people.address(email), Person.disabled_at.is_(None))
        )
    request_trail.signs_in(person.id if person else "")
    try:
        attempt = limits.count_attempt(room.home, room.clock(), limits.PASSWORD, email, request_origin.of(request))
    except limits.TooSoonError as error:
        return error.with_retry_after(_login(request, safe(way_on), error.detail, 429, email))
    if not room.passwords.fits(person.password_hash if person else None, password) or person is None:
        return _login(request, safe(way_on), _WRONG, 401, email)
    limits.forgive(room.home, attempt)
    if person.password_hash and room.passwords.is_old(person.password_hash):
        with room.home.database.writing() as database:
            database.get_one(Person, person.id).password_hash = room.passwords.hash(password)
    return start(request, person, safe(way_on))


@router.get("/login/code")
def code_page(request: Request, viewer: MaybeViewer, way_on: Next = "/") -> Response:
    """The page that asks for the code."""
    return _code(request, waiting_for(viewer, "code"), way_on)


@router.post("/login/code")
def check_code(
    request: Request, viewer: MaybeViewer, code: TypedCode, way_on: Annotated[str, Form()] = "/"
) -> Response:
    """Check the code; the session is whole then."""
    room, waiting = context_of(request), waiting_for(viewer, "code")
    person = proven(request, waiting, way_on, lambda person: has_code(room, person, code), _WRONG_CODE)
    return person if isinstance(person, Response) else start(request, person, safe(way_on), second_factor=True)


@router.post("/login/recovery")
def recover(
    request: Request, viewer: MaybeViewer, code: TypedRecoveryCode, way_on: Annotated[str, Form()] = "/"
) -> Response:
    """Take a recovery code for a lost authenticator: it lifts the second step; who needs one sets it up anew."""
    room, waiting = context_of(request), waiting_for(viewer, "code")

    def has_recovery_code(person: Person) -> bool:
        with room.home.database.writing() as database:
            return second_step.recover(database, database.get_one(Person, person.id), code, room.clock())

    person = proven(request, waiting, way_on, has_recovery_code, _WRONG_RECOVERY_CODE)
    return person if isinstance(person, Response) else start(request, person, "/account?note=recovery")


@router.get("/login/enroll")
def enroll_page(request: Request, viewer: MaybeViewer, way_on: Next = "/") -> Response:
    """The page that sets up an authenticator before the first sign-in is whole."""
    waiting = waiting_for(viewer, "enroll")
    return enrollment(request, waiting.email, credentials.authenticator_secret(), "/login/enroll", safe(way_on))


@router.post("/login/enroll")
def enroll(
    request: Request,
    viewer: MaybeViewer,
    code: TypedCode,
    secret: Annotated[str, Form(pattern=r"^[A-Z2-7]{32}$")],
    way_on: Annotated[str, Form()] = "/",
) -> Response:
    """Keep the authenticator's secret once a code shows that it was read."""
    waiting = waiting_for(viewer, "enroll")
    person = enrolled(request, waiting, secret, code, first=True)
    if person is None:
        return enrollment(request, waiting.email, secret, "/login/enroll", safe(way_on), _WRONG_CODE)
    return start(request, person, safe(way_on), second_factor=True)


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    token = cookies.read(request, SESSION)
    if token:
        context_of(request).sessions.end(token, context_of(request).clock())
    answer = seeing("/login", "signed-out")
    return left(request, answer)


def left(request: Request, answer: Response) -> Response:
    """An answer after which the browser is signed out and keeps nothing of the room."""
    for cookie in (SESSION, GUEST):  # the device stays known: that lets nobody in
        cookies.take(request, answer, cookie)
    answer.headers.update(cookies.LEAVING)
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
    picture = segno.make(credentials.authenticator_link(secret, email), error="m")
    return render(
        request,
        "auth/enroll.html",
        status if error else 200,
        picture=picture.svg_data_uri(scale=5, border=3, light="#fff"),
        secret=secret,
        action=action,
        way_on=way_on,
        error=error,
        asks=asks,
    )


def enrolled(request: Request, viewer: Viewer, secret: str, code: str, first: bool = False) -> Person | None:
    """Keep an authenticator's secret if the code is its own.

    Parameters
    ----------
    first: that the account must have none yet: whoever has only the password sets up no other one in its place.
    """
    room = context_of(request)
    now = room.clock()
    if not room.codes.fits(viewer.person_id, secret, code, now):
        return None
    with room.home.database.writing() as database:
        person: Person = database.get_one(Person, viewer.person_id)
        if first and accounts.has_second_step(database, person.id):
            raise SignInError("code")
        second_step.enroll(database, person, credentials.closed(room.home, secret), secret, now)
        return person


def has_code(room: Context, person: Person, code: str) -> bool:
    """Whether this is a code of somebody's authenticator, not used yet; never where there is none."""
    if not person.totp_secret:
        return False
    return room.codes.fits(person.id, credentials.opened(room.home, person.totp_secret), code, room.clock())


def proven(
    request: Request, viewer: Viewer, way_on: str, proves: Callable[[Person], bool], wrong: str
) -> Person | Response:
    """The account's owner where ``proves`` accepts the code, else the page that asks again; guesses are counted."""
    room = context_of(request)
    try:
        attempt = limits.count_attempt(room.home, room.clock(), limits.CODE, viewer.email, request_origin.of(request))
    except limits.TooSoonError as error:
        return error.with_retry_after(_code(request, viewer, way_on, error.detail, 429))
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
    if not proves(person):
        return _code(request, viewer, way_on, wrong, 401)
    limits.forgive(room.home, attempt)
    return person


def _code(request: Request, viewer: Viewer, way_on: str, error: str = "", status: int = 200) -> Response:
    """The page that asks for the code; it says when the second step is lifted, where that was asked for."""
    here = relying_party.of(request)
    with context_of(request).home.database.reading() as database:
        lift = accounts.open_lift(database, viewer.person_id)
        takes_code = bool(database.get_one(Person, viewer.person_id).totp_secret)
        names = {passkey.rp_id for passkey in passkeys.of(database, viewer.person_id)}
    return render(
        request,
        "auth/code.html",
        status,
        way_on=safe(way_on),
        error=error,
        lift=lift,
        due=second_step.due(lift),
        takes_code=takes_code,
        takes_passkey=here is not None and here.rp_id in names,
        elsewhere=sorted(names - ({here.rp_id} if here else set())),
    )


def _login(request: Request, way_on: str, error: str = "", status: int = 200, email: str = "") -> Response:
    sso = context_of(request).oidc is not None
    return render(request, "auth/login.html", status, way_on=way_on, error=error, email=email, sso=sso)


def waiting_for(viewer: Viewer | None, step: str) -> Viewer:
    """Return who has signed in but for this step.

    Raises
    ------
    SignInError: nobody has, or another step is missing.
    """
    if viewer is None or viewer.step != step:
        raise SignInError(viewer.step if viewer else "")
    request_trail.signs_in(viewer.person_id)
    return viewer
