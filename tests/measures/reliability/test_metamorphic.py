"""What must not change, and what must, when a table changes in a way whose effect is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.measures.drift.drift import detect_drift
from pipeline.measures.reliability.agreement import agreement_table, session_icc
from pipeline.measures.reliability.automation_bias import automation_bias
from pipeline.measures.reliability.confusions import confusions
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from pipeline.measures.reliability.sampling import draw_sample
from tests.measures.coders import SCHEME, group, rows

FIGURES = ["units", "percent", "kappa", "pabak", "ac1", "alpha", "alpha_ordinal"]
NAMES = {"ann": "zoe", "bob": "amy", "cora": "max"}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Eight tapes of two members, of whom one drifts, and a coach; with a machine that was shown now and then."""
    coded = group(8, units=40, planted={"ann": ("reflection_simple", "reflection_complex", 0.5, 5)})
    random = np.random.default_rng(1)
    coded["pretag_shown"] = pd.array(random.random(len(coded)) < 0.7, dtype="boolean")
    machine = coded[coded["coder"] == "bob"].assign(coder="machine", layer="machine")
    machine["pretag_shown"] = pd.array([pd.NA] * len(machine), dtype="boolean")
    coded["coder"] = coded["coder"].replace("coach", "cora")
    # The coach did not hear the end of a tape, and one member not all of another.
    end = (coded["coder"] == "cora") & (coded["tape_id"] == "t001") & (coded["utterance_id"].astype(int) > 25)
    part = (coded["coder"] == "bob") & (coded["tape_id"] == "t003") & (coded["utterance_id"].astype(int) < 9)
    return pd.concat([coded[~end & ~part], machine], ignore_index=True)


