"""The summary as a PDF: text alone, the same bytes for the same summary."""

from __future__ import annotations

import io

from pypdf import PdfReader

from pipeline.review.reflection import pdf, summary_lines
from tests.review.reflection.papers import summary


def test_every_line_is_on_the_paper_and_nothing_that_runs_or_leads_away() -> None:
    whole = pdf.printed(summary(well="Été – 日\x00 ja"))
    paper = PdfReader(io.BytesIO(whole))
    text = " ".join(" ".join(page.extract_text() for page in paper.pages).split())
    for line in list(summary_lines.lines(summary()))[:4]:
        assert line.text in text
    assert "Été" in text
    assert not any(name in whole for name in (b"/JavaScript", b"/URI", b"/Launch", b"/EmbeddedFile"))
    assert paper.metadata is not None
    assert not paper.metadata.author


def test_a_long_summary_goes_on_on_another_page() -> None:
    assert len(PdfReader(io.BytesIO(pdf.printed(summary(well="I listened for long. " * 600)))).pages) > 1


def test_the_same_summary_is_the_same_file() -> None:
    assert pdf.printed(summary()) == pdf.printed(summary())
