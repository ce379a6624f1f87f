"""The page on which names are reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import settings
from pipeline.review.coding import name_detection
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from tests.review.coding.conftest import Table
from tests.review.coding.test_name_detection import Entities, utterance_of


def test_names_can_be_marked_where_no_language_model_is(tmp_path: Any) -> None:
    loaded = settings.load().settings
    empty = loaded.model_copy(update={"models": loaded.models.model_copy(update={"folder": str(tmp_path)})})
    masked = utterance_of("ask Bo again")
    masked = CorrectedUtterance(
        *(masked.id, masked.turn, masked.role, masked.speaker, masked.start, masked.end),
        (masked.words[0], CorrectedWord("w1", "Bo", 100, 190, True), masked.words[2]),
    )
    assert [name.text for name in name_detection.detect_names([masked], empty)] == ["Bo"]


def test_names_are_reviewed_on_a_page(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_detection, "_language_model", lambda _: Entities())
    ada = table.ada.begin()
    page = ada.browser.get(f"/tapes/{table.tape_id}/names").text
    assert "Mask it" in page
    word = ada.state()["utterances"][0]["words"][0]
    path = f"/tapes/{table.tape_id}/names"
    assert ada.browser.post(path, {"word": word["id"], "on": "1"}).status_code == 303
    assert ada.state()["utterances"][0]["words"][0]["text"] == "▇▇▇"
    assert table.interviewer.begin().state()["utterances"][0]["words"][0]["text"] == word["text"]
    assert ada.browser.post(path, {"word": word["id"], "on": "0"}).status_code == 422
    assert table.interviewer.browser.post(path, {"word": word["id"], "on": "0"}).status_code == 303
    assert ada.state()["utterances"][0]["words"][0]["text"] == word["text"]
    assert ada.browser.post(path, {"word": "w99999", "on": "1"}).status_code == 404
