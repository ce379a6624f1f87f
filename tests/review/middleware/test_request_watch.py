"""The log of requests: which kind of page, how it ended, how long it took; and nothing by which a tape is known."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.review.middleware.request_watch import AnsweredRequest, RequestWatch
from pipeline.tapes import logs
from pipeline.tapes.logs import RouteTemplate
from tests.review.conftest import ADDRESS, QUICK, Browser, Room
from tests.review.routes import IDS, calls

FIELDS = {"event", "level", "method", "route", "seconds", "status", "time"}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    before, logs._out.requests = logs._out.requests, io.StringIO()
    yield logs._out.requests
    logs._out.requests = before


@pytest.fixture
def logged(room: Room) -> FastAPI:
    loaded = settings.load().settings
    monitoring = loaded.monitoring.model_copy(update={"request_log": True})
    wanted = loaded.model_copy(update={"monitoring": monitoring})
    room.app = application.create(room.home, wanted, clock=room.clock, passwords=QUICK)
    return room.app


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_no_id_pseudonym_name_address_or_token_is_in_the_log_of_any_route(
    room: Room, logged: FastAPI, written: io.StringIO
) -> None:
    group = room.group("Tuesday peers")
    ada = room.person("Ada", group, is_admin=True)
    tape = room.tape(group, ada)
    ids = dict.fromkeys(IDS, "fedcba9876543210") | {"tape_id": tape, "group_id": group, "person_id": ada}
    browser = room.signed_in(ada)
    session = browser.client.cookies.get(SESSION)
    assert session
    asked = 0
    for call in calls(logged):
        if "/logout" in call.path or "sign-out" in call.path or call.path.endswith(("/destroy", "/withdraw")):
            continue
        address = call.address(ids, token="t0ken" * 9)
        query = {"pseudonym": "Robin", "next": f"/tapes/{tape}", "q": "heroin", "email": "ada@example.org"}
        with browser.client.stream(call.method, address, params=query, headers={"x-csrf-token": "no"}) as answer:
            answer.read() if call.method != "GET" or "/live" not in address else answer.close()
        asked += 1
    text = written.getvalue()
    assert asked > 100
    assert len(lines(written)) == asked
    assert {frozenset(line) for line in lines(written)} == {frozenset(FIELDS)}
    known = {call.path for call in calls(logged)}
    assert {line["route"] for line in lines(written)} <= known
    secrets = (tape, group, ada, "fedcba9876543210", "t0ken", "Robin", "heroin", "ada@", "Ada", "Tuesday", "127.0.0.1")
    assert [word for word in (*secrets, session, "testclient", "?") if word in text] == []


def test_a_line_says_which_kind_of_page_and_how_it_ended(room: Room, logged: FastAPI, written: io.StringIO) -> None:
    browser = Browser(logged)
    browser.get("/login")
    browser.get("/tapes/0123456789abcdef")
    browser.get("/static/no-such-file.js")
    browser.get("/robin/was/here")
    browser.client.request("HEROIN", "/login")
    browser.get("/login", headers={"host": "evil.example"})
    told = [(line["method"], line["route"], line["status"]) for line in lines(written)]
    assert told == [
        ("GET", "/login", 200),
        ("GET", "/tapes/{tape_id}", 303),
        ("GET", "/static", 404),
        ("GET", "", 404),
        ("other", "/login", 404),
        ("GET", "", 400),
    ]
    assert all(isinstance(line["seconds"], float) and line["seconds"] >= 0 for line in lines(written))


def test_without_the_setting_nothing_is_written(room: Room, written: io.StringIO) -> None:
    room.browser().get("/login")
    assert written.getvalue() == ""


def test_a_route_is_no_text_that_somebody_sent(written: io.StringIO) -> None:
    logs.of_requests().info("request", route="/tapes/0123456789abcdef", method="GET", status=200)
    assert "0123456789abcdef" not in written.getvalue()
    assert lines(written)[0]["dropped"] == 1


def test_an_answer_that_fails_is_told_of_as_a_failure() -> None:
    watched: list[AnsweredRequest] = []
    app = FastAPI()

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("Robin")

    client = TestClient(RequestWatch(app, [watched.append]), base_url=ADDRESS, raise_server_exceptions=False)
    client.get("/fails")
    assert [(request.route, request.status) for request in watched] == [("/fails", 500)]
    assert type(watched[0].route) is RouteTemplate
