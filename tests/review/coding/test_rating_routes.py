"""Global ratings as a page sends them."""

from __future__ import annotations

import pytest

from tests.review.coding.conftest import Table


@pytest.mark.parametrize("value", ["0", "6", "3.5", "x"])
def test_a_rating_lies_between_one_and_five(table: Table, value: str) -> None:
    ada = table.ada.begin()
    assert ada.browser.post(f"{ada.path}/ratings", {"empathy": value}).status_code == 422
