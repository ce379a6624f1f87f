from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.measures.drift.control_chart import CALIBRATION_TAPES, control_chart, most_one_sided, signals
from pipeline.measures.drift.drift import (
    DRIFT_COLUMNS,
    POINT_COLUMNS,
    ChartNote,
    DriftReport,
    detect_drift,
    tapes_per_false_alarm,
)
from pipeline.measures.drift.sentences import code_phrase, drift_sentence
from pipeline.measures.reliability.automation_bias import automation_bias
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from tests.measures.coders import DAY, SCHEME, group, rows

BIAS = ("reflection_simple", "reflection_complex", 0.4, 8)


def drifted(table: pd.DataFrame, **events: list[float]) -> DriftReport:
    return detect_drift(build_rating_matrix(table, SCHEME), events)


def of(found: DriftReport, coder: str, family: str = "reflection") -> pd.Series:
    rows_ = found.table[(found.table["coder"] == coder) & (found.table["family"] == family)]
    assert len(rows_) == 1
    return rows_.iloc[0]


def flat(agree: list[int], units: int = 80) -> np.ndarray:
    """Tables whose disagreements lean to neither side."""
    found = []
    for number in agree:
        off = (units - number) // 2
        found.append([[number // 2, off], [units - number - off, number - number // 2]])
    return np.array(found, dtype=float)


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
    found = drifted(group(14, planted={"ann": BIAS}))
    row = of(found, "ann")
    assert (row["state"], row["reference_code"], row["coder_code"]) == ("drift", *BIAS[:2])
    assert row["code_ratio"] > 1.3
    assert "times as many complex reflections as the coach" in row["sentence"]
    assert row["since_tape"] >= "t008"
    proposed = row["tapes_to_discuss"].split("|")
    assert proposed[0]
    assert all(tape >= "t008" for tape in proposed)
    assert of(found, "bob")["state"] == "steady"


def test_agreement_that_falls_without_leaning_is_noise() -> None:
    found = control_chart(flat([70] * 12 + [58] * 6))
    assert found
    assert found.alarms
    assert found.alarms[0] in range(12, 16)
    assert found.marginal_p[found.alarms[0]] > 0.05
    careful, careless = group(10, wrong={"ann": 0.03}), group(6, seed=5, wrong={"ann": 0.3})
    careless["tape_id"] = careless["tape_id"].str.replace("t", "u")
    careless["coded_at"] += 10 * DAY
    row = of(drifted(pd.concat([careful, careless])), "ann", "question")
    assert row["state"] in ("noise", "drift")
    assert row["tapes_to_discuss"].startswith("u")


def test_the_center_line_is_that_of_the_first_five_tapes() -> None:
    found = control_chart(flat([72, 72, 72, 72, 72, 60, 60, 60]))
    assert found
    assert found.center == pytest.approx(0.9, abs=0.005)
    assert np.isnan(found.limit[:CALIBRATION_TAPES]).all()
    assert found.alarms[0] == 5


def test_good_tapes_buy_little_credit() -> None:
    found = control_chart(flat([64] * 5 + [80] * 10 + [52] * 3))
    assert found
    # sin²(asin √.8 + (½ / √5 + 2 √(.3 / 1.7)) / (2 √80.5)) with Anscombe's constants: half a standard error of the
    # center line, which ten good tapes lift, and two of the mean.
    assert found.mean.max() == pytest.approx(0.8447, abs=0.0005)
    assert found.alarms
    assert found.alarms[0] <= 17


def test_the_limit_learns_from_quiet_tapes_and_the_center_line_does_not() -> None:
    usual, better, worse = (control_chart(flat([62] * 5 + [now] * 40)) for now in (62, 66, 60))
    assert usual
    assert better
    assert worse
    assert usual.center == better.center == worse.center
    # By half a standard error of the center line at most, however many tapes there are: .5 √(.775 · .225 / 400).
    assert better.limit[-1] - usual.limit[-1] == pytest.approx(0.0104, abs=0.001)
    # Tapes below the line teach it nothing.
    assert worse.limit[-1] == usual.limit[-1]


def test_a_slow_fall_does_not_become_usual() -> None:
    slow = control_chart(flat([66] * 5 + [66 - place // 4 for place in range(40)]))
    assert slow
    assert slow.alarms
    assert slow.agreement[slow.alarms[0]] >= 0.72


def test_many_charts_speak_by_chance_more_often_than_one() -> None:
    table = pd.DataFrame({"state": ["steady"] * 15 + ["too few tapes"], "tapes": [20] * 15 + [3]})
    assert tapes_per_false_alarm(table) == 8  # 120 / 15
    assert tapes_per_false_alarm(table.assign(tapes=60)) == 17  # 250 / 15
    assert tapes_per_false_alarm(table.iloc[15:]) is None


def test_many_charts_at_once_speak_as_one_by_one() -> None:
    random = np.random.default_rng(3)
    many = random.multinomial(60, [0.5, 0.08, 0.02, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05], size=(30, 25)).astype(float)
    many = many.reshape(30, 25, 3, 3)
    many[::2, 15:, 0, 1] += 12
    alarms, shifts = signals(many)
    assert alarms.any()
    assert shifts.any()
    for tables, mean, sides in zip(many, alarms, shifts, strict=True):
        found = control_chart(tables)
        assert found
        assert found.alarms == tuple(np.flatnonzero(mean))
        assert tuple(shift.last for shift in found.one_sided) == tuple(np.flatnonzero(sides))


def test_small_tapes_move_the_mean_less() -> None:
    usual, small = flat([70] * 6), flat([70] * 6)
    usual[5], small[5] = flat([40])[0], flat([10], units=20)[0]
    one, other = control_chart(usual), control_chart(small)
    assert one
    assert other
    assert one.mean[5] < other.mean[5] < other.center


def test_fewer_tapes_than_a_center_line_needs_are_too_few() -> None:
    assert control_chart(flat([70] * 4)) is None
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
    found = drifted(table[~small])
    assert of(found, "ann")["tapes"] == 6
    assert ChartNote("ann", "ann: 1 tape without coded_at left out of the charts.") in found.notes
    [small] = [note for note in found.notes if note.coder == "ann" and note.small]
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
    found = drifted(group(6).assign(coded_at=pd.array([pd.NA] * 6 * 80 * 3, dtype="Int64")))
    assert found.table.empty
    assert ChartNote("ann", "ann: 6 tapes without coded_at left out of the charts.") in found.notes


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


def test_calibrated_tapes_that_vary_much_widen_the_limits() -> None:
    calm, wild = control_chart(flat([70] * 7)), control_chart(flat([78, 62, 79, 61, 70, 70, 70]))
    assert calm
    assert wild
    assert wild.limit[-1] < calm.limit[-1]


def test_a_bias_from_the_start_is_no_drift() -> None:
    steady = np.array([[[40, 12], [2, 26]]] * 14, dtype=float)
    found = control_chart(steady)
    assert found
    assert found.one_sided == ()
    assert found.alarms == ()
    assert most_one_sided(steady.sum(axis=0)) == (0, 1)
    assert most_one_sided(np.eye(2)) is None


def test_sentences() -> None:
    said = drift_sentence(
        "ann", "coach", ("change", "(not coded)"), (1, 0), ("change", 0.5), {"change": "Change talk"}, 1
    )
    assert said == (
        "ann codes 0.5 times as much change talk as the coach. On the last tape, 1 utterance that is change talk to "
        "the coach is nothing of the kind to ann; 0 the other way around."
    )
    never = drift_sentence("ann", "coach", ("(not coded)", "advice"), (7, 0), ("advice", None), {}, 6)
    assert never.startswith("ann codes advice where the coach codes none.")
    assert code_phrase("question_open|reflection_simple", {}) == "open question and simple reflection"
    assert code_phrase("x", {"x": "Simple reflection (SR)"}) == "simple reflection"


def swayed(difference: float, tapes: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(1)
    found = []
    for tape in range(tapes):
        machine = random.choice(["change", "sustain", ""], 60)
        shown = random.random(60) < 0.6
        same = random.random(60) < np.where(shown, 0.7 + difference, 0.7)
        ann = np.where(same, machine, random.choice(["change", "sustain", ""], 60))
        found.append(
            rows(f"t{tape}", "m", "machine", list(machine), pretag_shown=pd.array([pd.NA] * 60, dtype="boolean"))
        )
        found.append(rows(f"t{tape}", "ann", "member", list(ann), pretag_shown=pd.array(shown, dtype="boolean")))
    return pd.concat(found, ignore_index=True)


def test_automation_bias_shows_where_the_pretag_was_shown() -> None:
    found = automation_bias(build_rating_matrix(swayed(0.25), SCHEME))
    row = found[(found["coder"] == "ann") & (found["level"] == "all")].iloc[0]
    assert row["difference_low"] > 0
    assert row["verdict"] == "sways"
    none = automation_bias(build_rating_matrix(swayed(0.0), SCHEME))
    row = none[(none["coder"] == "ann") & (none["level"] == "all")].iloc[0]
    assert row["difference_low"] < 0 < row["difference_high"]
    assert row["verdict"] != "sways"


def test_automation_bias_needs_both() -> None:
    table = swayed(0.1, 3)
    table["pretag_shown"] = table["pretag_shown"].where(table["pretag_shown"].isna(), True)
    found = automation_bias(build_rating_matrix(table, SCHEME))
    assert set(found["undefined"]) == {"never hidden"}
    assert automation_bias(build_rating_matrix(table.drop(columns="pretag_shown"), SCHEME)).empty
