"""One-token changes of a module: those of cosmic-ray, and two of our own for queries and messages.

Left out is what cannot change behavior: annotations (all are strings at run time), docstrings, and comparisons that are
swapped for their identity twins (`==` for `is`).
"""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator
from dataclasses import dataclass

import parso
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator

CONDITIONS = frozenset({"where", "filter", "and_", "or_", "join", "having"})
"""Calls whose arguments narrow a query: each may be dropped."""

_PARAMETERIZED = frozenset({"VariableReplacer", "VariableInserter"})
_IDENTITIES = ("_Eq_Is", "_Is_Eq", "_NotEq_IsNot", "_IsNot_NotEq")

Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """A changed module. ``change`` shows the lines that differ, ``- old`` and ``+ new``, and names the mutant."""

    operator: str
    line: int
    code: str
    change: str


class DropCondition(Operator):
    """Drops one argument of a call that narrows a query; the last one becomes ``True``."""

    def mutation_positions(self, node: parso.tree.NodeOrLeaf) -> Iterator[tuple[Position, Position]]:
        """The arguments of a narrowing call."""
        for argument in _conditions(node):
            yield argument.start_pos, argument.end_pos

    def mutate(self, node: parso.tree.NodeOrLeaf, index: int) -> parso.tree.NodeOrLeaf:
        """Put ``True`` where the argument was."""
        argument = list(_conditions(node))[index]
        siblings = argument.parent.children
        siblings[siblings.index(argument)] = parso.python.tree.Name("True", argument.start_pos, prefix=" ")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """What it does to code."""
        return (Example("select(x).where(a, b)", "select(x).where( True, b)"),)


class ChangeText(Operator):
    """Puts a mark in front of a text that is not a docstring."""

    def mutation_positions(self, node: parso.tree.NodeOrLeaf) -> Iterator[tuple[Position, Position]]:
        """Plain strings within expressions."""
        if node.type == "string" and node.parent.type not in ("simple_stmt", "strings"):
            yield node.start_pos, node.end_pos

    def mutate(self, node: parso.tree.NodeOrLeaf, index: int) -> parso.tree.NodeOrLeaf:
        """Write the mark after the opening quotes."""
        quotes = next(quotes for quotes in ('"""', "'''", '"', "'") if quotes in node.value)
        node.value = node.value.replace(quotes, f"{quotes}XX", 1)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """What it does to code."""
        return (Example('x = "a"', 'x = "XXa"'),)


def _conditions(node: parso.tree.NodeOrLeaf) -> list[parso.tree.NodeOrLeaf]:
    """The positional arguments of `node`, where it is the argument list of a narrowing call."""
    if node.type != "trailer" or node.children[0].value != "(" or len(node.children) != 3:
        return []
    called = node.get_previous_leaf()
    if called is None or called.value not in CONDITIONS:
        return []
    inside = node.children[1]
    arguments = inside.children if inside.type == "arglist" else [inside]
    return [each for each in arguments if each.type not in ("operator", "argument") and each.get_code().strip()]


def _operators() -> dict[str, Operator]:
    named = {name.removeprefix("core/"): plugins.get_operator(name) for name in plugins.operator_names()}
    used = {
        name: operator()
        for name, operator in sorted(named.items())
        if name not in _PARAMETERIZED and not name.endswith(_IDENTITIES)
    }
    return used | {"DropCondition": DropCondition(), "ChangeText": ChangeText()}


def mutants(source: str) -> list[tuple[str, int, int]]:
    """Every change that can be made, as (operator, which of its places, line), in a fixed order."""
    idle = _idle_lines(source)
    edits = []
    for name, operator in _operators().items():
        number = 0
        for node in ast_nodes(get_ast(source)):
            for (line, column), _ in operator.mutation_positions(node):
                if not any(start <= (line, column) < end for start, end in idle):
                    edits.append((name, number, line))
                number += 1
    return edits


def sample(source: str, number: int, seed: int) -> list[Mutant]:
    """At most `number` mutants, drawn at random: first the line, then the change, so that no long line outweighs."""
    by_line: dict[int, list[tuple[str, int, int]]] = {}
    for mutant in mutants(source):
        by_line.setdefault(mutant[2], []).append(mutant)
    draw, drawn, seen = random.Random(seed), [], set()
    while by_line and len(drawn) < number:
        line = draw.choice(sorted(by_line))
        name, mutant, _ = by_line[line].pop(draw.randrange(len(by_line[line])))
        if not by_line[line]:
            del by_line[line]
        code = mutate_code(source, _operators()[name], mutant)
        if code is None or code in seen or not _compiles(code):
            continue
        seen.add(code)
        drawn.append(Mutant(name, line, code, _change(source, code)))
    return drawn


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _change(source: str, code: str) -> str:
    lines = difflib.unified_diff(source.splitlines(), code.splitlines(), lineterm="", n=0)
    return "\n".join(f"{line[0]} {line[1:].strip()}".rstrip() for line in list(lines)[2:] if not line.startswith("@@"))


def _idle_lines(source: str) -> list[tuple[Position, Position]]:
    """Where code does nothing at run time: annotations, docstrings, `__all__`, imports for type checkers."""
    tree = ast.parse(source)
    idle: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            idle.append(node.annotation)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            idle.append(node.returns)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            idle.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            idle.append(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("TypeVar", "cast"):
            idle.append(node.args[0])
    return [((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in idle]
