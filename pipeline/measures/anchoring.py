"""Does seeing the machine's code sway a coder? Agreement with it where it was shown against where it was hidden.

The difference is what showing adds; its interval comes from drawing tapes again. Some pre-tags are hidden at random
while coding so that this can be known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.coefficients import ratio
from pipeline.measures.panel import MACHINE, MEMBER, Panel
from pipeline.measures.resampling import DRAWS, SEED, WIDTH, ends, weights

ANCHORING_COLUMNS = (
    *("coder", "level", "name", "tapes", "units_shown", "agree_shown", "units_hidden", "agree_hidden"),
    *("difference", "difference_low", "difference_high", "verdict", "undefined"),
)
"""Columns of the table of automation bias."""

ALL = "members"


def anchoring(panel: Panel, draws: int = DRAWS, seed: int = SEED, width: float = WIDTH) -> pd.DataFrame:
    """All members together and one by one, over all codes and by family; empty where nothing says what was shown."""
    members, machine = panel.rows(MEMBER), panel.rows(MACHINE)
    rows = []
    if panel.shown is not None and members and machine:
        coders = [(ALL, members), *((panel.coders[row][1], [row]) for row in members)]
        for level in (level for level in panel.levels if level.kind in ("all", "family")):
            cells = level.of(panel.grid)
            proposed = cells[machine].max(axis=0)
            for place, (name, chosen) in enumerate(coders):
                found = np.stack([_counts(panel, cells, proposed, chosen, shown) for shown in (1, 0)], axis=1)
                if found[:, :, 1].sum():
                    row = (name, level.kind, level.name, *_row(found, draws, seed, width))
                    rows.append((place, row))
    rows.sort(key=lambda row: row[0])
    return pd.DataFrame([row for _, row in rows], columns=list(ANCHORING_COLUMNS))


def _counts(
    panel: Panel, cells: NDArray[np.int32], proposed: NDArray[np.int32], rows: list[int], shown: int
) -> NDArray[np.float64]:
    """Agreements and units of each tape, shape (tapes, 2)."""
    result = np.zeros((len(panel.tapes), 2))
    if panel.shown is None:
        return result
    for row in rows:
        asked = (cells[row] >= 0) & (proposed >= 0) & (panel.shown[row] == shown)
        tape = panel.tape[asked]
        same = cells[row, asked] == proposed[asked]
        result[:, 0] += np.bincount(tape, weights=same, minlength=len(result))
        result[:, 1] += np.bincount(tape, minlength=len(result))
    return result


def _row(found: NDArray[np.float64], draws: int, seed: int, width: float) -> tuple[object, ...]:
    found = found[found[:, :, 1].sum(axis=1) > 0]
    tapes = len(found)
    total = found.sum(axis=0)
    shares = [None if not units else float(agree / units) for agree, units in total]
    head = (tapes, int(total[0, 1]), shares[0], int(total[1, 1]), shares[1])
    if None in shares:
        return (*head, None, None, None, "", f"never {'shown' if shares[0] is None else 'hidden'}")
    again = np.tensordot(weights(tapes, draws, seed), found, axes=1)
    drawn = ratio(again[:, 0, 0], again[:, 0, 1]) - ratio(again[:, 1, 0], again[:, 1, 1])
    between = ends(drawn, tapes, width)
    difference = float(total[0, 0] / total[0, 1] - total[1, 0] / total[1, 1])
    if between is None:
        return (*head, difference, None, None, "no interval: no verdict", "interval: too few tapes with both")
    verdict = "sways" if between[0] > 0 else "does not show" if between[1] < 0.1 else "not clear yet"
    return (*head, difference, *between, verdict, "")
