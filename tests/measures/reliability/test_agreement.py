from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.errors import TableError
from pipeline.measures.reliability.agreement import (
    AGREEMENT_COLUMNS,
    REFLECTIONS_PER_QUESTION,
    SESSION_ICC_COLUMNS,
    agreement_table,
    session_icc,
)
from pipeline.measures.reliability.comparisons import intra_rater_comparisons
from pipeline.measures.reliability.confusions import confusions
from pipeline.measures.reliability.rating_matrix import NOT_CODED, RatingMatrix, build_rating_matrix
from tests.measures.coders import SCHEME, group, rows


def two(a: list[str], b: list[str], tape: str = "t", **more: object) -> pd.DataFrame:
    return pd.concat(
        [rows(tape, "ann", "member", a, **more), rows(tape, "cora", "coach", b, **more)], ignore_index=True
    )


def pick(found: pd.DataFrame, **wanted: str) -> pd.Series:
    for column, value in wanted.items():
        found = found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def laid(*tables: pd.DataFrame, absent: str = "auto") -> RatingMatrix:
    return build_rating_matrix(pd.concat(tables, ignore_index=True), SCHEME, absent)  # type: ignore[arg-type]


def test_columns_are_the_contract() -> None:
    assert ",".join(AGREEMENT_COLUMNS) == (
        "comparison,a,b,level,name,tapes,units,percent,percent_low,percent_high,kappa,kappa_low,kappa_high,"
        "prevalence_index,bias_index,pabak,ac1,ac1_low,ac1_high,alpha,alpha_low,alpha_high,"
        "alpha_ordinal,alpha_ordinal_low,alpha_ordinal_high,verdict,undefined"
    )
    assert SESSION_ICC_COLUMNS[:5] == ("comparison", "a", "b", "measure", "tapes")


def test_figures_are_those_of_the_whole_table() -> None:
    table = group(6)
    found = agreement_table(build_rating_matrix(table, SCHEME))
    wide = table.pivot_table(index=["tape_id", "utterance_id"], columns="coder", values="codes", aggfunc="first")
    row = pick(found, comparison="coder and coach", a="ann", level="all")
    assert row["units"] == 480
    assert row["percent"] == pytest.approx((wide["ann"] == wide["coach"]).mean())
    assert row["kappa"] == pytest.approx(cohen_kappa_score(wide["ann"], wide["coach"]))
    code = pick(found, comparison="coder and coach", a="ann", level="code", name="reflection_simple")
    said = wide == "reflection_simple"
    assert code["kappa"] == pytest.approx(cohen_kappa_score(said["ann"], said["coach"]))
    assert code["bias_index"] == pytest.approx((said["ann"].sum() - said["coach"].sum()) / 480)
    assert code["percent_low"] < code["percent"] < code["percent_high"]
    assert code["kappa_low"] < code["kappa"] < code["kappa_high"]


def test_the_group_with_the_coach_pools_its_members() -> None:
    found = agreement_table(laid(group(4)))
    pooled = pick(found, comparison="group and coach", level="all")
    each = [pick(found, comparison="coder and coach", a=name, level="all")["percent"] for name in ("ann", "bob")]
    assert (pooled["a"], pooled["b"], pooled["units"]) == ("members", "coach", 320)
    assert pooled["percent"] == pytest.approx(np.mean(each))


def test_not_coded_is_a_value() -> None:
    found = agreement_table(laid(two(["change", "", ""], ["change", "", "sustain"])))
    row = pick(found, comparison="coder and coach", level="family", name="client_talk")
    assert (row["units"], row["percent"]) == (3, pytest.approx(2 / 3))


