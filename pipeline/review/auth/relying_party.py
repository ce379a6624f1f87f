"""The room as a passkey knows it: by its name, under one of its own addresses. What a passkey signs is checked here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import webauthn
from fastapi import Request
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from pipeline.review.auth.credentials import ISSUER
from pipeline.review.context import context_of
from pipeline.tapes.db.records import Passkey, Person
from pipeline.tapes.passkeys import CHALLENGE_LASTS

_FAULTS = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What a malformed answer raises."""


@dataclass(frozen=True)
class RelyingParty:
    """The room under one of its names.

    ``rp_id``: the name, which passkeys are bound to. ``origins``: the addresses of pages that may ask for one.
    """

    rp_id: str
    origins: tuple[str, ...]

    def creation(self, person: Person, passkeys: Sequence[Passkey]) -> tuple[str, str]:
        """Return the options for making a passkey, in JSON, and the challenge in them."""
        options = webauthn.generate_registration_options(
            rp_id=self.rp_id,
            rp_name=ISSUER,
            user_id=person.id.encode(),
            user_name=person.email,
            user_display_name=person.name,
            timeout=CHALLENGE_LASTS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,  # the password has said already who it is
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=self._descriptors(passkeys),
        )
        return webauthn.options_to_json(options), bytes_to_base64url(options.challenge)

    def assertion(self, passkeys: Sequence[Passkey]) -> tuple[str, str]:
        """Return the options for signing with one of these passkeys, in JSON, and the challenge in them."""
        options = webauthn.generate_authentication_options(
            rp_id=self.rp_id,
            timeout=CHALLENGE_LASTS,
            allow_credentials=self._descriptors(passkeys),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return webauthn.options_to_json(options), bytes_to_base64url(options.challenge)

    def created(self, answer: str, challenge: str, person_id: str, name: str, now: int) -> Passkey | None:
        """Return the passkey that an answer holds; None where it was not made here, for this challenge."""
        if not challenge:
            return None
        try:
            checked = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self.rp_id,
                expected_origin=list(self.origins),
            )
        except _FAULTS:
            return None
        return Passkey(
            person_id=person_id,
            credential_id=bytes_to_base64url(checked.credential_id),
            public_key=bytes_to_base64url(checked.credential_public_key),
            sign_count=checked.sign_count,
            rp_id=self.rp_id,
            name=name,
            made_at=now,
        )

    def signed(self, answer: str, challenge: str, passkey: Passkey) -> int | None:
        """Return how often a passkey has signed; None where it did not sign this challenge, here, as its next."""
        if not challenge or passkey.rp_id != self.rp_id:
            return None
        try:
            checked = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self.rp_id,
                expected_origin=list(self.origins),
                credential_public_key=base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
            )
        except _FAULTS:
            return None
        return checked.new_sign_count

    def _descriptors(self, passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
        here = (passkey for passkey in passkeys if passkey.rp_id == self.rp_id)
        return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id)) for passkey in here]


def of(request: Request) -> RelyingParty | None:
    """Return the room as the request's address names it; None for an IP address, which no passkey can be bound to."""
    name = request.url.hostname or ""
    origins = tuple(sorted(origin for origin in context_of(request).origins if urlsplit(origin).hostname == name))
    return RelyingParty(name, origins) if origins and not _is_ip(name) else None


def named_address(request: Request) -> str:
    """Return an address of the room with a name in place of an IP address; "" where it has none."""
    named = (origin for origin in sorted(context_of(request).origins) if not _is_ip(urlsplit(origin).hostname or ""))
    return next(named, "")


def credential_of(answer: str) -> str:
    """Return the id of the credential that an answer is from; "" where it says none."""
    try:
        credential_id = json.loads(answer)["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return credential_id if isinstance(credential_id, str) else ""


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
