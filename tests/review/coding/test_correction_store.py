"""Corrections as they are stored: audited without words, told to open pages, and no code among them."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.tapes.db.records import AuditRow
from tests.review.coding.conftest import Table


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
