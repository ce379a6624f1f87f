"""What a page leaves out, as whoever looks is blind to it, stands there as left out and not as nothing."""

from __future__ import annotations

import re

import pytest

from pipeline.tapes.db.records import Pass, Person
from tests.review.coach.year import Year, year
from tests.review.conftest import Room


def begin(group: Year, name: str, tape: str) -> str:
    """Somebody opens a pass."""
    with group.room.home.database.writing() as database:
        database.get_one(Person, group.people["Ada"]).is_admin = True
        coder_pass = Pass(
            tape_id=tape,
            person_id=group.people[name],
            layer="coach" if name == "Coco" else "member",
            codebook="pretags",
            codebook_version="1.0",
            started_at=group.room.clock(),
        )
        database.add(coder_pass)
    return coder_pass.id


def checked(group: Year) -> str:
    """The cell of the program's page, as Ada sees it."""
    page = group.room.signed_in(group.people["Ada"]).get("/program").text
    [cell] = re.findall(r'data-label="Checked by a coach">(.*?)</td>', page)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip()


@pytest.mark.parametrize(
    ("tapes", "uncoded", "opened", "before", "after"),
    [
        (1, 0, 1, "100 %", "1 left out: you are still coding it"),
        (1, 1, 1, "50 %", "0 % 1 left out: you are still coding it"),  # of the one tape that is left nobody coded any
        (3, 1, 2, "75 %", "50 % 2 left out: you are still coding them"),
    ],
)
def test_a_coached_tape_that_one_is_coding_is_left_out_and_not_uncoached(
    room: Room, tapes: int, uncoded: int, opened: int, before: str, after: str
) -> None:
    group = year(room, tapes, 9, uncoded)
    with room.home.database.writing() as database:
        database.get_one(Person, group.people["Ada"]).is_admin = True
    assert checked(group) == before
    for tape in group.tapes[:opened]:
        begin(group, "Ada", tape)
    assert checked(group) == after


def test_a_tape_that_the_coach_codes_again_is_left_out(room: Room) -> None:
    group = year(room, 2, 9, 0)
    begin(group, "Coco", group.tapes[0])
    assert checked(group) == "100 % 1 left out: the coach is coding it again"


def test_a_tape_that_one_has_yet_to_code_is_left_out(room: Room) -> None:
    """Leo, who coded none of the tapes, is the interviewer of the first of two alone."""
    group = year(room, 2, 9, 0)
    with room.home.database.writing() as database:
        database.get_one(Person, group.people["Leo"]).is_admin = True
    leo = room.signed_in(group.people["Leo"])
    assert "100 % " in (page := leo.get("/program").text.replace("<", " <"))
    assert "1 left out: you have yet to code it" in page
    own_page = leo.get(f"/groups/{group.group}/agreement").text
    assert "A coach has coded 1 of 1 tape, on 1 day. 1 left out: you have yet to code it." in own_page
