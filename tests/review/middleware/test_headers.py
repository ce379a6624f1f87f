"""The headers of every answer."""

from __future__ import annotations

from fastapi.testclient import TestClient

from pipeline.review.middleware import headers
from tests.review.shell import client as client


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
