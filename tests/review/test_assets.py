"""Style sheets and scripts under names that may be kept for ever."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from pipeline.review import assets
from tests.review.shell import client as client


@pytest.mark.parametrize("name", ["style.css", "upload.js", "icon.svg"])
def test_every_text_says_how_it_is_encoded(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").headers["content-type"].endswith("; charset=utf-8")


def test_static_files_are_kept_only_under_their_digest(client: TestClient) -> None:
    lasting = client.get(assets.url("style.css"))
    assert lasting.status_code == 200
    assert lasting.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/style.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/style.css?v=0000").headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404
