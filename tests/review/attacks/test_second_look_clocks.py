"""What was over once stays over, though the clock is set back: a client's last day, a session, a link, a codebook."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.review.auth import invitations
from pipeline.tapes.clock import DAY, HOUR, MINUTE
from pipeline.tapes.db.records import AuditRow, GroupCodebook, Tape
from pipeline.tapes.retention import destruction, retention
from tests.review.attacks.test_12_client_words import Groups
from tests.review.coding.conftest import Coder
from tests.review.conftest import Room


@pytest.mark.parametrize("page", ["/", "/tapes/{}", "/tapes/{}/sound", "/tapes/{}/coding"])
def test_a_tape_that_somebody_came_to_after_its_last_day_does_not_open_again(room: Room, page: str) -> None:
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    tape = room.tape(group, ada)
    assert room.signed_in(ben).get(f"/tapes/{tape}").status_code == 200
    room.clock.advance(32 * DAY)
    answer = room.signed_in(ben).get(page.format(tape))
    assert tape not in answer.text
    room.clock.advance(-32 * DAY)
    for who in (ada, ben):
        assert room.signed_in(who).get(f"/tapes/{tape}").status_code == 404
        assert tape not in room.signed_in(who).get("/").text
    with room.home.database.reading() as database:
        assert database.get_one(Tape, tape).state == "destroyed"
        assert database.scalars(select(AuditRow.why).where(AuditRow.action == "destroy")).all() == ["due"]
    assert [end.tape_id for end in destruction.resume(room.home, room.clock())] == [tape]


def test_on_the_last_day_nothing_of_this_happens(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    tape = room.tape(group, ada)
    room.clock.advance(29 * DAY)
    assert room.signed_in(ada).get(f"/tapes/{tape}").status_code == 200


@pytest.mark.parametrize("later", [40 * MINUTE, 13 * HOUR, -40 * MINUTE])
def test_a_session_that_was_over_does_not_come_to_life(room: Room, later: int) -> None:
    browser = room.signed_in(room.person("Ada", room.group()))
    assert browser.get("/account").status_code == 200
    room.clock.advance(later)
    assert browser.get("/account").status_code == 303
    room.clock.advance(-later)
    assert browser.get("/account").status_code == 303


def test_a_link_whose_time_was_over_does_not_work_again(room: Room) -> None:
    ada = room.person("Ada", room.group())
    with room.home.database.writing() as database:
        path = invitations.invite(database, room.clock(), "reset", ada)
    assert room.browser().get(path).status_code == 200
    retention.enforce(room.home, room.clock())
    assert room.browser().get(path).status_code == 200
    retention.enforce(room.home, room.clock.advance(DAY))
    room.clock.advance(-DAY)
    assert room.browser().get(path).status_code == 404


def test_a_codebook_that_was_taken_out_goes_with_the_last_tape_that_needs_it(room: Room) -> None:
    groups = Groups(room)
    ada = room.signed_in(groups.ada)
    groups.send(ada)
    [name] = groups.offered(ada, groups.tape)
    Coder(ada, groups.tape).begin(codebook=name)
    assert ada.post(f"/tapes/{groups.tape}/codebooks/{name}/remove").status_code == 303
    retention.enforce(room.home, room.clock())
    with room.home.database.reading() as database:
        assert database.scalars(select(GroupCodebook.id)).all() == [name]
    destruction.destroy(room.home, groups.tape, "by hand", room.clock())
    retention.enforce(room.home, room.clock())
    with room.home.database.reading() as database:
        assert database.scalars(select(GroupCodebook.id)).all() == []
