"""Measures as pages show them: a value, its interval, or the reason why there is none."""

from __future__ import annotations

import pytest

from pipeline.review.tapes import stored_measures
from pipeline.review.tapes.stored_measures import Figure
from pipeline.tapes.db.records import Tape
from tests.review.conftest import MEASURES, Room


def figure(value: float | None, low: float | None, high: float | None, unit: str = "ratio") -> Figure:
    return Figure("x", "X", unit, value, low, high, "" if value is not None else "no question")


@pytest.mark.parametrize(
    ("shown", "text", "spread"),
    [
        (figure(1.25, 0.9, 1.6), "1.2", "0.9 to 1.6"),
        (figure(40.0, 25.0, 60.0, "percent"), "40%", "25% to 60%"),
        (figure(2.0, 2.0, 2.0, "count"), "2", ""),  # nothing is in doubt
        (figure(None, None, None), "no question", ""),
    ],
)
def test_a_figure_is_its_value_and_its_interval_or_the_reason(shown: Figure, text: str, spread: str) -> None:
    assert (shown.text, shown.spread) == (text, spread)


def test_the_main_measures_are_read_from_the_vault(room: Room) -> None:
    group = room.group()
    tape_id = room.tape(group, room.person("Ada", group))
    with room.home.database.reading() as database:
        tape = database.get_one(Tape, tape_id)
        assert stored_measures.stored(database, room.home, tape) == MEASURES
        figures = {each.name: each.value for each in stored_measures.read(database, room.home, tape)}
        assert figures["reflections_per_question"] == 1.3
        assert stored_measures.stored(database, room.home, Tape(group_id=group, interviewer_id="x", created_at=1)) == {}


def test_what_nobody_could_code_by_hand_is_the_machine_s() -> None:
    ratios = {"x": MEASURES["ratios"]["percent_change_talk"] | {"note": "by the machine"}}
    (shown,) = stored_measures.ratios({"ratios": ratios})
    assert shown.by_machine
