"""Passes: a change is stored once, in its order, and a locked pass takes no more."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.tapes.db.records import CodeEvent
from tests.review.coding.conftest import Table


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
