"""The coach's visit: drift speaks to the coder and the coach, the group sees the group, strangers see nothing."""

from __future__ import annotations

import re

from pipeline.review.coach.codes import gather
from pipeline.review.coach.routes import EVERYONE
from pipeline.tapes.clock import DAY
from pipeline.tapes.records import AuditRow, Group, Pass, Person, Recalibration
from tests.review.coach.year import UNITS, Year
from tests.review.conftest import Room


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_visit_from_the_finding_to_the_recalibration(group: Year) -> None:
    room = group.room
    coach, path = room.signed_in(group.people["Coco"]), f"/groups/{group.group}"
    assert f'href="{path}/visit"' in coach.get("/").text
    page = coach.get(f"{path}/visit").text
    said = text(page)
    assert "Speak to Ben" in said
    assert re.search(r"Ben codes \d\.\d times as many complex reflections as the coach", said)
    assert "Ben: reflections drift" in said.replace(": a code", "")
    proposed = re.search(r"Play: (.*?)</p>", page)
    assert proposed
    assert set(re.findall(r"/tapes/([0-9a-f]{16})", proposed[1])) <= set(group.tapes[7:])
    assert page.count("<svg") >= 6
    assert "nan" not in said.lower().split()

    link = re.search(rf'href="({path}/pairs\?[^"]*coder=Ben[^"]*)"', page)
    assert link
    pair = coach.get(link[1].replace("&amp;", "&")).text
    assert "complex reflection" in pair
    assert re.search(r'<audio[^>]* src="/tapes/[0-9a-f]{16}/sound#t=\d+\.000,\d+\.000"', pair)
    with room.home.database.reading() as database:
        seen = database.query(AuditRow).filter(AuditRow.action == "codes.show").count()
    assert seen >= 1

    done = coach.post(f"{path}/recalibrated", {"person_id": group.people["Ben"], "note": "Depth needs new meaning."})
    assert done.headers["location"] == f"{path}/visit?note=recalibrated"
    again = text(coach.get(f"{path}/visit?note=recalibrated").text)
    assert "The charts begin anew" in again
    assert "Speak to Ben" not in again
    with room.home.database.reading() as database:
        row = database.query(Recalibration).one()
        assert (row.person_id, row.by_person_id, row.note) == (
            group.people["Ben"],
            group.people["Coco"],
            "Depth needs new meaning.",
        )


def test_the_whole_group_can_be_recalibrated(group: Year) -> None:
    room = group.room
    coach = room.signed_in(group.people["Coco"])
    coach.post(f"/groups/{group.group}/recalibrated", {"person_id": EVERYONE})
    with room.home.database.reading() as database:
        assert database.query(Recalibration).count() == 5
        person, found = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather(database, person, found, room.clock())
    assert len(gathered.recalibrated["group"]) == 1


def test_a_member_sees_the_group_and_the_own_charts_only(group: Year) -> None:
    room = group.room
    path = f"/groups/{group.group}"
    ben, ada = room.signed_in(group.people["Ben"]), room.signed_in(group.people["Ada"])
    assert "You: reflections" in text(ben.get(f"{path}/agreement").text)
    of_ada = text(ada.get(f"{path}/agreement").text)
    assert "Ben" not in of_ada
    assert "Eve" not in of_ada
    assert "The group as a whole" in of_ada
    assert "A coach has coded 14 of 17 tapes, on 14 days." in of_ada
    for page in ("visit", "pairs?family=reflection&coder=Ben&a=x&b=y"):
        assert ada.get(f"{path}/{page}").status_code == 404
    assert ada.post(f"{path}/recalibrated", {"person_id": group.people["Ada"]}).status_code == 404


def test_strangers_see_nothing(group: Year) -> None:
    room = group.room
    stranger = room.signed_in(room.person("Sam", room.group("Elsewhere"), role="coach"))
    for page in ("visit", "agreement", "pairs?family=reflection&coder=Ben&a=x&b=y"):
        assert stranger.get(f"/groups/{group.group}/{page}").status_code == 404
    assert room.browser().get(f"/groups/{group.group}/visit").status_code in (303, 401)


def test_a_recalibration_is_of_somebody_in_the_group(group: Year) -> None:
    room = group.room
    coach, elsewhere = room.signed_in(group.people["Coco"]), room.person("Sam", room.group("Elsewhere"))
    path = f"/groups/{group.group}/recalibrated"
    assert coach.post(path, {"person_id": elsewhere}).status_code == 404
    assert coach.post(path, {"person_id": group.people["Coco"]}).status_code == 404


def test_a_pair_that_is_not_there_is_not_found(group: Year) -> None:
    room = group.room
    coach = room.signed_in(group.people["Coco"])
    assert coach.get(f"/groups/{group.group}/pairs?family=question&coder=Ben&a=x&b=y").status_code == 404


def test_what_one_is_still_coding_stays_hidden(group: Year) -> None:
    room = group.room
    with room.home.database.writing() as database:
        for layer in ("coach", "member"):
            one = database.query(Pass).filter(Pass.tape_id == group.tapes[0], Pass.layer == layer).first()
            assert one
            one.locked_at = None
        coach, found = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather(database, coach, found, room.clock())
        assert group.tapes[0] not in gathered.tapes
        other = gather(database, database.get_one(Person, group.people["Eve"]), found, room.clock())
    assert set(other.table[other.table["tape_id"] == group.tapes[0]]["layer"]) <= {"member", "machine"}


def test_a_narrower_task_is_left_out_and_counted(group: Year) -> None:
    room = group.room
    with room.home.database.writing() as database:
        one = database.query(Pass).filter(Pass.tape_id == group.tapes[0], Pass.person_id == group.people["Ada"]).one()
        one.task = "depth"
        coach, found = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather(database, coach, found, room.clock())
    assert gathered.narrow == 1
    coded = gathered.table[gathered.table["coder"] == "Ada"]
    assert len(coded) == (len(group.tapes) - 1) * UNITS


def test_a_group_without_codes_has_a_page(room: Room) -> None:
    group = room.group()
    coach = room.signed_in(room.person("Coco", group, role="coach"))
    page = text(coach.get(f"/groups/{group}/visit").text)
    assert "Nothing can be said yet." in page
    member = room.signed_in(room.person("Ada", group))
    assert member.get(f"/groups/{group}/agreement").status_code == 200


def test_the_program_shows_groups_and_folds_small_ones(group: Year) -> None:
    room = group.room
    admin = room.signed_in(room.person("Root", is_admin=True))
    room.person("Tim", room.group("Two by two"))
    page = admin.get("/program").text
    assert "Tuesday peers" in page
    assert "Two by two" not in page
    assert not {name for name in group.people if f">{name}<" in page}
    assert "82 %" in page  # 14 of 17 tapes
    assert room.signed_in(group.people["Coco"]).get("/program").status_code == 404
    assert room.clock() > 300 * DAY
