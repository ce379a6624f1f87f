"""Coders who cut a tape into units of their own: which units are the same is decided before codes are compared.

1. Units with the same name, start and end are the same unit, whoever coded it.
2. One coder's units are never compared with each other: an "mm-hm" within a turn is a unit beside the turn.
3. What remains is brought together by time, over all coders at once. Units are the same where any two of them share at
   least half of the time that they take up together; a coder has at most one of them, and no two have different roles.
   The pair that shares most comes first; of equal pairs, one with equal names; of those, the earlier one. Pairs of
   members' units come before pairs with the consensus, the coach and the machine, in this order: nobody who joins the
   members changes how they compare.
4. What finds no match stays a unit of its own: to see a unit where another sees none is a disagreement, too. Two coders
   who have neither it nor its like agree on nothing there.

A moment (a unit of no length) is the same as another at the same time. Neither the order of rows nor the names of
coders change anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.measures.reliability.rating_matrix import COACH, CONSENSUS, MACHINE, MEMBER

JOINING_ORDER = (MEMBER, CONSENSUS, COACH, MACHINE)
"""Layers in the order in which their units are brought together."""

Pair = tuple[int, int]
"""The places of two units of a tape."""


def align_units(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with one name for each unit, and the tapes on which coders' boundaries differ.

    Parameters
    ----------
    table: one row an utterance, coder and layer, with ``start`` and ``end`` in ms, and ``role`` where it is known; rows
        without times keep their names.

    Returns
    -------
    Where boundaries differ, the table has a column ``apart``: whether the unit lies upon others that are not the same.
    """
    if not {"start", "end"} <= set(table.columns):
        return table, ()
    timed = (table["start"].notna() & table["end"].notna()).to_numpy()
    names, apart, tapes = table["utterance_id"].to_numpy(dtype=object, copy=True), np.zeros(len(table), dtype=bool), []
    for tape_id, rows in table.groupby("tape_id").indices.items():
        places = np.asarray(rows, dtype=np.int64)
        with_times = places[timed[places]]
        units, unit_of = _units(table.take(with_times))
        alike, upon, differ = _pairs(units)
        if differ or len({unit.name for unit in units}) < len(units):
            tapes.append(str(tape_id))
            others = table.take(places[~timed[places]])
            taken = set(zip(others["utterance_id"], others["layer"], others["coder"], strict=True))
            clusters = _clusters(units, alike)
            names[with_times] = np.array(_names(units, clusters, taken), dtype=object)[unit_of]
            apart[with_times] = _apart(clusters, upon, len(units))[unit_of]
    return (table.assign(utterance_id=names, apart=apart), tuple(tapes)) if tapes else (table, ())


@dataclass(frozen=True)
class _Unit:
    """A unit of one or more coders (layer, name); ``role`` is empty where it is unknown or the coders differ."""

    name: str
    start: int
    end: int
    coders: frozenset[tuple[str, str]]
    role: str

    @property
    def joins(self) -> int:
        """The place of the first of its layers in `JOINING_ORDER`."""
        return min(
            JOINING_ORDER.index(layer) if layer in JOINING_ORDER else len(JOINING_ORDER) for layer, _ in self.coders
        )

    def may_be(self, other: _Unit) -> bool:
        """Whether no coder and no role keeps the two apart."""
        return not self.coders & other.coders and (self.role == other.role or "" in (self.role, other.role))


def _units(tape: pd.DataFrame) -> tuple[list[_Unit], NDArray[np.int64]]:
    """The units of a tape in order of start, end and name, and the place of each row's unit."""
    starts, ends = (tape[end].to_numpy(dtype=float).round().astype(np.int64).tolist() for end in ("start", "end"))
    keys = list(zip(starts, ends, tape["utterance_id"].tolist(), strict=True))
    coders: dict[tuple[int, int, str], set[tuple[str, str]]] = {key: set() for key in sorted(set(keys))}
    roles: dict[tuple[int, int, str], set[str]] = {key: set() for key in coders}
    role = tape["role"].tolist() if "role" in tape else [""] * len(tape)
    for key, layer, coder, word in zip(keys, tape["layer"].tolist(), tape["coder"].tolist(), role, strict=True):
        coders[key].add((layer, coder))
        if word in ("interviewer", "client"):
            roles[key].add(word)
    place = {key: at for at, key in enumerate(coders)}
    units = [
        _Unit(name, start, end, frozenset(who), words.pop() if len(words) == 1 else "")
        for ((start, end, name), who), words in zip(coders.items(), roles.values(), strict=True)
    ]
    return units, np.array([place[key] for key in keys], dtype=np.int64)


