"""What a coding page gets: suggestions as the task and the pass allow."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.tapes.db.records import CodeEvent
from tests.review.coding.conftest import Table


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
