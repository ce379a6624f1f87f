"""The summary as a PDF: text alone, nothing that runs, no links, no files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import font_roboto  # type: ignore[import-untyped]
from fpdf import FPDF

from pipeline.formats import plain
from pipeline.review.coding.miti_summary import OPINION

if TYPE_CHECKING:
    from pipeline.review.reflecting.summary import Summary

_FONT = "Roboto"
_CONFIDENTIAL = (
    "Confidential. Keep it as the client's permission says, and destroy it when it says so. The machine's codes are "
    "suggestions; nothing here is a grade."
)


def printed(summary: Summary) -> bytes:
    """The PDF's bytes."""
    page = FPDF(format="A4")
    page.set_margins(22, 20)
    page.set_auto_page_break(True, 20)
    page.add_font(_FONT, "", font_roboto.Roboto)
    page.add_font(_FONT, "B", font_roboto.RobotoBold)
    page.set_title("Summary of a tape")
    page.set_lang("en-US")
    page.set_creation_date(datetime.fromtimestamp(summary.at / 1000, UTC))
    page.add_page()
    _line(page, summary.title, 20, bold=True)
    _line(page, f"Target behavior: {summary.target}", 11)
    _line(page, f"Interviewer: {summary.interviewer}. Came in on {summary.came_in}.", 11)
    _heading(page, "What went well")
    if summary.well:
        _line(page, f"{summary.interviewer}: {summary.well}", 11)
    for one in summary.said:
        if one.kind == "strength":
            _line(page, f"{one.name}: {one.text}", 11)
    if not summary.well and not any(one.kind == "strength" for one in summary.said):
        _line(page, "Nothing is written down yet.", 11)
    suggestions = [one for one in summary.said if one.kind == "suggestion"]
    if summary.next or suggestions:
        _heading(page, "To try next")
        if summary.next:
            _line(page, f"{summary.interviewer}: {summary.next}", 11)
        for one in suggestions:
            _line(page, f"{one.name}: {one.text}", 11)
    _heading(page, "Measures")
    _line(page, f"{summary.basis}.", 11)
    for figure in summary.figures:
        spread = f" ({figure.spread})" if figure.spread else ""
        _line(page, f"{figure.label}: {figure.text}{spread}", 11)
    for miti in summary.miti:
        _heading(page, f"MITI summary ({miti.label})")
        _line(page, f"{miti.basis}.", 11)
        for row in (*miti.ratings, *miti.rows):
            basis = f" ({row.basis})" if row.basis else ""
            _line(page, f"{row.label}: {row.text}{basis}", 11)
            if row.thresholds:
                _line(page, f"Thresholds: {row.thresholds}", 9)
        _line(page, OPINION, 9)
    page.ln(6)
    _line(page, _CONFIDENTIAL, 9)
    return bytes(page.output())


def _heading(page: FPDF, text: str) -> None:
    page.ln(4)
    _line(page, text, 14, bold=True)


def _line(page: FPDF, text: str, size: int, bold: bool = False) -> None:
    page.set_font(_FONT, "B" if bold else "", size)
    page.multi_cell(0, size * 0.52, plain.shown(text), new_x="LMARGIN", new_y="NEXT", align="L")
    page.ln(1.5)
