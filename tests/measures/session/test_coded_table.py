import pandas as pd
import pytest

from pipeline.errors import TableError
from pipeline.measures.session.coded_table import adjacent_rows, backchannel_rows, codes_by_row, has_times, sort_by_time
from tests.measures.samples import coded, table


def test_rows_come_in_order_of_time_and_the_given_table_stays_as_it_is() -> None:
    given = table(("I", "other"), ("C", "neutral"), start=[2_000, 1_000], end=[3_000, 1_500])
    before = given.copy(deep=True)
    assert sort_by_time(given)["utterance_id"].tolist() == ["2", "1"]
    pd.testing.assert_frame_equal(given, before)


def test_rows_without_times_keep_their_order() -> None:
    given = table(("I", "other"), ("C", "neutral"), start=[2_000, None], end=[3_000, None])
    assert not has_times(given)
    assert sort_by_time(given)["utterance_id"].tolist() == ["1", "2"]


@pytest.mark.parametrize("column", ["tape_id", "utterance_id", "role", "text", "codes"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(TableError, match=f"TR-T03 coded table lacks the column '{column}'"):
        sort_by_time(table(("I", "other")).drop(columns=column))


def test_missing_codes_are_no_codes() -> None:
    assert codes_by_row(table(("I", "question_open|information"), ("C", ""))) == [("question_open", "information"), ()]
    assert codes_by_row(pd.DataFrame({"codes": [None, float("nan")]})) == [(), ()]


def test_a_noise_with_a_code_of_its_own_is_not_mere_listening() -> None:
    given = coded("I other .9 Mm-hm.\nC change .9 Yeah.\nC neutral .9 Yeah.\nI other .9 Good morning everyone.")
    assert backchannel_rows(given) == [True, False, True, False]


def test_neighbors_look_through_the_interviewers_noises_only() -> None:
    given = coded(
        "C change .9 I want to.\nI other .9 Mm-hm.\nC change .9 And I will.\nC neutral .9 Yeah.\nI other .9 Fine then."
    )
    assert adjacent_rows(given) == [(0, 2), (2, 3), (3, 4)]
