"""Half a character that one member types, or one that no page can hold, keeps nobody from a tape's transcript."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from pipeline.review.coding.transcripts import PAYLOAD_FIELD
from pipeline.tapes.db.records import Correction
from tests.review.attacks.test_04_masks import Peers, text, words
from tests.review.conftest import Room

HALF, NUL = "\ud800", "\x00"


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room)


def sent(peers: Peers, kind: str, payload: dict[str, object]):
    """A correction by Ada, in ASCII: half a character cannot be written otherwise."""
    change = {"id": "bad", "kind": kind, "utterance_id": "u0001", "payload": payload}
    headers = {"X-CSRF-Token": peers.ada.token, "Content-Type": "application/json"}
    content = json.dumps({"changes": [change]})
    return peers.ada.browser.client.post(f"{peers.ada.path}/changes", content=content, headers=headers)


@pytest.mark.parametrize("wrong", [HALF, f"no{HALF}", NUL, "\x1b[31m", "\ufffe"], ids=ascii)
def test_a_word_that_no_page_can_hold_is_refused(peers: Peers, wrong: str) -> None:
    word_id = words(peers.ada)[2]["id"]
    answer = sent(peers, "text", {"replace": [word_id], "after": None, "with": [wrong]})
    assert [each["id"] for each in answer.json()["refused"]] == ["bad"]
    assert text(peers.ben)


@pytest.mark.parametrize("payload", [{"replace": [HALF], "after": None}, {"replace": [], "after": HALF}], ids=ascii)
def test_a_word_that_cannot_be_is_not_named(peers: Peers, payload: dict[str, object]) -> None:
    assert sent(peers, "text", payload | {"with": ["well"]}).json()["refused"]
    assert sent(peers, "split", {"word_id": HALF}).json()["refused"]


def test_a_letter_of_any_language_is_kept(peers: Peers) -> None:
    word_id = words(peers.ada)[2]["id"]
    typed = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # Persian, with a joiner that is no letter
    assert sent(peers, "text", {"replace": [word_id], "after": None, "with": [typed]}).json() == {"refused": []}
    assert words(peers.ben)[2]["text"] == typed


def test_what_was_kept_before_is_shown_with_a_sign_in_its_place(peers: Peers, room: Room) -> None:
    word_id = words(peers.ada)[2]["id"]
    assert sent(peers, "text", {"replace": [word_id], "after": None, "with": ["well"]}).json() == {"refused": []}
    old = json.dumps({"replace": [word_id], "after": None, "with": [f"we{HALF}ll"]}).encode()
    with room.home.database.writing() as database:
        database.scalars(select(Correction)).one().sealed_payload = room.home.vault.seal(peers.tape, old, PAYLOAD_FIELD)
    assert words(peers.ben)[2]["text"] == "we\ufffdll"
    assert "we\ufffdll" in text(peers.ben)
