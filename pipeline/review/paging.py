"""Long lists, a page at a time: each page begins behind the last row of the one before, by an index of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

PAGE = 50
"""Rows of a page; chosen here: more than most groups have, and quickly read."""

T = TypeVar("T")


class Page(Generic[T]):
    """The rows of a page. ``more``: whether others follow; ``is_first``: whether the list begins here."""

    def __init__(self, rows: Sequence[T], after: str) -> None:
        """Take up to `PAGE` + 1 rows, the last of which is not shown."""
        self.rows = list(rows[:PAGE])
        self.more = len(rows) > PAGE
        self.is_first = not after
