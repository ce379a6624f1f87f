"""Cookies, and what the database keeps of them."""

from __future__ import annotations

from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.db.records import WebSession
from tests.review.auth.test_login import login
from tests.review.conftest import Room


def test_the_cookie_is_secure_behind_tls(room: Room) -> None:
    room.person("Ada")
    room.app.state.context.https = True
    assert "Secure" in login(room.browser(), "ada@example.org").headers["set-cookie"]


def test_the_database_holds_no_token(room: Room) -> None:
    room.person("Ada")
    browser = room.browser()
    login(browser, "ada@example.org")
    with room.home.database.reading() as database:
        stored = database.query(WebSession).one()
    assert browser.client.cookies[SESSION] not in (stored.token_hash, stored.csrf)
