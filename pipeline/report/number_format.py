"""Figures as people read them: the same on a page, on paper and in a terminal.

>>> value(1.26, "ratio"), value(40.2, "percent"), interval(0.9, None, "ratio")
('1.3', '40%', '0.9 or more')
"""

from __future__ import annotations


def format_number(figure: float) -> str:
    """A figure with at most one decimal: 2, 1.4."""
    return f"{figure:.1f}".removesuffix(".0")


def format_value(figure: float, unit: str) -> str:
    """A figure with its unit (`pipeline.measures.session.measures.MeasureUnit`)."""
    return f"{figure:.0f}%" if unit == "percent" else format_number(figure)


def format_interval(low: float | None, high: float | None, unit: str) -> str:
    """An interval: "0.9 to 1.6"; empty where there is none, one number where both ends are the same."""
    if low is None:
        return ""
    if high is None:
        return f"{format_value(low, unit)} or more"
    ends = list(dict.fromkeys(format_value(end, unit) for end in (low, high)))
    return " to ".join(ends)
