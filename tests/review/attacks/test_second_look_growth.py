"""Growth is shared with people of one's groups: who leaves them all neither opens it nor sees whose it is."""

from __future__ import annotations

import pytest

from pipeline.tapes import people
from pipeline.tapes.db.records import Group, Person
from tests.review.conftest import Room


@pytest.mark.parametrize("leaver", ["Ada", "Ben"])
def test_who_left_the_group_sees_no_growth_that_was_shared_in_it(room: Room, leaver: str) -> None:
    group = room.group()
    ids = {name: room.person(name, group) for name in ("Ada", "Ben")}
    room.tape(group, ids["Ada"])
    ben = room.signed_in(ids["Ben"])
    room.signed_in(ids["Ada"]).post("/growth/share", {"person_id": ids["Ben"]})
    path = f"/growth/{ids['Ada']}"
    assert ben.get(path).status_code == 200
    assert path in ben.get("/growth").text
    with room.home.database.writing() as database:
        left = (database.get_one(Group, group), database.get_one(Person, ids[leaver]))
        people.leave(database, *left, room.clock(), None)
    assert ben.get(path).status_code == 404
    assert path not in ben.get("/growth").text
