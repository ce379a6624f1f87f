from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.measures.reliability.agreement import (
    AGREEMENT_COLUMNS,
    REFLECTIONS_PER_QUESTION,
    SESSION_ICC_COLUMNS,
    agreement_table,
    session_icc,
)
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from tests.measures.coders import SCHEME, group, member_and_coach, only_row, rating_matrix_of, rows


def test_columns_are_the_contract() -> None:
    assert ",".join(AGREEMENT_COLUMNS) == (
        "comparison,a,b,level,name,tapes,units,percent,percent_low,percent_high,kappa,kappa_low,kappa_high,"
        "prevalence_index,bias_index,pabak,ac1,ac1_low,ac1_high,alpha,alpha_low,alpha_high,"
        "alpha_ordinal,alpha_ordinal_low,alpha_ordinal_high,verdict,undefined"
    )
    assert SESSION_ICC_COLUMNS[:5] == ("comparison", "a", "b", "measure", "tapes")


def test_figures_are_those_of_the_whole_table() -> None:
    table = group(6)
    agreement = agreement_table(build_rating_matrix(table, SCHEME))
    wide = table.pivot_table(index=["tape_id", "utterance_id"], columns="coder", values="codes", aggfunc="first")
    row = only_row(agreement, comparison="coder and coach", a="ann", level="all")
    assert row["units"] == 480
    assert row["percent"] == pytest.approx((wide["ann"] == wide["coach"]).mean())
    assert row["kappa"] == pytest.approx(cohen_kappa_score(wide["ann"], wide["coach"]))
    code = only_row(agreement, comparison="coder and coach", a="ann", level="code", name="reflection_simple")
    result = wide == "reflection_simple"
    assert code["kappa"] == pytest.approx(cohen_kappa_score(result["ann"], result["coach"]))
    assert code["bias_index"] == pytest.approx((result["ann"].sum() - result["coach"].sum()) / 480)
    assert code["percent_low"] < code["percent"] < code["percent_high"]
    assert code["kappa_low"] < code["kappa"] < code["kappa_high"]


def test_ordinal_alpha_forgives_neighbors() -> None:
    near = rating_matrix_of(
        member_and_coach(
            ["", "reflection_simple", "reflection_complex", ""], ["", "reflection_complex", "reflection_complex", ""]
        )
    )
    row = only_row(agreement_table(near), comparison="coder and coach", level="family", name="reflection")
    assert row["alpha_ordinal"] > row["alpha"]


def test_under_fifty_units_there_is_no_verdict() -> None:
    few = agreement_table(rating_matrix_of(member_and_coach(["change", "sustain"] * 20, ["change", "sustain"] * 20)))
    assert set(few["verdict"]) == {"fewer than 50 units: no verdict"}
    enough = agreement_table(build_rating_matrix(group(4), SCHEME))
    assert only_row(enough, comparison="coder and coach", a="ann", level="all")["verdict"] == "agree"


def test_coders_who_differ_are_told_so() -> None:
    random = np.random.default_rng(3)
    tapes = [
        member_and_coach(
            list(random.choice(["change", "sustain"], 30)), list(random.choice(["change", "sustain"], 30)), f"t{number}"
        )
        for number in range(8)
    ]
    agreement = agreement_table(rating_matrix_of(*tapes))
    assert only_row(agreement, comparison="coder and coach", level="all")["verdict"] == "differ: talk about it"


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (["change"] * 60, ["change"] * 60, "kappa and alpha: one value throughout"),
        ([""] * 60, [""] * 60, "pabak, ac1: one value only"),
        (["change"], ["sustain"], "intervals: only one tape"),
    ],
)
def test_degenerate_tables_have_a_reason_and_no_nan(a: list[str], b: list[str], reason: str) -> None:
    agreement = agreement_table(rating_matrix_of(member_and_coach(a, b)))
    row = only_row(agreement, comparison="coder and coach", level="all")
    assert reason in row["undefined"]
    for record in agreement.astype(object).to_dict("records"):
        figures = [record[name] for name in ("percent", "kappa", "ac1", "alpha", "pabak")]
        assert all(value is None or pd.isna(value) or np.isfinite(value) for value in figures)
        lacking = [name for name, value in zip(("kappa", "ac1", "alpha"), figures[1:4], strict=True) if pd.isna(value)]
        assert all(name in record["undefined"] for name in lacking)


def test_two_tapes_give_an_interval_that_is_wide() -> None:
    few, many = (
        agreement_table(build_rating_matrix(group(2), SCHEME)),
        agreement_table(build_rating_matrix(group(20), SCHEME)),
    )
    widths = []
    for result in (few, many):
        row = only_row(result, comparison="coder and coach", a="ann", level="all")
        widths.append(row["percent_high"] - row["percent_low"])
    assert 0 < widths[1] < 0.05


def test_a_coder_alone_gives_an_empty_table_with_columns() -> None:
    agreement = agreement_table(rating_matrix_of(rows("t", "ann", "member", ["change"])))
    assert agreement.empty
    assert tuple(agreement.columns) == AGREEMENT_COLUMNS


def test_sessions_have_intraclass_correlations_and_ratio() -> None:
    icc = session_icc(build_rating_matrix(group(10, wrong={"ann": 0.02}), SCHEME))
    row = only_row(icc, comparison="coder and coach", measure="reflection_simple")
    assert row["tapes"] == 10
    assert 0.5 < row["icc_a1_low"] < row["icc_a1"] < row["icc_a1_high"] <= 1
    assert only_row(icc, comparison="coder and coach", measure=REFLECTIONS_PER_QUESTION)["icc_a1"] > 0.5


def test_a_coder_who_always_counts_more_agrees_on_the_order_only() -> None:
    tapes = []
    for number in range(6):
        coach = ["change"] * (3 + 2 * number) + [""] * 20
        ann = ["change"] * (8 + 2 * number) + [""] * 15
        tapes.append(member_and_coach(ann, coach, f"t{number}"))
    row = only_row(session_icc(rating_matrix_of(*tapes)), comparison="coder and coach", measure="change")
    assert row["icc_c1"] == pytest.approx(1)
    assert row["icc_a1"] < 0.7


def test_sessions_without_questions_or_without_variation_say_so() -> None:
    flat = [
        member_and_coach(["change", "reflection_simple"], ["change", "reflection_simple"], f"t{n}") for n in range(3)
    ]
    asked = member_and_coach(["question_open", "reflection_simple"], ["question_open", ""], "t3")
    icc = session_icc(rating_matrix_of(*flat, asked))
    ratio = only_row(icc, comparison="coder and coach", measure=REFLECTIONS_PER_QUESTION)
    assert ratio["undefined"] == "only one tape; 3 without questions left out"
    assert pd.isna(ratio["icc_a1"])
    constant = session_icc(rating_matrix_of(*flat))
    assert only_row(constant, comparison="coder and coach", measure="change")["undefined"] == "the counts do not vary"
