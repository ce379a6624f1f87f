"""A person's own account: password, second step, where one is signed in, and what others did to the account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import update
from starlette.exceptions import HTTPException

from pipeline.review.auth import limits, login, oidc, relying_party, request_origin
from pipeline.review.auth.credentials import authenticator_secret, objection
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, Secret
from pipeline.review.templating import render, seeing
from pipeline.speech import recommendation
from pipeline.tapes import accounts, audit_log, passkeys, request_trail, second_step
from pipeline.tapes.db.records import Notice, Person

router = APIRouter()


@router.get("/account")
def page(request: Request, viewer: SignedIn) -> Response:
    """The account page."""
    return account_page(request, viewer)


@router.post("/account/password")
def change(
    request: Request,
    viewer: SignedIn,
    current: Secret,
    password: Secret,
    again: Annotated[str, Form(max_length=1024)],
) -> Response:
    """Change the password; other sessions end, and open links to the account stop working."""
    room = context_of(request)
    now = room.clock()
    if refused := _password_refused(request, viewer, current):
        return refused
    error = "" if password == again else "The two new passwords are not the same."
    if error := error or objection(password, viewer.name, viewer.email):
        return account_page(request, viewer, error, 422)
    hashed = room.passwords.hash(password)
    with room.home.database.writing() as database:
        person = database.get_one(Person, viewer.person_id)
        person.password_hash = hashed
        accounts.void_links(database, person.id, now)
        accounts.end_sessions(database, person.id)
        request_origin.forget(database, person.id)
        audit_log.record(database, now, person.id, "login.password")
    answer = login.start(request, person, "/", second_factor=viewer.second_factor)
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
    code: login.TypedCode,
    secret: Annotated[str, Form(pattern=r"^[A-Z2-7]{32}$")],
    current: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Keep the authenticator's secret once a code shows that it was read; other sessions end."""
    room = context_of(request)
    if refused := proof_refused(request, viewer, current, required_proof(request, viewer)):
        return _enrollment(request, viewer, secret, *refused)
    person = login.enrolled(request, viewer, secret, code)
    if person is None:
        return _enrollment(request, viewer, secret, "This code is wrong. Wait for the next one.")
    room.sessions.end_all(viewer.person_id)
    answer = login.start(request, person, "/", second_factor=True)
    answer.headers["location"] = "/account?note=second-factor"
    return answer


@router.post("/account/second-step/remove")
def unenroll(request: Request, viewer: SignedIn, current: Secret) -> Response:
    """Do without the second step, where it is not required."""
    room = context_of(request)
    if viewer.must_have_code:
        return account_page(request, viewer, "Coaches and administrators must sign in with a second step.", 422)
    if refused := _password_refused(request, viewer, current):
        return refused
    with room.home.database.writing() as database:
        if accounts.needs_second_step(database, viewer.person_id, room.clock()):  # since a moment ago
            raise HTTPException(409, "Your second step is set up. Reload the page.")
        second_step.remove(database, database.get_one(Person, viewer.person_id))
        audit_log.record(database, room.clock(), viewer.person_id, "login.unenroll")
    return seeing("/account", "saved")


@router.post("/account/second-step/keep")
def keep(request: Request, viewer: SignedIn) -> Response:
    """Stop the lifting of the own second step that an administrator asked for."""
    room = context_of(request)
    with room.home.database.writing() as database:
        second_step.stop_lifting(database, viewer.person_id, room.clock(), viewer.person_id)
    return seeing("/account", "lift-stopped")


@router.post("/account/recovery-codes")
def recovery_codes(request: Request, viewer: SignedIn, current: Annotated[str, Form(max_length=1024)] = "") -> Response:
    """Make new recovery codes for the second step, and show them this once."""
    room = context_of(request)
    proof = required_proof(request, viewer)
    with room.home.database.reading() as database:
        enrolled = accounts.has_second_step(database, viewer.person_id)
    if not enrolled:
        return account_page(request, viewer, "Set up the second step first.", 422)
    if refused := proof_refused(request, viewer, current, proof):
        return account_page(request, viewer, *refused)
    with room.home.database.writing() as database:
        codes = second_step.recovery_codes(database, viewer.person_id, room.clock())
    return render(request, "auth/recovery.html", codes=codes, address=room.reach.address or room.address)


@router.post("/account/organization/forget")
def forget_organization(request: Request, viewer: SignedIn, current: Secret) -> Response:
    """Take off the organization's account that signs in; the next one with the same address takes its place."""
    room = context_of(request)
    if refused := _password_refused(request, viewer, current):
        return refused
    with room.home.database.writing() as database:
        if bound := oidc.identity(database, viewer.person_id):
            database.delete(bound)
            audit_log.record(database, room.clock(), viewer.person_id, "login.unbind")
    return seeing("/account", "saved")


