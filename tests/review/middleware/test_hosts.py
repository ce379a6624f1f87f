"""Names that a request may come to, and requests that came to a proxy without TLS."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.review.conftest import Room, created


@pytest.fixture
def client(room: Room) -> TestClient:
    app = created(room.home, room.clock, address="https://review.example.org")
    return TestClient(app, base_url="https://review.example.org", follow_redirects=False)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("review.example.org", 200),
        ("review.example.org:8443", 200),
        ("REVIEW.example.org", 200),
        ("evil.example", 400),
        ("review.example.org.evil.example", 400),
        ("127.0.0.1", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
def test_a_request_to_another_name_is_refused(client: TestClient, host: str, status: int) -> None:
    assert client.get("/login", headers={"host": host}).status_code == status


def test_what_came_to_a_proxy_without_tls_is_led_to_the_address_and_never_answered(client: TestClient) -> None:
    plain = {"x-forwarded-proto": "http"}
    answer = client.get("/login?token=x", headers=plain)
    assert answer.status_code == 307
    assert answer.headers["location"] == "https://review.example.org/login"
    assert "password" not in answer.text
    assert client.post("/login", headers=plain, data={"password": "x"}).status_code == 403
    assert client.get("/login", headers={"x-forwarded-proto": "http, https"}).status_code == 200
    assert client.get("/login", headers={"x-forwarded-proto": "https, http"}).status_code == 307


def test_on_this_computer_nothing_is_asked_of_a_proxy(room: Room) -> None:
    assert room.browser().get("/login", headers={"x-forwarded-proto": "http"}).status_code == 200
