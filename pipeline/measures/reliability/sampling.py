"""Samples for a coach to double-code: little work, and still unbiased estimates.

The items are whole tapes, stretches of some minutes, or utterances. One part is drawn at random, evenly over strata
(the coders of a tape; coder and code of an utterance); the rest is drawn where the machine and the group, or the
members among themselves, disagree. Every item has a known chance of being drawn, and with it the weight (one over the
chance) that makes a weighted share an estimate for all items. The number of items is exact, by one systematic draw over
both parts (Madow, Annals of Mathematical Statistics 20(3), 1949).
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
"""Share of all items that is drawn, and of the sample that is drawn at random, where nobody says otherwise."""
STRETCH_MS = 300_000
"""Length of a stretch in ms; stretches are counted from what the times of the codes count from."""
RECODE_AFTER_MS = 30 * 86_400_000
"""Milliseconds after which a tape may be coded again: hardly anybody remembers single codes by then, and a tape that is
destroyed after the usual 90 days still leaves time to code it."""
SAMPLE_COLUMNS = (
    *("tape_id", "utterance_id", "start", "end", "units", "stratum", "part", "disagreement", "chance", "weight"),
)
"""Columns of a sample; ``utterance_id`` is empty except for utterances, ``start`` and ``end`` (seconds) except for
stretches; ``units`` counts utterances, ``part`` is random or disagreement."""

MAX_STRETCHES = 10_000
"""Stretches of a tape, at most."""
BASE_SCORE = 0.1
"""Score of an item without disagreement; complete disagreement adds 1 to it."""
AGREEMENT_ICC = 0.02
"""Intraclass correlation of agreement among the utterances of one tape. It makes a sample of n utterances a tape count
as n / (1 + .02 (n - 1)) independent ones (Kish 1965). On AnnoMI's five sessions with ten experts, their 45 pairs have
.00 on average for the interviewer and .01 for the client, a tenth of the pairs over .055: .02 is the careful side."""

SampleUnit = Literal["tapes", "minutes", "utterances"]


@dataclass(frozen=True)
class SampleSize:
    """The double-coded utterances, and tapes or stretches of usual length, that an interval of a given width needs."""

    utterances: int
    items: int


def required_sample_size(width: float, agreement: float, per_item: int) -> SampleSize:
    """Return how much must be double-coded for a 95 % interval of agreement that is ``width`` wide from end to end.

    Parameters
    ----------
    width: for example 0.1 for plus or minus 5 points.
    agreement: the expected agreement, for example 0.8.
    per_item: double-coded utterances per tape or stretch.
    """
    if not (0 < width < 1 and 0 < agreement < 1 and per_item > 0):
        raise ValueError("width and agreement lie between 0 and 1, and a tape has utterances")
    independent = agreement * (1 - agreement) * (2 * 1.959964 / width) ** 2
    design_effect = 1 + (per_item - 1) * AGREEMENT_ICC
    utterances = ceil(independent * design_effect)
    return SampleSize(utterances, ceil(utterances / per_item))


def draw_sample(
    ratings: RatingMatrix,
    by: SampleUnit = "tapes",
    share: float = SHARE,
    random_part: float = RANDOM_PART,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw the items for a coach to double-code; tapes (or stretches) that a coach has coded already are left out.

    Parameters
    ----------
    by: whole tapes, stretches of `STRETCH_MS`, or single utterances. Utterances without a start lie in no stretch.
    share: share of the items to draw.
    random_part: share of the sample that is drawn at random.
    seed: the same seed draws the same sample.
    """
    items = _items(ratings, by)
    number = len(items)
    if not number:
        return pd.DataFrame(columns=list(SAMPLE_COLUMNS))
    random = np.random.default_rng(seed)
    wanted = min(number, max(1, ceil(share * number - 1e-9)))
    evenly = np.full(number, random_part * wanted / number)
    score = BASE_SCORE + items["disagreement"].to_numpy(dtype=float)
    chance = evenly + _chances(score, (1 - random_part) * wanted, 1 - evenly)
    # Shuffled within strata, so that a systematic draw over the ordered list is even over the strata.
    order = np.lexsort([random.random(number), pd.factorize(items["stratum"], sort=True)[0]])
    marks = np.concatenate([[0.0], np.cumsum(chance[order])]) + random.random()
    starts, ends = marks[:-1], marks[1:]
    drawn, by_chance = np.zeros(number, dtype=bool), np.zeros(number, dtype=bool)
    drawn[order] = _reached(starts, ends)
    by_chance[order] = _reached(starts, starts + evenly[order])
    part = np.where(by_chance, "random", "disagreement")
    items = items.assign(part=part, chance=chance, weight=1 / np.maximum(chance, 1e-12))
    return items[drawn][list(SAMPLE_COLUMNS)].reset_index(drop=True)


