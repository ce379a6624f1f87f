"""Who takes turns: members, and coordinators and coaches who wish to."""

from __future__ import annotations

import re

from pipeline.review.meetings import turn_order
from pipeline.tapes import people
from pipeline.tapes.db.records import Group, Person
from tests.review.conftest import Room


def test_coordinators_and_coaches_take_turns_only_as_they_wish(room: Room) -> None:
    group = room.group()
    ids = {
        name: room.person(name, group, role=role)
        for name, role in (("Cora", "coordinator"), ("Ada", "member"), ("Ben", "member"), ("Coco", "coach"))
    }

    def names() -> list[str]:
        with room.home.database.reading() as database:
            return [name for _, name in turn_order.next_tapes(database, database.get_one(Group, group), room.clock())]

    def roles() -> set[str]:
        planned = room.signed_in(ids["Ada"]).post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"})
        page = room.signed_in(ids["Ada"]).get(planned.headers["location"]).text
        return set(re.findall(r"selected>(\w+)</option>", page.partition("Who does what")[2]))

    assert names() == ["Ada", "Ben"]
    assert roles() == {"Ada", "Ben"}
    cora, coco = room.signed_in(ids["Cora"]), room.signed_in(ids["Coco"])
    assert "As coordinator, you do not take turns" in cora.get(f"/groups/{group}").text
    for browser in (cora, coco):
        assert browser.post(f"/groups/{group}/turns", {"turns": "yes"}).status_code == 303
    assert names() == ["Ada", "Ben", "Coco", "Cora"]
    assert "(coordinator, takes turns)" in coco.get(f"/groups/{group}").text
    cora.post(f"/groups/{group}/turns")
    assert names() == ["Ada", "Ben", "Coco"]
    assert room.signed_in(ids["Ben"]).post(f"/groups/{group}/turns").status_code == 409
    assert names() == ["Ada", "Ben", "Coco"]


def test_a_coordinator_may_be_given_a_role_by_hand_and_a_coach_who_takes_no_turns_may_not(room: Room) -> None:
    group = room.group()
    ada, cora = room.person("Ada", group), room.person("Cora", group, role="coordinator")
    coach = room.person("Coco", group, role="coach")
    browser = room.signed_in(ada)
    path = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    given = {"facilitator": cora, "time_keeper": ada, "note_taker": ada}
    assert browser.post(f"{path}/roles", given).status_code == 303
    assert browser.post(f"{path}/roles", given | {"note_taker": coach}).status_code == 404


def test_a_role_whose_person_left_the_group_is_nobody_s(room: Room) -> None:
    """The page showed whoever comes first in the list as its holder."""
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    browser = room.signed_in(ada)
    path = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    assert "Choose someone" not in browser.get(path).text
    given = {"facilitator": ben, "time_keeper": ada, "note_taker": ada}
    browser.post(f"{path}/roles", given)
    with room.home.database.writing() as database:
        people.leave(database, database.get_one(Group, group), database.get_one(Person, ben), room.clock())
    page = browser.get(path).text
    assert page.count('<option value="" selected>Choose someone</option>') == 1
    assert page.count("selected>Ada<") == 2


def test_a_group_of_coordinators_alone_can_plan_a_meeting(room: Room) -> None:
    group = room.group()
    browser = room.signed_in(room.person("Cora", group, role="coordinator"))
    path = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    assert browser.get(path).status_code == 200
