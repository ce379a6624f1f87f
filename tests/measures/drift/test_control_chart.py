from __future__ import annotations

import numpy as np
import pytest

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, control_chart, most_one_sided, signals
from tests.measures.coders import balanced_tables


def test_the_center_line_is_that_of_the_first_five_tapes() -> None:
    chart = control_chart(balanced_tables([72, 72, 72, 72, 72, 60, 60, 60]))
    assert chart
    assert chart.center == pytest.approx(0.9, abs=0.005)
    assert np.isnan(chart.limit[:CALIBRATION_TAPES]).all()
    assert chart.alarms[0] == 5


def test_good_tapes_buy_little_credit() -> None:
    chart = control_chart(balanced_tables([64] * 5 + [80] * 10 + [52] * 3))
    assert chart
    # sin²(asin √.8 + (½ / √5 + 2 √(.3 / 1.7)) / (2 √80.5)) with Anscombe's constants: half a standard error of the
    # center line, which ten good tapes lift, and two of the mean.
    assert chart.mean.max() == pytest.approx(0.8447, abs=0.0005)
    assert chart.alarms
    assert chart.alarms[0] <= 17


def test_the_limit_learns_from_quiet_tapes_and_the_center_line_does_not() -> None:
    usual, better, worse = (control_chart(balanced_tables([62] * 5 + [now] * 40)) for now in (62, 66, 60))
    assert usual
    assert better
    assert worse
    assert usual.center == better.center == worse.center
    # By half a standard error of the center line at most, however many tapes there are: .5 √(.775 · .225 / 400).
    assert better.limit[-1] - usual.limit[-1] == pytest.approx(0.0104, abs=0.001)
    # Tapes below the line teach it nothing.
    assert worse.limit[-1] == usual.limit[-1]


def test_a_slow_fall_does_not_become_usual() -> None:
    slow = control_chart(balanced_tables([66] * 5 + [66 - tape // 4 for tape in range(40)]))
    assert slow
    assert slow.alarms
    assert slow.agreement[slow.alarms[0]] >= 0.72


def test_many_charts_at_once_speak_as_one_by_one() -> None:
    random = np.random.default_rng(3)
    many = random.multinomial(60, [0.5, 0.08, 0.02, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05], size=(30, 25)).astype(float)
    many = many.reshape(30, 25, 3, 3)
    many[::2, 15:, 0, 1] += 12
    alarms, shifts = signals(many)
    assert alarms.any()
    assert shifts.any()
    for tables, mean, sides in zip(many, alarms, shifts, strict=True):
        chart = control_chart(tables)
        assert chart
        assert chart.alarms == tuple(np.flatnonzero(mean))
        assert tuple(shift.last for shift in chart.one_sided) == tuple(np.flatnonzero(sides))


def test_small_tapes_move_the_mean_less() -> None:
    usual, small = balanced_tables([70] * 6), balanced_tables([70] * 6)
    usual[5], small[5] = balanced_tables([40])[0], balanced_tables([10], units=20)[0]
    usual_chart, small_chart = control_chart(usual), control_chart(small)
    assert usual_chart
    assert small_chart
    assert usual_chart.mean[5] < small_chart.mean[5] < small_chart.center


def test_calibrated_tapes_that_vary_much_widen_the_limits() -> None:
    calm, wild = control_chart(balanced_tables([70] * 7)), control_chart(balanced_tables([78, 62, 79, 61, 70, 70, 70]))
    assert calm
    assert wild
    assert wild.limit[-1] < calm.limit[-1]


def test_a_bias_from_the_start_is_no_drift() -> None:
    steady = np.array([[[40, 12], [2, 26]]] * 14, dtype=float)
    chart = control_chart(steady)
    assert chart
    assert chart.one_sided == ()
    assert chart.alarms == ()
    assert most_one_sided(steady.sum(axis=0)) == (0, 1)
    assert most_one_sided(np.eye(2)) is None
