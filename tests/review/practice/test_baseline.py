"""Calibration passes on the coach's page and the coder's own."""

from __future__ import annotations

import re

from pipeline.review.practice.baseline import BaselinePoint, squares
from pipeline.review.practice.comparison import Agreement
from tests.review.coach.conftest import group, made
from tests.review.coach.year import Year
from tests.review.practice.conftest import Trainee
from tests.review.practice.test_routes import gold, words

__all__ = ["group", "made"]


def test_blind_passes_are_squares_by_coder_and_family() -> None:
    figures = (
        Agreement("", 10, 0.9, None, None, None),
        Agreement("question", 4, 0.75, None, None, None),
        Agreement("other", 0, None, None, None, None),
    )
    points = [BaselinePoint("Ben", "Mark", True, figures), BaselinePoint("Ben", "Mark", False, figures)]
    assert squares(points) == {("Ben", "question"): [("Mark", 0.75)]}


def test_the_charts_begin_with_the_calibration_pass_and_whoever_drifted_is_offered_one(group: Year) -> None:
    ben = Trainee(group.room.signed_in(group.people["Ben"]))
    path = f"/groups/{group.group}/agreement"
    before = ben.browser.get(path).text
    assert '<a href="/practice">Code a calibration tape</a>' in before
    ada = group.room.signed_in(group.people["Ada"])
    assert "Code a calibration tape" not in ada.get(path).text, "Ada did not drift"
    coach = group.room.signed_in(group.people["Coco"])
    visit = f"/groups/{group.group}/visit"
    calm = coach.get(visit).text
    ben.begin().code({**gold(), "u0010": ("reflection_complex",)})
    assert coach.get(visit).text.count('class="square"') == 0, "nothing before the pass is locked"
    ben.lock()
    page = coach.get(visit).text
    # 77 of 78: 99 %.
    assert "Ben Role-play: Mark, who drives a delivery truck 78 99 %" in words(page)
    assert page.count('class="square"') >= 3
    assert "You Role-play: Mark, who drives a delivery truck 78 99 %" in words(ben.browser.get(path).text)
    assert "delivery truck" not in ada.get(path).text, "drift and calibration are the coder's and the coach's alone"
    # No figure of the tapes, no center line and no finding has moved.
    findings = r'(?s)<section class="first".*?<h3 id="talked">'
    figures = r"(?s)<h3>Agreement.*"
    for part in (findings, figures):
        assert re.findall(part, page) == re.findall(part, calm) != []
