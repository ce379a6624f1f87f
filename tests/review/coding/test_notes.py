"""Notes: stored once, sealed, and a member's own until shared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from pipeline.review.coding.notes import LONGEST
from pipeline.tapes.db.records import TapeNote
from tests.review.coding.conftest import Coder, Table

ZEBRA = "ZEBRA said it was his brother"


def noted(coder: Coder, text: str = ZEBRA, name: str = "n1", moment: int = 5000) -> Any:
    change = {"id": name, "kind": "note", "utterance_id": "u0001", "audio_ms": moment, "payload": {"text": text}}
    return coder.send(change).json()


def test_a_note_is_stored_once_and_nowhere_in_the_clear(table: Table) -> None:
    ada = table.ada.begin()
    for _ in range(2):
        assert noted(ada) == {"refused": []}
    with table.room.home.database.reading() as session:
        (note,) = session.scalars(select(TapeNote))
        assert b"ZEBRA" not in note.sealed_text
    assert [(each["moment"], each["text"]) for each in ada.state()["notes"]] == [(5000, ZEBRA)]


def test_a_note_that_is_none_is_refused_with_a_reason(table: Table) -> None:
    ada = table.ada.begin()
    for text in ("", " \n ", "x" * (LONGEST + 1)):
        (refused,) = noted(ada, text)["refused"]
        assert str(LONGEST) in refused["reason"]
    assert noted(ada, "one\nline")["refused"] == []
    assert ada.state()["notes"][0]["text"] == "one line"


def test_a_note_is_taken_of_a_locked_pass_and_lost_with_no_code_that_comes_too_late(table: Table) -> None:
    ada = table.ada.begin()
    ada.lock()
    code = {"id": "late", "kind": "code", "utterance_id": "u0001", "codes": ["question_open"]}
    note = {"id": "n1", "kind": "note", "utterance_id": "u0001", "audio_ms": 1, "payload": {"text": "Later"}}
    assert ada.send(code, note).status_code == 409
    assert [each["text"] for each in ada.state()["notes"]] == ["Later"]


def test_a_note_is_in_no_file_that_anybody_saves_and_no_others_page(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    noted(ada)
    ada.lock()
    ben.lock()
    tape = f"/tapes/{table.tape_id}"
    for path in (f"{ben.path}/codes.csv", f"{ben.path}/codes.vtt", f"{tape}/summary.pdf", f"{tape}/summary.docx"):
        answer = ben.browser.get(path)
        assert answer.status_code == 200
        assert b"ZEBRA" not in answer.content
    for path in (f"{tape}/notes", f"{tape}/summary", f"{tape}/feedback", f"{tape}/together", f"{ben.path}/state"):
        assert "ZEBRA" not in ben.browser.get(path).text


def test_a_shared_note_is_seen_once_others_codes_may_be_and_then_no_lock_comes_back(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    noted(ada)
    path = f"/tapes/{table.tape_id}/notes"
    note_id = ada.state()["notes"][0]["id"]
    assert ada.browser.post(f"{path}/{note_id}/share").status_code == 303
    assert "ZEBRA" not in ben.browser.get(path).text  # Ben codes still, and a note may tell a code
    ben.lock()
    assert "ZEBRA" in ben.browser.get(path).text
    assert ben.browser.post(f"{ben.path}/unlock").status_code == 409
    assert "ZEBRA" in table.interviewer.browser.get(path).text
    assert table.stranger.browser.get(path).status_code == 404
    ada.browser.post(f"{path}/{note_id}/unshare")
    assert "ZEBRA" not in ben.browser.get(path).text