def measured(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    ratings = build_rating_matrix(table, SCHEME, "missing")
    report = detect_drift(ratings)
    return {
        "agreement": agreement_table(ratings, draws=200),
        "sessions": session_icc(ratings, draws=200),
        "confusions": confusions(ratings),
        "drift": report.table,
        "points": report.points,
        "automation bias": automation_bias(ratings, draws=200),
        "sample": draw_sample(ratings, "utterances", seed=3),
    }


def test_the_order_of_rows_changes_nothing(table: pd.DataFrame) -> None:
    """Not of tapes, of coders or of utterances: what is drawn at random is the same, too."""
    wanted = measured(table)
    for order in (np.arange(len(table))[::-1], np.random.default_rng(2).permutation(len(table))):
        measures = measured(table.iloc[order].reset_index(drop=True))
        for name, each in wanted.items():
            pd.testing.assert_frame_equal(measures[name], each, obj=name, check_exact=False, rtol=1e-9)


def by_pair(result: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows by who is compared, whichever comes first, and by what."""
    pair = [" ".join(sorted(names)) for names in zip(result["a"], result["b"], strict=True)]
    return result.assign(pair=pair).set_index(["pair", *keys]).sort_index()


def test_renaming_coders_renames_rows_and_changes_no_figure(table: pd.DataFrame) -> None:
    before, after = measured(table), measured(table.replace({"coder": NAMES}))
    for name, keys, figures in (
        ("agreement", ["comparison", "level", "name"], FIGURES),
        ("sessions", ["comparison", "measure"], ["tapes", "icc_a1", "icc_c1"]),
    ):
        old, new = by_pair(before[name].replace({"a": NAMES, "b": NAMES}), keys), by_pair(after[name], keys)
        pd.testing.assert_frame_equal(old[figures].astype(float), new[figures].astype(float), rtol=1e-9)
    for name in ("drift", "points"):
        renamed = before[name].replace({"coder": NAMES})
        figures = [column for column in renamed if renamed[column].dtype.kind in "fib" or column in ("state", "family")]
        order = ["coder", "family", *(["tape_id"] if name == "points" else [])]
        pd.testing.assert_frame_equal(
            renamed.sort_values(order)[["coder", *figures]].reset_index(drop=True),
            after[name].sort_values(order)[["coder", *figures]].reset_index(drop=True),
        )


def test_a_tape_that_is_split_at_a_pause_has_the_same_agreement(table: pd.DataFrame) -> None:
    late = table["utterance_id"].astype(int) >= 20
    split = table.assign(tape_id=table["tape_id"] + np.where(late, "b", "a"))
    whole, parts = (agreement_table(build_rating_matrix(each, SCHEME, "missing"), draws=100) for each in (table, split))
    key = ["comparison", "a", "b", "level", "name"]
    pd.testing.assert_frame_equal(whole[[*key, *FIGURES]], parts[[*key, *FIGURES]])
    whole, parts = (
        confusions(build_rating_matrix(codes, SCHEME, "missing"), shown=1000).drop(columns="utterances")
        for codes in (table, split)
    )
    pd.testing.assert_frame_equal(whole, parts)


def test_tapes_that_are_doubled_double_the_counts_and_keep_the_agreement(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table.assign(tape_id=table["tape_id"] + "'")], ignore_index=True)
    single, double = (
        agreement_table(build_rating_matrix(codes, SCHEME, "missing"), draws=100) for codes in (table, twice)
    )
    figures = ["percent", "kappa", "pabak", "ac1", "prevalence_index", "bias_index"]
    pd.testing.assert_frame_equal(single[figures], double[figures])
    assert list(double["units"]) == list(2 * single["units"])
    assert list(double["tapes"]) == list(2 * single["tapes"])


def test_coders_who_code_nothing_agree_on_nothing_else() -> None:
    codes = [""] * 60
    silent = pd.concat(
        [
            rows(tape, coder, layer, codes, day=at)
            for at, tape in enumerate("tuv")
            for coder, layer in (("ann", "member"), ("cora", "coach"))
        ]
    )
    agreement = agreement_table(build_rating_matrix(silent, SCHEME), draws=100)
    assert set(agreement["name"]) == {"all codes"}
    assert set(agreement["percent"]) == {1.0}
    assert set(agreement["undefined"]) == {"kappa and alpha: one value throughout; pabak, ac1: one value only"}
    assert agreement[["kappa", "ac1", "alpha"]].isna().all(axis=None)
    counted = session_icc(build_rating_matrix(silent, SCHEME))
    assert set(counted["measure"]) == {"reflections per question"}
    assert set(counted["undefined"]) == {"no tape with questions by both; 3 without questions left out"}
    assert confusions(build_rating_matrix(silent, SCHEME)).empty
    assert detect_drift(build_rating_matrix(silent, SCHEME)).table.empty


def test_a_member_who_codes_nothing_is_compared_on_what_the_coach_gave() -> None:
    coach = ["change", "sustain", "", ""] * 15
    both = [rows(tape, "cora", "coach", coach) for tape in "tu"] + [
        rows(tape, "ann", "member", [""] * 60) for tape in "tu"
    ]
    agreement = agreement_table(build_rating_matrix(pd.concat(both), SCHEME), draws=100)
    family = agreement[(agreement["level"] == "family") & (agreement["comparison"] == "coder and coach")].iloc[0]
    assert (family["units"], family["percent"], family["kappa"]) == (120, 0.5, 0.0)


@pytest.mark.parametrize("code", ["change", "question_open|reflection_simple"])
def test_coders_who_code_everything_alike_agree_wholly_and_chance_says_nothing(code: str) -> None:
    alike = pd.concat([rows(tape, coder, "member", [code] * 60) for tape in "tu" for coder in ("ann", "bob", "eve")])
    agreement = agreement_table(build_rating_matrix(alike, SCHEME), draws=100)
    assert set(agreement["percent"]) == {1.0}
    assert agreement[["kappa", "alpha"]].isna().all(axis=None)
    three = agreement[agreement["comparison"] == "members"]
    assert three["undefined"].str.contains("alpha: one value throughout").all()
    assert three["undefined"].str.contains(r"kappa: more than two coders \(3\)").all()
    two = agreement[agreement["comparison"] == "coders"]
    assert two["undefined"].str.contains("kappa and alpha: one value throughout").all()
    assert not two["undefined"].str.contains("more than two").any()
    assert confusions(build_rating_matrix(alike, SCHEME)).empty


def test_two_members_have_a_kappa_and_three_a_reason() -> None:
    two = agreement_table(build_rating_matrix(group(3, units=40), SCHEME), draws=100)
    pair = two[(two["comparison"] == "members") & (two["level"] == "all")].iloc[0]
    same = two[(two["comparison"] == "coders") & (two["level"] == "all")].iloc[0]
    assert list(pair[FIGURES[:-1]]) == pytest.approx(list(same[FIGURES[:-1]]))
    assert "kappa" not in pair["undefined"]
    three = agreement_table(
        build_rating_matrix(group(3, units=40, wrong={"ann": 0.1, "bob": 0.1, "eve": 0.1}), SCHEME), draws=100
    )
    reason = three[(three["comparison"] == "members") & (three["level"] == "all")].iloc[0]["undefined"]
    assert reason == "kappa: more than two coders (3)"


def test_coders_who_share_no_units_are_not_compared() -> None:
    apart = [rows("t", "ann", "member", ["change", "?"]), rows("t", "bob", "member", ["?", "change"])]
    both = rows("t", "eve", "member", ["change", "sustain"])
    agreement = agreement_table(build_rating_matrix(pd.concat([*apart, both]), SCHEME, "missing"), draws=100)
    pairs = set(zip(agreement["a"], agreement["b"], strict=True))
    assert pairs == {("members", "members"), ("ann", "eve"), ("bob", "eve")}
    assert agreement_table(build_rating_matrix(pd.concat(apart), SCHEME, "missing")).empty


def test_a_tape_that_one_coder_alone_coded_changes_nothing() -> None:
    """Codes that eve alone gave there counted as values, and lowered the chance that AC1 and PABAK take away."""
    shared = [
        rows("t", name, "member", ["question_open", "question_open", "reflection_simple", code])
        for name, code in (("ann", "reflection_simple"), ("bob", "reflection_simple"), ("eve", "question_open"))
    ]
    alone = rows("u", "eve", "member", ["information", "question_closed", "question_open|reflection_complex"])
    before, after = (
        agreement_table(build_rating_matrix(pd.concat(tables, ignore_index=True), SCHEME, "missing"), draws=100)
        for tables in (shared, [*shared, alone])
    )
    whole = [table[(table["comparison"] == "members") & (table["level"] == "all")].iloc[0] for table in (before, after)]
    # Three pairs agree on three lines, one of three on the fourth: 10 of 12. There are two values,
    # 7 of 12 and 5 of 12; AC1 takes away 2 * 35 / 144.
    chance = 70 / 144
    for row in whole:
        assert (row["units"], row["percent"]) == (4, pytest.approx(10 / 12))
        assert row["ac1"] == pytest.approx((10 / 12 - chance) / (1 - chance))
        assert row["pabak"] == pytest.approx(2 * 10 / 12 - 1)
