"""No logic of six lines or more stands twice in the same shape without a reason.

Compared are runs of statements within a function, and of functions within a class or module, whose syntax differs in
names, texts and numbers alone. Declarations have nothing to join and do not count: imports, signatures, fields of
dataclasses, tables of records, migrations.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

PIPELINE = Path(__file__).resolve().parent.parent / "pipeline"
MODULES = sorted(
    path for path in PIPELINE.rglob("*.py") if not {"migrations", "records"} & set(path.relative_to(PIPELINE).parts)
)
SHORTEST = 6

REASONS = {
    ("tapes/vault/disks.py:of_overwritten", "tapes/vault/disks.py:of_overwritten"): (
        "three kinds of disks, a sentence each: a table of them would only move the sentences"
    ),
}
"""Where the two lie, in order -> why they stay apart."""

Place = tuple[str, int, int]
"""Module and function, and the first and last line."""


class _Masked(ast.NodeTransformer):
    """Takes out of a syntax tree all that may differ between two copies."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("name", node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg("name")

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        return ast.keyword("name", node.value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Attribute(node.value, "name", node.ctx)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(type(node.value).__name__)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.name = "name"
        node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
        return node


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _counts(node: ast.stmt, within_function: bool) -> bool:
    if within_function:
        return not _is_text(node) and not isinstance(node, ast.Import | ast.ImportFrom)
    return isinstance(node, ast.FunctionDef)


def _shape(node: ast.stmt) -> str:
    return ast.dump(_Masked().visit(ast.parse(ast.unparse(node))))


def _lines(node: ast.stmt) -> int:
    """The lines of a statement; of a function those of its body without the docstring."""
    if isinstance(node, ast.FunctionDef):
        return sum(_lines(part) for part in node.body if not _is_text(part))
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _blocks(tree: ast.AST, owner: str = "") -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield the function and the statements of each block."""
    within_function = bool(owner) and not isinstance(tree, ast.ClassDef)
    for field in ("body", "orelse", "finalbody"):
        block = getattr(tree, field, None)
        if isinstance(block, list):
            yield owner, [node for node in block if isinstance(node, ast.stmt) and _counts(node, within_function)]
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from _blocks(node, node.name if named and not (owner and within_function) else owner)


def _windows(block: Sequence[ast.stmt]) -> Iterator[tuple[tuple[str, ...], ast.stmt, ast.stmt]]:
    """Yield from each statement on the shortest run that has enough lines: its shapes, its first and last statement."""
    shapes, lengths = [_shape(node) for node in block], [_lines(node) for node in block]
    for start in range(len(block)):
        for end in range(start + 1, len(block) + 1):
            if sum(lengths[start:end]) >= SHORTEST:
                yield tuple(shapes[start:end]), block[start], block[end - 1]
                break


def copies(sources: dict[str, str]) -> list[tuple[Place, Place]]:
    """Return the pairs of places with the same shape, in the modules of these names and sources."""
    places: dict[tuple[str, ...], list[Place]] = defaultdict(list)
    for name, source in sources.items():
        for owner, block in _blocks(ast.parse(source)):
            for shapes, first, last in _windows(block):
                places[shapes].append((f"{name}:{owner}", first.lineno, last.end_lineno or last.lineno))
    return [(at[0], other) for at in places.values() for other in at[1:]]


def test_no_logic_stands_twice_without_a_reason() -> None:
    sources = {path.relative_to(PIPELINE).as_posix(): path.read_text(encoding="utf-8") for path in MODULES}
    pairs = copies(sources)
    assert [pair for pair in pairs if (pair[0][0], pair[1][0]) not in REASONS] == []
    assert {(first, other) for (first, _, _), (other, _, _) in pairs} == set(REASONS), "a reason that nothing needs"


STATEMENTS = """
def {name}(rows):
    {total} = 0
    for row in rows:
        if row.{total} > 3:
            {total} += 1
        else:
            {total} += row.other
    return {total}
"""
METHODS = """
class {name}:
    word: str

    @property
    def {total}(self):
        return Span(
            self.words[0].start,
            self.words[1].start,
            self.words[2].start,
        )

    def text(self):
        return self.words
"""


@pytest.mark.parametrize("template", [STATEMENTS, METHODS])
def test_a_copy_with_other_names_is_noticed(template: str) -> None:
    sources = {"a.py": template.format(name="tally", total="sum_of"), "b.py": template.format(name="add", total="many")}
    assert copies(sources)
    assert copies({"a.py": sources["a.py"]}) == []


def test_declarations_are_no_copies() -> None:
    fields = "\n".join(f"    field_{number}: int" for number in range(9))
    source = f"class Row:\n{fields}\n\n\nclass Other:\n{fields}\n"
    assert copies({"a.py": source}) == []
