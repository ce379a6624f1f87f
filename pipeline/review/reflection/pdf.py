"""The summary as a PDF: text alone, nothing that runs, no links, no files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import font_roboto  # type: ignore[import-untyped]
from fpdf import FPDF

from pipeline.formats import plain_text
from pipeline.review.reflection import summary_lines

if TYPE_CHECKING:
    from pipeline.review.reflection.summary import Summary

_FONT = "Roboto"
_SIZES = {"title": 20, "heading": 14, "text": 11, "note": 9}
"""Points."""


def printed(summary: Summary) -> bytes:
    """The PDF's bytes."""
    page = FPDF(format="A4")
    page.set_margins(22, 20)
    page.set_auto_page_break(True, 20)
    page.add_font(_FONT, "", font_roboto.Roboto)
    page.add_font(_FONT, "B", font_roboto.RobotoBold)
    page.set_title(summary_lines.TITLE)
    page.set_lang("en-US")
    page.set_creation_date(datetime.fromtimestamp(summary.at / 1000, UTC))
    page.add_page()
    for line in summary_lines.lines(summary):
        size = _SIZES[line.kind]
        if line.kind == "heading":
            page.ln(4)
        page.set_font(_FONT, "B" if line.kind in ("title", "heading") else "", size)
        page.multi_cell(
            0, size * 0.52, plain_text.without_controls(line.text), new_x="LMARGIN", new_y="NEXT", align="L"
        )
        page.ln(1.5)
    return bytes(page.output())
