"""Signing in with an organization: OpenID Connect, by the authorization code flow with PKCE, through Authlib.

Only people who were invited come in: the organization says who somebody is (a verified e-mail address), the room says
whether that person has an account. Coaches and administrators still take the second step.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select
from starlette.exceptions import HTTPException

from pipeline.errors import ReviewError
from pipeline.review.access import cookies, login
from pipeline.review.access.cookies import GUEST
from pipeline.review.pages import render
from pipeline.settings import ReviewSettings
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.records import Person

router = APIRouter()

_LASTS, _MOST = 10 * MINUTE, 1000
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_REFUSED = "You could not be signed in this way. Ask your administrator whether you are invited with this address."


@dataclass(frozen=True)
class Pending:
    """A sign-in on its way: bound to the browser that began it."""

    guest: str
    nonce: str
    verifier: str
    way_on: str
    until: int


@dataclass
class Provider:
    """The organization's issuer; its description is fetched when it is first needed."""

    issuer: str
    client_id: str
    secret: str
    redirect: str
    _pending: dict[str, Pending] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, guest: str, way_on: str, now: int) -> str:
        """Where to send the browser."""
        nonce, verifier = generate_token(32), generate_token(48)
        with self._client() as client:
            address, state = client.create_authorization_url(
                self._described()["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        with self._lock:
            self._pending = {key: one for key, one in self._pending.items() if one.until > now}
            if len(self._pending) < _MOST:
                self._pending[state] = Pending(guest, nonce, verifier, way_on, now + _LASTS)
        return str(address)

    def finish(self, guest: str, state: str, code: str, now: int) -> tuple[str, str]:
        """The verified e-mail address of who came back, and where to go on.

        Raises
        ------
        ReviewError: R05 the answer does not belong to this browser, or is not the issuer's.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or pending.until <= now or not secrets.compare_digest(pending.guest, guest):
            raise _refusal("belongs to another browser, or came too late")
        described = self._described()
        try:
            with self._client() as client:
                given = client.fetch_token(described["token_endpoint"], code=code, code_verifier=pending.verifier)
            keys = KeySet.import_key_set(self._get(described["jwks_uri"]))  # type: ignore[arg-type]
            claims: dict[str, Any] = jwt.decode(given["id_token"], keys, algorithms=_ALGORITHMS).claims
            wanted = {"iss": self.issuer, "aud": self.client_id, "nonce": pending.nonce}
            rules = {name: {"essential": True, "value": value} for name, value in wanted.items()}
            jwt.JWTClaimsRegistry(now // 1000, 60, exp={"essential": True}, **rules).validate(claims)  # type: ignore[arg-type]
        except (OAuthError, JoseError, httpx.HTTPError, KeyError, ValueError) as error:
            raise _refusal("is not what the organization should send") from error
        if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
            raise _refusal("names no verified e-mail address")
        return claims["email"].lower(), pending.way_on

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            client_id=self.client_id,
            client_secret=self.secret,
            scope="openid email",
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            timeout=10,
        )

    def _described(self) -> dict[str, Any]:
        described = self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self.issuer:
            raise _refusal("is another issuer's")
        return described

    def _get(self, address: str) -> dict[str, Any]:
        if urlsplit(address).scheme != "https" and urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
            raise _refusal("names an address without TLS")
        try:
            found: dict[str, Any] = httpx.get(address, timeout=10).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise _refusal("cannot be had: the organization's server does not answer") from error
        return found


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


@router.get("/oidc/start")
def start(request: Request, way_on: login.Next = "/") -> Response:
    """Go to the organization."""
    state = request.app.state
    if state.oidc is None:
        raise HTTPException(404)
    guest = cookies.read(request, GUEST) or request.state.fresh_guest or ""
    answer = RedirectResponse(state.oidc.begin(guest, login.safe(way_on), state.clock()), 303)
    cookies.give(request, answer, GUEST, guest)
    return answer


@router.get("/oidc/back")
def back(
    request: Request,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Come back from the organization."""
    room = request.app.state
    if room.oidc is None:
        raise HTTPException(404)
    try:
        email, way_on = room.oidc.finish(cookies.read(request, GUEST) or "", state, code, room.clock())
    except ReviewError:
        email, way_on = "", "/"
    with room.home.database.reading() as database:
        person = database.scalar(select(Person).where(Person.email == email, Person.disabled_at.is_(None)))
    if person is None:
        return render(request, "access/login.html", 401, way_on=way_on, error=_REFUSED, email="", sso=True)
    return login.start(request, person, way_on)


def _refusal(value: str) -> ReviewError:
    return ReviewError("R05", "the organization's answer", value, "sign in once more")
