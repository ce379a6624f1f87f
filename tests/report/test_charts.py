import pytest

from pipeline.measures.session.measures import Measure, PublishedThreshold
from pipeline.measures.session.readiness import ReadinessLine, ReadinessPoint, TurningPoint
from pipeline.report.charts import LEFT, RIGHT, Axis, Bar, ChartedUtterance, bands, bars, duration, plot, readiness


def charted(row: int, start: int, end: int, role: str = "interviewer", *codes: str) -> ChartedUtterance:
    return ChartedUtterance(row, start, end, role, tuple((code.split("_")[0], code) for code in codes), "", False)


def test_time_runs_from_left_to_right_and_stays_inside() -> None:
    axis = Axis(0, 60_000)
    assert [axis.x(time) for time in (-5, 0, 30_000, 60_000, 70_000)] == [LEFT, LEFT, (LEFT + RIGHT) / 2, RIGHT, RIGHT]


@pytest.mark.parametrize(
    ("length", "first", "number"), [(30_000, 5_000, 7), (300_000, 30_000, 11), (1_200_000, 120_000, 11)]
)
def test_ticks_are_round_and_few(length: int, first: int, number: int) -> None:
    ticks = Axis(0, length).ticks()
    assert (ticks[1][1], len(ticks)) == (first, number)


def test_ticks_end_with_the_session() -> None:
    assert [time for _, time in Axis(300_000, 600_000).ticks(until=400_000)] == [300_000, 330_000, 360_000, 390_000]


def test_a_picture_is_as_long_as_what_is_said() -> None:
    assert duration([charted(0, 0, 90_000)], 60_000) == 90_000
    assert duration([], 0) == 30_000


def test_talk_of_one_voice_joins_over_a_short_breath() -> None:
    axis = Axis(0, 824_000)  # one unit a second
    talk = [
        charted(0, 0, 10_000),
        charted(1, 10_900, 20_000),
        charted(2, 22_000, 30_000),
        charted(3, 21_000, 25_000, "client"),
    ]
    assert bars(talk, axis) == (Bar(112, 20, "interviewer"), Bar(134, 8, "interviewer"), Bar(133, 4, "client"))


def test_a_long_session_is_shown_in_rows_of_five_minutes() -> None:
    talk = [charted(row, row * 60_000, row * 60_000 + 5_000, "interviewer", "question_open") for row in range(20)]
    shown = bands(talk, 1_200_000)
    assert [(band.start, band.end) for band in shown] == [
        (start, start + 300_000) for start in range(0, 1_200_000, 300_000)
    ]
    assert [mark.row for band in shown for mark in band.marks] == list(range(20))
    assert [(band.start, band.end) for band in bands(talk[:6], 360_000)] == [(0, 360_000)]
    assert bands(talk[:7], 400_000)[-1].end == 400_000


def test_talk_across_the_end_of_a_row_is_shown_in_both() -> None:
    shown = bands([charted(0, 295_000, 305_000)], 600_000)
    assert [len(band.bars) for band in shown] == [1, 1]


def test_marks_that_would_cover_each_other_move_apart_a_little() -> None:
    axis_unit = 360_000 / (RIGHT - LEFT)
    talk = [charted(row, round(row * axis_unit), 100, "client", "change") for row in range(3)]
    (band,) = bands(talk, 360_000)
    # One unit apart in time: the second moves to a mark's width, the third no further than twelve units.
    assert [mark.x for mark in band.marks] == [112, 125, 126]
    other = [charted(0, 0, 100, "client", "change"), charted(1, 0, 100, "client", "sustain")]
    assert [mark.x for mark in bands(other, 360_000)[0].marks] == [112, 112]


def test_the_readiness_line_by_hand() -> None:
    points = (
        ReadinessPoint("1", 10_000, 1, 1, 0, 1),
        ReadinessPoint("2", 20_000, 1, 2, 1, 3),
        ReadinessPoint("3", 30_000, -1, 1, -1, 2),
    )
    turn = TurningPoint("2", 20_000, 2, "sustain")
    curve = readiness(ReadinessLine(points, (turn,), 3), Axis(0, 824_000), top=0, bottom=40)
    assert curve is not None
    assert curve.line == "M112.0 30.0L122.0 30.0L122.0 20.0L132.0 20.0L132.0 10.0L142.0 10.0L142.0 20.0"
    assert curve.band.startswith("M112.0 30.0L122.0 30.0L122.0 20.0L132.0 20.0L132.0 0.0")
    assert (curve.zero, curve.final, curve.turns) == (30, 1, ((132.0, 10.0, 20_000, "sustain"),))
    assert [value for _, value in curve.levels] == [-1, 0, 1, 2, 3]


def test_without_client_talk_or_times_there_is_no_line() -> None:
    assert readiness(ReadinessLine((), (), 3), Axis(0, 1_000), 0, 40) is None
    assert readiness(ReadinessLine((ReadinessPoint("1", None, 1, 1, 1, 1),), (), 3), Axis(0, 1_000), 0, 40) is None


def test_a_measure_on_its_scale() -> None:
    share = Measure("", "", "percent", 50, 1, 2, 25, 75, references=(PublishedThreshold(40, "fair"),))
    drawn = plot(share, width=220, margin=10)
    assert drawn is not None
    assert (drawn.low, drawn.value, drawn.high, drawn.open_end) == (60, 110, 160, False)
    assert drawn.references == ((90, "fair"),)
    assert [label for _, label in drawn.ticks] == ["0%", "50%", "100%"]


def test_a_ratio_without_an_upper_limit_runs_off_its_scale() -> None:
    drawn = plot(Measure("", "", "ratio", 4, 4, 1, 4, None), width=220, margin=10)
    assert drawn is not None
    assert (drawn.low, drawn.high, drawn.open_end) == (210, 210, True)
    assert [label for _, label in drawn.ticks] == ["0", "1", "2", "3", "4"]


def test_a_ratio_without_tags_has_no_width_and_none_without_value_no_plot() -> None:
    drawn = plot(Measure("", "", "percent", 30, 3, 10), width=220, margin=10)
    assert drawn is not None
    assert (drawn.low, drawn.value, drawn.high, drawn.open_end) == (70, 70, 70, False)
    assert plot(Measure("", "", "ratio", None, 3, 0)) is None
