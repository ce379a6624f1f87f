"""Strangers who begin to sign in, again and again, and accounts of an organization whose address changes hands."""

from __future__ import annotations

import io
import json

import pytest

from pipeline.review.auth import limits
from pipeline.review.auth.oidc import COOKIE
from pipeline.review.auth.oidc_provider import LASTS, Provider
from pipeline.tapes import logs
from pipeline.tapes.clock import HOUR
from pipeline.tapes.db.records import AuditRow, Person
from tests.review.auth.test_oidc import Issuer, back, begun, way
from tests.review.auth.test_oidc import browser as browser
from tests.review.auth.test_oidc import issuer as issuer
from tests.review.conftest import ADDRESS, PASSWORD, Browser, Room

DESCRIPTION = "openid-configuration"


def test_whoever_begins_to_sign_in_sends_the_organization_nothing(room: Room, issuer: Issuer, browser: Browser) -> None:
    for _ in range(20):
        assert room.browser().get("/oidc/start").status_code == 303
    assert issuer.requests == [DESCRIPTION]
    room.clock.advance(HOUR)
    room.browser().get("/oidc/start")
    assert issuer.requests == [DESCRIPTION] * 2


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_s_page_signs_nobody_in(room: Room, issuer: Issuer, browser: Browser, site: str) -> None:
    room.person("Ada")
    sent = browser.get("/oidc/start", params={"next": "/account"}, headers={"Sec-Fetch-Site": site})
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/account")
    assert "set-cookie" not in sent.headers
    assert issuer.requests == []
    for own_site in ("same-origin", "none"):
        assert (
            browser.get("/oidc/start", headers={"Sec-Fetch-Site": own_site})
            .headers["location"]
            .startswith(issuer.address)
        )


def test_an_answer_of_the_organization_that_is_none_stands_in_the_log(
    room: Room, issuer: Issuer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logs._out, "stream", written)
    assert back(browser, issuer, begun(browser), aud="another room").status_code == 401
    entry = json.loads(written.getvalue().splitlines()[-1])
    assert (entry["event"], entry["code"], entry["status"]) == ("request.fail", "TR-R05", 401)
    assert entry["at"].startswith("pipeline.review.auth.oidc_provider:")


def test_a_thousand_who_begin_drop_nobody_s_sign_in(room: Room, issuer: Issuer, browser: Browser) -> None:
    room.person("Ada")
    room.person("Ben")
    before = begun(browser)
    for _ in range(1100):
        room.app.state.context.oidc.begin("/", room.clock())
    ben = room.browser()
    after = begun(ben)
    assert back(browser, issuer, before).status_code == 303
    assert back(ben, issuer, after, sub="2", email="ben@example.org").status_code == 303


def test_a_sign_in_on_its_way_outlives_a_restart(room: Room, issuer: Issuer, browser: Browser) -> None:
    room.person("Ada")
    asked, cookie = begun(browser), browser.client.cookies[COOKIE]
    other = Room(room.home, room.clock)
    other.app.state.context.oidc = Provider(issuer.address, "room", "s3cret", f"{ADDRESS}/oidc/back")
    again = other.browser()
    again.client.cookies.set(COOKIE, cookie)
    assert back(again, issuer, asked).status_code == 303


def test_what_the_browser_keeps_tells_it_nothing_and_cannot_be_changed(
    room: Room, issuer: Issuer, browser: Browser
) -> None:
    room.person("Ada")
    asked, cookie = begun(browser), browser.client.cookies[COOKIE]
    assert asked["nonce"] not in cookie
    for changed in ("", "x", cookie[:-4], cookie[:40] + ("A" if cookie[40] != "A" else "B") + cookie[41:]):
        browser.client.cookies.clear()
        browser.client.cookies.set(COOKIE, changed)
        assert back(browser, issuer, asked).status_code == 401
    browser.client.cookies.clear()
    browser.client.cookies.set(COOKIE, cookie)
    assert back(browser, issuer, asked | {"state": "another"}).status_code == 401
    assert "token_endpoint" not in issuer.requests  # nothing of all this reached the organization