@router.post("/account/notices")
def read_notices(request: Request, viewer: SignedIn) -> Response:
    """Note that what others did to the account was read; it stays on the account page."""
    room = context_of(request)
    unseen = update(Notice).where(Notice.person_id == viewer.person_id, Notice.seen_at.is_(None))
    with room.home.database.writing() as database:
        database.execute(unseen.values(seen_at=room.clock()))
    return seeing("/account", "saved")


@router.post("/account/sessions/{session_id}/end")
def end_session(request: Request, viewer: SignedIn, session_id: Id) -> Response:
    """End one of the own sessions; another person's does not exist."""
    room = context_of(request)
    if not room.sessions.end_one(viewer.person_id, session_id, room.clock()):
        raise HTTPException(404)
    if session_id == viewer.session_id:
        return login.left(request, seeing("/login", "signed-out"))
    return seeing("/account", "session-ended")


@router.post("/account/sign-out-everywhere")
def everywhere(request: Request, viewer: SignedIn) -> Response:
    """End every session of this person; open links to the account stop working, too."""
    room = context_of(request)
    with room.home.database.writing() as database:
        accounts.end_sessions(database, viewer.person_id)
        accounts.void_links(database, viewer.person_id, room.clock())
        audit_log.record(database, room.clock(), viewer.person_id, "logout.everywhere")
    return login.left(request, seeing("/login", "signed-out"))


def _password_refused(request: Request, viewer: Viewer, current: str) -> Response | None:
    """The page that refuses a current password, if it is not right; guesses are counted."""
    refused = proof_refused(request, viewer, current, "password")
    return account_page(request, viewer, *refused) if refused else None


def proof_refused(request: Request, viewer: SignedIn, current: str, proof: str) -> tuple[str, int] | None:
    """Return the sentence and the status for somebody who is not the account's owner; guesses are counted.

    Parameters
    ----------
    current: what was typed. proof: what that should be: "password", "code", or nothing (then nobody is doubted).

    Raises
    ------
    TooSoonError: it comes too early after wrong ones.
    """
    room = context_of(request)
    if not proof:
        return None
    rule = limits.CODE if proof == "code" else limits.PASSWORD
    attempt = limits.count_attempt(room.home, room.clock(), rule, viewer.email, request_origin.of(request))
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
    if proof == "code":
        if not login.has_code(room, person, current):
            request_trail.refuse("code")
            return "The code from your authenticator is wrong, or it was already used. Wait for the next one.", 422
    elif not room.passwords.fits(person.password_hash, current):
        request_trail.refuse("password")
        return "The current password is wrong.", 422
    limits.forgive(room.home, attempt)
    return None


def required_proof(request: Request, viewer: SignedIn) -> str:
    """Return the proof that a new authenticator requires besides its own code.

    The password; the current authenticator's code, where the account has no password because it signs in through the
    organization; nothing where it has neither.
    """
    with context_of(request).home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
    return "password" if person.password_hash else "code" if person.totp_secret else ""


def _enrollment(request: Request, viewer: SignedIn, secret: str, error: str = "", status: int = 401) -> Response:
    asks = required_proof(request, viewer)
    return login.enrollment(
        request, viewer.email, secret, "/account/second-step", error=error, status=status, asks=asks
    )


def account_page(request: Request, viewer: Viewer, error: str = "", status: int = 200) -> Response:
    """Show the account page, with what went wrong."""
    room = context_of(request)
    with room.home.database.reading() as database:
        lift = accounts.open_lift(database, viewer.person_id)
        context = {
            "notices": accounts.notices(database, viewer.person_id),
            "lift": lift,
            "has_code": bool(database.get_one(Person, viewer.person_id).totp_secret),
            "passkeys": passkeys.of(database, viewer.person_id),
            "enrolled": accounts.has_second_step(database, viewer.person_id),
            "due": second_step.due(lift),
            "organization": oidc.identity(database, viewer.person_id) if room.oidc else None,
            "codes_left": second_step.codes_left(database, viewer.person_id),
            "engines": recommendation.in_use(room.settings),
        }
    return render(
        request,
        "auth/account.html",
        status,
        me=viewer,
        asks=required_proof(request, viewer),
        here=relying_party.of(request),
        named=relying_party.named_address(request),
        sessions=room.sessions.of(viewer.person_id, room.clock()),
        error=error,
        **context,
    )
