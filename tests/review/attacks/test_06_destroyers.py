"""Attack 6, over HTTP: a tape is destroyed while a program works on it."""

from __future__ import annotations

import pytest

from pipeline.tapes.retention import destruction, retention
from pipeline.tapes.vault.vault import Vault
from tests.review.conftest import Room
from tests.review.test_flow import Peers


def test_a_tape_that_is_worked_on_is_closed_at_once_and_certified_when_the_work_has_ended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = Peers(room).opened()
    monkeypatch.setattr(destruction, "_LETTING_GO", 0.05)
    ada = room.signed_in(peers.ada)
    with Vault(room.home.vault.folder, room.home.master).locks.working(peers.tape):
        answer = ada.post(f"{peers.path}/destroy", {})
        assert answer.headers["location"] == "/?note=ending"
        assert "It will be destroyed when the work on it has ended" in ada.get(answer.headers["location"]).text
        assert ada.get(peers.path).status_code == 404
        assert not (room.home.folder / "certificates").exists()
        assert not room.home.vault.has_key(peers.tape)
    assert [done.tape_id for done in retention.enforce(room.home, room.clock())] == [peers.tape]
    assert (room.home.folder / "certificates" / f"{peers.tape}.json").exists()
