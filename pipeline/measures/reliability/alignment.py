"""Alignment of coders' units before codes are compared, for coders who segment a tape differently.

1. Units with the same name, start and end are the same unit, whoever coded it.
2. One coder's units are never compared with each other: an "mm-hm" within a turn is a unit beside the turn.
3. The remaining units are aligned by time, over all coders at once. Units are the same if any two of them have an
   overlap of at least half of their union; a coder has at most one of them, and no two have different roles. The pair
   with the largest overlap comes first; of equal pairs, one with equal names; of those, the earlier one. Pairs of
   members' units come before pairs with the consensus, the coach and the machine, in this order: adding one of these
   does not change how the members compare.
4. A unit without a match stays a unit: to see a unit where another coder sees none is a disagreement, too. Two coders
   who have neither it nor a similar unit are not compared on it.

A moment (a unit of no length) is the same as another at the same time. Neither the order of rows nor the names of
coders change the result.
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
"""Layers in the order in which their units are aligned."""

Pair = tuple[int, int]
"""The indices of two units of a tape."""


def align_units(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table with one name for each unit, and the tapes on which coders' boundaries differ.

    Parameters
    ----------
    table: one row per utterance, coder and layer, with ``start`` and ``end`` in ms, and ``role`` if known; rows without
        times keep their names.

    Returns
    -------
    If boundaries differ, the table has a column ``apart``: whether the unit overlaps others that are not the same.
    """
    if not {"start", "end"} <= set(table.columns):
        return table, ()
    timed = (table["start"].notna() & table["end"].notna()).to_numpy()
    names, apart, tapes = table["utterance_id"].to_numpy(dtype=object, copy=True), np.zeros(len(table), dtype=bool), []
    for tape_id, rows in table.groupby("tape_id").indices.items():
        on_tape = np.asarray(rows, dtype=np.int64)
        with_times = on_tape[timed[on_tape]]
        units, unit_of_row = _units(table.take(with_times))
        alike, overlapping, differ = _pairs(units)
        if differ or len({unit.name for unit in units}) < len(units):
            tapes.append(str(tape_id))
            others = table.take(on_tape[~timed[on_tape]])
            taken = set(zip(others["utterance_id"], others["layer"], others["coder"], strict=True))
            clusters = _clusters(units, alike)
            names[with_times] = np.array(_names(units, clusters, taken), dtype=object)[unit_of_row]
            apart[with_times] = _apart(clusters, overlapping, len(units))[unit_of_row]
    return (table.assign(utterance_id=names, apart=apart), tuple(tapes)) if tapes else (table, ())


@dataclass(frozen=True)
class _Unit:
    """A unit of one or more coders (layer, name); ``role`` is empty if it is unknown or the coders differ."""

    name: str
    start: int
    end: int
    coders: frozenset[tuple[str, str]]
    role: str

    @property
    def joining_rank(self) -> int:
        """The index of the first of its layers in `JOINING_ORDER`."""
        return min(
            JOINING_ORDER.index(layer) if layer in JOINING_ORDER else len(JOINING_ORDER) for layer, _ in self.coders
        )

    def may_be(self, other: _Unit) -> bool:
        """Return whether the two have no coder in common and no different roles."""
        return not self.coders & other.coders and (self.role == other.role or "" in (self.role, other.role))


def _units(tape: pd.DataFrame) -> tuple[list[_Unit], NDArray[np.int64]]:
    """Return the units of a tape in order of start, end and name, and the index of each row's unit."""
    starts, ends = (tape[end].to_numpy(dtype=float).round().astype(np.int64).tolist() for end in ("start", "end"))
    keys = list(zip(starts, ends, tape["utterance_id"].tolist(), strict=True))
    coders: dict[tuple[int, int, str], set[tuple[str, str]]] = {key: set() for key in sorted(set(keys))}
    roles: dict[tuple[int, int, str], set[str]] = {key: set() for key in coders}
    column = tape["role"].tolist() if "role" in tape else [""] * len(tape)
    for key, layer, coder, role in zip(keys, tape["layer"].tolist(), tape["coder"].tolist(), column, strict=True):
        coders[key].add((layer, coder))
        if role in ("interviewer", "client"):
            roles[key].add(role)
    index_of_key = {key: index for index, key in enumerate(coders)}
    units = [
        _Unit(name, start, end, frozenset(of_unit), its_roles.pop() if len(its_roles) == 1 else "")
        for ((start, end, name), of_unit), its_roles in zip(coders.items(), roles.values(), strict=True)
    ]
    return units, np.array([index_of_key[key] for key in keys], dtype=np.int64)


