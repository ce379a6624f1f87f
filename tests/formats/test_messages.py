"""The remedies in messages: each names a remedy of its own, and none asks for another export in vain."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from pipeline.formats import safe_reader
from pipeline.formats.safe_reader import Source

READERS = sorted((Path(__file__).parents[2] / "pipeline/formats").glob("*.py"))
_AGAIN = ("export it again", "DAMAGED")
_NO_DAMAGE = {"F07", "F08", "F10"}
"""Wrong values, what a format cannot hold, and what is unsafe: another export has them again."""


def refusals(path: Path) -> list[tuple[str, str]]:
    """Code of the error and source of the remedy for each message of a module."""
    refused = []
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        argument = {"refuse": 2, "FormatError": 3}.get(name)
        if argument and call.args and isinstance(call.args[0], ast.Constant):
            refused.append((call.args[0].value, ast.unparse(call.args[argument])))
    return refused


def test_every_message_names_its_remedy() -> None:
    assert inspect.signature(Source.refuse).parameters["remedy"].default is inspect.Parameter.empty
    assert sum(len(refusals(path)) for path in READERS) > 80


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_another_export_is_asked_for_only_where_it_helps(path: Path) -> None:
    vain = [
        (code, remedy)
        for code, remedy in refusals(path)
        if code in _NO_DAMAGE and any(word in remedy for word in _AGAIN)
    ]
    assert not vain


def test_damage_is_called_damage() -> None:
    assert "damaged" in safe_reader.DAMAGED
