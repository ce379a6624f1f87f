"""The summary as a Word document (.docx), for the notes that people keep: text and one picture, as in the PDF."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.formats import plain_text
from pipeline.review.reflection import session_course, summary_lines

if TYPE_CHECKING:
    from docx.document import Document

    from pipeline.review.reflection.session_course import ReadinessPicture
    from pipeline.review.reflection.summary import Summary

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_STYLES = {"title": "Title", "heading": "Heading 1", "text": "Normal", "note": "Normal", "picture": "Normal"}
_PIXELS, _EDGE = 2, 12  # pixels for each unit of the drawing, and around it: sharp on paper, and some kilobytes
_NOTE_POINTS = 9  # as in the PDF
_WHEN = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP archive can hold: the same summary gives the same file


def written(summary: Summary) -> bytes:
    """The document's bytes; its properties name no author and no program."""
    import docx
    from docx.shared import Pt

    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments, properties.language = summary_lines.TITLE, "", "", "en-US"
    properties.created = properties.modified = datetime.fromtimestamp(summary.at / 1000, UTC).replace(tzinfo=None)
    for line in summary_lines.lines(summary):
        if line.kind == "picture" and summary.course and summary.course.picture:
            _add(document, summary.course.picture, line.text)
        paragraph = document.add_paragraph(plain_text.without_controls(line.text), style=_STYLES[line.kind])
        if line.kind in ("note", "picture"):
            for run in paragraph.runs:
                run.font.size = Pt(_NOTE_POINTS)
    file = io.BytesIO()
    document.save(file)
    return _undated(file)


def _add(document: Document, picture: ReadinessPicture, alternative: str) -> None:
    """Add the readiness line as a picture with words for those who do not see it."""
    from docx.shared import Cm
    from PIL import Image, ImageDraw

    scale = _PIXELS
    size = (round(session_course.WIDTH * scale) + 2 * _EDGE, round(session_course.HEIGHT * scale) + 2 * _EDGE)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)

    def scaled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(_EDGE + x * scale, _EDGE + y * scale) for x, y in points]

    draw.polygon(scaled(picture.band), fill="#dddddd")
    draw.line(scaled([(0, picture.zero), (session_course.WIDTH, picture.zero)]), fill="#888888", width=2)
    draw.line(scaled(picture.line), fill="black", width=4)
    for x, y in scaled([(turn.x, turn.y) for turn in picture.turns]):
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), outline="black", width=4, fill="white")
    file = io.BytesIO()
    image.save(file, "PNG")
    file.seek(0)
    shape = document.add_picture(file, width=Cm(16))
    shape._inline.docPr.set("descr", alternative)


def _undated(document: io.BytesIO) -> bytes:
    """The same archive without the moments at which its parts were written: the same summary, the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(document) as dated, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in dated.infolist():
            part = zipfile.ZipInfo(info.filename, _WHEN)
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, dated.read(info))
    return file.getvalue()
