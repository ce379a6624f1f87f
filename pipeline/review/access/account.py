"""A person's own account: password, authenticator, and everywhere signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from pipeline.review.access import limits, login
from pipeline.review.access.secrecy import authenticator_secret, objection, opened
from pipeline.review.access.viewer import SignedIn
from pipeline.review.fields import Secret
from pipeline.review.pages import render, seeing
from pipeline.tapes import audit
from pipeline.tapes.records import Person

router = APIRouter()


@router.get("/account")
def page(request: Request, viewer: SignedIn) -> Response:
    """The account page."""
    return _page(request, viewer)


@router.post("/account/password")
def change(
    request: Request,
    viewer: SignedIn,
    current: Secret,
    password: Secret,
    again: Annotated[str, Form(max_length=1024)],
) -> Response:
    """Change the password; other sessions end."""
    state = request.app.state
    now = state.clock()
    if refused := _doubted(request, viewer, current):
        return refused
    error = "" if password == again else "The two new passwords differ."
    if error := error or objection(password, viewer.name, viewer.email):
        return _page(request, viewer, error, 422)
    hashed = state.passwords.hash(password)
    with state.home.database.writing() as database:
        person = database.get_one(Person, viewer.person_id)
        person.password_hash = hashed
        audit.record(database, now, person.id, "login.password")
    state.sessions.end_all(viewer.person_id)
    answer = login.start(request, person, "/", second_factor=True)
    answer.headers["location"] = "/account?note=password"
    return answer


@router.get("/account/second-step")
def enroll_page(request: Request, viewer: SignedIn) -> Response:
    """The page that sets up an authenticator, or a new one."""
    return _enrollment(request, viewer, authenticator_secret())


@router.post("/account/second-step")
def enroll(
    request: Request,
    viewer: SignedIn,
    code: login.Code,
    secret: Annotated[str, Form(pattern=r"^[A-Z2-7]{32}$")],
    current: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Keep the authenticator's secret once a code shows that it was read; other sessions end."""
    state = request.app.state
    if refused := _doubt(request, viewer, current, _asked(request, viewer)):
        return _enrollment(request, viewer, secret, *refused)
    person = login.enrolled(request, viewer, secret, code)
    if person is None:
        return _enrollment(request, viewer, secret, "This code is not right. Wait for the next one.")
    state.sessions.end_all(viewer.person_id)
    answer = login.start(request, person, "/", second_factor=True)
    answer.headers["location"] = "/account?note=second-factor"
    return answer


@router.post("/account/second-step/remove")
def unenroll(request: Request, viewer: SignedIn, current: Secret) -> Response:
    """Do without the second step, where it is not required."""
    state = request.app.state
    if viewer.must_have_code:
        return _page(request, viewer, "Coaches and administrators sign in with a second step.", 422)
    if refused := _doubted(request, viewer, current):
        return refused
    with state.home.database.writing() as database:
        database.get_one(Person, viewer.person_id).totp_secret = None
        audit.record(database, state.clock(), viewer.person_id, "login.unenroll")
    return seeing("/account", "saved")


@router.post("/account/sign-out-everywhere")
def everywhere(request: Request, viewer: SignedIn) -> Response:
    """End every session of this person."""
    request.app.state.sessions.end_all(viewer.person_id)
    return seeing("/login", "signed-out")


def _doubted(request: Request, viewer: SignedIn, current: str) -> Response | None:
    """The page that refuses a current password, if it is not right; guesses are counted."""
    refused = _doubt(request, viewer, current, "password")
    return _page(request, viewer, *refused) if refused else None


def _doubt(request: Request, viewer: SignedIn, current: str, asked: str) -> tuple[str, int] | None:
    """What is said, and the status, where it is not the account's owner who asks; guesses are counted.

    Parameters
    ----------
    current: what was typed. asked: what that should be: "password", "code", or nothing (then nobody is doubted).
    """
    state = request.app.state
    if not asked:
        return None
    account, address = f"password {viewer.person_id}", request.client.host if request.client else ""
    if not limits.counted(state.home, state.clock(), account, address):
        return "There were too many attempts. Wait a quarter of an hour.", 429
    with state.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
    if asked == "code":
        secret = opened(state.home, person.totp_secret or "")
        if not state.codes.fits(person.id, secret, current, state.clock()):
            return "The present authenticator's code is not right, or it was used already. Wait for the next one.", 422
    elif not state.passwords.fits(person.password_hash, current):
        return "The current password is not right.", 422
    limits.forgiven(state.home, account)
    return None


def _asked(request: Request, viewer: SignedIn) -> str:
    """What a new authenticator asks for besides its own code.

    The password; the present authenticator's code, where the account has no password because it signs in through the
    organization; nothing where it has neither.
    """
    with request.app.state.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
    return "password" if person.password_hash else "code" if person.totp_secret else ""


def _enrollment(request: Request, viewer: SignedIn, secret: str, error: str = "", status: int = 401) -> Response:
    asks = _asked(request, viewer)
    return login.enrollment(
        request, viewer.email, secret, "/account/second-step", error=error, status=status, asks=asks
    )


def _page(request: Request, viewer: SignedIn, error: str = "", status: int = 200) -> Response:
    with request.app.state.home.database.reading() as database:
        has_code = database.get_one(Person, viewer.person_id).totp_secret is not None
    return render(request, "access/account.html", status, me=viewer, has_code=has_code, error=error)
