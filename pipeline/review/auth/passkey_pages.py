"""Passkeys: made and removed on the account page, and used in place of an authenticator's code to sign in.

A device signs a challenge that this session asked for; it works once and for some minutes. A wrong answer counts as a
wrong code does.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline.review.auth import login, relying_party
from pipeline.review.auth.account import account_page, proof_refused, required_proof
from pipeline.review.auth.current_user import MaybeViewer, SignedIn
from pipeline.review.auth.relying_party import RelyingParty
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, LineOfText
from pipeline.review.templating import seeing
from pipeline.tapes import accounts, audit_log, passkeys, request_trail, second_step
from pipeline.tapes.db.records import Passkey, Person

router = APIRouter()

Answer = Annotated[str, Form(max_length=16_384)]
"""What the browser got from the device, in JSON; "" where no script ran."""

Current = Annotated[str, Form(max_length=1024)]

_WRONG = "The passkey was not accepted. Try again, or use another way."
_NOT_MADE = "The passkey could not be added. Try again."
_PROOF_FIRST = "Set up an authenticator first. Your account has no password, so its code must show that it is you."
_LAST = "Coaches and administrators must sign in with a second step. Set up another one, then remove this passkey."


@router.post("/login/passkey/challenge")
def sign_in_challenge(request: Request, viewer: MaybeViewer) -> Response:
    """Answer with a challenge for a passkey to sign in with, as the browser takes it."""
    room, waiting, here = context_of(request), login.waiting_for(viewer, "code"), _here(request)
    with room.home.database.writing() as database:
        options, challenge = here.assertion(passkeys.of(database, waiting.person_id))
        passkeys.challenge(database, waiting.session_id, challenge, room.clock())
    return _json(options)


@router.post("/login/passkey")
def sign_in(
    request: Request, viewer: MaybeViewer, answer: Answer = "", way_on: Annotated[str, Form()] = "/"
) -> Response:
    """Check what the passkey signed; the session is whole then."""
    room, waiting, here = context_of(request), login.waiting_for(viewer, "code"), relying_party.of(request)

    def has_signed(person: Person) -> bool:
        with room.home.database.writing() as database:
            challenge = passkeys.take_challenge(database, waiting.session_id, room.clock())
            passkey = passkeys.with_credential(database, person.id, relying_party.credential_of(answer))
            count = here.signed(answer, challenge, passkey) if here and passkey else None
            if passkey is None or count is None:
                return False
            passkeys.note_use(passkey, count, room.clock())
            return True

    person = login.proven(request, waiting, way_on, has_signed, _WRONG)
    if isinstance(person, Response):
        return person
    return login.start(request, person, login.safe(way_on), second_factor=True)


@router.post("/account/passkeys/challenge")
def creation_challenge(request: Request, viewer: SignedIn) -> Response:
    """Answer with a challenge for a new passkey, as the browser takes it."""
    room, here = context_of(request), _here(request)
    with room.home.database.writing() as database:
        person = database.get_one(Person, viewer.person_id)
        options, challenge = here.creation(person, passkeys.of(database, person.id))
        passkeys.challenge(database, viewer.session_id, challenge, room.clock())
    return _json(options)


@router.post("/account/passkeys")
def add(request: Request, viewer: SignedIn, name: LineOfText, answer: Answer = "", current: Current = "") -> Response:
    """Add a passkey; other sessions end."""
    room = context_of(request)
    now = room.clock()
    proof = required_proof(request, viewer)
    if not proof:
        return account_page(request, viewer, _PROOF_FIRST, 422)
    with room.home.database.writing() as database:  # before the proof: a challenge is used up by whatever comes
        challenge = passkeys.take_challenge(database, viewer.session_id, now)
    if refused := proof_refused(request, viewer, current, proof):
        return account_page(request, viewer, *refused)
    here = relying_party.of(request)
    passkey = here.created(answer, challenge, viewer.person_id, name, now) if here else None
    if passkey is None or not _is_added(request, passkey):
        request_trail.refuse("passkey")
        return account_page(request, viewer, _NOT_MADE, 422)
    room.sessions.end_all(viewer.person_id)
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
    done = login.start(request, person, "/", second_factor=True)
    done.headers["location"] = "/account?note=passkey"
    return done


@router.post("/account/passkeys/{passkey_id}/remove")
def remove(request: Request, viewer: SignedIn, passkey_id: Id, current: Current = "") -> Response:
    """Remove one of the own passkeys; another person's does not exist."""
    room = context_of(request)
    with room.home.database.reading() as database:
        _of_viewer(database.get(Passkey, passkey_id), viewer.person_id)
    if refused := proof_refused(request, viewer, current, required_proof(request, viewer)):
        return account_page(request, viewer, *refused)
    with room.home.database.writing() as database:
        passkey = _of_viewer(database.get(Passkey, passkey_id), viewer.person_id)
        person = database.get_one(Person, viewer.person_id)
        is_last = passkeys.is_last_step(database, person, passkey)
        if is_last and accounts.needs_second_step(database, person.id, room.clock()):
            refused = _LAST, 422
        else:
            passkeys.remove(database, passkey, room.clock())
            if is_last:
                second_step.remove(database, person)
                audit_log.record(database, room.clock(), person.id, "login.unenroll")
    return account_page(request, viewer, *refused) if refused else seeing("/account", "saved")


def _is_added(request: Request, passkey: Passkey) -> bool:
    """Keep a passkey, unless the account has too many or the credential is known; whether it was kept."""
    with context_of(request).home.database.writing() as database:
        is_full = len(passkeys.of(database, passkey.person_id)) >= passkeys.MOST
        if is_full or passkeys.is_known(database, passkey.credential_id):
            return False
        passkeys.add(database, passkey)
    return True


def _of_viewer(passkey: Passkey | None, person_id: str) -> Passkey:
    if passkey is None or passkey.person_id != person_id:
        raise HTTPException(404)
    return passkey


def _here(request: Request) -> RelyingParty:
    here = relying_party.of(request)
    if here is None:
        raise HTTPException(409, "Passkeys work under the room's name, not under a number.")
    return here


def _json(options: str) -> Response:
    return Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})