def tapes_to_recode(ratings: RatingMatrix, now: float, after: float = RECODE_AFTER_MS) -> pd.DataFrame:
    """Return for each member the tape that was coded longest ago, at least ``after`` ms before ``now``."""
    rows = []
    for row in ratings.rows(MEMBER):
        times = ratings.times[row]
        old = np.flatnonzero(times <= now - after)
        if len(old):
            oldest = int(old[np.argmin(times[old])])
            rows.append((ratings.coders[row][1], ratings.tapes[oldest], int(times[oldest])))
    return pd.DataFrame(rows, columns=["coder", "tape_id", "coded_at"])


def _items(ratings: RatingMatrix, by: SampleUnit) -> pd.DataFrame:
    """Return the items that can be drawn, with their stratum and disagreement (0 to 1)."""
    grid = ratings.grid
    members, machine, coaches = ratings.rows(MEMBER), ratings.rows(MACHINE), ratings.rows(COACH)
    group = _first(grid, [*ratings.rows(CONSENSUS), *members])
    differ = np.zeros(grid.shape[1], dtype=bool)
    # Family by family: two coders do not differ on codes that one of them could not give.
    for cells in (level.values_of(grid) for level in ratings.levels if level.kind == "family"):
        settled = _first(cells, [*ratings.rows(CONSENSUS), *members])
        for other in (_first(cells, machine), *cells[members]):
            differ |= (other >= 0) & (settled >= 0) & (other != settled)
    checked = (grid[coaches] >= 0).any(axis=0)  # a coach who coded a part of an item has checked it
    item_of_unit = _items_of_units(ratings, by)
    eligible = (group >= 0) & (item_of_unit >= 0)
    eligible &= ~np.isin(item_of_unit, item_of_unit[checked])
    coder = np.full(grid.shape[1], "", dtype=object)
    for row in reversed(members):
        coder[grid[row] >= 0] = ratings.coders[row][1]
    names = np.array(ratings.tapes, dtype=object)
    if by == "utterances":
        labels = np.array(["|".join(sorted(code_set)) for code_set in ratings.code_sets], dtype=object)
        stratum = np.array([f"{name}: {codes}" for name, codes in zip(coder, labels[group], strict=True)], dtype=object)
        table = pd.DataFrame(
            {
                "tape_id": names[ratings.tape_index],
                "utterance_id": ratings.utterances,
                "start": None,
                "end": None,
                "units": 1,
                "stratum": stratum,
                "disagreement": differ.astype(float),
            }
        )
        return table[eligible].reset_index(drop=True)
    items, item = np.unique(item_of_unit[eligible], return_inverse=True)
    units = np.bincount(item, minlength=len(items))
    differing = np.bincount(item, weights=differ[eligible], minlength=len(items))
    coders: dict[int, set[str]] = {}
    for row in members:
        for tape in np.unique(ratings.tape_index[grid[row] >= 0]):
            coders.setdefault(int(tape), set()).add(ratings.coders[row][1])
    of_tape, stretch = np.divmod(items, MAX_STRETCHES) if by == "minutes" else (items, np.zeros(len(items)))
    seconds = STRETCH_MS / 1000
    return pd.DataFrame(
        {
            "tape_id": names[of_tape],
            "utterance_id": "",
            "start": stretch * seconds if by == "minutes" else None,
            "end": (stretch + 1) * seconds if by == "minutes" else None,
            "units": units,
            "stratum": [", ".join(sorted(coders.get(int(tape), ()))) for tape in of_tape],
            "disagreement": differing / np.maximum(units, 1),
        }
    )


def _items_of_units(ratings: RatingMatrix, by: SampleUnit) -> NDArray[np.int64]:
    """Return the tape, or the stretch of a tape, that each utterance is in, as a number; -1 for none."""
    if by != "minutes":
        return ratings.tape_index
    if ratings.starts is None:
        return np.full(len(ratings.tape_index), -1, dtype=np.int64)
    timed = ~np.isnan(ratings.starts)
    stretch = np.minimum(np.where(timed, ratings.starts, 0) // STRETCH_MS, MAX_STRETCHES - 1).astype(np.int64)
    return np.where(timed, ratings.tape_index * MAX_STRETCHES + stretch, -1)


def _first(grid: NDArray[np.int32], rows: list[int]) -> NDArray[np.int32]:
    """Return each utterance's codes by the first of some coders who coded it; -1 if none did."""
    codes = np.full(grid.shape[1], -1, dtype=np.int32)
    for row in reversed(rows):
        codes = np.where(grid[row] >= 0, grid[row], codes).astype(np.int32)
    return codes


def _chances(score: NDArray[np.float64], wanted: float, room: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return chances in proportion to a score that add up to ``wanted``, none above its room."""
    full = np.zeros(len(score), dtype=bool)
    while True:
        left = max(wanted - room[full].sum(), 0.0)
        chance = np.where(full, room, score * left / max(score[~full].sum(), 1e-12))
        above = (chance > room) & ~full
        if not above.any():
            return np.asarray(chance)
        full |= above


def _reached(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which segments of a line contain a whole number: beyond the start, up to the end."""
    return np.asarray(np.floor(ends) > np.floor(starts))
