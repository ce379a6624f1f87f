"""Word documents: inserted text, content controls, merged rows and tables are read as they are seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from docx import Document
from docx.oxml import parse_xml

from pipeline.errors import FormatError
from pipeline.formats import uncoded, word_file
from pipeline.formats.safe_reader import Source
from tests.formats.talks import ASKS, NAMED, WALKS, of, rows


def test_inserted_text_and_content_controls_of_word_are_not_lost_and_merged_rows_are_lines(tmp_path: Path) -> None:
    document = Document()
    first, second = document.add_paragraph("Therapist: What would "), document.add_paragraph(f"Client: {WALKS}")
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    first._p.append(parse_xml(f"<w:ins {space} w:id='1'><w:r><w:t>you like?</w:t></w:r></w:ins>"))
    first._p.append(parse_xml(f"<w:del {space} w:id='2'><w:r><w:delText>he like?</w:delText></w:r></w:del>"))
    control = parse_xml(f"<w:sdt {space}><w:sdtContent/></w:sdt>")
    second._p.addprevious(control)
    control[0].append(second._p)
    document.save(str(tmp_path / "changes.docx"))
    assert rows(tmp_path / "changes.docx") == of(("Therapist", "Client"), roles=NAMED)
    document = Document()
    table = document.add_table(rows=3, cols=2)
    for index, (who, what) in enumerate((("T", ASKS), ("[pause]", ""), ("C", WALKS))):
        table.cell(index, 0).text, table.cell(index, 1).text = who, what
    table.cell(1, 0).merge(table.cell(1, 1))
    document.save(str(tmp_path / "merged.docx"))
    assert rows(tmp_path / "merged.docx") == of(("T", "C"), roles=NAMED)
    assert uncoded.read(tmp_path / "merged.docx").notes == ('Lines beside the table were skipped: "[pause]".',)


def document(folder: Path, *lines: tuple[str, str]) -> Source:
    """A document of paragraphs (style, text)."""
    made = Document()
    for style, text in lines:
        made.add_paragraph(text, style=style)
    made.save(str(folder / "talk.docx"))
    return Source.open(folder / "talk.docx")


def test_a_heading_is_no_line_unless_it_names_who_speaks_or_is_there_again(tmp_path: Path) -> None:
    lines, tables, headings = word_file.blocks(
        document(
            tmp_path,
            ("Heading 1", "Session 4"),
            ("Heading 2", "Therapist"),
            ("Normal", "What next?"),
            ("Heading 2", "Bo"),
            ("Normal", "A walk."),
            ("Heading 2", "Bo"),
        )
    )
    assert headings == ["Session 4"]
    assert lines == ["Therapist", "What next?", "Bo", "A walk.", "Bo"]
    assert tables == []


@pytest.mark.parametrize("data", [b"PK\x03\x04 not an archive", b"Ann: So?"])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="TR-F0"):
        word_file.blocks(Source("talk.docx", data))
