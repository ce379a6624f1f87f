"""What every request passes before it reaches a route, tried on a small application of its own routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import FastAPI, Form, Request
from fastapi.responses import Response
from fastapi.testclient import TestClient

from pipeline.errors import AudioError
from pipeline.review import assets
from pipeline.review.auth.current_user import SESSION, SignedIn
from pipeline.review.middleware import body_limit, headers
from pipeline.review.templating import render
from tests.review.conftest import ADDRESS, PAGE, Room


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


def test_every_answer_carries_the_strict_headers(client: TestClient) -> None:
    for path in ("/plain", "/nowhere", "/bug", "/static/style.css"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy == headers.POLICY
        assert "unsafe" not in policy
        assert {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert client.get("/plain").headers["cache-control"] == "no-store"


def test_no_other_site_may_read_an_answer(client: TestClient) -> None:
    for path in ("/plain", "/nowhere", "/static/style.css"):
        answer = client.get(path, headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("name", ["style.css", "upload.js", "icon.svg"])
def test_every_text_says_how_it_is_encoded(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").headers["content-type"].endswith("; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/.git/config", "/static", "/static/", "/static/built/", "/metrics"]
)
def test_there_is_no_description_no_listing_and_no_source(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 307)
    assert client.get(path, follow_redirects=True).status_code == 404


def test_a_method_that_no_page_has_is_refused(client: TestClient) -> None:
    for method in ("TRACE", "CONNECT", "PATCH", "PROPFIND"):
        answer = client.request(method, "/plain", headers={"X-Secret": "a secret"})
        assert answer.status_code in (403, 404)
        assert "a secret" not in answer.text


def test_static_files_are_kept_only_under_their_digest(client: TestClient) -> None:
    lasting = client.get(assets.url("style.css"))
    assert lasting.status_code == 200
    assert lasting.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/style.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/style.css?v=0000").headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404


def test_pages_hold_no_inline_script_or_style_and_escape_everything(signed_in: TestClient) -> None:
    page = signed_in.get("/plain", params={"say": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page
    assert "Ada &lt;b&gt;" in page
    assert "<style" not in page
    assert "style=" not in page


def test_who_is_not_signed_in_goes_to_the_login_page_and_back(client: TestClient) -> None:
    answer = client.get("/mine", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/mine")
    assert client.get("/mine").status_code == 401


def test_a_form_without_its_token_is_refused(signed_in: TestClient, right_token: str) -> None:
    for token in ("", "wrong", right_token[:-1], right_token + " "):
        assert signed_in.post("/send", data={"word": "a", "csrf": token}).status_code == 403
    assert signed_in.post("/send", data={"word": "a"}).status_code == 403


def test_a_form_with_its_token_is_taken(signed_in: TestClient, right_token: str) -> None:
    assert signed_in.post("/send", data={"word": "a", "csrf": right_token}).json() == {"word": "a"}
    answer = signed_in.post("/send", data={"word": "a"}, headers={"X-CSRF-Token": right_token})
    assert answer.json() == {"word": "a"}


def test_a_form_from_another_origin_is_refused_even_with_the_token(signed_in: TestClient, right_token: str) -> None:
    form = {"word": "a", "csrf": right_token}
    for origin, status in (("http://evil.example", 403), ("null", 403), (ADDRESS, 200), ("http://localhost:8787", 200)):
        assert signed_in.post("/send", data=form, headers={"origin": origin}).status_code == status


def test_a_guest_s_form_is_bound_to_its_cookie(client: TestClient) -> None:
    page = client.get("/plain").text
    token = page.split('name="csrf" content="')[1].split('"')[0]
    assert client.post("/send", data={"word": "a", "csrf": token}).status_code == 200
    client.cookies.clear()
    assert client.post("/send", data={"word": "a", "csrf": token}).status_code == 403


def test_a_session_that_ran_out_is_told_from_a_wrong_token(client: TestClient) -> None:
    client.cookies.set(SESSION, "of yesterday")
    assert client.post("/send", data={"word": "a"}, headers={"X-CSRF-Token": "x"}).status_code == 401


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/plain", headers={"host": "evil.example"}).status_code == 400


def test_a_form_may_not_grow_without_end(signed_in: TestClient, right_token: str) -> None:
    form = {"word": "a" * body_limit.LIMIT, "csrf": right_token}
    assert signed_in.post("/send", data=form).status_code == 413


def test_errors_are_told_with_their_code_and_nothing_else(client: TestClient) -> None:
    page = client.get("/bad-recording", headers=PAGE)
    assert page.status_code == 422
    assert "TR-A02" in page.text
    assert client.get("/bad-recording").json()["code"] == "TR-A02"
    for accept in (PAGE, {}):
        answer = client.get("/bug", headers=accept)
        assert answer.status_code == 500
        assert "the client said" not in answer.text


def test_what_is_not_there_looks_the_same_everywhere(client: TestClient) -> None:
    first, second = client.get("/nowhere", headers=PAGE), client.get("/send", headers=PAGE)
    assert first.status_code == second.status_code == 404
    assert first.text == second.text
