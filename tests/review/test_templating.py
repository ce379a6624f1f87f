"""Pages: everything escaped, nothing inline."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.review.shell import client as client
from tests.review.shell import signed_in as signed_in


def test_pages_hold_no_inline_script_or_style_and_escape_everything(signed_in: TestClient) -> None:
    page = signed_in.get("/plain", params={"say": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page
    assert "Ada &lt;b&gt;" in page
    assert "<style" not in page
    assert "style=" not in page
