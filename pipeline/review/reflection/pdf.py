"""The summary as a PDF: text and one drawing, nothing that runs, no links, no files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import font_roboto  # type: ignore[import-untyped]
from fpdf import FPDF

from pipeline.formats import plain_text
from pipeline.review.reflection import session_course, summary_lines

if TYPE_CHECKING:
    from pipeline.review.reflection.session_course import ReadinessPicture
    from pipeline.review.reflection.summary import Summary

_FONT = "Roboto"
_SIZES = {"title": 18, "heading": 12, "text": 10, "note": 8.5, "picture": 8.5}
"""Points: a usual session fits on one page."""


def printed(summary: Summary) -> bytes:
    """The PDF's bytes."""
    page = FPDF(format="A4")
    page.set_margins(22, 16)
    page.set_auto_page_break(True, 16)
    page.add_font(_FONT, "", font_roboto.Roboto)
    page.add_font(_FONT, "B", font_roboto.RobotoBold)
    page.set_title(summary_lines.TITLE)
    page.set_lang("en-US")
    page.set_creation_date(datetime.fromtimestamp(summary.at / 1000, UTC))
    page.add_page()
    for line in summary_lines.lines(summary):
        if line.kind == "picture" and summary.course and summary.course.picture:
            _draw(page, summary.course.picture)
        size = _SIZES[line.kind]
        if line.kind == "heading":
            page.ln(2.5)
        page.set_font(_FONT, "B" if line.kind in ("title", "heading") else "", size)
        page.multi_cell(
            0, size * 0.48, plain_text.without_controls(line.text), new_x="LMARGIN", new_y="NEXT", align="L"
        )
        page.ln(0.8)
    return bytes(page.output())


def _draw(page: FPDF, picture: ReadinessPicture) -> None:
    """Draw the readiness line over the width of the text."""
    scale = page.epw / session_course.WIDTH
    height = session_course.HEIGHT * scale
    if page.get_y() + height > page.page_break_trigger:
        page.add_page()
    left, top = page.l_margin, page.get_y() + 1

    def scaled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(left + x * scale, top + y * scale) for x, y in points]

    page.set_fill_color(222)
    page.polygon(scaled(picture.band), style="F")
    page.set_draw_color(150)
    page.line(left, top + picture.zero * scale, left + page.epw, top + picture.zero * scale)
    page.set_draw_color(0)
    page.polyline(scaled(picture.line))
    for turn in picture.turns:
        page.circle(left + turn.x * scale, top + turn.y * scale, 1, style="D")
    page.set_y(top + height + 2)
