"""The organization's issuer: OpenID Connect by the authorization code flow with PKCE, through Authlib.

What the issuer says of itself and its keys is asked for once an hour, so that who only begins to sign in sends it
nothing. A sign-in on its way is kept by the browser that began it, not here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pipeline.errors import ReviewError
from pipeline.settings import ReviewSettings
from pipeline.tapes import people
from pipeline.tapes.clock import HOUR, MINUTE

LASTS = 10 * MINUTE
"""How long somebody may take at the organization."""

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_SCOPE = "openid email"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_KEPT, _PAUSE = HOUR, MINUTE // 6
"""How long an answer of the issuer holds, and how long it is not asked again after it gave none."""

_WAIT = 3.0
"""Seconds that a request waits for another one that is asking the issuer already."""


@dataclass(frozen=True)
class Pending:
    """A sign-in on its way; the browser that began it brings it back. ``until`` is its last moment."""

    state: str
    nonce: str
    verifier: str
    way_on: str
    until: int


@dataclass(frozen=True)
class Identity:
    """Who came back: the issuer's own name for the person, and the verified e-mail address of today."""

    issuer: str
    subject: str
    email: str


@dataclass
class Provider:
    """The issuer, and what it said last: by address when, and what (None where it gave no answer)."""

    issuer: str
    client_id: str
    secret: str
    redirect: str
    _documents: dict[str, tuple[int, dict[str, Any] | None]] = field(default_factory=dict)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, way_on: str, now: int) -> tuple[str, Pending]:
        """Where to send the browser, and what it is to bring back.

        Raises
        ------
        ReviewError: R05 the issuer cannot be asked, or is not what it should be.
        """
        pending = Pending(generate_token(32), generate_token(32), generate_token(48), way_on, now + LASTS)
        # Without a client, which takes 25 ms to make: strangers may ask for this as often as they like.
        address = prepare_grant_uri(
            self._described(now)["authorization_endpoint"],
            client_id=self.client_id,
            response_type="code",
            redirect_uri=self.redirect,
            scope=_SCOPE,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return str(address), pending

    def finish(self, pending: Pending, code: str, now: int) -> Identity:
        """Who came back with a code.

        Raises
        ------
        ReviewError: R05 what the issuer answers is not what it should be.
        """
        described = self._described(now)
        try:
            with OAuth2Client(
                self.client_id, self.secret, scope=_SCOPE, redirect_uri=self.redirect, timeout=10
            ) as client:
                given = client.fetch_token(described["token_endpoint"], code=code, code_verifier=pending.verifier)
            claims = self._claims(given["id_token"], described["jwks_uri"], now)
            wanted = {"iss": self.issuer, "aud": self.client_id, "nonce": pending.nonce}
            rules = {name: {"essential": True, "value": value} for name, value in wanted.items()}
            jwt.JWTClaimsRegistry(now // 1000, 60, exp={"essential": True}, **rules).validate(claims)  # type: ignore[arg-type]
        except (OAuthError, JoseError, httpx.HTTPError, KeyError, ValueError) as error:
            raise refusal("is not what the organization should send") from error
        subject, email = claims.get("sub"), claims.get("email")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise refusal("does not name a person")
        if claims.get("email_verified") is not True or not isinstance(email, str):
            raise refusal("names no verified e-mail address")
        return Identity(self.issuer, subject, people.address(email))

    def _claims(self, token: str, address: str, now: int) -> dict[str, Any]:
        """Return the claims of a signed token; a key that is not known yet may be a new one of the issuer."""
        try:
            return self._read(token, self._get(address, now))
        except (JoseError, ValueError):
            return self._read(token, self._get(address, now, max_age=MINUTE))

    def _read(self, token: str, keys: dict[str, Any]) -> dict[str, Any]:
        return jwt.decode(token, KeySet.import_key_set(keys), algorithms=_ALGORITHMS).claims  # type: ignore[arg-type]

    def _described(self, now: int) -> dict[str, Any]:
        described = self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", now)
        if described.get("issuer") != self.issuer:
            raise refusal("is another issuer's")
        for name in _ENDPOINTS:
            _require_tls(str(described.get(name, "")))
        return described

    def _get(self, address: str, now: int, max_age: int = _KEPT) -> dict[str, Any]:
        """The issuer's document at an address, fetched again where the last one is older than ``max_age`` ms."""
        _require_tls(address)
        if not self._asking.acquire(timeout=_WAIT):
            raise _silent()
        try:
            at, document = self._documents.get(address, (now - max_age, None))
            if not 0 <= now - at < (max_age if document else _PAUSE):
                document = None
                self._documents[address] = (now, None)
                document = httpx.get(address, timeout=10).raise_for_status().json()
                self._documents[address] = (now, document)
        except (httpx.HTTPError, ValueError) as error:
            raise _silent() from error
        finally:
            self._asking.release()
        if not isinstance(document, dict):
            raise _silent()
        return document


def provider(settings: ReviewSettings, address: str) -> Provider | None:
    """The provider that the settings name; None where they name none."""
    if not settings.oidc_issuer:
        return None
    try:
        secret = Path(settings.oidc_secret_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        value = f"cannot be read ({error.strerror})"
        raise ReviewError("R05", "review.oidc_secret_file", value, "put the client secret there") from error
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, f"{address}/oidc/back")


def refusal(value: str) -> ReviewError:
    """The error for an answer of the organization that lets nobody in."""
    return ReviewError("R05", "the organization's answer", value, "sign in again")


def _silent() -> ReviewError:
    return refusal("is not available: the organization's server does not answer")


def _require_tls(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise refusal("names an address without TLS")
