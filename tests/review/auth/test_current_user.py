"""The viewer of a request."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.review.conftest import PAGE
from tests.review.shell import client as client


def test_who_is_not_signed_in_goes_to_the_login_page_and_back(client: TestClient) -> None:
    answer = client.get("/mine", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/mine")
    assert client.get("/mine").status_code == 401
