"""Confusions: the pairs of codes on which coders differ, with their utterances, for a group to discuss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.measures.reliability.comparisons import Comparison, group_comparisons, value_pairs
from pipeline.measures.reliability.rating_matrix import RatingMatrix

CONFUSION_COLUMNS = ("comparison", "a", "b", "family", "a_code", "b_code", "units", "reverse", "share", "utterances")
"""Columns of the table of confusions; ``utterances`` are ``tape/utterance``, separated by ``|``."""

MAX_UTTERANCES = 10
"""Utterances that are listed for a pair, at most."""


def confusions(
    ratings: RatingMatrix, compared: Sequence[Comparison] | None = None, shown: int = MAX_UTTERANCES
) -> pd.DataFrame:
    """Return the pairs of codes within each family, the most frequent of each comparison first.

    ``a_code`` and ``b_code`` are the codes of each side, ``reverse`` counts the other way round, ``share`` is of all
    disagreements of the comparison in the family. Among several equal coders a pair has no direction and is listed
    once.
    """
    rows = []
    compared = group_comparisons(ratings) if compared is None else compared
    for level in (level for level in ratings.levels if level.kind == "family"):
        cells, values = level.values_of(ratings.grid), len(level.values)
        for order, comparison in enumerate(compared):
            first, second, column = value_pairs(ratings, comparison, cells)
            differ = first != second
            first, second, column = first[differ], second[differ], column[differ]
            if not comparison.second:
                first, second = np.minimum(first, second), np.maximum(first, second)
            pairs = first * values + second
            number = np.bincount(pairs, minlength=values**2)
            for pair in np.flatnonzero(number):
                a, b = divmod(int(pair), values)
                # Several pairs of coders may differ on one utterance.
                utterances = list(dict.fromkeys(column[pairs == pair].tolist()))[:shown]
                names = "|".join(f"{ratings.tapes[ratings.tape_index[u]]}/{ratings.utterances[u]}" for u in utterances)
                head = (comparison.kind, comparison.a, comparison.b, level.name, level.values[a], level.values[b])
                share = float(number[pair] / len(pairs))
                rows.append((order, *head, int(number[pair]), int(number[b * values + a]), share, names))
    rows.sort(key=lambda row: (row[0], -row[7]))
    return pd.DataFrame([row[1:] for row in rows], columns=list(CONFUSION_COLUMNS))
