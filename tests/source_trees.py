"""Modules as syntax trees, each read and parsed once for all tests of a process that look at our own code."""

from __future__ import annotations

import ast
import functools
from pathlib import Path


@functools.cache
def source_of(path: Path) -> str:
    """Return the text of a module."""
    return path.read_text(encoding="utf-8")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Return what a module parses to. Whoever changes a tree parses one of their own."""
    return ast.parse(source_of(path))


@functools.cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a module's tree."""
    return tuple(ast.walk(tree_of(path)))
