"""The summary as a Word document: text alone, without an author, the same bytes for the same summary."""

from __future__ import annotations

import io

from docx import Document

from pipeline.review.reflection import summary_lines, word_document
from tests.review.reflection.papers import summary


def test_every_line_is_a_paragraph_in_its_style() -> None:
    document = Document(io.BytesIO(word_document.written(summary(well="a\x00b"))))
    lines = list(summary_lines.lines(summary(well="a\ufffdb")))
    assert [paragraph.text for paragraph in document.paragraphs] == [line.text for line in lines]
    styles = {"title": "Title", "heading": "Heading 1"}
    assert [paragraph.style.name for paragraph in document.paragraphs if paragraph.style] == [
        styles.get(line.kind, "Normal") for line in lines
    ]


def test_its_properties_name_nobody_and_no_moment_but_the_summary_s() -> None:
    properties = Document(io.BytesIO(word_document.written(summary()))).core_properties
    assert (properties.author, properties.comments, properties.title) == ("", "", summary_lines.TITLE)
    assert properties.created is not None
    assert properties.created.timestamp() == summary().at // 1000
    assert word_document.written(summary()) == word_document.written(summary())
