from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.measures.reliability.agreement import (
    agreement_table,
)
from pipeline.measures.reliability.comparisons import (
    coders_without_family,
    intra_rater_comparisons,
    pairs_without_overlap,
)
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from tests.measures.coders import SCHEME, group, only_row, rating_matrix_of, rows


def test_the_group_with_the_coach_pools_its_members() -> None:
    agreement = agreement_table(rating_matrix_of(group(4)))
    pooled = only_row(agreement, comparison="group and coach", level="all")
    of_members = [
        only_row(agreement, comparison="coder and coach", a=name, level="all")["percent"] for name in ("ann", "bob")
    ]
    assert (pooled["a"], pooled["b"], pooled["units"]) == ("members", "coach", 320)
    assert pooled["percent"] == pytest.approx(np.mean(of_members))


def test_machine_and_consensus_are_compared() -> None:
    table = pd.concat(
        [
            rows("t", "machine", "machine", ["change", "sustain"]),
            rows("t", "group", "consensus", ["change", "change"]),
            rows("t", "ann", "member", ["sustain", "change"]),
        ]
    )
    agreement = agreement_table(build_rating_matrix(table, SCHEME))
    with_machine = agreement[(agreement["comparison"] == "machine") & (agreement["level"] == "all")]
    assert dict(zip(with_machine["b"], with_machine["percent"], strict=True)) == {"consensus": 0.5, "members": 0.0}
    assert only_row(agreement, comparison="coder and consensus", level="all")["percent"] == 0.5


def test_a_coder_who_codes_again_is_compared_with_before() -> None:
    now = rows("t", "ann", "member", ["change", "sustain"], day=30)
    then = rows("t", "ann", "member", ["change", "change"], day=1)
    again = intra_rater_comparisons(now, then, SCHEME)
    assert again
    row = only_row(agreement_table(*again), level="all")
    assert (row["comparison"], row["a"], row["b"], row["percent"]) == ("coder again", "ann", "ann, before", 0.5)
    assert intra_rater_comparisons(now, then.assign(coded_at=now["coded_at"] - 1000), SCHEME) is None
    assert intra_rater_comparisons(now, then.iloc[:0], SCHEME) is None


def test_coders_without_an_utterance_in_common_are_named_in_pairs() -> None:
    ratings = rating_matrix_of(
        rows("one", "ann", "member", ["change"]),
        rows("one", "cora", "coach", ["change"]),
        rows("two", "bob", "member", ["sustain"]),
    )
    assert pairs_without_overlap(ratings) == [("ann", "bob"), ("bob", "cora")]


def test_a_coder_who_could_not_give_a_family_is_named_where_others_could() -> None:
    ann = rows("t", "ann", "member", ["change"], codable="change|sustain|question_open|question_closed")
    bob = rows("t", "bob", "member", ["change"], codable="change|sustain")
    assert coders_without_family(rating_matrix_of(ann, bob)) == {"question": ("bob",)}
