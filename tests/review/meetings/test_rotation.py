"""Whose turn it is."""

from __future__ import annotations

import pytest

from pipeline.review.meetings.rotation import ROLES, roles, turn

PEOPLE = ["ada", "ben", "eve", "ida"]


@pytest.mark.parametrize(
    ("history", "order"),
    [
        ([], ["ada", "ben", "eve", "ida"]),  # nobody yet: as they came to the group
        (["ada"], ["ben", "eve", "ida", "ada"]),
        (["ben", "ada", "eve", "ida"], ["ben", "ada", "eve", "ida"]),  # once each: the longest ago
        (["ada", "ada", "ben", "eve"], ["ida", "ben", "eve", "ada"]),
        (["gone", "gone"], ["ada", "ben", "eve", "ida"]),  # who left the group hinders nobody
    ],
)
def test_whoever_did_it_least_often_and_longest_ago_comes_first(history: list[str], order: list[str]) -> None:
    assert turn(PEOPLE, history) == order


def test_nobody_takes_two_roles_nor_one_beside_the_tape_while_there_are_enough_people() -> None:
    assert roles(PEOPLE, [], busy=frozenset({"ada"})) == dict(zip(ROLES, ("ben", "eve", "ida"), strict=True))


def test_a_role_goes_by_its_own_history() -> None:
    history = [(ROLES[0], "ada"), (ROLES[1], "ben")]
    assert roles(PEOPLE, history) == {ROLES[0]: "ben", ROLES[1]: "ada", ROLES[2]: "eve"}


def test_in_a_group_of_two_somebody_has_two_roles_and_in_an_empty_one_nobody_has_any() -> None:
    assert roles(["ada", "ben"], []) == {ROLES[0]: "ada", ROLES[1]: "ben", ROLES[2]: "ada"}
    assert roles([], []) == {}
