"""A lock can be taken back until somebody else has seen the pass, or its coder somebody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.review.coding import passes
from pipeline.tapes import pass_views
from pipeline.tapes.db.records import CodeEvent, Pass
from tests.review.coding.conftest import Coder, Table


def unlock(coder: Coder) -> int:
    return int(coder.browser.post(f"{coder.path}/unlock").status_code)


def locked(coder: Coder) -> Coder:
    coder.begin()
    coder.code("u0001", "question_open")
    coder.lock()
    return coder


def test_a_lock_that_nobody_has_seen_is_taken_back_and_the_pass_goes_on(table: Table) -> None:
    ada = locked(table.ada)
    assert "Take back the lock" in ada.browser.get(ada.path).text
    assert unlock(ada) == 303
    assert not ada.state()["pass"]["locked"]
    ada.code("u0002", "change")
    ada.lock()
    assert unlock(ada) == 303  # once more, as nobody has seen it still


@pytest.mark.parametrize(
    "page",
    [
        *("/together", "/together/state?codebook=pretags", "/summary", "/summary.pdf", "/summary.docx"),
        "/../../groups/{group}/agreement",
    ],
)
def test_who_opens_any_page_made_from_a_locked_pass_makes_its_lock_final(table: Table, page: str) -> None:
    ada = locked(table.ada)
    path = page.removeprefix("/../..").format(group=table.group_id)
    answer = table.interviewer.browser.get(path if path != page else f"/tapes/{table.tape_id}{page}")
    assert answer.status_code == 200
    assert unlock(ada) == 409
    assert "Its lock stays" in ada.browser.get(ada.path).text
    assert ada.state()["pass"]["locked"]


def test_who_has_seen_the_others_codes_cannot_go_back_and_copy_them(table: Table) -> None:
    ben = locked(table.ben)
    ada = locked(table.ada)
    assert ada.browser.get(f"/tapes/{table.tape_id}/summary").status_code == 200  # figures made from Ben's codes
    assert unlock(ada) == 409
    assert "You have seen others" in ada.browser.get(ada.path).text
    assert unlock(ben) == 409  # Ada has seen his


def test_pages_that_show_nothing_of_a_pass_leave_its_lock_open(table: Table) -> None:
    ada = locked(table.ada)
    table.ben.begin()
    for coder in (table.ada, table.ben):
        for path in (f"/tapes/{table.tape_id}/coding", coder.path, f"{coder.path}/state", f"{coder.path}/mark"):
            assert coder.browser.get(path).status_code == 200
    assert table.ben.browser.get(f"/tapes/{table.tape_id}/together").status_code == 403
    assert unlock(ada) == 303


def test_nobody_takes_back_anybody_elses_lock(table: Table) -> None:
    ada = locked(table.ada)
    for other in (table.ben, table.interviewer, table.stranger):
        assert other.browser.post(f"{ada.path}/unlock").status_code == 404
    assert ada.state()["pass"]["locked"]


def test_what_was_seen_while_locked_counts_as_shown_afterwards(table: Table) -> None:
    """A locked pass shows every suggestion, so that none of its later codes was given without one."""
    ada = table.ada.begin()
    hidden = next(each["id"] for each in ada.state()["utterances"] if each["pretag"] is None)
    ada.code(hidden, "question_open")
    ada.lock()
    assert unlock(ada) == 303
    ada.code(hidden, "question_closed")
    with table.room.home.database.reading() as session:
        events = session.scalars(select(CodeEvent).where(CodeEvent.utterance_id == hidden).order_by(CodeEvent.at))
        assert [event.pretag_shown for event in events] == [False, True]


def test_an_answer_made_from_a_pass_that_is_unlocked_meanwhile_does_not_go_out(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, record = locked(table.ada), pass_views.record

    def late(*given: object) -> bool:
        with table.room.home.database.writing() as session:
            session.get_one(Pass, ada.pass_id).locked_at = None
        return record(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pass_views, "record", late)
    answer = table.interviewer.browser.get(f"/tapes/{table.tape_id}/together/state?codebook=pretags")
    assert answer.status_code == 503
    assert "question_open" not in answer.text
    assert not ada.state()["pass"]["locked"]


def test_own_tallies_stand_on_the_page_of_a_locked_pass(table: Table) -> None:
    ada = table.ada.begin("questions-and-reflections")
    for name in ("u0001", "u0003"):
        ada.code(name, "question_open")
    ada.code("u0005", "question_closed", action="unsure")
    ada.code("u0007")
    assert "Your tallies" not in ada.browser.get(ada.path).text
    ada.lock()
    page = ada.browser.get(ada.path).text
    for label, count in (("Open question", 2), ("Closed question", 1), ("No code", 1), ("Unsure", 1)):
        assert f'<dt>{label}</dt><dd class="num">{count}</dd>' in page
    assert "Change talk</dt>" not in page  # not of this task


def test_a_change_of_a_page_that_missed_a_newer_one_is_refused_and_named(table: Table) -> None:
    ada = table.ada.begin()
    first = ada.code("u0001", "question_open", base="")
    ada.code("u0001", "question_closed", base=first["id"])
    change = {"id": "late", "kind": "code", "utterance_id": "u0001", "codes": ["reflection_simple"]}
    answer = ada.send(change | {"base": first["id"]}).json()
    assert answer["refused"] == [{"id": "late", "reason": passes.STALE, "stale": "true"}]
    assert ada.send(change | {"id": "other", "utterance_id": "u0002", "base": ""}).json() == {"refused": []}
    assert ada.send(change | {"base": "change-2"}).json() == {"refused": []}
    assert ada.send(change | {"base": first["id"]}).json() == {"refused": []}  # sent again: it is stored already


def test_a_text_whose_words_are_gone_is_refused_and_named(table: Table) -> None:
    ada = table.ada.begin()
    word = ada.state()["utterances"][0]["words"][0]["id"]
    payload = {"replace": [word], "after": None, "with": ["Well", "now"]}
    assert ada.correct("text", "u0001", payload).json() == {"refused": []}
    answer = ada.correct("text", "u0001", payload | {"with": ["Then"]}).json()
    assert [each["stale"] for each in answer["refused"]] == ["true"]
