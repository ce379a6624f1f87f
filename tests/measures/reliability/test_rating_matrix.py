from __future__ import annotations

import pandas as pd
import pytest

from pipeline.errors import TableError
from pipeline.measures.reliability.agreement import (
    agreement_table,
)
from pipeline.measures.reliability.rating_matrix import Absent, build_rating_matrix
from tests.measures.coders import SCHEME, group, member_and_coach, only_row, rating_matrix_of, rows


def test_not_coded_is_a_value() -> None:
    agreement = agreement_table(rating_matrix_of(member_and_coach(["change", "", ""], ["change", "", "sustain"])))
    row = only_row(agreement, comparison="coder and coach", level="family", name="client_talk")
    assert (row["units"], row["percent"]) == (3, pytest.approx(2 / 3))


def compared_units(*tables: pd.DataFrame, absent: Absent = "auto") -> int:
    table = agreement_table(rating_matrix_of(*tables, absent=absent))
    return int(only_row(table, comparison="coder and coach", level="all")["units"])


def test_absent_rows_are_left_without_a_code_or_not_heard() -> None:
    sparse = member_and_coach(["change", "?", "change"], ["change", "sustain", "?"])
    assert compared_units(sparse) == 3
    assert compared_units(sparse, absent="missing") == 1
    explicit = member_and_coach(["change", "?", ""], ["change", "sustain", "sustain"])
    assert compared_units(explicit) == 2
    assert rating_matrix_of(explicit).filled_cells == 0
    assert rating_matrix_of(sparse).filled_cells == 2


def test_a_tape_that_a_coder_did_not_code_is_missing() -> None:
    both = member_and_coach(["change"], ["change"], "one")
    assert compared_units(both, rows("two", "ann", "member", ["change"])) == 1


def test_roles_leave_out_what_cannot_carry_a_code() -> None:
    table = member_and_coach(["question_open", "change"], ["question_open", "change"], role=["interviewer", "client"])
    agreement = agreement_table(build_rating_matrix(table, SCHEME))
    assert only_row(agreement, comparison="coder and coach", level="family", name="question")["units"] == 1
    assert only_row(agreement, comparison="coder and coach", level="all")["units"] == 2


def test_which_reflection_asks_only_where_both_say_reflection() -> None:
    simple, complex_ = "reflection_simple", "reflection_complex"
    agreement = agreement_table(
        rating_matrix_of(member_and_coach([simple, complex_, simple, ""], [simple, simple, "", complex_]))
    )
    row = only_row(agreement, comparison="coder and coach", level="which", name="reflection")
    assert (row["units"], row["percent"]) == (2, 0.5)


def test_ratings_are_one_ordered_family() -> None:
    agreement = agreement_table(rating_matrix_of(member_and_coach(["1", "3", "5", "4"], ["2", "3", "5", "4"])))
    row = only_row(agreement, comparison="coder and coach", level="family", name="rating")
    assert row["alpha_ordinal"] > row["alpha"]


def test_a_lacking_column_is_named() -> None:
    with pytest.raises(TableError, match="TR-T03 table of codes lacks the column 'layer'"):
        build_rating_matrix(group(1).drop(columns="layer"), SCHEME)


def test_who_leaves_another_language_without_codes_has_decided_nothing() -> None:
    table = member_and_coach(["change", "", "sustain"], ["change", "sustain", "sustain"])
    assert compared_units(table) == 3
    assert compared_units(table.assign(language=["en", "es", "es"] * 2)) == 2
