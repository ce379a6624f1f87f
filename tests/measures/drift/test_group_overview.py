from __future__ import annotations

from pipeline.measures.drift.group_overview import FOLDED_NAME, GroupPeriod, fold_small_groups


def period(name: str, people: int, alike: int = 8) -> GroupPeriod:
    return GroupPeriod(name, people, 10, 2, 1, {"2026 Q1": (alike, 10)})


def test_groups_stand_by_name_and_small_ones_together() -> None:
    rows = fold_small_groups([period("b", 9), period("tiny", 2), period("a", 5, 1), period("small", 4, 4)])
    assert [row.name for row in rows] == ["a", "b", FOLDED_NAME]
    folded = rows[-1]
    assert (folded.people, folded.tapes, folded.checked, folded.visits) == (6, 20, 4, 2)
    assert folded.agreement("2026 Q1") == 12 / 20
    assert folded.share_checked == 0.2


def test_a_small_group_alone_is_not_shown() -> None:
    assert [row.name for row in fold_small_groups([period("a", 7), period("tiny", 3)])] == ["a"]
    assert fold_small_groups([period("x", 2), period("y", 2)]) == ()


def test_nothing_checked_is_undefined() -> None:
    row = GroupPeriod("a", 6, 0, 0, 0, {})
    assert row.share_checked is None
    assert row.agreement("2026 Q1") is None


def test_what_is_left_out_is_in_no_share_and_stays_when_groups_are_folded() -> None:
    """Of ten tapes a coach coded four, and two of these are left out: 2 of 8. Folded with 2 of 10: 4 of 18."""
    left = GroupPeriod("tiny", 2, 10, 2, 1, {}, {"why": 2})
    assert left.share_checked == 0.25
    [folded] = fold_small_groups([left, period("small", 4)])
    assert (folded.left_out, folded.share_checked) == ({"why": 2}, 4 / 18)
