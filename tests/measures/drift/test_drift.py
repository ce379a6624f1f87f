from __future__ import annotations

import pandas as pd
import pytest

from pipeline.measures.drift.control_chart import control_chart
from pipeline.measures.drift.drift import (
    DRIFT_COLUMNS,
    POINT_COLUMNS,
    ChartNote,
    DriftReport,
    detect_drift,
    tapes_per_false_alarm,
)
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from tests.measures.coders import DAY, SCHEME, balanced_tables, group, rows

BIAS = ("reflection_simple", "reflection_complex", 0.4, 8)


def drifted(table: pd.DataFrame, **events: list[float]) -> DriftReport:
    return detect_drift(build_rating_matrix(table, SCHEME), events)


def of(result: DriftReport, coder: str, family: str = "reflection") -> pd.Series:
    rows_ = result.table[(result.table["coder"] == coder) & (result.table["family"] == family)]
    assert len(rows_) == 1
    return rows_.iloc[0]


def test_columns_are_the_contract() -> None:
    assert ",".join(DRIFT_COLUMNS) == (
        "coder,layer,reference,family,tapes,units,center,mean,limit,state,since_tape,reference_code,coder_code,"
        "units_moved,units_reverse,code_ratio,p_marginals,tapes_to_discuss,sentence"
    )
    assert ",".join(POINT_COLUMNS) == (
        "coder,layer,reference,family,segment,order,tape_id,coded_at,units,agreement,mean,center,limit,calibrated,"
        "alarm,shift"
    )


def test_a_planted_bias_is_drift_and_has_a_name() -> None:
    report = drifted(group(14, planted={"ann": BIAS}))
    row = of(report, "ann")
    assert (row["state"], row["reference_code"], row["coder_code"]) == ("drift", *BIAS[:2])
    assert row["code_ratio"] > 1.3
    assert "times as many complex reflections as the coach" in row["sentence"]
    assert row["since_tape"] >= "t008"
    proposed = row["tapes_to_discuss"].split("|")
    assert proposed[0]
    assert all(tape >= "t008" for tape in proposed)
    assert of(report, "bob")["state"] == "steady"


def test_agreement_that_falls_without_leaning_is_noise() -> None:
    chart = control_chart(balanced_tables([70] * 12 + [58] * 6))
    assert chart
    assert chart.alarms
    assert chart.alarms[0] in range(12, 16)
    assert chart.marginal_p[chart.alarms[0]] > 0.05
    careful, careless = group(10, wrong={"ann": 0.03}), group(6, seed=5, wrong={"ann": 0.3})
    careless["tape_id"] = careless["tape_id"].str.replace("t", "u")
    careless["coded_at"] += 10 * DAY
    row = of(drifted(pd.concat([careful, careless])), "ann", "question")
    assert row["state"] in ("noise", "drift")
    assert row["tapes_to_discuss"].startswith("u")


def test_many_charts_speak_by_chance_more_often_than_one() -> None:
    table = pd.DataFrame({"state": ["steady"] * 15 + ["too few tapes"], "tapes": [20] * 15 + [3]})
    assert tapes_per_false_alarm(table) == 8  # 120 / 15
    assert tapes_per_false_alarm(table.assign(tapes=60)) == 17  # 250 / 15
    assert tapes_per_false_alarm(table.iloc[15:]) is None


def test_fewer_tapes_than_a_center_line_needs_are_too_few() -> None:
    assert control_chart(balanced_tables([70] * 4)) is None
    row = of(drifted(group(3)), "ann")
    assert (row["state"], row["sentence"]) == (
        "too few tapes",
        "3 more tapes must be coded by both before drift can show.",
    )
    assert of(drifted(group(5)), "ann")["sentence"].startswith("1 more tape ")


def test_only_recalibration_starts_a_chart_anew() -> None:
    table = group(20, planted={"ann": BIAS})
    before, after = drifted(table), drifted(table, ann=[13 * DAY - 1.0])
    assert of(before, "ann")["state"] == "drift"
    row = of(after, "ann")
    assert (row["tapes"], row["state"]) == (7, "steady")
    points = after.points[(after.points["coder"] == "ann") & (after.points["family"] == "reflection")]
    assert list(points["segment"]) == [1] * 13 + [2] * 7
    assert points["calibrated"].sum() == 10


def test_tapes_are_charted_in_the_order_of_coding() -> None:
    table = group(8)
    table["coded_at"] = table["coded_at"].max() - table["coded_at"]
    points = drifted(table).points
    assert points[(points["coder"] == "ann") & (points["family"] == "question")]["tape_id"].iloc[0] == "t007"


def test_tapes_without_a_date_or_with_few_units_are_left_out_and_said() -> None:
    table = group(8)
    undated = table["tape_id"] == "t000"
    table.loc[undated, "coded_at"] = pd.NA
    small = (table["tape_id"] == "t001") & (table["utterance_id"].astype(int) > 5)
    report = drifted(table[~small])
    assert of(report, "ann")["tapes"] == 6
    assert ChartNote("ann", "ann: 1 tape without coded_at left out of the charts.") in report.notes
    [small] = [note for note in report.notes if note.coder == "ann" and note.small]
    assert small.as_sentence().startswith(
        "ann: left out, because both coded fewer than 10 utterances of them: question 1 tape, refl"
    )
    assert "Questions 1 tape" in small.as_sentence({"question": "Questions"}.get)  # type: ignore[arg-type]


def test_without_a_reference_there_is_no_chart_and_a_reason() -> None:
    alone = drifted(rows("t", "ann", "member", ["change"]))
    assert alone.table.empty
    assert alone.notes == (ChartNote("", "There is no coach and no consensus to compare with: no chart."),)
    coach = drifted(rows("t", "cora", "coach", ["change"]))
    assert coach.notes == (ChartNote("", "Nobody but the coach coded: no chart."),)


def test_a_chart_of_undated_tapes_is_not_there_and_says_why() -> None:
    report = drifted(group(6).assign(coded_at=pd.array([pd.NA] * 6 * 80 * 3, dtype="Int64")))
    assert report.table.empty
    assert ChartNote("ann", "ann: 6 tapes without coded_at left out of the charts.") in report.notes


def test_a_coach_who_heard_what_nobody_else_did_is_told_so() -> None:
    apart = drifted(pd.concat([rows("t", "cora", "coach", ["change"]), rows("u", "ann", "member", ["change"])]))
    assert apart.notes == (ChartNote("", "Nobody else coded an utterance that the coach coded: no chart."),)


def test_the_machine_is_charted_on_the_consensus() -> None:
    table = group(8, wrong={"m": 0.2})
    table["layer"] = table["layer"].map({"member": "machine", "coach": "consensus"})
    row = of(drifted(table), "m")
    assert (row["layer"], row["reference"], row["tapes"]) == ("machine", "consensus", 8)


def test_the_group_counts_an_utterance_once() -> None:
    row = of(drifted(group(8)), "group")
    assert row["layer"] == "group"
    assert row["units"] == pytest.approx(8 * 80, abs=16)
