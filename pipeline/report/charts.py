"""Coordinates of the report's charts: times and values become positions; the templates draw them.

All charts share one width of 960 units with a margin for row labels on the left. Times are ms
from the segment's start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from pipeline.measures.session.measures import Measure
from pipeline.measures.session.readiness import ReadinessLine
from pipeline.timeline import Span, merge

WIDTH, LEFT, RIGHT = 960, 112, 936
"""Width of a chart, and where its time begins and ends, in the picture's own units: labels stand to the left."""
BAND = 300_000
"""Milliseconds of one row of the turn-by-turn chart; a session not much longer gets a single row."""
LONGEST_BAND = 390_000
"""Milliseconds up to which a session is "not much longer": a second row would hold a minute and a half."""
SHORTEST = 30_000
"""Milliseconds that a chart shows at least, so that a mark does not fill it."""
MARK = 14
"""Width of a mark, and the room that it keeps from the last one in its lane."""
LARGEST_NUDGE = 12.0
"""Units by which a mark may stand beside its time to keep clear of the last one: less than its own width."""

_STEPS = (5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000)  # ms between the axis' marks


@dataclass(frozen=True)
class ChartedUtterance:
    """An utterance as the charts show it: ``marks`` are (lane, code) pairs, ``row`` its place in the transcript."""

    row: int
    start: int
    end: int
    role: str
    marks: tuple[tuple[str, str], ...]
    title: str
    unsure: bool


