"""Figures formatted for people, the same on a page, on paper and in a terminal.

>>> format_value(1.26, "ratio"), format_value(40.2, "percent"), format_interval(0.9, None, "ratio")
('1.3', '40%', '0.9 or more')
"""

from __future__ import annotations


def format_number(figure: float) -> str:
    """Return a figure with at most one decimal: 2, 1.4."""
    return f"{figure:.1f}".removesuffix(".0")


def format_value(figure: float, unit: str) -> str:
    """Return a figure with its unit (`pipeline.measures.session.measures.MeasureUnit`)."""
    return f"{figure:.0f}%" if unit == "percent" else format_number(figure)


def format_interval(low: float | None, high: float | None, unit: str) -> str:
    """Return an interval: "0.9 to 1.6"; empty if there is none, one number if both ends are the same."""
    if low is None:
        return ""
    if high is None:
        return f"{format_value(low, unit)} or more"
    ends = list(dict.fromkeys(format_value(end, unit) for end in (low, high)))
    return " to ".join(ends)
