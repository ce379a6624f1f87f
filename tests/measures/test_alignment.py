from __future__ import annotations

import pandas as pd

from pipeline.measures.agreement import agreement
from pipeline.measures.alignment import aligned
from pipeline.measures.panel import panel
from tests.measures.coders import SCHEME, rows


def cut(coder: str, layer: str, *units: tuple[str, int, int, str]) -> pd.DataFrame:
    names, starts, ends, codes = zip(*units, strict=True)
    return rows("t", coder, layer, list(codes), start=list(starts), end=list(ends)).assign(utterance_id=list(names))


COACH = cut("cora", "coach", ("1", 0, 1000, "change"), ("2", 1000, 3000, "sustain"), ("3", 3000, 4000, ""))


def test_units_with_the_same_boundaries_stay_as_they_are() -> None:
    table = pd.concat([COACH, COACH.assign(coder="ann", layer="member")], ignore_index=True)
    same, tapes = aligned(table)
    assert same is table
    assert tapes == ()
    assert aligned(table.drop(columns="start"))[1] == ()


def test_units_are_matched_by_time_and_not_by_name() -> None:
    ann = cut("ann", "member", ("a", 100, 1000, "change"), ("b", 1000, 1900, "sustain"), ("c", 1900, 4000, ""))
    found, tapes = aligned(pd.concat([COACH, ann], ignore_index=True))
    assert tapes == ("t",)
    assert list(found[found["coder"] == "ann"]["utterance_id"]) == ["1", "b (member ann)", "c (member ann)"]


def test_a_name_with_two_pairs_of_boundaries_is_no_unit() -> None:
    ann = cut("ann", "member", ("1", 1000, 2900, "sustain"), ("2", 0, 900, "change"))
    found, tapes = aligned(pd.concat([COACH, ann], ignore_index=True))
    assert tapes == ("t",)
    assert list(found[found["coder"] == "ann"]["utterance_id"]) == ["2", "1"]


def test_a_unit_that_only_one_sees_is_a_disagreement() -> None:
    ann = cut("ann", "member", ("a", 0, 1000, "change"), ("b", 1000, 1900, "sustain"), ("c", 1900, 3000, "sustain"))
    coach = COACH[COACH["codes"] != ""]
    found, _ = aligned(pd.concat([coach, ann], ignore_index=True))
    row = agreement(panel(found, SCHEME)).query("level == 'all'").iloc[0]
    assert row["units"] == 3
    assert 0 < row["percent"] < 1
