"""A control chart's coordinates: one point per tape, within the picture."""

from __future__ import annotations

import pandas as pd

from pipeline.review.coach.chart_drawing import BOTTOM, LEFT, RIGHT, TOP, draw_charts

ROW = {
    "coder": "Ada",
    "layer": "member",
    "reference": "coach",
    "family": "question",
    "state": "steady",
    "sentence": "Nothing changed.",
    "tapes": 2,
    "center": 0.9,
}


def point(tape_id: str, agreement: float, alarm: bool = False) -> dict[str, object]:
    return {
        "coder": "Ada",
        "layer": "member",
        "family": "question",
        "tape_id": tape_id,
        "agreement": agreement,
        "mean": 0.9,
        "limit": 0.8,
        "alarm": alarm,
        "shift": False,
        "calibrated": False,
        "units": 20,
    }


def test_points_since_the_last_recalibration_are_drawn_from_left_to_right() -> None:
    points = pd.DataFrame([point("before", 0.1), point("first", 1.0), point("second", 0.84, alarm=True)])
    [drawing] = draw_charts(pd.DataFrame([ROW]), points, {"first": "Monday"})
    assert [dot.tape_id for dot in drawing.dots] == ["first", "second"]
    # Two tapes share 612 units: the middles of the halves.
    assert [dot.x for dot in drawing.dots] == [LEFT + 153, LEFT + 459]
    assert drawing.dots[0].y == TOP
    assert TOP < drawing.dots[1].y < BOTTOM
    assert drawing.calibration_end == RIGHT
    assert [dot.alarm for dot in drawing.dots] == [False, True]
    assert drawing.dots[0].title == "Monday: 100% of 20"
    assert drawing.limit_line.count(",") == drawing.mean_line.count(",") == 2


def test_the_scale_begins_below_the_lowest_value() -> None:
    points = pd.DataFrame([point("first", 1.0), point("second", 0.84)])
    [drawing] = draw_charts(pd.DataFrame([ROW]), points, {})
    # The limit of .8 is the lowest value: the scale begins at .76, and 80 % is the first tick.
    assert [words for _, words in drawing.ticks] == ["80 %", "90 %", "100 %"]
    assert drawing.ticks[-1][0] == TOP
