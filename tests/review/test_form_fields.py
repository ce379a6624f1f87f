"""Fields of forms: cleaned of what no page or database takes, and of the length that they may have."""

from __future__ import annotations

from datetime import date

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline.review import form_fields
from pipeline.review.form_fields import FormId, LineOfText, OptionalText, Secret


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()

    @app.post("/send")
    def send(line: LineOfText, secret: Secret, id: FormId, text: OptionalText = "") -> dict[str, str]:  # noqa: A002
        return {"line": line, "secret": secret, "text": text}

    return TestClient(app)


SENT = {"line": "Ann", "secret": "x", "id": "0" * 16}


def test_a_line_is_one_and_a_text_keeps_its_line_ends(client: TestClient) -> None:
    sent = SENT | {"line": "  Ann\r\n\tLee\x00 ", "text": " one\r\ntwo \x07 ", "secret": " as typed "}
    assert client.post("/send", data=sent).json() == {"line": "Ann Lee", "text": "one\ntwo", "secret": " as typed "}


@pytest.mark.parametrize(
    "wrong",
    [{"line": " \x00 "}, {"line": "x" * 201}, {"id": "0" * 15}, {"id": "../" + "0" * 13}, {"secret": ""}],
)
def test_what_is_empty_too_long_or_no_id_is_refused(client: TestClient, wrong: dict[str, str]) -> None:
    assert client.post("/send", data=SENT | wrong).status_code == 422


@pytest.mark.parametrize(("text", "day"), [("2026-11-30", date(2026, 11, 30)), ("", None), ("30.11.2026", None)])
def test_a_day_is_one_or_none(text: str, day: date | None) -> None:
    assert form_fields.day(text) == day
