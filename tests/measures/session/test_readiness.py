import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.session.readiness import TurningPoint, readiness_line, turning_points
from tests.measures.samples import coded, table


def test_the_line_goes_up_with_change_talk_and_down_with_sustain_talk() -> None:
    line = readiness_line(
        coded("C change .9 One two.\nI other .9 Hi there.\nC sustain .9 No.\nC sustain .9 No.\nC neutral .9 Hm hm hm.")
    )
    assert [(point.time, point.step, point.value) for point in line.points] == [
        (1_660, 1, 1),
        (3_650, -1, 0),
        (4_480, -1, -1),
        (5_970, 0, -1),
    ]
    assert line.turning_points == ()


def test_a_line_without_doubt_has_no_width_and_doubt_widens_it() -> None:
    sure = readiness_line(table(("C", "change"), ("C", "sustain")))
    assert [(point.low, point.value, point.high) for point in sure.points] == [(1, 1, 1), (0, 0, 0)]
    assert sure.points[0].time is None
    # Twenty times change or neutral at one half: 6 to 14 (scipy.stats.binom(20, .5).ppf([.05, .95])).
    doubtful = table(*[("C", "change")] * 20, p_change=0.5, p_sustain=0.0, p_neutral=0.5)
    last = readiness_line(doubtful, draws=20_000).points[-1]
    assert (last.low, last.value, last.high) == (6, 20, 14)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([1, 2, 3, 4, 5, 6], []),
        ([-1, -2, -3, -2, -1, 0], [(2, True)]),
        ([-1, -2, -3, -3, -3, -2, -1, 0], [(4, True)]),
        ([1, 2, 3, 4, 3, 2, 1], [(3, False)]),
        # A dip of two is no turn, nor is a first dip before the line has gone anywhere.
        ([1, 2, 3, 4, 3, 2, 3, 4, 5], []),
        ([-1, -2, -1, 0, 1, 2, 3], []),
        ([1, 2, 3, 2, 1, 0, 1, 2, 3, 4], [(2, False), (5, True)]),
        # Down and up by two, then down again: the low that counts is the lowest.
        ([-1, -2, -3, -2, -1, -2, -3, -4, -3, -2, -1], [(7, True)]),
    ],
)
def test_turning_points_by_hand(values: list[int], expected: list[tuple[int, bool]]) -> None:
    assert turning_points(values) == expected


def test_a_smaller_swing_finds_more() -> None:
    assert turning_points([1, 2, 1, 0, 1, 2], swing=2) == [(1, False), (3, True)]


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=80))
@settings(deadline=None)
def test_turning_points_alternate_and_lie_a_swing_apart(steps: list[int]) -> None:
    values = [sum(steps[: at + 1]) for at in range(len(steps))]
    turns = turning_points(values)
    assert [up for _, up in turns] == [turns[0][1] ^ bool(at % 2) for at in range(len(turns))]
    for (a, _), (b, up) in pairwise(turns):
        assert a < b
        assert (values[a] - values[b] if up else values[b] - values[a]) >= 3


@given(st.integers(3, 40), st.data())
@settings(deadline=None)
def test_one_wrong_tag_cannot_turn_a_rising_line(length: int, data: st.DataObject) -> None:
    steps = [1] * length
    steps[data.draw(st.integers(0, length - 1))] = -1
    assert turning_points([sum(steps[: at + 1]) for at in range(length)]) == []


def test_the_invented_session_turns_once_toward_change() -> None:
    assert readiness_line(coded()).turning_points == (TurningPoint("u0019", 61_150, -5, "change"),)


def test_json_has_seconds() -> None:
    plain = readiness_line(coded()).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["turning_points"] == [{"utterance_id": "u0019", "time": 61.15, "value": -5, "toward": "change"}]
    assert plain["swing"] == 3
    assert set(plain["points"][0]) == {"utterance_id", "time", "step", "value", "low", "high"}


def test_no_client_gives_no_line() -> None:
    assert readiness_line(table(("I", "other"))).points == ()
    assert readiness_line(coded("")).points == ()
