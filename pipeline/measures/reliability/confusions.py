"""Where coders differ: pairs of codes with the utterances they were given to, which is what a group talks about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.measures.reliability.comparisons import Comparison, group_comparisons, value_pairs
from pipeline.measures.reliability.rating_matrix import RatingMatrix

CONFUSION_COLUMNS = ("comparison", "a", "b", "family", "a_code", "b_code", "units", "reverse", "share", "utterances")
"""Columns of the table of confusions; ``utterances`` are ``tape/utterance``, separated by ``|``."""

MAX_UTTERANCES = 10
"""Utterances that are named for a pair, at most."""


def confusions(
    panel: RatingMatrix, compared: Sequence[Comparison] | None = None, shown: int = MAX_UTTERANCES
) -> pd.DataFrame:
    """Pairs of codes within each family, the most frequent of each comparison first.

    ``a_code`` and ``b_code`` are what each side said, ``reverse`` counts the other way round, ``share`` is of all
    disagreements of the comparison in the family. Among several equal coders a pair has no direction: it is listed
    once.
    """
    rows = []
    compared = group_comparisons(panel) if compared is None else compared
    for level in (level for level in panel.levels if level.kind == "family"):
        cells, values = level.of(panel.grid), len(level.values)
        for order, comparison in enumerate(compared):
            one, other, column = value_pairs(panel, comparison, cells)
            differ = one != other
            one, other, column = one[differ], other[differ], column[differ]
            if not comparison.second:
                one, other = np.minimum(one, other), np.maximum(one, other)
            place = one * values + other
            number = np.bincount(place, minlength=values**2)
            for pair in np.flatnonzero(number):
                a, b = divmod(int(pair), values)
                # One utterance may stand for several coders.
                where = list(dict.fromkeys(column[place == pair].tolist()))
                names = "|".join(f"{panel.tapes[panel.tape[u]]}/{panel.utterances[u]}" for u in where[:shown])
                head = (comparison.kind, comparison.a, comparison.b, level.name, level.values[a], level.values[b])
                share = float(number[pair] / len(place))
                rows.append((order, *head, int(number[pair]), int(number[b * values + a]), share, names))
    rows.sort(key=lambda row: (row[0], -row[7]))
    return pd.DataFrame([row[1:] for row in rows], columns=list(CONFUSION_COLUMNS))
