"""The application: its hosts, and what it does not offer."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.review.shell import client as client


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


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/plain", headers={"host": "evil.example"}).status_code == 400
