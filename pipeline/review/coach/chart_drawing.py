"""Coordinates of a control chart in its SVG picture; the template draws it without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.review.coach.sentences import TOO_FEW

WIDTH, HEIGHT = 680, 220  # of the picture, in its own units
LEFT, RIGHT, TOP, BOTTOM = 52, 664, 16, 188
"""The field in which points are drawn: the scales stand outside."""


@dataclass(frozen=True)
class ChartPoint:
    """One tape's point: its agreement (``y``) and the running mean there, in the picture's units."""

    x: float
    y: float
    mean: float
    tape_id: str
    title: str
    alarm: bool


@dataclass(frozen=True)
class CalibrationPoint:
    """The center of a calibration pass's square, in the picture's units."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class ChartDrawing:
    """A coder's chart for one family of codes."""

    coder: str
    reference: str
    family: str
    state: str
    sentence: str
    dots: tuple[ChartPoint, ...]
    mean_line: str
    limit_line: str
    center: float | None
    calibration_start: float
    calibration_end: float
    ticks: tuple[tuple[float, str], ...]
    squares: tuple[CalibrationPoint, ...] = ()


def draw_charts(
    table: pd.DataFrame,
    points: pd.DataFrame,
    titles: Mapping[str, str],
    baseline: Mapping[tuple[str, str], Sequence[tuple[str, float]]] | None = None,
) -> list[ChartDrawing]:
    """Return a drawing for each row of the drift table that has enough tapes, from its points since the recalibration.

    Parameters
    ----------
    baseline: (coder, family) -> the title of each calibration pass and its share of agreement with the gold. These
        stand before the first tape, as squares.
    """
    drawings = []
    for row in table[table["state"] != TOO_FEW].to_dict("records"):
        chart_points = points[
            (points["coder"] == row["coder"]) & (points["layer"] == row["layer"]) & (points["family"] == row["family"])
        ]
        current_points = chart_points.iloc[len(chart_points) - int(row["tapes"]) :]
        calibrated = (baseline or {}).get((str(row["coder"]), str(row["family"])), ())
        drawings.append(_draw_chart(row, current_points.to_dict("records"), titles, calibrated))
    return drawings


def _draw_chart(
    row: Mapping[Any, Any],
    points: list[dict[Any, Any]],
    titles: Mapping[str, str],
    calibrated: Sequence[tuple[str, float]],
) -> ChartDrawing:
    values = [float(point["agreement"]) for point in points] + [share for _, share in calibrated]
    values += [float(point["limit"]) for point in points if pd.notna(point["limit"])]
    lowest = max(0.0, min([*values, 0.9]) - 0.04)
    step = (RIGHT - LEFT) / max(1, len(points) + len(calibrated))
    first = len(calibrated)

    def x(order: int) -> float:
        return round(LEFT + step * (first + order + 0.5), 1)

    def y(value: Any) -> float:
        return round(BOTTOM - (float(value) - lowest) / (1 - lowest) * (BOTTOM - TOP), 1)

    dots, mean_line, limit_line = [], [], []
    for order, point in enumerate(points):
        mean = point["mean"] if pd.notna(point["mean"]) else point["agreement"]
        alarm = bool(point["alarm"]) or bool(point["shift"])
        title = f"{titles.get(str(point['tape_id']), point['tape_id'])}: {point['agreement']:.0%} of {point['units']}"
        dots.append(ChartPoint(x(order), y(point["agreement"]), y(mean), str(point["tape_id"]), title, alarm))
        if pd.notna(point["mean"]) and not point["calibrated"]:
            mean_line.append(f"{x(order)},{y(point['mean'])}")
        if pd.notna(point["limit"]):
            limit_line.append(f"{x(order)},{y(point['limit'])}")
    squares = tuple(
        CalibrationPoint(x(order - first), y(share), f"{title}, with the gold: {share:.0%}")
        for order, (title, share) in enumerate(calibrated)
    )
    center = row["center"]
    ticks = tuple((y(tick / 100), f"{tick} %") for tick in range(0, 101, 10) if tick / 100 >= lowest)
    return ChartDrawing(
        coder=str(row["coder"]),
        reference=str(row["reference"]),
        family=str(row["family"]),
        state=str(row["state"]),
        sentence=str(row["sentence"]),
        dots=tuple(dots),
        mean_line=" ".join(mean_line),
        limit_line=" ".join(limit_line),
        center=y(center) if pd.notna(center) else None,
        calibration_start=round(LEFT + step * first, 1),
        calibration_end=round(LEFT + step * (first + min(5, len(points))), 1),
        squares=squares,
        ticks=ticks[:: 2 if len(ticks) > 6 else 1],
    )
