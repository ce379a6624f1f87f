"""Blindness: what another coder does changes nothing that a blind coder can receive, byte for byte."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from sqlalchemy import select

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.db.records import CodeEvent, Pass
from pipeline.tapes.home import Home
from tests.review.coding.conftest import Coder, Table
from tests.review.conftest import QUICK, Browser, Room, home_settings


def everything(coder: Coder, others: Coder) -> list[tuple[str, int, list[tuple[str, str]], bytes]]:
    """All that a coder can ask for, with the headers; what others own, and the group's page, included."""
    tape = f"/tapes/{coder.tape_id}"
    paths = [f"{tape}/{end}" for end in ("coding", "together", "together/state?codebook=pretags", "names", "peaks")]
    for pass_id in (coder.pass_id, others.pass_id):
        ends = ("", "/state", "/ratings", "/codes.csv", "/codes.vtt")
        paths += [f"{tape}/passes/{pass_id}{end}" for end in ends]
    requests = [("GET", path, None, {}) for path in paths]
    requests += [("GET", f"{tape}/sound", None, {"range": f"bytes={low}-"}) for low in (0, 700_000, 10**9)]
    requests += [("HEAD", f"{tape}/sound", None, {}), ("GET", f"{tape}/peaks", None, {"if-none-match": "*"})]
    change = {"id": "mine-1", "kind": "code", "utterance_id": "u0003", "action": "set", "codes": ["question_open"]}
    again = {**change, "id": "mine-2", "action": "clear", "codes": []}
    for body in ({"changes": [change]}, {"changes": [change, again]}, {"changes": [{**again, "undoes": "theirs-1"}]}):
        requests += [("POST", f"{coder.path}/changes", body, {}), ("GET", f"{coder.path}/state", None, {})]
    settled = {"id": "s", "codebook": "pretags", "utterance_id": "u0001", "codes": ["question_open"]}
    requests += [("POST", f"{tape}/together", settled, {}), ("POST", f"{tape}/together/look", {}, {})]
    answers_found = []
    for method, path, body, headers in requests:
        token = {"X-CSRF-Token": coder.token} if method == "POST" else {}
        answer = coder.browser.client.request(method, path, json=body, headers=headers | token)
        answers_found.append((f"{method} {path}", answer.status_code, sorted(answer.headers.items()), answer.content))
    return answers_found


def world(folder: Path, table: Table, token: str, coder: Coder) -> tuple[Room, Coder]:
    """A copy of the table's home, with the same blind coder in front of it."""
    room = Room.__new__(Room)
    room.home, room.clock = Home.open(home_settings(folder)), table.room.clock
    room.app = application.create(room.home, settings.load().settings, clock=room.clock, passwords=QUICK)
    browser = Browser(room.app)
    browser.client.cookies.set(SESSION, token)
    return room, Coder(browser, coder.tape_id, coder.pass_id, coder.token)


def test_two_worlds_that_differ_in_anothers_codes_look_the_same_to_a_blind_coder(table: Table, tmp_path: Path) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    ada.code("u0001", "question_open")
    ben.code("u0001", "question_closed", id="theirs-0")
    token = ada.browser.client.cookies[SESSION]
    table.room.home.close()
    folders = [tmp_path / name for name in ("quiet", "busy")]
    for folder in folders:
        shutil.copytree(table.room.home.folder, folder)
    (quiet, ada_there), (busy, ada_here) = (world(folder, table, token, ada) for folder in folders)
    draw = random.Random(5)
    codes = ("question_open", "reflection_simple", "change", "sustain")
    with busy.home.database.writing() as session:
        pass_ = session.get(Pass, ben.pass_id)
        assert pass_ is not None
        session.add_all(
            CodeEvent(
                tape_id=pass_.tape_id,
                pass_id=pass_.id,
                person_id=pass_.person_id,
                utterance_id=f"u{draw.randint(1, 12):04d}",
                at=busy.clock() + number,
                action="set",
                codes=[draw.choice(codes)],
                client_event_id=f"{pass_.id}:theirs-{number}",
            )
            for number in range(1, 200)
        )
        pass_.locked_at = busy.clock()
    assert everything(ada_there, ben) == everything(ada_here, ben)
    for room in (quiet, busy):
        room.home.close()


def test_the_test_above_would_see_a_difference(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    ben.code("u0001", "question_closed")
    ben.lock()
    before = everything(ada, ben)
    assert {answer[1] for answer in before if "/together" in answer[0]} == {403}
    ada.lock()
    ada.count = 0
    after = everything(ada, ben)
    assert {answer[1] for answer in after if "GET" in answer[0] and "/together" in answer[0]} == {200}
    assert any(b"question_closed" in answer[3] for answer in after)
    assert not any(b"Ben" in answer[3] for answer in before)


def test_an_open_pass_of_anothers_is_not_shown_to_those_who_are_done(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    ben.code("u0001", "question_closed")
    ada.lock()
    state = ada.browser.get(f"/tapes/{table.tape_id}/together/state?codebook=pretags").json()
    assert state["coders"] == ["Ada"]
    assert all(not row["opinions"] for row in state["places"])


def test_who_has_looked_is_not_blind_in_a_later_pass(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben
    ada.lock()
    page = ben.browser.get(f"/tapes/{table.tape_id}/together")
    assert page.status_code == 200
    assert "Look without coding" in page.text
    assert ben.browser.get(f"/tapes/{table.tape_id}/together/state?codebook=pretags").status_code == 403
    assert ben.browser.post(f"/tapes/{table.tape_id}/together/look").status_code == 303
    ben.begin()
    with table.room.home.database.reading() as session:
        blind = {coder_pass.id: coder_pass.blind for coder_pass in session.scalars(select(Pass))}
    assert blind == {ada.pass_id: True, ben.pass_id: False}
