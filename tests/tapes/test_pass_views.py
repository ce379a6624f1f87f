"""Who has seen a locked pass."""

from __future__ import annotations

from pipeline.tapes import pass_views
from pipeline.tapes.db.records import Pass
from tests.review.coding.conftest import Table, table
from tests.review.conftest import room

__all__ = ["room", "table"]


def test_a_view_is_recorded_once_and_never_of_the_own_pass(table: Table) -> None:
    home, ada = table.room.home, table.ada.begin()
    ada.lock()
    for person in (table.ada_id, table.ada_id):
        assert pass_views.record(home, person, [ada.pass_id], 1)
    with home.database.reading() as session:
        assert not pass_views.is_seen(session, session.get_one(Pass, ada.pass_id))
    ben = table.room.person("Bea", table.group_id)
    for at in (1, 2):
        assert pass_views.record(home, ben, [ada.pass_id], at)
    with home.database.reading() as session:
        assert pass_views.is_seen(session, session.get_one(Pass, ada.pass_id))
        assert pass_views.has_seen_others(session, ben, table.tape_id)
        assert not pass_views.has_seen_others(session, table.ada_id, table.tape_id)


def test_a_pass_that_was_unlocked_since_it_was_read_must_not_be_shown(table: Table) -> None:
    ada = table.ada.begin()
    assert not pass_views.record(table.room.home, table.room.person("Bea"), [ada.pass_id], 1)
