"""A small application of its own routes, to try what every request passes before it reaches one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import FastAPI, Form, Request
from fastapi.responses import Response
from fastapi.testclient import TestClient

from pipeline.errors import AudioError
from pipeline.review.auth.current_user import SESSION, SignedIn
from pipeline.review.templating import render
from tests.review.conftest import ADDRESS, Room


def routes(app: FastAPI) -> None:
    @app.get("/plain")
    def plain(request: Request) -> Response:
        return render(request, "error.html", title="Plain", detail=request.query_params.get("say", ""), code="")

    @app.get("/mine")
    def mine(request: Request, viewer: SignedIn) -> Response:
        return render(request, "error.html", title=viewer.name, detail="", code="")

    @app.post("/send")
    def send(word: Annotated[str, Form()]) -> dict[str, str]:
        return {"word": word}

    @app.get("/bad-recording")
    def bad() -> None:
        raise AudioError("A02", "recording x.wav", "holds no sound", "send another")

    @app.get("/bug")
    def bug() -> None:
        raise RuntimeError("the client said something")


@pytest.fixture
def client(room: Room) -> Iterator[TestClient]:
    routes(room.app)
    with TestClient(room.app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False) as made:
        yield made


@pytest.fixture
def signed_in(client: TestClient, room: Room) -> TestClient:
    token = room.app.state.context.sessions.start(room.person("Ada <b>"), room.clock(), second_factor=True)
    client.cookies.set(SESSION, token)
    return client


@pytest.fixture
def right_token(signed_in: TestClient) -> str:
    return signed_in.get("/plain").text.split('name="csrf" content="')[1].split('"')[0]
