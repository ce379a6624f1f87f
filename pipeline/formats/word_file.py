"""Word documents (.docx): the lines of their text, and the cells of their tables.

python-docx opens them; what it passes over without a word, inserted text of tracked changes and content controls, is
read from the document itself. Deleted text, headers, footers, comments and notes are no part of a transcript.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from pipeline.formats import speaker_prefix
from pipeline.formats.safe_reader import Source

_HEADING = re.compile(r"Heading|Title|Subtitle|berschrift|Titel|Titre|Ttulo")
"""How Word's styles of headings begin, in its languages, without their accents."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_INSTEAD = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_PASSED = {f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", f"{_W}txbxContent"}
_INSIDE = {f"{_W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag")}


def blocks(source: Source) -> tuple[list[str], list[list[list[str]]], list[str]]:
    """Lines of text, cells of each table that has several columns, and headings.

    A heading that is there again, or that names who speaks, is a line as any other: some people set names so. A row
    that is one merged cell, such as "[pause]" across a table, is a line.

    Raises
    ------
    FormatError: F02 to F05 an unsafe or damaged document.
    """
    from docx import Document
    from docx.table import Table

    remedy = "open it in Word and save it as a document (.docx), or as text (.txt)"
    source.office_members("word/document.xml", "a Word document", remedy)
    lines: list[str] = []
    headings: list[str] = []
    tables: list[list[list[str]]] = []
    try:
        document = Document(io.BytesIO(source.data))
        for element in _within(document.element.body):
            if element.tag == f"{_W}p":
                paragraph_lines = _text(element).split("\n")
                headings += paragraph_lines if _is_heading(element) else []
                lines += paragraph_lines
                continue
            rows = [list(row.cells) for row in Table(element, document).rows]
            merged = [len(row) > 1 and len({id(cell._tc) for cell in row}) == 1 for row in rows]
            lines += [_cell(row[0]) for row, is_merged in zip(rows, merged, strict=True) if is_merged]
            tables.append(
                [[_cell(cell) for cell in row] for row, is_merged in zip(rows, merged, strict=True) if not is_merged]
            )
    except Exception as error:
        remedy = "open it, save it again as .docx, and try again"
        source.refuse("F03", f"is a damaged Word document ({type(error).__name__})", remedy)
    titles = [line for line in headings if line.strip() and lines.count(line) == 1 and not _names(line.strip())]
    talk = [rows for rows in tables if any(len(row) > 1 for row in rows)]
    return [line for line in lines if line not in titles], talk, titles


def _is_heading(paragraph: Any) -> bool:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return style is not None and _HEADING.match(style.get(f"{_W}val", "")) is not None


def _names(line: str) -> bool:
    """Whether a line says who speaks."""
    return speaker_prefix.is_certain(line) or speaker_prefix.split(line) is not None


def _within(element: Any) -> Iterator[Any]:
    """Paragraphs and tables of an element, those of content controls among them."""
    for child in element:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in _INSIDE:
            yield from _within(child)


def _cell(cell: Any) -> str:
    return "\n".join(_text(each) for each in _within(cell._tc) if each.tag == f"{_W}p").strip()


def _text(element: Any) -> str:
    """The text of a paragraph as it reads once all changes are accepted."""
    parts: list[str] = []
    for child in element:
        if child.tag == f"{_W}t":
            parts.append(child.text or "")
        elif child.tag in _INSTEAD:
            parts.append(_INSTEAD[child.tag])
        elif child.tag not in _PASSED:
            parts.append(_text(child))
    return "".join(parts)
