"""Passes over HTTP: what is stored, how often, for whom, and what comes back."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from pipeline.formats import codebook_files
from pipeline.review.coding import observer_tasks
from pipeline.tapes.db.records import Review, Tape
from tests.review.coding.conftest import Coder, Table


def test_a_key_of_ones_own_stays(table: Table) -> None:
    ada = table.ada.begin()
    headers = {"X-CSRF-Token": ada.token}
    wanted = {"action": "code:question_open", "key": "7"}
    assert ada.browser.client.post(f"{ada.path}/keys", json=wanted, headers=headers).status_code == 204
    taken = ada.browser.client.post(f"{ada.path}/keys", json={"action": "unsure", "key": "r"}, headers=headers)
    assert taken.status_code == 422
    assert {code["name"]: code["shown"] for code in ada.state()["codes"]}["question_open"] == "7"
    assert {code["name"]: code["shown"] for code in table.ben.begin().state()["codes"]}["question_open"] == "o"


def paths(coder: Coder) -> list[tuple[str, str]]:
    tape = f"/tapes/{coder.tape_id}"
    gets = ["coding", "sound", "peaks", "together", "names", f"passes/{coder.pass_id}"]
    gets += [f"passes/{coder.pass_id}/{end}" for end in ("state", "ratings", "codes.csv", "codes.vtt")]
    posts = [f"passes/{coder.pass_id}/{end}" for end in ("lock", "keys", "changes", "ratings")]
    posts += ["coding", "codebooks", "together", "names"]
    return [("GET", f"{tape}/{path}") for path in gets] + [("POST", f"{tape}/{path}") for path in posts]


BODIES: dict[str, dict[str, Any]] = {
    "keys": {"json": {"action": "unsure", "key": "w"}},
    "changes": {"json": {"changes": []}},
    "coding": {"data": {"task": "all", "codebook": "pretags"}},
    "codebooks": {"files": {"file": ("a.xml", b"<x/>")}},
    "ratings": {"data": {}},
    "together": {"json": {"id": "s", "codebook": "pretags", "utterance_id": "u0001", "codes": []}},
    "names": {"data": {"word": "w00001", "on": "1"}},
}


def answers(coder: Coder, by: Coder) -> dict[str, int]:
    token = by.browser.token("/account")
    return {
        f"{method} {path.rpartition('/')[2]}": by.browser.client.request(
            method,
            path,
            headers={"X-CSRF-Token": token},
            **(BODIES.get(path.rpartition("/")[2], {}) if method == "POST" else {}),
        ).status_code
        for method, path in paths(coder)
    }


def test_for_a_stranger_nothing_of_a_tape_exists(table: Table) -> None:
    ada = table.ada.begin()
    assert set(answers(ada, table.stranger).values()) == {404}


def test_after_a_withdrawal_nothing_of_a_tape_exists(table: Table) -> None:
    ada = table.ada.begin()
    with table.room.home.database.writing() as session:
        session.scalars(select(Tape)).one().withdrawn_at = table.room.clock()
    assert set(answers(ada, ada).values()) == {404}


def test_anothers_pass_does_not_exist(table: Table) -> None:
    ada = table.ada.begin()
    table.ben.begin()
    statuses = answers(ada, table.ben)
    own_paths = {"lock", "keys", "changes", "state", "codes.csv", "codes.vtt", "ratings", ada.pass_id}
    assert {status for name, status in statuses.items() if name.partition(" ")[2] in own_paths} == {404}


def test_the_interviewer_goes_first(table: Table) -> None:
    with table.room.home.database.writing() as session:
        session.scalars(select(Review)).one().interviewer_done_at = None
    early = table.ada.browser.get(f"/tapes/{table.tape_id}/coding")
    assert early.status_code == 403
    assert "<h1>Not yet</h1>" in early.text
    assert "expired" not in early.text
    assert table.interviewer.begin().state()["utterances"]
    with table.room.home.database.writing() as session:
        session.scalars(select(Review)).one().waived_at = table.room.clock()
    assert table.ada.browser.get(f"/tapes/{table.tape_id}/coding").status_code == 200


def test_a_refusal_does_not_stand_under_the_title_of_another(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben
    lacking = next(
        task.name
        for task in observer_tasks.TASKS
        if task not in observer_tasks.offered_tasks(codebook_files.read("oars"))
    )
    tape = f"/tapes/{table.tape_id}"
    early = ada.browser.post(f"{tape}/together/look")
    ada.lock()
    late = ada.browser.post(f"{ada.path}/ratings", {"empathy": "3"})
    other = ben.browser.post(f"{tape}/coding", {"task": lacking, "codebook": "oars"})
    refusals = [(answer.status_code, re.findall("<h1>(.*)</h1>", answer.text)) for answer in (early, late, other)]
    assert refusals == [
        (403, ["Not yet"]),
        (409, ["This has changed in the meantime"]),
        (422, ["Please check the form"]),
    ]
    assert "has no codes for this task" in other.text
