"""The first page: what is next for whom."""

from __future__ import annotations

from tests.review.conftest import Room
from tests.review.peers import Peers


def test_the_desk_says_what_is_next_for_whom(room: Room, peers: Peers) -> None:
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    assert "Who is who" in ada.get("/").text
    assert "reviews their own work first" in ben.get("/").text
    ada.post(f"{peers.path}/voices", {"interviewer": "S1"})
    assert "You first" in ada.get("/").text
    peers.opened()
    assert "Listen and code" in ben.get("/").text
    coach = room.signed_in(peers.coach)
    assert "Submit a tape" not in coach.get("/").text
