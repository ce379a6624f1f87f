"""Does a coder agree with himself or herself? Tapes that were coded again, against the first time."""

from __future__ import annotations

import pandas as pd

from pipeline.measures.reliability.comparisons import Comparison
from pipeline.measures.reliability.rating_matrix import Absent, CodingScheme, RatingMatrix, build_rating_matrix

DAY_MS = 86_400_000
"""Milliseconds that lie between two codings at least: what changes within a day is a correction."""

_KEY = ["tape_id", "utterance_id", "coder", "layer"]


def intra_rater_comparisons(
    table: pd.DataFrame, earlier: pd.DataFrame, scheme: CodingScheme, absent: Absent = "auto"
) -> tuple[RatingMatrix, tuple[Comparison, ...]] | None:
    """The panel of both codings and a comparison for each coder who has two; None where nobody has.

    Parameters
    ----------
    table, earlier: as `pipeline.formats.code_table` reads them.
    scheme, absent: as for `pipeline.measures.reliability.rating_matrix.build_rating_matrix`.
    """
    if earlier.empty:
        return None
    more = [column for column in ("codable",) if column in table and column in earlier]
    both = table.merge(earlier[[*_KEY, "codes", "coded_at", *more]], on=_KEY, suffixes=("", "_before"))
    both = both[(both["coded_at"] - both["coded_at_before"]).fillna(0) >= DAY_MS]
    if both.empty:
        return None
    now = both[[*_KEY, "codes", *more, *(["role"] if "role" in both else [])]]
    before = {column: both[f"{column}_before"] for column in ("codes", *more)}
    then = now.assign(**before, layer="before " + both["layer"])
    found = build_rating_matrix(pd.concat([now, then], ignore_index=True), scheme, absent)
    places = {key: row for row, key in enumerate(found.coders)}
    compared = tuple(
        Comparison("coder again", coder, f"{coder}, before", (row,), (places["before " + layer, coder],))
        for (layer, coder), row in places.items()
        if not layer.startswith("before ")
    )
    return found, compared
