"""The page on which a group settles."""

# ruff: noqa: F401, F811 - fixtures of other files

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from pipeline.tapes.db.records import CodeEvent
from tests.review.coding.conftest import Table
from tests.review.consensus.test_consensus import (
    board,
    both,
    settle,
)


def test_settling_is_idempotent_and_knows_its_book(both: Table) -> None:
    for _ in range(2):
        assert settle(both.ada, "s1", "question_open").status_code == 200
    with both.room.home.database.reading() as session:
        assert len(session.scalars(select(CodeEvent).where(CodeEvent.client_event_id.endswith(":s1"))).all()) == 1
    assert settle(both.ada, "s3", "confrontation").status_code == 422


def test_an_open_page_is_told_of_what_others_do(both: Table) -> None:
    def mark() -> Any:
        return both.ada.browser.get(f"/tapes/{both.ada.tape_id}/together/mark?codebook=pretags").json()["mark"]

    seen = [board(both.ada)["mark"], mark()]
    settle(both.ben, "s1", "question_open")
    seen += [board(both.ada)["mark"], mark()]
    both.interviewer.begin().correct("speaker", "u0003", {})
    seen.append(mark())
    assert [seen[at] == seen[at + 1] for at in range(4)] == [True, False, True, False]
    open_one = both.stranger.browser
    assert open_one.get(f"/tapes/{both.ada.tape_id}/together/mark?codebook=pretags").status_code == 404