def _pairs(units: Sequence[_Unit]) -> tuple[list[Pair], list[Pair], bool]:
    """Pairs of units that may be the same, the surest first; all pairs of different coders' units that have time in
    common; and whether one of these is mostly within the other, which says that boundaries differ.
    """
    starts, ends = (np.array([getattr(unit, end) for unit in units], dtype=np.int64) for end in ("start", "end"))
    # In order of start, what begins before a unit ends comes right behind it.
    behind = np.searchsorted(starts, ends, side="right") - np.arange(len(units)) - 1
    ones = np.repeat(np.arange(len(units)), behind)
    others = ones + 1 + np.arange(len(ones)) - np.repeat(np.cumsum(behind) - behind, behind)
    common = np.minimum(ends[ones], ends[others]) - starts[others]
    union = np.maximum(ends[ones], ends[others]) - starts[ones]
    shorter = np.minimum(ends[ones] - starts[ones], ends[others] - starts[others])
    alike, upon, differ = [], [], False
    for at in np.flatnonzero((common > 0) | (union == 0)).tolist():
        one, other = int(ones[at]), int(others[at])
        if units[one].may_be(units[other]):
            upon.append((one, other))
            differ |= bool(2 * common[at] > shorter[at] or not union[at])
            if 2 * common[at] >= union[at]:
                joins = max(units[one].joins, units[other].joins)
                share = common[at] / union[at] if union[at] else 1.0
                alike.append((joins, -share, units[one].name != units[other].name, one, other))
    return [(one, other) for *_, one, other in sorted(alike)], upon, differ


def _clusters(units: Sequence[_Unit], alike: Sequence[Pair]) -> list[list[int]]:
    """Places of the units that are the same, in order of the first; ``alike`` as `_pairs` gives it."""
    both = {frozenset(pair) for pair in alike}
    cluster = [[place] for place in range(len(units))]  # units that are the same share one list
    for one, other in alike:
        first, second = cluster[one], cluster[other]
        if first is not second and all(frozenset((a, b)) in both for a in first for b in second):
            first.extend(second)
            for place in second:
                cluster[place] = first
    return list({id(each): sorted(each) for each in cluster}.values())


def _apart(clusters: Sequence[Sequence[int]], upon: Sequence[Pair], number: int) -> NDArray[np.bool_]:
    """Which units lie upon one that is not in their cluster."""
    cluster = {place: at for at, places in enumerate(clusters) for place in places}
    crossed = {cluster[place] for one, other in upon if cluster[one] != cluster[other] for place in (one, other)}
    return np.array([cluster[place] in crossed for place in range(number)])


def _names(units: Sequence[_Unit], clusters: Sequence[Sequence[int]], taken: set[tuple[str, str, str]]) -> list[str]:
    """Each unit's name: in its cluster the coach's, else the one that most coders gave to a unit, else the earliest's.

    Two clusters of one name are told apart by their times, as is one whose coder has given the name (``taken``: name,
    layer and coder) to a unit without times.
    """
    chosen = [
        min(cluster, key=lambda at: (all(layer != COACH for layer, _ in units[at].coders), -len(units[at].coders), at))
        for cluster in clusters
    ]
    number = Counter(units[at].name for at in chosen)
    names = [""] * len(units)
    for at, cluster in zip(chosen, clusters, strict=True):
        unit = units[at]
        own = {(unit.name, *coder) for place in cluster for coder in units[place].coders}
        alone = number[unit.name] == 1 and not own & taken
        for place in cluster:
            names[place] = unit.name if alone else f"{unit.name} ({unit.start / 1000:.3f}-{unit.end / 1000:.3f})"
    return names
