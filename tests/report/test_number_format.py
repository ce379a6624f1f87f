"""Figures as people read them."""

import pytest

from pipeline.report.number_format import format_interval, format_number, format_value


def test_figures_have_at_most_one_decimal() -> None:
    assert [format_number(figure) for figure in (2, 1.44, 0.96, 0)] == ["2", "1.4", "1", "0"]
    assert format_value(39.6, "percent") == "40%"
    assert format_value(12, "count") == "12"


@pytest.mark.parametrize(
    ("low", "high", "unit", "told"),
    [
        (0.9, 1.6, "ratio", "0.9 to 1.6"),
        (0.9, None, "ratio", "0.9 or more"),
        (40.1, 40.2, "percent", "40%"),
        (3, 9, "count", "3 to 9"),
        (None, None, "ratio", ""),
    ],
)
def test_intervals_in_words(low: float | None, high: float | None, unit: str, told: str) -> None:
    assert format_interval(low, high, unit) == told
