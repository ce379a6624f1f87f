"""Times of the day count from the first of them."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.formats import times_of_day


@pytest.mark.parametrize(
    ("cell", "fits"),
    [
        ("10:02:11 AM", True),
        ("2024-05-01 10:02:11", True),
        ("2024-05-01T10:02", True),
        ("10:02 p.m.", True),
        ("10:02:11", False),
        ("soon", False),
    ],
)
def test_a_time_of_the_day_has_a_date_or_a_half(cell: str, fits: bool) -> None:
    assert times_of_day.fits(cell) is fits


def test_they_count_from_the_first_over_midnight_and_noon_is_twelve() -> None:
    table = pd.DataFrame({"start": ["11:59:58 PM", "12:00:01 AM", "later"], "end": ["11:59:59.5 PM", "", "12:00 PM"]})
    shifted = times_of_day.since_the_first(table)
    assert list(shifted["start"]) == ["0.000", "3.000", "later"]
    assert list(shifted["end"]) == ["1.500", "", "43202.000"]
