"""Signing in with an organization, against a small issuer on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from pipeline.review.auth.oidc_provider import Provider
from tests.review.conftest import ADDRESS, Browser, Room


class Issuer:
    """Issues tokens for whom a test names; ``claims`` changes what they say."""

    def __init__(self) -> None:
        self.key, self.claims, self.asked = RSAKey.generate_key(2048, {"kid": "k"}), {}, {}  # type: ignore[var-annotated]
        self.signing, self.requests, self.silent, self.token_endpoint = self.key, [], False, ""  # type: ignore[var-annotated]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(
                    outer.described() if "well-known" in self.path else {"keys": [outer.key.as_dict(private=False)]}
                )

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                outer.asked = {name: values[0] for name, values in form.items()}
                self._send({"access_token": "a", "token_type": "bearer", "id_token": outer.token()})

            def _send(self, content: dict[str, Any]) -> None:
                outer.requests.append(self.path.rpartition("/")[2])
                body = json.dumps(content).encode()
                self.send_response(503 if outer.silent else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def described(self) -> dict[str, str]:
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        described = {"issuer": self.address} | {name: f"{self.address}/{name}" for name in names}
        return described | ({"token_endpoint": self.token_endpoint} if self.token_endpoint else {})

    def token(self) -> str:
        claims = {"iss": self.address, "aud": "room", "exp": int(time.time()) + 300, "sub": "1"} | self.claims
        return jwt.encode({"alg": "RS256", "kid": str(self.signing.kid)}, claims, self.signing)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def browser(room: Room, issuer: Issuer) -> Browser:
    room.clock.time = int(time.time() * 1000)
    room.app.state.context.oidc = Provider(issuer.address, "room", "s3cret", f"{ADDRESS}/oidc/back")
    issuer.signing, issuer.silent, issuer.token_endpoint = issuer.key, False, ""
    issuer.requests.clear()
    return room.browser()


def begun(browser: Browser) -> dict[str, str]:
    """Go to the organization; what it is asked."""
    sent = browser.get("/oidc/start", params={"next": "/account"})
    assert sent.status_code == 303
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    return asked


def back(browser: Browser, issuer: Issuer, asked: dict[str, str], **claims: object):
    """Come back from the organization, which says what the claims say."""
    issuer.claims = {"nonce": asked["nonce"], "email": "Ada@example.org", "email_verified": True} | claims
    return browser.get("/oidc/back", params={"state": asked["state"], "code": "c"})


def way(browser: Browser, issuer: Issuer, **claims: object):
    """Go to the organization and come back."""
    return back(browser, issuer, begun(browser), **claims)


def test_who_is_invited_comes_in(room: Room, issuer: Issuer, browser: Browser) -> None:
    room.person("Ada", room.group())
    assert "/oidc/start" in browser.get("/login").text
    answer = way(browser, issuer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert issuer.asked["code_verifier"]
    assert "Ada" in browser.get("/account").text


def test_coaches_still_take_the_second_step(room: Room, issuer: Issuer, browser: Browser) -> None:
    room.person("Ada", room.group(), role="coach")
    assert way(browser, issuer).headers["location"].startswith("/login/enroll")


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.org"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"nonce": "another"},
        {"aud": "another room"},
        {"iss": "https://evil.example"},
        {"exp": 1},
    ],
)
def test_others_do_not(room: Room, issuer: Issuer, browser: Browser, claims: dict[str, object]) -> None:
    room.person("Ada")
    answer = way(browser, issuer, **claims)
    assert answer.status_code == 401
    assert "could not sign in" in answer.text
    assert browser.get("/account").status_code == 303


def test_a_token_that_another_signed_is_refused(room: Room, issuer: Issuer, browser: Browser) -> None:
    room.person("Ada")
    issuer.signing = RSAKey.generate_key(2048, {"kid": "k"})
    assert way(browser, issuer).status_code == 401


def test_an_answer_belongs_to_the_browser_that_asked_and_works_once(
    room: Room, issuer: Issuer, browser: Browser
) -> None:
    room.person("Ada")
    sent = browser.get("/oidc/start")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    issuer.claims = {"nonce": asked["nonce"], "email": "ada@example.org", "email_verified": True}
    back = {"state": asked["state"], "code": "c"}
    other = room.browser()
    other.get("/login")
    assert other.get("/oidc/back", params=back).status_code == 401
    assert browser.get("/oidc/back", params=back).status_code == 303  # the other has used nothing up
    browser.post("/logout")
    assert browser.get("/oidc/back", params=back).status_code == 401


def test_without_the_setting_there_is_no_such_page(room: Room) -> None:
    assert room.browser().get("/oidc/start").status_code == 404
    assert "/oidc" not in room.browser().get("/login").text
