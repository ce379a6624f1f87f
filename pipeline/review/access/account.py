"""A person's own account: password, authenticator, and everywhere signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from pipeline.review.access import limits, login
from pipeline.review.access.secrecy import authenticator_secret, objection
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
    return login.enrollment(request, viewer.email, authenticator_secret(), "/account/second-step")


@router.post("/account/second-step")
def enroll(
    request: Request,
    viewer: SignedIn,
    code: login.Code,
    secret: Annotated[str, Form(pattern=r"^[A-Z2-7]{32}$")],
) -> Response:
    """Keep the authenticator's secret once a code shows that it was read."""
    if login.enrolled(request, viewer, secret, code) is None:
        error = "This code is not right. Wait for the next one."
        return login.enrollment(request, viewer.email, secret, "/account/second-step", error=error)
    return seeing("/account", "second-factor")


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
    state = request.app.state
    account, address = f"password {viewer.person_id}", request.client.host if request.client else ""
    if not limits.counted(state.home, state.clock(), account, address):
        return _page(request, viewer, "There were too many attempts. Wait a quarter of an hour.", 429)
    with state.home.database.reading() as database:
        stored = database.get_one(Person, viewer.person_id).password_hash
    if not state.passwords.fits(stored, current):
        return _page(request, viewer, "The current password is not right.", 422)
    limits.forgiven(state.home, account)
    return None


def _page(request: Request, viewer: SignedIn, error: str = "", status: int = 200) -> Response:
    with request.app.state.home.database.reading() as database:
        has_code = database.get_one(Person, viewer.person_id).totp_secret is not None
    return render(request, "access/account.html", status, me=viewer, has_code=has_code, error=error)
