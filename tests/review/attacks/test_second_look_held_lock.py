"""A member who sends hundreds of corrections at once keeps nobody else from writing: a withdrawal, a sign-in."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.review.coding import correction_store, routes
from pipeline.tapes.db.records import Correction
from tests.review.attacks.test_04_masks import Peers
from tests.review.attacks.test_04_masks import peers as peers
from tests.review.coding.conftest import Coder
from tests.review.conftest import Room


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many corrections each transaction stored."""
    sizes: list[int] = []
    real = correction_store.store_corrections

    def counted(admitted: Any, changes: Any) -> Any:
        sizes.append(len(changes))
        return real(admitted, changes)

    monkeypatch.setattr(correction_store, "store_corrections", counted)
    return sizes


def masks_of(coder: Coder, count: int) -> list[dict[str, Any]]:
    words = [word["id"] for utterance in coder.state()["utterances"] for word in utterance["words"]]
    return [
        {"id": f"m{number}", "kind": "mask", "utterance_id": "u0001", "payload": {"words": [word], "on": True}}
        for number, word in enumerate((words * count)[:count])
    ]


def test_others_have_their_turn_between_a_few_corrections(room: Room, peers: Peers, batches: list[int]) -> None:
    refused = {"id": "none", "kind": "mask", "utterance_id": "u0001", "payload": {}}
    answer = peers.ada.send(*masks_of(peers.ada, 44), refused)
    assert answer.json() == {"refused": [{"id": "none", "reason": "it does not name words"}]}
    assert batches == [20, 20, 5]
    assert routes.BATCH_SIZE == 20
    with room.home.database.reading() as database:
        assert database.scalar(select(func.count()).select_from(Correction)) == 44


def test_the_words_are_worked_out_once_for_many_masks(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out = []
    real = correction_store.apply_corrections
    sent = masks_of(peers.ada, 20)
    monkeypatch.setattr(correction_store, "apply_corrections", lambda *given: worked_out.append(1) or real(*given))
    assert peers.ada.send(*sent).json() == {"refused": []}
    assert len(worked_out) == 1


def test_nothing_sent_is_answered_as_before(peers: Peers, batches: list[int]) -> None:
    assert peers.ada.send().json() == {"refused": []}
    assert batches == []
