"""The host's first steps: ticked off by what is there, and gone when they are done or closed."""

from __future__ import annotations

import re

import pytest

from pipeline.tapes import second_step
from pipeline.tapes.db.records import CalibrationPass, Person
from tests.review.conftest import Browser, Room


def steps(page: str) -> dict[str, bool]:
    """Each step on the page, and whether it is ticked."""
    listed = page.partition('id="first-steps"')[2].partition("</section>")[0]
    return {name: state == "done" for state, name in re.findall(r'<li class="(\w*)">\s*<h3>([^<]+)', listed)}


@pytest.fixture
def host(room: Room) -> tuple[Browser, str, str]:
    """A host who has just set up the room, with the own id and the group's."""
    group = room.group()
    root = room.person("Root", group, is_admin=True)
    with room.home.database.writing() as database:
        database.get_one(Person, root).totp_secret = "sealed"  # noqa: S105
    return room.signed_in(root), root, group


def test_each_step_ticks_itself_off_and_the_list_goes_away_with_the_last(
    room: Room, host: tuple[Browser, str, str]
) -> None:
    browser, root, group = host
    names = ("Invite your group", "Plan a meeting", "Practice", "Submit the first tape", "Make recovery codes")
    none = dict.fromkeys(names, False)
    assert steps(browser.get("/").text) == none
    form = {"name": "Eve", "email": "eve@example.org", "group_id": group, "role": "member"}
    browser.post("/people", form)
    assert steps(browser.get("/").text) == none | {"Invite your group": True}
    browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"})
    assert steps(browser.get("/").text) == none | {"Invite your group": True, "Plan a meeting": True}
    room.tape(group, root, state="draft")
    assert not steps(browser.get("/").text)["Submit the first tape"]
    room.tape(group, root, state="queued")
    assert steps(browser.get("/").text)["Submit the first tape"]
    begun = CalibrationPass(
        person_id=root, script="alcohol", codebook="pretags", codebook_version="1", started_at=room.clock()
    )
    with room.home.database.writing() as database:
        second_step.recovery_codes(database, root, room.clock())
        database.add(begun)
    assert not steps(browser.get("/").text)["Practice"]
    with room.home.database.writing() as database:
        database.get_one(CalibrationPass, begun.id).locked_at = room.clock()
    assert "first-steps" not in browser.get("/").text


def test_who_closes_the_list_does_not_see_it_again(host: tuple[Browser, str, str]) -> None:
    browser, _, _ = host
    assert browser.post("/first-steps/close").headers["location"] == "/"
    assert "first-steps" not in browser.get("/").text


def test_only_the_host_has_it(room: Room) -> None:
    member = room.signed_in(room.person("Ben", room.group()))
    assert "first-steps" not in member.get("/").text
    assert member.post("/first-steps/close").status_code == 404


def test_another_group_s_meeting_and_tape_are_not_the_host_s(room: Room, host: tuple[Browser, str, str]) -> None:
    browser, _, _ = host
    other = room.group("Elsewhere")
    room.tape(other, room.person("Cleo", other))
    assert not steps(browser.get("/").text)["Submit the first tape"]
    assert steps(browser.get("/").text)["Invite your group"]
