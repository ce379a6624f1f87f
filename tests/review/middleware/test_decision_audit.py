"""Decisions that are alike are one row and a count; what the audit cannot take is counted again the next time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from pipeline.errors import TapesError
from pipeline.review.middleware.decision_audit import WINDOW, AuditedDecision, Decisions
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import AuditRow
from pipeline.tapes.home import Home
from pipeline.tapes.request_trail import Trail
from tests.tapes.conftest import FakeClock


def decision(**changes: object) -> AuditedDecision:
    given: dict[str, object] = {"actor_id": None, "action": "refuse", "thing": "GET /people", "tape_id": None}
    return AuditedDecision(**(given | {"why": "404", "source": "192.0.2.1"} | changes))  # type: ignore[arg-type]


@pytest.fixture
def decisions(home: Home, clock: FakeClock) -> Decisions:
    return Decisions(home, clock)


@pytest.fixture
def rows(home: Home) -> Callable[[], list[tuple[str, str, int | None]]]:
    def read() -> list[tuple[str, str, int | None]]:
        with home.database.reading() as session:
            return [
                (row.action, row.thing, row.times) for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))
            ]

    return read


def test_the_first_is_written_at_once_and_those_alike_as_one_row_after_the_window(
    decisions: Decisions, clock: FakeClock, rows: Callable[[], list[tuple[str, str, int | None]]]
) -> None:
    for _ in range(4):
        decisions.note(decision())
    assert rows() == [("refuse", "GET /people", None)]
    clock.advance(WINDOW)
    decisions.note(decision(thing="GET /program"))
    assert rows()[1:] == [("refuse", "GET /people", 3), ("refuse", "GET /program", None)]


def test_two_people_two_addresses_and_two_reasons_are_not_counted_together(
    decisions: Decisions, rows: Callable[[], list[tuple[str, str, int | None]]]
) -> None:
    decisions.note(decision(), decision(source="192.0.2.2"), decision(why="403"))
    assert len(rows()) == 3


def test_what_was_counted_is_written_at_the_end_and_once(
    decisions: Decisions, rows: Callable[[], list[tuple[str, str, int | None]]]
) -> None:
    decisions.note(decision(), decision())
    decisions.flush()
    decisions.flush()
    assert rows() == [("refuse", "GET /people", None), ("refuse", "GET /people", 1)]


def test_a_row_that_could_not_be_written_is_written_the_next_time(
    decisions: Decisions, rows: Callable[[], list[tuple[str, str, int | None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Database) -> None:
        raise TapesError("K04", "database", "is busy", "try again")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", busy)
        with pytest.raises(TapesError, match="TR-K04"):
            decisions.note(decision())
    decisions.note(decision())
    assert rows() == [("refuse", "GET /people", None)]


class Route:
    path = "/tapes/{tape_id}"


def scope(method: str = "GET", **more: object) -> dict[str, object]:
    return {"route": Route(), "method": method, "path_params": {"tape_id": "made up"}} | more


def test_an_answer_about_a_tape_that_no_row_tells_of_gets_one(decisions: Decisions) -> None:
    trail = Trail("192.0.2.1", "p1", tapes={"t1", "t2"}, recorded={"t2"})
    (decided,) = decisions.decided(scope(), trail, 200)
    assert (decided.actor_id, decided.action, decided.tape_id, decided.why) == ("p1", "read", "t1", "")
    (decided,) = decisions.decided(scope("POST"), trail, 422)
    assert (decided.action, decided.why) == ("send", "422")


def test_no_words_that_somebody_made_up_reach_the_audit(decisions: Decisions) -> None:
    (decided,) = decisions.decided(scope(), Trail("192.0.2.1"), 404)
    assert (decided.action, decided.thing, decided.tape_id) == ("refuse", "GET /tapes/{tape_id}", None)
    assert decisions.decided({"method": "GET"}, Trail("192.0.2.1"), 404) == []
