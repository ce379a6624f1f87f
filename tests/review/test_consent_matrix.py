"""Who may do what with a tape, over HTTP: what the pages, the sound and the coding allow is what the table says."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import soundfile

from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import Review, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.vault.stage_store import item_row
from tests.review.conftest import Room
from tests.tapes.conftest import FakeClock
from tests.tapes.scene import EXPECTED, ROWS, STATES, Scene

ASKED = {"h": ("GET", ""), "l": ("HEAD", "/sound"), "c": ("GET", "/coding")}
"""Letter of the table -> what is asked for."""

ENDING = {"w": "/withdraw", "d": "/destroy"}

ROLES = [row[0] for row in ROWS if row[0] != "program"]


def furnished(home: Home, scene: Scene, now: int) -> None:
    """Give every tape a key, a sound and a target behavior; its interviewer has looked at it already."""
    sound = BytesIO()
    soundfile.write(sound, np.zeros(1600, np.int16), 16_000, format="FLAC")
    for tape in [*scene.tapes.values(), *scene.others.values()]:
        home.vault.create_key(tape.id)
        item = home.vault.put(tape.id, "mono", sound.getvalue())
        with home.database.writing() as session:
            session.add(item_row(item, now))
            session.add(Review(tape_id=tape.id, stage="coding", interviewer_done_at=now))
            target_behavior.name(session, home.vault, tape.id, "drinking less", now)


def test_who_reaches_what(home: Home, clock: FakeClock) -> None:
    room = Room(home, clock)
    with home.database.writing() as session:
        scene = Scene(session, clock())
    furnished(home, scene, clock())
    wrong = []
    for role in ROLES:
        browser = room.signed_in(scene.person(role).id)
        for state in STATES[1:]:
            tape: Tape = scene.tape(role, state)
            for letter, (method, path) in ASKED.items():
                status = browser.client.request(method, f"/tapes/{tape.id}{path}").status_code
                # who is disabled is not signed in any more, and is sent to the sign-in page
                expected = 303 if role.startswith("disabled") else 200 if letter in EXPECTED[role, state] else 404
                if status != expected:
                    wrong.append((role, state, letter, status))
    assert wrong == []
    assert len(ROLES) * len(STATES[1:]) * len(ASKED) > 500


@pytest.mark.parametrize("role", ["member", "coordinator", "coach", "named", "stranger", "former_member"])
def test_who_may_not_end_a_tape(home: Home, clock: FakeClock, role: str) -> None:
    room = Room(home, clock)
    with home.database.writing() as session:
        scene = Scene(session, clock())
    browser = room.signed_in(scene.person(role).id)
    form = {"csrf": browser.token("/account"), "sure": "yes"}
    for state in STATES[1:]:
        for letter, path in ENDING.items():
            assert letter not in EXPECTED[role, state]
            address = f"/tapes/{scene.tape(role, state).id}{path}"
            assert [browser.client.get(address).status_code, browser.client.post(address, data=form).status_code] == [
                404
            ] * 2
