"""Where things go in a control chart's picture; the template draws it, without a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

WIDTH, HEIGHT = 680, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 664, 16, 188


@dataclass(frozen=True)
class ChartPoint:
    """One tape: its own agreement, and what the mean says at it."""

    x: float
    y: float
    mean: float
    tape_id: str
    title: str
    alarm: bool


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
    calibration_end: float
    ticks: tuple[tuple[float, str], ...]


def draw_charts(table: pd.DataFrame, points: pd.DataFrame, titles: Mapping[str, str]) -> list[ChartDrawing]:
    """A picture for each row of the table of drift, from its points since the last recalibration."""
    found = []
    for row in table.to_dict("records"):
        mine = points[
            (points["coder"] == row["coder"]) & (points["layer"] == row["layer"]) & (points["family"] == row["family"])
        ]
        now = mine.iloc[len(mine) - int(row["tapes"]) :]
        found.append(_draw_chart(row, now.to_dict("records"), titles))
    return found


def _draw_chart(row: Mapping[Any, Any], points: list[dict[Any, Any]], titles: Mapping[str, str]) -> ChartDrawing:
    values = [float(each["agreement"]) for each in points]
    values += [float(each["limit"]) for each in points if pd.notna(each["limit"])]
    least = max(0.0, min([*values, 0.9]) - 0.04)
    step = (RIGHT - LEFT) / max(1, len(points))

    def x(order: int) -> float:
        return round(LEFT + step * (order + 0.5), 1)

    def y(value: Any) -> float:
        return round(BOTTOM - (float(value) - least) / (1 - least) * (BOTTOM - TOP), 1)

    dots, way, limit = [], [], []
    for order, each in enumerate(points):
        mean = each["mean"] if pd.notna(each["mean"]) else each["agreement"]
        alarm = bool(each["alarm"]) or bool(each["shift"])
        title = f"{titles.get(str(each['tape_id']), each['tape_id'])}: {each['agreement']:.0%} of {each['units']}"
        dots.append(ChartPoint(x(order), y(each["agreement"]), y(mean), str(each["tape_id"]), title, alarm))
        if pd.notna(each["mean"]) and not each["calibrated"]:
            way.append(f"{x(order)},{y(each['mean'])}")
        if pd.notna(each["limit"]):
            limit.append(f"{x(order)},{y(each['limit'])}")
    center = row["center"]
    ticks = tuple((y(tick / 100), f"{tick} %") for tick in range(0, 101, 10) if tick / 100 >= least)
    return ChartDrawing(
        coder=str(row["coder"]),
        reference=str(row["reference"]),
        family=str(row["family"]),
        state=str(row["state"]),
        sentence=str(row["sentence"]),
        dots=tuple(dots),
        mean_line=" ".join(way),
        limit_line=" ".join(limit),
        center=y(center) if pd.notna(center) else None,
        calibration_end=round(LEFT + step * min(5, len(points)), 1),
        ticks=ticks[:: 2 if len(ticks) > 6 else 1],
    )
