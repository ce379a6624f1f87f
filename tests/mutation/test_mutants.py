"""The mutants themselves: what is changed, what is left alone, and that every target exists."""

from __future__ import annotations

import ast

import pytest
from cosmic_ray.mutating import mutate_code

from tests.mutation.__main__ import ROOT, Target, survivors, targets
from tests.mutation.mutants import ChangeText, DropCondition, mutants, sample

SOURCE = '''
"""A module."""
def allowed(age: int | None, limit: int = 18) -> bool:
    """Whether."""
    return age is not None and age >= limit
'''


@pytest.mark.parametrize("operator", [DropCondition, ChangeText])
def test_our_operators_do_what_their_examples_say(operator: type[DropCondition | ChangeText]) -> None:
    for example in operator.examples():
        assert mutate_code(example.pre_mutation_code, operator(), 0) == example.post_mutation_code


def test_each_condition_of_a_query_can_be_dropped() -> None:
    dropped = {
        each.change.splitlines()[1]
        for each in sample("x = q.where(a, b(1))", 99, 0)
        if each.operator == "DropCondition"
    }
    assert dropped == {"+ x = q.where( True, b(1))", "+ x = q.where(a, True)"}


def test_docstrings_and_annotations_are_left_alone_and_all_mutants_compile() -> None:
    changed = sample(SOURCE, 99, 0)
    assert {each.line for each in changed} == {3, 5}
    for each in changed:
        function = ast.parse(each.code).body[1]
        assert isinstance(function, ast.FunctionDef)
        assert ast.unparse(function.args.args[0]) == "age: int | None"
        assert ast.get_docstring(function) == "Whether."


def test_a_draw_is_repeated_by_its_seed() -> None:
    assert sample(SOURCE, 5, 7) == sample(SOURCE, 5, 7) != sample(SOURCE, 5, 8)
    assert len(mutants(SOURCE)) > 5


def test_every_target_and_its_tests_exist() -> None:
    missing = [
        path for target in targets().values() for path in (target.module, *target.tests) if not (ROOT / path).exists()
    ]
    assert missing == []


def test_every_judged_change_is_one_of_a_line_that_is_still_there() -> None:
    """A line that was written anew, or a name that changed, has to be judged anew."""
    stale = {
        target.name: change
        for target in targets().values()
        for lines in [{line.strip() for line in (ROOT / target.module).read_text(encoding="utf-8").splitlines()}]
        for change in target.equivalents
        if not lines.issuperset(line[1:].strip() for line in change.splitlines() if line.startswith("-"))
    }
    assert stale == {}


@pytest.mark.engines
def test_a_weak_test_lets_mutants_live_and_a_judged_one_is_left_out() -> None:
    """The tests of the table never run `numerals`."""
    blind = Target(
        "numerals", "pipeline/report/number_format.py", ("tests/measures/session/test_coded_table.py",), frozenset()
    )
    number, left = survivors(blind, 3, 0, 1)
    assert (number, len(left)) == (3, 3)
    judged = Target(blind.name, blind.module, blind.tests, frozenset({left[0].change}))
    assert survivors(judged, 3, 0, 1)[0] == 2
