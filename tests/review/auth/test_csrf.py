"""No other site sends our forms: the token of the session, from our own origin."""

from __future__ import annotations

from fastapi.testclient import TestClient

from pipeline.review.auth.current_user import SESSION
from pipeline.review.middleware import body_limit
from tests.review.conftest import ADDRESS
from tests.review.shell import client as client
from tests.review.shell import right_token as right_token
from tests.review.shell import signed_in as signed_in


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


def test_a_form_may_not_grow_without_end(signed_in: TestClient, right_token: str) -> None:
    form = {"word": "a" * body_limit.LIMIT, "csrf": right_token}
    assert signed_in.post("/send", data=form).status_code == 413
