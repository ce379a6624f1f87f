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

from tests.source_trees import source_of

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


_DIFFERS: dict[type[ast.AST], frozenset[str]] = {
    ast.Name: frozenset({"id"}),
    ast.arg: frozenset({"arg", "annotation", "type_comment"}),
    ast.keyword: frozenset({"arg"}),
    ast.Attribute: frozenset({"attr"}),
    ast.FunctionDef: frozenset({"name"}),
}
"""What may differ between two copies: the fields of a node that its shape leaves out."""

_SHAPES: dict[tuple[object, ...], int] = {}
"""Each shape -> its number."""


def _shape(node: ast.AST) -> int:
    """Return the number of a node's shape, worked out once: a statement stands in all blocks around it."""
    number: int | None = vars(node).get("shape")
    if number is None:
        if isinstance(node, ast.Constant):
            fields: list[object] = [type(node.value)]
        else:
            differs = _DIFFERS.get(type(node), frozenset())
            fields = [_shape_of(value) for name, value in ast.iter_fields(node) if name not in differs]
        number = _SHAPES.setdefault((type(node), *fields), len(_SHAPES))
        vars(node)["shape"] = number
    return number


def _shape_of(value: object) -> object:
    if isinstance(value, ast.AST):
        return _shape(value)
    if isinstance(value, list):
        return tuple(_shape_of(part) for part in value if not (isinstance(part, ast.Expr) and _is_text(part)))
    return value


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _counts(node: ast.stmt, within_function: bool) -> bool:
    if within_function:
        return not _is_text(node) and not isinstance(node, ast.Import | ast.ImportFrom)
    return isinstance(node, ast.FunctionDef)


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


def _windows(block: Sequence[ast.stmt]) -> Iterator[tuple[tuple[int, ...], ast.stmt, ast.stmt]]:
    """Yield from each statement on the shortest run that has enough lines: its shapes, its first and last statement."""
    shapes, lengths = [_shape(node) for node in block], [_lines(node) for node in block]
    for start in range(len(block)):
        for end in range(start + 1, len(block) + 1):
            if sum(lengths[start:end]) >= SHORTEST:
                yield tuple(shapes[start:end]), block[start], block[end - 1]
                break


def copies(sources: dict[str, str]) -> list[tuple[Place, Place]]:
    """Return the pairs of places with the same shape, in the modules of these names and sources."""
    places: dict[tuple[int, ...], list[Place]] = defaultdict(list)
    for name, source in sources.items():
        for owner, block in _blocks(ast.parse(source)):
            for shapes, first, last in _windows(block):
                places[shapes].append((f"{name}:{owner}", first.lineno, last.end_lineno or last.lineno))
    return [(at[0], other) for at in places.values() for other in at[1:]]


def test_no_logic_stands_twice_without_a_reason() -> None:
    sources = {path.relative_to(PIPELINE).as_posix(): source_of(path) for path in MODULES}
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
