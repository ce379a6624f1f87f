"""A tape's page: what it offers to whom, and how a tape is ended there."""

from __future__ import annotations

import re

import pytest

from pipeline.tapes.db.records import TapeState
from tests.review.conftest import Room
from tests.review.peers import Peers


@pytest.mark.parametrize(("state", "button"), [("running", "Stop"), ("failed", "Try again")])
def test_only_the_interviewer_is_offered_to_stop_the_work_or_to_try_again(
    room: Room, peers: Peers, state: TapeState, button: str
) -> None:
    path = f"/tapes/{room.tape(peers.group, peers.ada, state=state)}"
    for page in (path, f"{path}/progress"):
        assert f">{button}</button>" in room.signed_in(peers.ada).get(page).text
        assert f">{button}</button>" not in room.signed_in(peers.ben).get(page).text


@pytest.mark.parametrize(("state", "page"), [("ready", ""), ("draft", "/recording")])
@pytest.mark.parametrize("ending", ["withdraw", "destroy"])
def test_a_tape_is_ended_only_after_a_page_that_names_it_and_asks(
    room: Room, peers: Peers, state: TapeState, page: str, ending: str
) -> None:
    path = f"/tapes/{room.tape(peers.group, peers.ada, state=state)}"
    ada = room.signed_in(peers.ada)
    before = ada.get(path + page).text
    assert not re.search(r'action="[^"]*/(withdraw|destroy)"', before)
    assert f'href="{path}/destroy"' in before
    assert (f'href="{path}/withdraw"' in before) == (state == "ready")
    asked = ada.get(f"{path}/{ending}").text
    assert "Ada with Robin" in asked
    assert "This cannot be undone." in asked
    assert f'action="{path}/{ending}"' in asked
    assert f'href="{path}"' in asked
    assert ada.get(path + page).status_code == 200  # to have asked has done nothing
    root = room.signed_in(room.person("Root", is_admin=True)).get(f"{path}/{ending}")
    assert root.status_code == 200
    assert "Robin" not in root.text


def test_a_destroyed_tape_is_gone(room: Room, peers: Peers) -> None:
    ada = room.signed_in(peers.ada)
    assert ada.post(f"{peers.path}/destroy").headers["location"] == "/?note=destroyed"
    assert ada.get(peers.path).status_code == 404
    assert not room.home.vault.has_key(peers.tape)
