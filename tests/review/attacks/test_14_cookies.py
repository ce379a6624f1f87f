"""Cookies that no neighbor can set, browsers that keep nothing after signing out, sessions that are seen and ended."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.cookies import DEVICE
from pipeline.review.auth.current_user import SESSION
from pipeline.review.auth.sessions import device
from tests.review.auth.test_login import login
from tests.review.conftest import PAGE, PASSWORD, QUICK, Room

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def behind_tls(room: Room) -> TestClient:
    address = "https://review.example.org"
    app = application.create(room.home, settings.load().settings, clock=room.clock, passwords=QUICK, address=address)
    return TestClient(app, base_url=address, follow_redirects=False, headers=PAGE)


def token(client: TestClient, path: str) -> str:
    match = re.search(r'name="csrf" content="([^"]*)"', client.get(path).text)
    assert match
    return match[1]


def signed_in(room: Room) -> TestClient:
    client = behind_tls(room)
    form = {"email": "ada@example.org", "password": PASSWORD, "csrf": token(client, "/login")}
    assert client.post("/login", data=form).status_code == 303
    return client


def test_behind_tls_each_cookie_is_of_this_host_alone(room: Room) -> None:
    room.person("Ada")
    client = behind_tls(room)
    guest = client.get("/login").headers["set-cookie"]
    form = {"email": "ada@example.org", "password": PASSWORD, "csrf": token(client, "/login")}
    session = client.post("/login", data=form).headers["set-cookie"]
    for cookie in (guest, session):
        parts = [part.strip().lower() for part in cookie.split(";")]
        assert parts[0].startswith("__host-tape_review_")
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(parts)
        assert not [part for part in parts if part.startswith("domain")]
    assert client.get("/account").status_code == 200


def test_behind_tls_a_browser_comes_by_tls_alone_to_neighbors_below_too(room: Room) -> None:
    client = behind_tls(room)
    for path in ("/login", "/nowhere", "/static/style.css"):
        assert client.get(path).headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert "strict-transport-security" not in room.browser().get("/login").headers


def test_a_cookie_without_the_prefix_is_nobody_s_behind_tls(room: Room) -> None:
    ada = room.person("Ada")
    client = behind_tls(room)
    client.cookies.set(SESSION, room.app.state.context.sessions.start(ada, room.clock(), second_factor=True))
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("path", ["/logout", "/account/sign-out-everywhere"])
def test_who_signs_out_leaves_nothing_in_the_browser_but_that_it_is_known(room: Room, path: str) -> None:
    """The device's cookie opens nothing; without it the owner of an account would be a stranger to it (number 10)."""
    room.person("Ada")
    client = signed_in(room)
    answer = client.post(path, data={"csrf": token(client, "/account")})
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert client.get("/account").status_code == 303
    assert "clear-site-data" not in client.get("/login").headers
    assert SESSION not in str(client.cookies)
    assert DEVICE in str(client.cookies)


def test_sessions_are_seen_and_ended_one_by_one(room: Room) -> None:
    room.person("Ada")
    here, there = room.browser(), room.browser()
    for browser, agent in ((here, FIREFOX), (there, "curl/8.0")):
        browser.client.headers["user-agent"] = agent
        login(browser, "ada@example.org")
        room.clock.advance(60_000)
    page = here.get("/account").text
    assert "Firefox on Linux" in page
    assert "A browser" in page
    assert page.count("testclient") == 2  # where both came from
    ids = re.findall(r"/account/sessions/([0-9a-f]{16})/end", page)
    assert len(ids) == 2  # the one used last first: this one
    assert here.post(f"/account/sessions/{ids[1]}/end").headers["location"] == "/account?note=session-ended"
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200
    ended = here.post(f"/account/sessions/{ids[0]}/end")
    assert ended.headers["location"] == "/login?note=signed-out"
    assert "clear-site-data" in ended.headers
    assert here.get("/account").status_code == 303


def test_nobody_ends_another_person_s_session(room: Room) -> None:
    ada, ben = room.person("Ada"), room.person("Ben")
    there, here = room.signed_in(ada), room.signed_in(ben)
    session = room.app.state.context.sessions.of(ada, room.clock())[0].id
    assert here.post(f"/account/sessions/{session}/end").status_code == 404
    assert there.get("/account").status_code == 200


def test_sessions_that_ran_out_are_not_shown(room: Room) -> None:
    ada = room.person("Ada")
    room.signed_in(ada)
    room.clock.advance(15 * 60_000)
    assert room.app.state.context.sessions.of(ada, room.clock()) == []


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPad"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/140.0 Safari/537.36 OPR/120.0", "Opera on ChromeOS"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1", "Safari on Mac"),
        ("Firefox/140.0", "Firefox"),
        ("something on Windows", "Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_device_in_words(agent: str, told: str) -> None:
    assert device(agent) == told