def test_absent_rows_are_left_without_a_code_or_not_heard() -> None:
    sparse = two(["change", "?", "change"], ["change", "sustain", "?"])
    assert pick(agreement_table(laid(sparse)), comparison="coder and coach", level="all")["units"] == 3
    assert (
        pick(agreement_table(laid(sparse, absent="missing")), comparison="coder and coach", level="all")["units"] == 1
    )
    explicit = two(["change", "?", ""], ["change", "sustain", "sustain"])
    assert pick(agreement_table(laid(explicit)), comparison="coder and coach", level="all")["units"] == 2
    assert laid(explicit).filled_cells == 0
    assert laid(sparse).filled_cells == 2


def test_a_tape_that_a_coder_did_not_code_is_missing() -> None:
    table = pd.concat([two(["change"], ["change"], "one"), rows("two", "ann", "member", ["change"])])
    assert (
        pick(agreement_table(build_rating_matrix(table, SCHEME)), comparison="coder and coach", level="all")["units"]
        == 1
    )


def test_roles_leave_out_what_cannot_carry_a_code() -> None:
    table = two(["question_open", "change"], ["question_open", "change"], role=["interviewer", "client"])
    found = agreement_table(build_rating_matrix(table, SCHEME))
    assert pick(found, comparison="coder and coach", level="family", name="question")["units"] == 1
    assert pick(found, comparison="coder and coach", level="all")["units"] == 2


def test_which_reflection_asks_only_where_both_say_reflection() -> None:
    simple, complex_ = "reflection_simple", "reflection_complex"
    found = agreement_table(laid(two([simple, complex_, simple, ""], [simple, simple, "", complex_])))
    row = pick(found, comparison="coder and coach", level="which", name="reflection")
    assert (row["units"], row["percent"]) == (2, 0.5)


def test_ordinal_alpha_forgives_neighbors() -> None:
    near = laid(
        two(["", "reflection_simple", "reflection_complex", ""], ["", "reflection_complex", "reflection_complex", ""])
    )
    row = pick(agreement_table(near), comparison="coder and coach", level="family", name="reflection")
    assert row["alpha_ordinal"] > row["alpha"]


def test_ratings_are_one_ordered_family() -> None:
    found = agreement_table(laid(two(["1", "3", "5", "4"], ["2", "3", "5", "4"])))
    row = pick(found, comparison="coder and coach", level="family", name="rating")
    assert row["alpha_ordinal"] > row["alpha"]


def test_under_fifty_units_there_is_no_verdict() -> None:
    few = agreement_table(laid(two(["change", "sustain"] * 20, ["change", "sustain"] * 20)))
    assert set(few["verdict"]) == {"fewer than 50 units: no verdict"}
    enough = agreement_table(build_rating_matrix(group(4), SCHEME))
    assert pick(enough, comparison="coder and coach", a="ann", level="all")["verdict"] == "agree"


def test_coders_who_differ_are_told_so() -> None:
    random = np.random.default_rng(3)
    tapes = [
        two(
            list(random.choice(["change", "sustain"], 30)), list(random.choice(["change", "sustain"], 30)), f"t{number}"
        )
        for number in range(8)
    ]
    found = agreement_table(laid(*tapes))
    assert pick(found, comparison="coder and coach", level="all")["verdict"] == "differ: talk about it"


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (["change"] * 60, ["change"] * 60, "kappa and alpha: one value throughout"),
        ([""] * 60, [""] * 60, "pabak, ac1: one value only"),
        (["change"], ["sustain"], "intervals: only one tape"),
    ],
)
def test_degenerate_tables_have_a_reason_and_no_nan(a: list[str], b: list[str], reason: str) -> None:
    found = agreement_table(laid(two(a, b)))
    row = pick(found, comparison="coder and coach", level="all")
    assert reason in row["undefined"]
    for record in found.astype(object).to_dict("records"):
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
    for found in (few, many):
        row = pick(found, comparison="coder and coach", a="ann", level="all")
        widths.append(row["percent_high"] - row["percent_low"])
    assert 0 < widths[1] < 0.05