@pytest.mark.parametrize(("later", "status"), [(LASTS - 1, 303), (LASTS, 401), (-1, 401)])
def test_a_sign_in_is_on_its_way_for_ten_minutes(
    room: Room, issuer: Issuer, browser: Browser, later: int, status: int
) -> None:
    room.person("Ada")
    asked, cookie = begun(browser), browser.client.cookies[COOKIE]
    room.clock.advance(later)
    browser.client.cookies.set(COOKIE, cookie)
    assert back(browser, issuer, asked, exp=room.clock() // 1000 + 300).status_code == status


def test_answers_that_let_nobody_in_are_slowed_down(room: Room, issuer: Issuer, browser: Browser) -> None:
    most = limits.ORGANIZATION.from_address
    statuses = [way(browser, issuer, nonce="another").status_code for _ in range(most + 1)]
    assert statuses == [401] * most + [429]
    assert issuer.requests.count("token_endpoint") == most


def test_an_address_that_changes_hands_at_the_organization_opens_nobody_s_account(
    room: Room, issuer: Issuer, browser: Browser
) -> None:
    ada = room.person("Ada", room.group())
    assert way(browser, issuer, sub="ada-7").status_code == 303
    other = room.browser()
    refused = way(other, issuer, sub="another")
    assert refused.status_code == 401
    assert "is linked to another account of your organization" in refused.text
    assert other.get("/account").status_code == 303
    again = room.browser()
    assert way(again, issuer, sub="ada-7", email="ada.lovelace@example.org").status_code == 303  # her new address
    assert "ada@example.org" in again.get("/account").text
    with room.home.database.reading() as database:
        actions = [row.action for row in database.query(AuditRow).filter_by(actor_id=ada)]
    assert actions.count("login.bind") == 1


def test_a_closed_account_stays_closed_to_the_organization(room: Room, issuer: Issuer, browser: Browser) -> None:
    ada = room.person("Ada")
    assert way(browser, issuer).status_code == 303
    with room.home.database.writing() as database:
        database.get_one(Person, ada).disabled_at = room.clock()
    assert way(room.browser(), issuer).status_code == 401
    assert way(room.browser(), issuer, sub="2").status_code == 401


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256])
def test_an_answer_that_does_not_say_whom_it_means_lets_nobody_in(
    room: Room, issuer: Issuer, browser: Browser, subject: object
) -> None:
    room.person("Ada")
    assert way(browser, issuer, sub=subject).status_code == 401


def test_the_owner_takes_an_old_account_of_the_organization_off_with_the_password(
    room: Room, issuer: Issuer, browser: Browser
) -> None:
    room.person("Ada")
    assert way(browser, issuer, sub="old").status_code == 303
    assert "No other account of your organization can sign in here" in browser.get("/account").text
    assert browser.post("/account/organization/forget", {"current": "wrong"}).status_code == 422
    assert way(room.browser(), issuer, sub="new").status_code == 401
    assert browser.post("/account/organization/forget", {"current": PASSWORD}).status_code == 303
    assert way(room.browser(), issuer, sub="new").status_code == 303
    assert way(room.browser(), issuer, sub="old").status_code == 401


def test_another_organization_in_the_settings_begins_anew(room: Room, issuer: Issuer, browser: Browser) -> None:
    room.person("Ada")
    assert way(browser, issuer, sub="1").status_code == 303
    second = Issuer()
    try:
        room.app.state.context.oidc = Provider(second.address, "room", "s3cret", f"{ADDRESS}/oidc/back")
        assert way(room.browser(), second, sub="2").status_code == 303
        assert way(room.browser(), second, sub="1").status_code == 401
    finally:
        second.server.shutdown()
        second.server.server_close()