def _pairs(units: Sequence[_Unit]) -> tuple[list[Pair], list[Pair], bool]:
    """Return the pairs of units that may be the same, the largest overlap first; all pairs of different coders' units
    that overlap; and whether in one of these one unit is mostly within the other: then boundaries differ.
    """
    starts, ends = (np.array([getattr(unit, end) for unit in units], dtype=np.int64) for end in ("start", "end"))
    # In order of start, the units that begin before a unit ends come right after it.
    following = np.searchsorted(starts, ends, side="right") - np.arange(len(units)) - 1
    firsts = np.repeat(np.arange(len(units)), following)
    seconds = firsts + 1 + np.arange(len(firsts)) - np.repeat(np.cumsum(following) - following, following)
    common = np.minimum(ends[firsts], ends[seconds]) - starts[seconds]
    union = np.maximum(ends[firsts], ends[seconds]) - starts[firsts]
    shorter = np.minimum(ends[firsts] - starts[firsts], ends[seconds] - starts[seconds])
    alike, overlapping, differ = [], [], False
    for pair in np.flatnonzero((common > 0) | (union == 0)).tolist():
        first, second = int(firsts[pair]), int(seconds[pair])
        if units[first].may_be(units[second]):
            overlapping.append((first, second))
            differ |= bool(2 * common[pair] > shorter[pair] or not union[pair])
            if 2 * common[pair] >= union[pair]:
                rank = max(units[first].joining_rank, units[second].joining_rank)
                share = common[pair] / union[pair] if union[pair] else 1.0
                alike.append((rank, -share, units[first].name != units[second].name, first, second))
    return [(first, second) for *_, first, second in sorted(alike)], overlapping, differ


def _clusters(units: Sequence[_Unit], alike: Sequence[Pair]) -> list[list[int]]:
    """Return the indices of the units that are the same, in order of the first; ``alike`` as from `_pairs`."""
    may_join = {frozenset(pair) for pair in alike}
    cluster = [[unit] for unit in range(len(units))]  # units that are the same share one list
    for pair in alike:
        first, second = (cluster[unit] for unit in pair)
        if first is not second and all(frozenset((a, b)) in may_join for a in first for b in second):
            first.extend(second)
            for unit in second:
                cluster[unit] = first
    return list({id(members): sorted(members) for members in cluster}.values())


def _apart(clusters: Sequence[Sequence[int]], overlapping: Sequence[Pair], number: int) -> NDArray[np.bool_]:
    """Return for each unit whether its cluster overlaps a unit of another cluster."""
    cluster_of = {unit: index for index, cluster in enumerate(clusters) for unit in cluster}
    crossed = {
        cluster_of[unit] for pair in overlapping if len({cluster_of[unit] for unit in pair}) > 1 for unit in pair
    }
    return np.array([cluster_of[unit] in crossed for unit in range(number)])


def _names(units: Sequence[_Unit], clusters: Sequence[Sequence[int]], taken: set[tuple[str, str, str]]) -> list[str]:
    """Return each unit's name: in its cluster the coach's, else the one that most coders share, else the earliest's.

    Two clusters of one name get their times added, as does one whose coder has given the name (``taken``: name, layer
    and coder) to a unit without times.
    """
    chosen = [
        min(cluster, key=lambda at: (all(layer != COACH for layer, _ in units[at].coders), -len(units[at].coders), at))
        for cluster in clusters
    ]
    number = Counter(units[index].name for index in chosen)
    names = [""] * len(units)
    for index, cluster in zip(chosen, clusters, strict=True):
        unit = units[index]
        uses = {(unit.name, *coder) for member in cluster for coder in units[member].coders}
        unique = number[unit.name] == 1 and not uses & taken
        for member in cluster:
            names[member] = unit.name if unique else f"{unit.name} ({unit.start / 1000:.3f}-{unit.end / 1000:.3f})"
    return names
