"""The people at a tape, as the coding page's tests have them."""

from __future__ import annotations

from tests.review.coding.conftest import table

__all__ = ["table"]
