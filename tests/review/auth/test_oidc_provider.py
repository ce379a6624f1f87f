"""The organization's issuer: asked seldom, over TLS, with keys that change."""

from __future__ import annotations

import pytest
from joserfc.jwk import RSAKey

from pipeline.review.auth.oidc_provider import Provider
from pipeline.tapes.clock import MINUTE
from tests.review.attacks.test_13_anonymous_floods import DESCRIPTION
from tests.review.auth.test_oidc import Issuer, back, begun, way
from tests.review.auth.test_oidc import browser as browser
from tests.review.auth.test_oidc import issuer as issuer
from tests.review.conftest import ADDRESS, Browser, Room


def test_a_silent_organization_is_asked_once_in_a_while(room: Room, issuer: Issuer, browser: Browser) -> None:
    issuer.silent = True
    for _ in range(20):
        assert browser.get("/oidc/start").status_code >= 400
    assert issuer.requests == [DESCRIPTION]
    issuer.silent = False
    room.clock.advance(MINUTE)
    assert browser.get("/oidc/start").status_code == 303


def test_a_new_key_of_the_organization_is_fetched_when_it_is_first_used(
    room: Room, issuer: Issuer, browser: Browser
) -> None:
    room.person("Ada")
    assert way(browser, issuer).status_code == 303
    old, issuer.key = issuer.key, RSAKey.generate_key(2048, {"kid": "new"})
    issuer.signing = issuer.key
    try:
        room.clock.advance(MINUTE)
        assert way(room.browser(), issuer).status_code == 303
        issuer.signing = old
        assert way(room.browser(), issuer).status_code == 401
    finally:
        issuer.key = old


@pytest.mark.parametrize("address", ["http://tokens.example/token", "ftp://127.0.0.2/token", "", "tokens.example"])
def test_the_secret_goes_to_no_address_without_tls(room: Room, issuer: Issuer, browser: Browser, address: str) -> None:
    room.person("Ada")
    asked = begun(browser)
    room.app.state.context.oidc = Provider(issuer.address, "room", "s3cret", f"{ADDRESS}/oidc/back")  # asks anew
    issuer.token_endpoint = address or "//"
    assert back(browser, issuer, asked).status_code == 401
    assert room.browser().get("/oidc/start").status_code >= 400