@dataclass(frozen=True)
class Axis:
    """Time from left to right."""

    start: int
    end: int

    def x(self, time: float) -> float:
        """Return the position of a time; a time outside lies on the edge."""
        share = (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def ticks(self, until: int | None = None, most: int = 11) -> tuple[tuple[float, int], ...]:
        """Return the positions and times of round minutes or seconds, none after ``until``."""
        step = next((step for step in _STEPS if (self.end - self.start) / step <= most), _STEPS[-1])
        first = ceil(self.start / step) * step
        return tuple((self.x(time), time) for time in range(first, min(self.end, until or self.end) + 1, step))


@dataclass(frozen=True)
class Bar:
    """A stretch of talk in its role's lane."""

    x: float
    width: float
    role: str


@dataclass(frozen=True)
class ChartMark:
    """A code at its moment."""

    x: float
    lane: str
    code: str
    row: int
    title: str
    unsure: bool


@dataclass(frozen=True)
class Band:
    """One row of the turn-by-turn chart."""

    start: int
    end: int
    ticks: tuple[tuple[float, int], ...]
    bars: tuple[Bar, ...]
    marks: tuple[ChartMark, ...]


@dataclass(frozen=True)
class ReadinessCurve:
    """The readiness line, its interval as a closed shape, and its turning points (x, y, time, toward)."""

    line: str
    band: str
    zero: float
    levels: tuple[tuple[float, int], ...]
    turns: tuple[tuple[float, float, int, str], ...]
    final: int


@dataclass(frozen=True)
class Plot:
    """A measure on its scale, ``width`` units wide; ``open_end`` where the interval has no upper limit."""

    width: int
    value: float
    low: float
    high: float
    open_end: bool
    ticks: tuple[tuple[float, str], ...]
    references: tuple[tuple[float, str], ...]


def duration(utterances: Sequence[ChartedUtterance], given: int) -> int:
    """Return the length of the charts in ms: the segment's, or what is needed to show everything."""
    return max([given, *(utterance.end for utterance in utterances), SHORTEST])


def bars(utterances: Iterable[ChartedUtterance], axis: Axis) -> tuple[Bar, ...]:
    """Return the talk that falls within an axis; bars of one role closer than a second join."""
    spoken: dict[str, list[Span]] = {}
    for utterance in utterances:
        spoken.setdefault(utterance.role, []).append(Span(utterance.start, max(utterance.start, utterance.end)))
    return tuple(
        Bar(axis.x(span.start), max(1.0, round(axis.x(span.end) - axis.x(span.start), 1)), role)
        for role, spans in spoken.items()
        for span in merge(spans, 1_000)
        if span.end > axis.start and span.start < axis.end
    )


def bands(utterances: Sequence[ChartedUtterance], length: int) -> tuple[Band, ...]:
    """Return the rows of the turn-by-turn chart."""
    width = length if length <= LONGEST_BAND else BAND
    rows = []
    for start in range(0, length, width):
        axis = Axis(start, start + width)
        within = [utterance for utterance in utterances if axis.start <= utterance.start < axis.end]
        end = min(axis.end, length)
        rows.append(Band(start, end, axis.ticks(length), bars(utterances, axis), _marks(within, axis)))
    return tuple(rows)


def _marks(utterances: Iterable[ChartedUtterance], axis: Axis) -> tuple[ChartMark, ...]:
    """Return marks at their moments; one that would cover the last in its lane moves a little to the right."""
    last: dict[str, float] = {}
    marks = []
    for utterance in utterances:
        for lane, code in utterance.marks:
            true = axis.x(utterance.start)
            x = round(min(max(true, last.get(lane, -MARK) + MARK + 1), true + LARGEST_NUDGE), 1)
            last[lane] = x
            marks.append(ChartMark(x, lane, code, utterance.row, utterance.title, utterance.unsure))
    return tuple(marks)


def readiness(trajectory: ReadinessLine, axis: Axis, top: float, bottom: float) -> ReadinessCurve | None:
    """Return the readiness line between two heights; None where no utterance of the client has a time."""
    points = [(point.time, point) for point in trajectory.points if point.time is not None]
    if not points:
        return None
    least = min(-1, *(point.low for _, point in points), *(point.value for _, point in points))
    most = max(1, *(point.high for _, point in points), *(point.value for _, point in points))

    def y(value: float) -> float:
        return round(bottom - (value - least) / (most - least) * (bottom - top), 1)

    moments = [axis.x(time) for time, _ in points]
    line = _steps(moments, [y(point.value) for _, point in points], axis.x(0), y(0))
    above = _corners(moments, [y(point.high) for _, point in points], axis.x(0), y(0))
    below = _corners(moments, [y(point.low) for _, point in points], axis.x(0), y(0))
    step = next((step for step in (1, 2, 5, 10, 20, 50) if (most - least) / step <= 7), 100)
    levels = tuple((y(value), value) for value in range(-(-least // step) * step, most + 1, step))
    turns = tuple(
        (axis.x(turn.time), y(turn.value), turn.time, turn.toward)
        for turn in trajectory.turning_points
        if turn.time is not None
    )
    band = "M" + "L".join(f"{x} {y_}" for x, y_ in [*above, *reversed(below)]) + "Z"
    return ReadinessCurve(line, band, y(0), levels, turns, points[-1][1].value)


def _corners(xs: Sequence[float], ys: Sequence[float], x: float, y: float) -> list[tuple[float, float]]:
    """Return the corners of a line that keeps its height until the next point."""
    corners = [(x, y)]
    for next_x, next_y in zip(xs, ys, strict=True):
        corners += [(next_x, y)] if next_y == y else [(next_x, y), (next_x, next_y)]
        y = next_y
    return corners


def _steps(xs: Sequence[float], ys: Sequence[float], x: float, y: float) -> str:
    return "M" + "L".join(f"{a} {b}" for a, b in _corners(xs, ys, x, y))


def plot(measure: Measure, width: int = 260, margin: int = 12) -> Plot | None:
    """Return a measure with its interval and its published reference values; None where it is undefined."""
    if measure.value is None:
        return None
    low = measure.value if measure.low is None else measure.low
    high = max(measure.value, low) if measure.high is None else measure.high
    if measure.unit == "percent":
        ticks: Mapping[float, str] = {0: "0%", 50: "50%", 100: "100%"}
        most = 100.0
    else:
        most = float(max(3, ceil(max(measure.value, high))))
        step = max(1, ceil(most / 4))
        ticks = {float(tick): str(tick) for tick in range(0, int(most) + 1, step)}

    def x(value: float) -> float:
        return round(margin + min(value, most) / most * (width - 2 * margin), 1)

    return Plot(
        width,
        x(measure.value),
        x(low),
        float(width - margin) if measure.high is None and measure.low is not None else x(high),
        measure.high is None and measure.low is not None,
        tuple((x(value), label) for value, label in ticks.items()),
        tuple((x(utterance.value), utterance.label) for utterance in measure.references),
    )
