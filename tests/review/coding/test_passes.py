"""Passes over HTTP: what is stored, how often, for whom, and what comes back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.formats import codebook_files
from pipeline.review.coding import observer_tasks
from pipeline.tapes.db.records import AuditRow, CodeEvent, Review, Tape
from tests.review.coding import shelf
from tests.review.coding.conftest import Coder, Table


def test_a_code_is_stored_once_however_often_it_is_sent(table: Table) -> None:
    ada = table.ada.begin()
    change = ada.code("u0001", "question_open")
    for _ in range(3):
        assert ada.send(change).json() == {"refused": []}
    assert len(ada.state()["events"]) == 1
    with table.room.home.database.reading() as session:
        assert len(session.scalars(select(CodeEvent)).all()) == 1


def test_codes_keep_the_order_in_which_they_came_in_one_millisecond(table: Table) -> None:
    ada = table.ada.begin()
    for number in range(20):
        ada.code("u0001", "question_open" if number % 2 else "question_closed", id=f"n{number}")
    assert [event["id"] for event in ada.state()["events"]] == [f"n{number}" for number in range(20)]


def test_a_code_of_another_book_is_refused_with_the_reason(table: Table) -> None:
    ada = table.ada.begin()
    answer = ada.send({"id": "x", "kind": "code", "utterance_id": "u0001", "codes": ["persuasion"]})
    assert answer.json()["refused"] == [{"id": "x", "reason": "the codebook has no code persuasion"}]
    assert ada.state()["events"] == []


def test_a_locked_pass_takes_no_more(table: Table) -> None:
    ada = table.ada.begin()
    ada.code("u0001", "question_open")
    ada.lock()
    late = ada.send({"id": "late", "kind": "code", "utterance_id": "u0001", "action": "clear"})
    assert late.status_code == 409
    assert len(ada.state()["events"]) == 1


def test_it_is_kept_whether_the_suggestion_was_shown(table: Table) -> None:
    ada = table.ada.begin()
    shown = {utterance["id"]: utterance["pretag"] is not None for utterance in ada.state()["utterances"]}
    assert list(shown.values()).count(False) == round(0.2 * len(shown))
    for name in shown:
        ada.code(name)
    with table.room.home.database.reading() as session:
        kept = {event.utterance_id: event.pretag_shown for event in session.scalars(select(CodeEvent))}
    assert kept == shown


def test_a_locked_pass_shows_every_suggestion(table: Table) -> None:
    ada = table.ada.begin()
    ada.lock()
    assert all(utterance["pretag"] for utterance in ada.state()["utterances"])


def test_a_task_shows_its_suggestions_only(table: Table) -> None:
    ada = table.ada.begin("change-and-sustain")
    codes = {
        code for utterance in ada.state()["utterances"] if utterance["pretag"] for code in utterance["pretag"]["codes"]
    }
    assert codes <= {"change", "sustain", "neutral"}


def test_another_codebook_can_be_chosen(table: Table) -> None:
    state = table.ada.begin("all", "miti-4.2").state()
    assert "emphasizing_autonomy" in {code["name"] for code in state["codes"]}
    keys = {binding["action"]: binding["shown"] for binding in state["bindings"]}
    assert (keys["code:emphasizing_autonomy"], keys["text"]) == ("e", "Shift+e")


def test_a_key_of_ones_own_stays(table: Table) -> None:
    ada = table.ada.begin()
    headers = {"X-CSRF-Token": ada.token}
    wanted = {"action": "code:question_open", "key": "7"}
    assert ada.browser.client.post(f"{ada.path}/keys", json=wanted, headers=headers).status_code == 204
    taken = ada.browser.client.post(f"{ada.path}/keys", json={"action": "unsure", "key": "r"}, headers=headers)
    assert taken.status_code == 422
    assert {code["name"]: code["shown"] for code in ada.state()["codes"]}["question_open"] == "7"
    assert {code["name"]: code["shown"] for code in table.ben.begin().state()["codes"]}["question_open"] == "o"


def test_a_codebook_of_cacti_can_be_taken_in(table: Table) -> None:
    xml = (
        "<userConfiguration><codes><code name='OQ' value='11'/><code name='C+' value='12'/></codes><globals/>"
        "<codeControls panel='left' label='Therapist'><row><button code='OQ'/></row></codeControls>"
        "<codeControls panel='right' label='Client'><row><button code='C+'/></row></codeControls></userConfiguration>"
    )
    upload = {"file": ("Our book.xml", xml.encode(), "text/xml")}
    answer = table.ada.browser.post(f"/tapes/{table.tape_id}/codebooks", {"label": "Our book"}, files=upload)
    assert answer.status_code == 303, answer.text
    page = table.ada.browser.get(f"/tapes/{table.tape_id}/coding").text
    [name] = re.findall(r'value="(\w+)"[^>]*><label[^>]*>Our book<', page)
    state = table.ada.begin("all", name).state()
    assert [code["letter"] for code in state["codes"]] == ["OQ", "C+"]
    table.ada.code("u0001", "OQ")
    table.ada.lock()
    together = table.ada.browser.get(f"/tapes/{table.tape_id}/together/state?codebook={name}").json()
    assert together["coders"] == ["Ada"]
    assert [each["codes"] for each in together["places"][0]["opinions"]] == [["OQ"]]


def test_the_machine_proposes_nothing_to_a_voice_that_it_took_for_the_other(table: Table) -> None:
    utterances = table.ada.begin().state()["utterances"]
    assert any(utterance["pretag"] for utterance in utterances)
    table.interviewer.browser.post(f"/tapes/{table.tape_id}/voices", {"interviewer": "S2"})
    swapped = table.ada.state()["utterances"]
    assert [utterance["role"] for utterance in swapped] != [utterance["role"] for utterance in utterances]
    assert not any(utterance["pretag"] for utterance in swapped)


@pytest.mark.parametrize("wrong", ["../../etc/passwd", "nothing", "/etc/passwd", "a" * 79])
def test_a_codebook_that_does_not_exist_is_told(table: Table, wrong: str) -> None:
    answer = table.ada.browser.post(f"/tapes/{table.tape_id}/coding", {"task": "all", "codebook": wrong})
    assert answer.status_code == 404
    assert "TR-C03" in answer.text


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


def test_every_change_stands_in_the_audit_without_words(table: Table) -> None:
    ada = table.ada.begin()
    ada.code("u0001", "question_open")
    ada.correct("text", "u0001", {"replace": ["w00001"], "after": None, "with": ["Secret"]})
    with table.room.home.database.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
        assert table.room.home.audit.verify(session) == ()
    actions = [row.action for row in rows]
    assert {"pass.start", "change.code", "change.text"} <= set(actions)
    assert not any("Secret" in f"{row.thing} {row.why}" for row in rows)


def test_scripts_in_words_are_words(table: Table) -> None:
    utterances = shelf.talk(4, 0.2)
    utterances[0]["words"][0][2] = "<script>alert(1)</script>"
    utterances[1]["words"][0][2] = "=1+1"
    room = table.room
    tape = shelf.put_tape(
        room.home,
        table.group_id,
        room.person("Eve", table.group_id),
        room.clock(),
        4,
        0.2,
        target="<script>alert(2)</script>",
        utterances=utterances,
    )
    coder = Coder(table.ada.browser, tape).begin()
    for path in ("", "/codes.vtt", "/ratings"):
        assert "<script>alert" not in coder.browser.get(coder.path + path).text
    table_file = coder.browser.get(f"{coder.path}/codes.csv")
    assert table_file.headers["content-disposition"].startswith("attachment")
    assert table_file.headers["content-type"].startswith("text/csv")
    assert ",'=1+1 " in table_file.text
    assert coder.state()["utterances"][0]["words"][0]["text"] == "<script>alert(1)</script>"


def test_an_open_page_is_told_of_others_corrections_and_of_no_code(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()

    def mark() -> int:
        return ada.browser.get(f"{ada.path}/mark").json()["mark"]

    before = mark()
    ben.code("u0001", "question_open")
    ada.correct("speaker", "u0002", {})
    assert mark() == before == ada.state()["mark"]
    ben.correct("text", "u0002", {"replace": [], "after": None, "with": ["Well,"]})
    assert mark() == before + 1 == ada.state()["mark"]
