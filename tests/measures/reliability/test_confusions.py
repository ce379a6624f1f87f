from __future__ import annotations

import pytest

from pipeline.measures.reliability.confusions import confusions
from pipeline.measures.reliability.rating_matrix import NOT_CODED
from tests.measures.coders import member_and_coach, only_row, rating_matrix_of


def test_confusions_name_the_utterances() -> None:
    pairs = confusions(rating_matrix_of(member_and_coach(["change", "sustain", ""], ["sustain", "change", "change"])))
    row = only_row(pairs, comparison="coder and coach", a_code="change")
    assert (row["b_code"], row["units"], row["reverse"], row["utterances"]) == ("sustain", 1, 1, "t/0")
    assert row["share"] == pytest.approx(1 / 3)
    assert NOT_CODED in set(pairs["a_code"])
