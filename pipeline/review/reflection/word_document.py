"""The summary as a Word document (.docx), for the notes that people keep: text alone, as in the PDF."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.formats import plain_text
from pipeline.review.reflection import summary_lines

if TYPE_CHECKING:
    from pipeline.review.reflection.summary import Summary

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_STYLES = {"title": "Title", "heading": "Heading 1", "text": "Normal", "note": "Normal"}
_NOTE_POINTS = 9  # as in the PDF
_WHEN = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP archive can hold: the same summary gives the same file


def written(summary: Summary) -> bytes:
    """The document's bytes; its properties name no author and no program."""
    from docx import Document
    from docx.shared import Pt

    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments, properties.language = summary_lines.TITLE, "", "", "en-US"
    properties.created = properties.modified = datetime.fromtimestamp(summary.at / 1000, UTC).replace(tzinfo=None)
    for line in summary_lines.lines(summary):
        paragraph = document.add_paragraph(plain_text.without_controls(line.text), style=_STYLES[line.kind])
        if line.kind == "note":
            for run in paragraph.runs:
                run.font.size = Pt(_NOTE_POINTS)
    file = io.BytesIO()
    document.save(file)
    return _undated(file)


def _undated(document: io.BytesIO) -> bytes:
    """The same archive without the moments at which its parts were written: the same summary, the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(document) as dated, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in dated.infolist():
            part = zipfile.ZipInfo(info.filename, _WHEN)
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, dated.read(info))
    return file.getvalue()
