"""Coders who cut a tape into units of their own: units are brought together by time before they are compared.

On a tape where boundaries differ, each coder's units are matched to those of one coder (the coach, else whoever has the
most), one to one, so that the shared time is greatest; a match shares at least half of the time that the two take up
together. What finds no match stays a unit of its own, which the other left without a code: to see a unit where another
sees none is a disagreement, too.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHARED = 0.5
"""Share of the time taken up by two units together that a match has in common at least."""


def aligned(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with units of different boundaries brought together, and the tapes on which that was needed.

    Parameters
    ----------
    table: one row an utterance, coder and layer, with ``start`` and ``end`` in ms; rows without times stay as they are.
    """
    if not {"start", "end"} <= set(table.columns):
        return table, ()
    timed = table[table["start"].notna() & table["end"].notna()]
    changed: list[pd.Series] = []
    tapes = []
    for tape_id, tape in timed.groupby("tape_id", sort=False):
        if _differ(tape):
            tapes.append(str(tape_id))
            changed.append(_names(tape))
    if not tapes:
        return table, ()
    names = table["utterance_id"].copy()
    for found in changed:
        names.loc[found.index] = found
    return table.assign(utterance_id=names), tuple(tapes)


def _differ(tape: pd.DataFrame) -> bool:
    """Whether a unit has two pairs of boundaries, or two units of different names lie upon each other."""
    units = tape[["utterance_id", "start", "end"]].drop_duplicates()
    if units["utterance_id"].duplicated().any():
        return True
    spans = units[["start", "end"]].astype(float).sort_values(["start", "end"]).to_numpy()
    overlap = spans[:-1, 1] - spans[1:, 0]
    shorter = np.minimum(spans[:-1, 1] - spans[:-1, 0], spans[1:, 1] - spans[1:, 0])
    return bool((overlap > SHARED * shorter).any())


def _names(tape: pd.DataFrame) -> pd.Series:
    """Each row's unit: the name of its match, or a name that only this coder has."""
    from scipy.optimize import linear_sum_assignment

    coders = [rows for _, rows in tape.groupby(["layer", "coder"], sort=False)]
    coders.sort(key=lambda rows: (rows["layer"].iloc[0] != "coach", -len(rows)))
    first = coders[0]
    names = pd.Series(first["utterance_id"].to_numpy(), index=first.index, dtype=object)
    found = [names]
    for rows in coders[1:]:
        share = _shared(rows, first)
        ones, others = linear_sum_assignment(-share)
        who = f"{rows['layer'].iloc[0]} {rows['coder'].iloc[0]}"
        own = np.array([f"{name} ({who})" for name in rows["utterance_id"]], dtype=object)
        good = share[ones, others] >= SHARED
        own[ones[good]] = names.to_numpy()[others[good]]
        found.append(pd.Series(own, index=rows.index))
    together: pd.Series = pd.concat(found)
    return together


def _shared(one: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.float64]:
    """Time in common, as a share of the time that two units take up together, for all pairs."""
    a, b = (rows[["start", "end"]].astype(float).to_numpy() for rows in (one, other))
    common = np.minimum(a[:, None, 1], b[None, :, 1]) - np.maximum(a[:, None, 0], b[None, :, 0])
    together = np.maximum(a[:, None, 1], b[None, :, 1]) - np.minimum(a[:, None, 0], b[None, :, 0])
    return np.asarray(np.clip(common, 0, None) / np.maximum(together, 1))
