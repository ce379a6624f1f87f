"""Errors for members: a sentence and a code, and nothing of what is not theirs."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.review.conftest import PAGE
from tests.review.shell import client as client


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
