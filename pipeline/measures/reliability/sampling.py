"""What to double-code for the least effort, such that estimates stay unbiased.

What is drawn are whole tapes, stretches of some minutes, or utterances. A part is drawn at random, evenly over strata
(the coders of a tape; coder and code of an utterance); the rest goes where the machine and the group, or the members
among themselves, disagree. Every item keeps its chance of being drawn, and with it the weight (one over the chance)
that makes a weighted share an estimate for all items. As many are drawn as are wanted, by one systematic draw over both
parts (Madow, Annals of Mathematical Statistics 20(3), 1949).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.reliability.rating_matrix import COACH, CONSENSUS, MACHINE, MEMBER, RatingMatrix

SHARE, RANDOM_PART = 0.2, 0.5
STRETCH_MS = 300_000
"""A stretch of minutes, in ms; stretches are counted from the beginning of the recording."""
RECODE_AFTER_MS = 30 * 86_400_000
"""Milliseconds after which a tape may be coded again: hardly anybody remembers single codes by then, and where a tape
is destroyed after 90 days, as is usual, there is time enough left to code it."""
SAMPLE_COLUMNS = (
    *("tape_id", "utterance_id", "start", "end", "units", "stratum", "part", "disagreement", "chance", "weight"),
)
"""Columns of a sample; ``utterance_id`` is empty but for utterances, ``start`` and ``end`` (seconds) but for stretches;
``units`` counts utterances, ``part`` is random or disagreement."""

MAX_STRETCHES = 10_000
"""Stretches of a tape, at most."""
BASE_SCORE = 0.1
"""What an item without disagreement counts for beside one that is all disagreement."""
AGREEMENT_ICC = 0.02
"""How much utterances of one tape are alike in being agreed upon (intraclass correlation)."""

SampleUnit = Literal["tapes", "minutes", "utterances"]


@dataclass(frozen=True)
class SampleSize:
    """Double-coded utterances, and tapes or stretches of usual length, that give an interval of the wanted width."""

    utterances: int
    items: int


def required_sample_size(width: float, agreement: float, per_item: int) -> SampleSize:
    """How much must be double-coded for a 95 % interval of agreement that is ``width`` wide from end to end.

    Parameters
    ----------
    width: for example 0.1 for plus or minus 5 points.
    agreement: what is expected, for example 0.8.
    per_item: utterances of a tape, or of a stretch, that are double-coded.
    """
    if not (0 < width < 1 and 0 < agreement < 1 and per_item > 0):
        raise ValueError("width and agreement lie between 0 and 1, and a tape has utterances")
    alone = agreement * (1 - agreement) * (2 * 1.959964 / width) ** 2
    utterances = ceil(alone * (1 + (per_item - 1) * AGREEMENT_ICC))
    return SampleSize(utterances, ceil(utterances / per_item))


def draw_sample(
    panel: RatingMatrix, by: SampleUnit = "tapes", share: float = SHARE, random_part: float = RANDOM_PART, seed: int = 0
) -> pd.DataFrame:
    """Draw what a coach double-codes; tapes (or stretches) that a coach has coded already are left out.

    Parameters
    ----------
    by: whole tapes, stretches of `STRETCH_MS`, or single utterances. Utterances without a start lie in no stretch.
    share: how much of it.
    random_part: share of the sample that is drawn at random.
    seed: the same seed draws the same sample.
    """
    items = _items(panel, by)
    number = len(items)
    if not number:
        return pd.DataFrame(columns=list(SAMPLE_COLUMNS))
    random = np.random.default_rng(seed)
    wanted = min(number, max(1, ceil(share * number - 1e-9)))
    evenly = np.full(number, random_part * wanted / number)
    score = BASE_SCORE + items["disagreement"].to_numpy(dtype=float)
    chance = evenly + _chances(score, (1 - random_part) * wanted, 1 - evenly)
    # Shuffled within strata, so that a systematic draw over the ordered list spreads over the strata.
    order = np.lexsort([random.random(number), pd.factorize(items["stratum"], sort=True)[0]])
    marks = np.concatenate([[0.0], np.cumsum(chance[order])]) + random.random()
    starts, ends = marks[:-1], marks[1:]
    drawn, by_chance = np.zeros(number, dtype=bool), np.zeros(number, dtype=bool)
    drawn[order] = _reached(starts, ends)
    by_chance[order] = _reached(starts, starts + evenly[order])
    part = np.where(by_chance, "random", "disagreement")
    items = items.assign(part=part, chance=chance, weight=1 / np.maximum(chance, 1e-12))
    return items[drawn][list(SAMPLE_COLUMNS)].reset_index(drop=True)


def tapes_to_recode(panel: RatingMatrix, now: float, after: float = RECODE_AFTER_MS) -> pd.DataFrame:
    """For each member the tape that was coded longest ago, at least ``after`` ms before ``now``: to be coded again."""
    rows = []
    for row in panel.rows(MEMBER):
        times = panel.times[row]
        old = np.flatnonzero(times <= now - after)
        if len(old):
            oldest = int(old[np.argmin(times[old])])
            rows.append((panel.coders[row][1], panel.tapes[oldest], int(times[oldest])))
    return pd.DataFrame(rows, columns=["coder", "tape_id", "coded_at"])


def _items(panel: RatingMatrix, by: SampleUnit) -> pd.DataFrame:
    """What can be drawn, with its stratum and its disagreement (0 to 1)."""
    grid = panel.grid
    members, machine, coaches = panel.rows(MEMBER), panel.rows(MACHINE), panel.rows(COACH)
    group = _first(grid, [*panel.rows(CONSENSUS), *members])
    differ = np.zeros(grid.shape[1], dtype=bool)
    # Family by family: nobody differs on codes that one of the two could not give.
    for cells in (level.of(grid) for level in panel.levels if level.kind == "family"):
        settled = _first(cells, [*panel.rows(CONSENSUS), *members])
        for other in (_first(cells, machine), *cells[members]):
            differ |= (other >= 0) & (settled >= 0) & (other != settled)
    checked = (grid[coaches] >= 0).any(axis=0)
    place = _places(panel, by)
    known = (group >= 0) & (place >= 0)
    known &= ~np.isin(place, place[checked])
    coder = np.full(grid.shape[1], "", dtype=object)
    for row in reversed(members):
        coder[grid[row] >= 0] = panel.coders[row][1]
    names = np.array(panel.tapes, dtype=object)
    if by == "utterances":
        labels = np.array(["|".join(sorted(each)) for each in panel.sets], dtype=object)
        stratum = np.array([f"{who}: {what}" for who, what in zip(coder, labels[group], strict=True)], dtype=object)
        table = pd.DataFrame(
            {
                "tape_id": names[panel.tape],
                "utterance_id": panel.utterances,
                "start": None,
                "end": None,
                "units": 1,
                "stratum": stratum,
                "disagreement": differ.astype(float),
            }
        )
        return table[known].reset_index(drop=True)
    places, item = np.unique(place[known], return_inverse=True)
    units = np.bincount(item, minlength=len(places))
    off = np.bincount(item, weights=differ[known], minlength=len(places))
    who: dict[int, set[str]] = {}
    for row in members:
        for tape in np.unique(panel.tape[grid[row] >= 0]):
            who.setdefault(int(tape), set()).add(panel.coders[row][1])
    of_tape, stretch = np.divmod(places, MAX_STRETCHES) if by == "minutes" else (places, np.zeros(len(places)))
    seconds = STRETCH_MS / 1000
    return pd.DataFrame(
        {
            "tape_id": names[of_tape],
            "utterance_id": "",
            "start": stretch * seconds if by == "minutes" else None,
            "end": (stretch + 1) * seconds if by == "minutes" else None,
            "units": units,
            "stratum": [", ".join(sorted(who.get(int(tape), ()))) for tape in of_tape],
            "disagreement": off / np.maximum(units, 1),
        }
    )


def _places(panel: RatingMatrix, by: SampleUnit) -> NDArray[np.int64]:
    """Which tape, or which stretch of which tape, each utterance lies in; -1 for none. A coach who coded a part of it
    has checked it."""
    if by != "minutes":
        return panel.tape
    if panel.starts is None:
        return np.full(len(panel.tape), -1, dtype=np.int64)
    timed = ~np.isnan(panel.starts)
    stretch = np.minimum(np.where(timed, panel.starts, 0) // STRETCH_MS, MAX_STRETCHES - 1).astype(np.int64)
    return np.where(timed, panel.tape * MAX_STRETCHES + stretch, -1)


def _first(grid: NDArray[np.int32], rows: list[int]) -> NDArray[np.int32]:
    """The first of some coders who coded each utterance; -1 where none did."""
    found = np.full(grid.shape[1], -1, dtype=np.int32)
    for row in reversed(rows):
        found = np.where(grid[row] >= 0, grid[row], found).astype(np.int32)
    return found


def _chances(score: NDArray[np.float64], wanted: float, room: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances in proportion to a score that add up to ``wanted``, none above its room."""
    full = np.zeros(len(score), dtype=bool)
    while True:
        left = max(wanted - room[full].sum(), 0.0)
        chance = np.where(full, room, score * left / max(score[~full].sum(), 1e-12))
        above = (chance > room) & ~full
        if not above.any():
            return np.asarray(chance)
        full |= above


def _reached(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which stretches of a line hold a whole number: beyond the start, up to the end."""
    return np.asarray(np.floor(ends) > np.floor(starts))
