"""Blindness on every page: two worlds that differ in other people's codes alone, asked for everything that there is.

The requests come from the route table, so a new page is asked for as well. `tests.review.coding.test_blind_passes` adds
what is sent to the coding page, and parts of the sound.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.db.records import Role
from pipeline.tapes.home import Home
from tests.review.coding import shelf
from tests.review.coding.conftest import Coder
from tests.review.conftest import QUICK, Browser, Room, home_settings
from tests.review.routes import calls

PEOPLE: dict[str, Role] = {
    **dict.fromkeys(("Ivy", "Ada", "Una", "Ben", "Root"), "member"),
    **dict.fromkeys(("Coco", "Cleo", "Kay"), "coach"),
}
BLIND = ("Ada", "Una", "Coco", "Cleo", "Root")
"""A member and a coach who are coding, a member and a coach who have not begun, and an administrator who is coding."""

CODING = ("Ada", "Coco", "Root")
OTHERS = ("Ben", "Kay")
SETTLED = "u0005"

PROPOSED = re.compile(rb"<h2[^>]*>What to code next</h2>.*?<h2", re.DOTALL)
"""What the coach's page proposes to code: half of it lies where others disagree, and no coach has been yet. That is why
it is proposed; what they coded is not told, nor to which half a tape belongs."""

Answers = dict[tuple[str, str], tuple[int, list[tuple[str, str]], bytes]]


@dataclass
class World:
    """A home with a group, one tape that all have coded and one that some are coding; and everybody's browser."""

    room: Room
    browsers: dict[str, Browser]
    ids: dict[str, str]
    passes: dict[str, str]

    def copy(self, folder: Path) -> World:
        """The same world once more, in another folder; this one's home must be closed."""
        shutil.copytree(self.room.home.folder, folder)
        room = Room.__new__(Room)
        room.home, room.clock = Home.open(home_settings(folder)), self.room.clock
        room.app = application.create(room.home, settings.load().settings, clock=room.clock, passwords=QUICK)
        browsers = {}
        for name, browser in self.browsers.items():
            browsers[name] = Browser(room.app)
            browsers[name].client.cookies.set(SESSION, browser.client.cookies[SESSION])
        return World(room, browsers, self.ids, dict(self.passes))

    def coder(self, name: str) -> Coder:
        coder = Coder(self.browsers[name], self.ids["tape_id"], self.passes.get(name, ""))
        coder.token = coder.browser.token("/account")
        return coder

    def answers(self, name: str, passes: list[str]) -> Answers:
        """All that one person can ask for."""
        answers: Answers = {}
        for call in calls(self.room.app):
            for pass_id in passes if "pass_id" in call.named else passes[:1]:
                for address in call.addresses(self.ids | {"pass_id": pass_id}) if call.safe else ():
                    answer = self.browsers[name].client.request(call.method, address)
                    answers[call.method, address] = (
                        answer.status_code,
                        sorted(answer.headers.items()),
                        PROPOSED.sub(b"", answer.content),
                    )
        return answers


@pytest.fixture
def world(room: Room, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(pyotp, "random_base32", lambda: "A" * 32)  # the one thing that pages draw by lot
    group = room.group()
    people = {name: room.person(name, group, role, name == "Root") for name, role in PEOPLE.items()}
    before, tape = (shelf.put_tape(room.home, group, people["Ivy"], room.clock() - at) for at in (1, 0))
    browsers = {name: room.signed_in(person) for name, person in people.items()}
    for name in (*CODING, "Cleo", *OTHERS):
        coder = Coder(browsers[name], before).begin()
        coder.code("u0001", "question_open")
        coder.code("u0003", "question_closed" if name in OTHERS else "question_open")
        coder.lock()
    passes = {}
    for name in CODING:
        coder = Coder(browsers[name], tape).begin()
        coder.code("u0001", "question_open")
        passes[name] = coder.pass_id
    ivy = browsers["Ivy"]
    ivy.post(f"/tapes/{tape}/feedback", {"kind": "strength", "text": "I waited."})
    meeting = ivy.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    meeting = meeting.split("/")[-1].partition("?")[0]
    ivy.post(f"/meetings/{meeting}/tape", {"tape_id": tape})
    for name in BLIND:
        ivy.post("/growth/share", {"person_id": people[name]})
    ids = {"tape_id": tape, "group_id": group, "meeting_id": meeting, "person_id": people["Ivy"]}
    return World(room, browsers, ids, passes)


@pytest.fixture
def worlds(world: World, tmp_path: Path) -> Iterator[tuple[World, World]]:
    """A quiet world, and one in which others have coded, rated, locked and settled."""
    world.room.home.close()
    quiet, busy = (world.copy(tmp_path / name) for name in ("quiet", "busy"))
    for name in OTHERS:
        for codebook, codes in (("miti-4.2", ("affirmation",)), ("pretags", ("reflection_simple", "sustain"))):
            busy.room.clock.advance(1)  # the pass that ends last counts
            coder = busy.coder(name).begin(codebook=codebook)
            for number in range(1, 12):
                change = {"id": f"{number}", "kind": "code", "utterance_id": f"u{number:04d}"}
                assert coder.send(change | {"codes": [codes[number % len(codes)]]}).json() == {"refused": []}
            coder.browser.post(f"{coder.path}/ratings", {"empathy": "5"})
            coder.lock()
        busy.passes[name] = coder.pass_id
    settled = {"id": "s1", "codebook": "pretags", "utterance_id": SETTLED, "codes": ["reflection_complex"]}
    headers = {"X-CSRF-Token": busy.coder("Ben").token}
    answer = busy.browsers["Ben"].client.post(f"/tapes/{busy.ids['tape_id']}/together", json=settled, headers=headers)
    assert answer.status_code == 200, answer.text
    yield quiet, busy
    for world in (quiet, busy):
        world.room.home.close()


def test_what_others_code_changes_no_byte_that_a_blind_coder_gets(worlds: tuple[World, World]) -> None:
    quiet, busy = worlds
    for name in BLIND:
        passes = [quiet.passes.get(name, "0" * 16), busy.passes["Ben"]]
        here, there = quiet.answers(name, passes), busy.answers(name, passes)
        assert here.keys() == there.keys()
        assert [path for path in here if here[path] != there[path]] == [], name
        assert [path for path in here if here[path][0] >= 500] == [], name
        assert len([True for status, *_ in here.values() if status == 200]) > 15, name


def test_the_test_above_would_see_a_difference(worlds: tuple[World, World]) -> None:
    """Who has locked the own pass gets two different worlds, on each page that shows others' codes."""
    tape, group = f"/tapes/{worlds[0].ids['tape_id']}", f"/groups/{worlds[0].ids['group_id']}"
    shows = (f"{tape}/together", f"{tape}/together/state?codebook=pretags", f"{group}/agreement", f"{group}/visit")
    asked = {call.address(worlds[0].ids) for call in calls(worlds[0].room.app) if call.safe}
    assert {path.partition("?")[0] for path in shows} <= asked
    for name in ("Ada", "Coco"):
        for world in worlds:
            world.coder(name).lock()
        for path in shows if name == "Coco" else shows[:-1]:
            here, there = (world.browsers[name].get(path) for world in worlds)
            assert (here.status_code, there.status_code) == (200, 200), path
            assert here.content != there.content, path
