"""What a chart says of its last tapes: steady, drift (and between which codes), or noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, WINDOW, ControlChart, most_one_sided
from pipeline.measures.reliability.coefficients import Array

MARGINALS_ALPHA = 0.05
"""Significance at which marginals count as moved where agreement has fallen already."""
MAX_PROPOSED = 3
"""Tapes that are proposed to talk about, at most."""

StateName = Literal["steady", "drift", "noise"]


@dataclass(frozen=True)
class ChartState:
    """Places are of tapes in the chart.

    ``since`` is the first of the last tapes at which the chart spoke; ``window`` the tapes (first, last) that ``table``
    sums up; ``pair`` the reference's value and the coder's; ``proposed`` the tapes with most of it.
    """

    state: StateName
    moved: float
    since: int | None = None
    window: tuple[int, int] = (0, 0)
    table: Array | None = None
    pair: tuple[int, int] | None = None
    proposed: tuple[int, ...] = ()


def chart_state(tables: Array, found: ControlChart) -> ChartState:
    """Read the last `WINDOW` tapes of a chart of these tables; there is at least one after the calibrated ones."""
    recent = max(CALIBRATION_TAPES, len(tables) - WINDOW)
    fallen = [place for place in found.alarms if place >= recent]
    shifts = [shift for shift in found.shifts if shift.last >= recent]
    if not fallen and not shifts:
        return ChartState("steady", float(found.moved[-1]))
    spoken = sorted([*fallen, *(shift.last for shift in shifts)])
    since, last = spoken[0], spoken[-1]
    begin = max(CALIBRATION_TAPES, last + 1 - WINDOW)
    window = tables[begin : last + 1]
    table = window.sum(axis=0)
    pair = (shifts[-1].reference, shifts[-1].coder) if shifts else most_one_sided(table)
    moved = float(found.moved[last])
    if pair is None or not (shifts or moved < MARGINALS_ALPHA):
        pair = None
    weight = window[:, pair[0], pair[1]] if pair else window.sum(axis=(1, 2)) - np.trace(window, axis1=1, axis2=2)
    order = [int(place) for place in np.argsort(-weight, kind="stable") if weight[place] > 0]
    proposed = tuple(begin + place for place in order[:MAX_PROPOSED])
    return ChartState("drift" if pair else "noise", moved, since, (begin, last), table, pair, proposed)