def test_machine_and_consensus_are_compared() -> None:
    table = pd.concat(
        [
            rows("t", "machine", "machine", ["change", "sustain"]),
            rows("t", "group", "consensus", ["change", "change"]),
            rows("t", "ann", "member", ["sustain", "change"]),
        ]
    )
    found = agreement_table(build_rating_matrix(table, SCHEME))
    with_machine = found[(found["comparison"] == "machine") & (found["level"] == "all")]
    assert dict(zip(with_machine["b"], with_machine["percent"], strict=True)) == {"consensus": 0.5, "members": 0.0}
    assert pick(found, comparison="coder and consensus", level="all")["percent"] == 0.5


def test_a_coder_alone_gives_an_empty_table_with_columns() -> None:
    found = agreement_table(laid(rows("t", "ann", "member", ["change"])))
    assert found.empty
    assert tuple(found.columns) == AGREEMENT_COLUMNS


def test_a_lacking_column_is_named() -> None:
    with pytest.raises(TableError, match="TR-T03 table of codes lacks the column 'layer'"):
        build_rating_matrix(group(1).drop(columns="layer"), SCHEME)


def test_sessions_have_intraclass_correlations_and_ratio() -> None:
    found = session_icc(build_rating_matrix(group(10, wrong={"ann": 0.02}), SCHEME))
    row = pick(found, comparison="coder and coach", measure="reflection_simple")
    assert row["tapes"] == 10
    assert 0.5 < row["icc_a1_low"] < row["icc_a1"] < row["icc_a1_high"] <= 1
    assert pick(found, comparison="coder and coach", measure=REFLECTIONS_PER_QUESTION)["icc_a1"] > 0.5


def test_a_coder_who_always_counts_more_agrees_on_the_order_only() -> None:
    tapes = []
    for number in range(6):
        coach = ["change"] * (3 + 2 * number) + [""] * 20
        ann = ["change"] * (8 + 2 * number) + [""] * 15
        tapes.append(two(ann, coach, f"t{number}"))
    row = pick(session_icc(laid(*tapes)), comparison="coder and coach", measure="change")
    assert row["icc_c1"] == pytest.approx(1)
    assert row["icc_a1"] < 0.7


def test_sessions_without_questions_or_without_variation_say_so() -> None:
    flat = [two(["change", "reflection_simple"], ["change", "reflection_simple"], f"t{n}") for n in range(3)]
    asked = two(["question_open", "reflection_simple"], ["question_open", ""], "t3")
    found = session_icc(laid(*flat, asked))
    ratio = pick(found, comparison="coder and coach", measure=REFLECTIONS_PER_QUESTION)
    assert ratio["undefined"] == "only one tape; 3 without questions left out"
    assert pd.isna(ratio["icc_a1"])
    constant = session_icc(laid(*flat))
    assert pick(constant, comparison="coder and coach", measure="change")["undefined"] == "the counts do not vary"


def test_confusions_name_the_utterances() -> None:
    found = confusions(laid(two(["change", "sustain", ""], ["sustain", "change", "change"])))
    row = pick(found, comparison="coder and coach", a_code="change")
    assert (row["b_code"], row["units"], row["reverse"], row["utterances"]) == ("sustain", 1, 1, "t/0")
    assert row["share"] == pytest.approx(1 / 3)
    assert NOT_CODED in set(found["a_code"])


def test_a_coder_who_codes_again_is_compared_with_before() -> None:
    now = rows("t", "ann", "member", ["change", "sustain"], day=30)
    then = rows("t", "ann", "member", ["change", "change"], day=1)
    found = intra_rater_comparisons(now, then, SCHEME)
    assert found
    row = pick(agreement_table(*found), level="all")
    assert (row["comparison"], row["a"], row["b"], row["percent"]) == ("coder again", "ann", "ann, before", 0.5)
    assert intra_rater_comparisons(now, then.assign(coded_at=now["coded_at"] - 1000), SCHEME) is None
    assert intra_rater_comparisons(now, then.iloc[:0], SCHEME) is None
