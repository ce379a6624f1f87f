"""What the client allows can be changed after a tape is handed in, and holds at once."""

from __future__ import annotations

import pytest

from pipeline.tapes.clock import DAY, day_of
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import AuditRow, Consent
from tests.review.conftest import Room
from tests.review.test_flow import Peers

CHANGED = {
    "pseudonym": "Sky",
    "uses": ["group_review"],
    "destroy_by": "2025-11-30",
    "signed_on": "2025-10-01",
    "signed_form": "spoken_on_tape",
    "method": "the key is destroyed",
}


@pytest.fixture
def peers(room: Room) -> Peers:
    peers = Peers(room).opened()
    room.clock.advance(1000)
    return peers


def consents(room: Room, tape: str) -> list[Consent]:
    with room.home.database.reading() as database:
        return database.query(Consent).filter(Consent.tape_id == tape).order_by(Consent.number).all()


def test_what_the_client_allows_now_holds_at_once(room: Room, peers: Peers) -> None:
    ada, coach = room.signed_in(peers.ada), room.signed_in(peers.coach)
    assert coach.get(peers.path).status_code == 200
    assert f'href="{peers.path}/permission"' in ada.get(peers.path).text
    (before,) = consents(room, peers.tape)
    form = ada.get(f"{peers.path}/permission").text
    assert f'value="{before.pseudonym}"' in form
    assert f'value="{day_of(before.destroy_by)}"' in form
    answer = ada.post(f"{peers.path}/permission", CHANGED | {"group_ids": [peers.group]})
    assert answer.headers["location"].startswith(peers.path)
    assert coach.get(peers.path).status_code == 404
    page = room.signed_in(peers.ben).get(peers.path).text
    assert "Sky" in page
    assert "November 30, 2025" in page
    _, after = consents(room, peers.tape)
    assert after.form_item_id == before.form_item_id
    with room.home.database.reading() as database:
        holding = consent_form.latest(database, peers.tape)
        assert holding is not None
        assert holding.id == after.id
        assert database.query(AuditRow).filter(AuditRow.action == "consent.give").count() >= 1


def test_who_may_see_a_tape_is_told_that_it_will_soon_be_gone(room: Room, peers: Peers) -> None:
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    form = CHANGED | {"group_ids": [peers.group]}
    assert all("kept until" not in browser.get("/").text for browser in (ada, ben))
    last = day_of(room.clock() + 10 * DAY)
    ada.post(f"{peers.path}/permission", form | {"destroy_by": str(last)})
    told = f"kept until {last:%B} {last.day}, {last.year} only"
    assert all(told in browser.get("/").text for browser in (ada, ben))
    assert told not in room.signed_in(room.person("Zoe", room.group("Others"))).get("/").text


def test_nobody_else_changes_it(room: Room, peers: Peers) -> None:
    for other in (peers.ben, peers.coach, room.person("Zoe", is_admin=True)):
        browser = room.signed_in(other)
        assert browser.get(f"{peers.path}/permission").status_code == 404
        assert browser.post(f"{peers.path}/permission", CHANGED | {"group_ids": [peers.group]}).status_code == 404
    assert len(consents(room, peers.tape)) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"uses": []}, "check at least one"),
        ({"destroy_by": "2020-01-01"}, "is in the past"),
        ({"group_ids": []}, "names neither groups nor people"),
        ({"people_named": "nobody@example.org"}, "nobody here has the e-mail address"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(
    room: Room, peers: Peers, wrong: dict[str, object], told: str
) -> None:
    form = CHANGED | {"group_ids": [peers.group]} | wrong
    answer = room.signed_in(peers.ada).post(f"{peers.path}/permission", form)
    assert answer.status_code == 422
    assert told in answer.text.lower() or told in answer.text
    assert 'value="Sky"' in answer.text
    assert len(consents(room, peers.tape)) == 1


def test_a_group_that_the_client_did_not_name_and_the_member_is_not_in_cannot_be_ticked(
    room: Room, peers: Peers
) -> None:
    form = CHANGED | {"group_ids": [peers.group, room.group("Another")]}
    assert room.signed_in(peers.ada).post(f"{peers.path}/permission", form).status_code == 404
