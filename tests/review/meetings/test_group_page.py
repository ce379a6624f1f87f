"""The page of a group: the clock that it meets by."""

from __future__ import annotations

from tests.review.conftest import Room
from tests.review.peers import Peers


def test_a_group_chooses_its_clock_and_planned_meetings_stay_at_their_moment(room: Room, peers: Peers) -> None:
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    zone = f"/groups/{peers.group}/time-zone"
    assert ada.post(zone, {"time_zone": "Europe/Berlin"}).status_code == 303
    path = ada.post("/meetings", {"group_id": peers.group, "at": "2030-01-08T18:00"}).headers["location"]
    assert "January 8, 2030, 18:00" in ben.get("/meetings").text
    ben.post(zone, {"time_zone": "America/New_York"})
    page = ada.get(path).text
    assert "January 8, 2030, 12:00" in page
    assert "By the clock of America/New_York." in page
    assert "<option selected>America/New_York</option>" in ada.get(f"/groups/{peers.group}").text


def test_a_clock_that_nobody_has_and_another_group_s_are_refused(room: Room, peers: Peers) -> None:
    zone = f"/groups/{peers.group}/time-zone"
    for wrong in ("Europe/Atlantis", "../../etc/passwd", "EST"):
        assert room.signed_in(peers.ada).post(zone, {"time_zone": wrong}).status_code == 422
    zoe = room.signed_in(room.person("Zoe", room.group("Elsewhere")))
    assert zoe.post(zone, {"time_zone": "Europe/Berlin"}).status_code == 404
    assert "selected" not in room.signed_in(peers.ada).get(f"/groups/{peers.group}").text
