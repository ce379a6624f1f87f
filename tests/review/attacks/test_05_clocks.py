"""Attack 5, over HTTP: a change of the permission and a clock that was set back undo a withdrawal."""

from __future__ import annotations

import pytest

from pipeline.review.upload import permission_form
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.db.records import Consent, Tape
from pipeline.tapes.intake import submission
from tests.review.conftest import Room
from tests.review.test_flow import Peers
from tests.review.upload.test_permission import CHANGED

PAGES = ("", "/coding", "/sound", "/permission", "/voices", "/first", "/summary")


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room).opened()


def test_a_change_of_the_permission_that_began_before_the_withdrawal_does_not_undo_it(
    room: Room, peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, named = room.signed_in(peers.ada), permission_form.named

    def withdrawn_meanwhile(typed: str) -> list[str]:
        room.clock.advance(1000)
        submission.withdraw(room.home, peers.tape, clock=room.clock)
        return named(typed)

    monkeypatch.setattr(permission_form, "named", withdrawn_meanwhile)
    assert ada.post(f"{peers.path}/permission", CHANGED | {"group_ids": [peers.group]}).status_code == 404
    assert {ada.get(peers.path + page).status_code for page in PAGES} == {404}
    with room.home.database.reading() as database:
        assert database.query(Consent).filter(Consent.tape_id == peers.tape).count() == 1
        assert database.get_one(Tape, peers.tape).state == "destroyed"


@pytest.mark.parametrize("back", [1, HOUR, DAY])
def test_a_clock_that_is_set_back_shows_no_withdrawn_tape(room: Room, peers: Peers, back: int) -> None:
    room.clock.advance(2 * DAY)
    browsers = {name: room.signed_in(getattr(peers, name)) for name in ("ada", "ben", "coach")}
    assert browsers["ada"].post(f"{peers.path}/withdraw", {}).status_code == 303
    room.clock.advance(-back)
    browsers |= {f"{name} anew": room.signed_in(getattr(peers, name)) for name in ("ada", "ben", "coach")}
    for name, browser in browsers.items():
        assert {browser.get(peers.path + page).status_code for page in PAGES} <= {404, 303}, name
        assert peers.path not in browser.get("/").text, name
