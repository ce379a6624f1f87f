"""Names say what they hold, docstrings say what comes back, and the examples in them hold."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.source_trees import source_of

ROOT = Path(__file__).resolve().parent.parent
CODE = sorted((ROOT / "pipeline").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

BANNED = frozenset({"found", "one", "place", "about", "own", "said"})
"""Names that could hold anything."""

BANNED_IN_CODE = BANNED | {"told", "kept", "made", "heard", "asked"}
"""In the pipeline, these as well, behind an underscore, too: a function's name says what it does."""

TEMPLATES = sorted(path for path in (ROOT / "pipeline").rglob("templates/**/*") if path.suffix in (".html", ".j2"))
BOUND_IN_TEMPLATE = re.compile(r"\{%-?\s*(?:for|set|macro)\s+([\w, ]+?)\s*(?:\bin\b|=|\()")

EMPTY_OPENINGS = ("What ", "Whatever ")
"""Openings of a docstring that leave open whether a value is returned, stored or asked for."""


SHARED_NAMES = {
    "Transcript": "the recognized words, and the row that names the item of a tape's words",
    "Correction": "a correction in effect, and the row of its event",
    "Utterance": "an utterance, and its row",
    "Worker": "the process that does jobs, and its row",
    "Role": "interviewer or client on a tape; a member's role in a group, as its column holds it",
    "Source": "where a recording came from, in its provenance; the bytes of a file that is read",
}
"""Classes that may share a name, most of them a row of a table with what it stands for."""


@functools.cache
def nodes_in(source: str) -> tuple[ast.AST, ...]:
    """Return every node that a module parses to, once for all tests of it."""
    return tuple(ast.walk(ast.parse(source)))


def named_types(source: str) -> Iterator[str]:
    """Yield the classes and the aliases of types that a module defines, without leading underscores."""
    for node in ast.iter_child_nodes(nodes_in(source)[0]):
        if isinstance(node, ast.ClassDef):
            yield node.name.strip("_")
        elif isinstance(node, ast.Assign):
            names = (target.id for target in node.targets if isinstance(target, ast.Name))
            yield from (name for name in names if re.fullmatch(r"[A-Z][a-z]\w*", name))


@functools.cache
def bound_names(source: str) -> list[tuple[str, int]]:
    """Return every name that code binds (variables, arguments, functions, classes), with its line, in order."""
    return sorted(_bound_names(nodes_in(source)), key=str)


def _bound_names(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno


def banned_names(source: str, banned: frozenset[str] = BANNED) -> list[str]:
    return [f"line {line}: {name}" for name, line in bound_names(source) if name in banned]


def banned_in_template(source: str) -> list[str]:
    names = [name for match in BOUND_IN_TEMPLATE.finditer(source) for name in re.findall(r"\w+", match[1])]
    return [name for name in names if name in BANNED_IN_CODE]


def empty_openings(source: str) -> list[str]:
    documented = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    docstrings = (ast.get_docstring(node) for node in nodes_in(source) if isinstance(node, documented))
    return [text.splitlines()[0] for text in docstrings if text and text.startswith(EMPTY_OPENINGS)]


def test_the_lists_find_what_they_ban() -> None:
    source = 'def about(own):\n    """What there is."""\n    for one, (place, path) in own:\n        said = path\n'
    assert banned_names(source) == ["line 1: about", "line 3: one", "line 1: own", "line 3: place", "line 4: said"]
    assert empty_openings(source) == ["What there is."]
    assert banned_in_template("{% for one, task in own %}{% set told = 1 %}{%- macro kept() %}") == [
        "one",
        "told",
        "kept",
    ]


def test_no_two_classes_have_the_same_name() -> None:
    assert list(named_types("class _Line:\n    Part = str\nKind = Literal['a']\nKINDS = 1\n")) == ["Line", "Kind"]
    modules = [path for path in CODE if not {"migrations", "cli"} & set(path.parts)]  # an option is called like a thing
    names = Counter(name for path in modules for name in set(named_types(source_of(path))))
    assert {name for name, number in names.items() if number > 1} == set(SHARED_NAMES)


def hits(paths: Iterable[Path], look: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """Return the files in which a look at the source finds something, with all that it finds."""
    by_file = {path.relative_to(ROOT).as_posix(): look(source_of(path)) for path in paths}
    return {name: listed for name, listed in by_file.items() if listed}


def test_names_say_what_they_hold() -> None:
    assert hits(CODE + TESTS, banned_names) == {}


def test_names_of_the_pipeline_are_of_the_field() -> None:
    banned = BANNED_IN_CODE | {f"_{name}" for name in BANNED_IN_CODE}
    code = [path for path in CODE if "migrations" not in path.parts]
    assert hits(code, lambda source: banned_names(source, banned)) == {}


def test_names_in_templates_say_what_they_hold() -> None:
    assert hits(TEMPLATES, banned_in_template) == {}


def test_docstrings_say_what_comes_back() -> None:
    assert hits(CODE, empty_openings) == {}


def test_every_file_is_looked_at() -> None:
    assert min(len(CODE), len(TESTS), len(TEMPLATES)) > 50
    bad, good = ROOT / "pipeline" / "errors.py", ROOT / "pipeline" / "files.py"
    assert hits([good, bad], lambda source: ["line 1"] if source == source_of(bad) else []) == {
        "pipeline/errors.py": ["line 1"]
    }


@pytest.mark.parametrize(
    "path",
    [path for path in CODE if ">>> " in source_of(path)],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_the_examples_in_docstrings_hold(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
