"""Documents that people read: what holds the talk is read, and what is beside it is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from docx import Document

from pipeline.formats import uncoded
from tests.formats.talks import ASKS, NAMED, PAIR, WALKS, of, rows, saved, told


def test_word_files_are_read_by_what_holds_the_talk(tmp_path: Path) -> None:
    def saved(name: str, lines: Sequence[str], *cells: Sequence[Sequence[str]]) -> Path:
        document = Document()
        for line in lines:
            document.add_paragraph(line)
        for table in cells:
            made = document.add_table(rows=len(table), cols=len(table[0]))
            for index, row in enumerate(table):
                for column, text in enumerate(row):
                    made.cell(index, column).text = text
        document.save(str(tmp_path / name))
        return tmp_path / name

    head = [["Client", "P07"], ["Therapist", "Ann"]]
    talk = [f"Therapist: {ASKS}", f"Client: {WALKS}"]
    assert rows(saved("heading.docx", talk, head)) == of(("Therapist", "Client"), roles=NAMED)
    numbered = saved("numbered.docx", ["Session 4"], [["1", "T", ASKS], ["2", "C", WALKS]])
    assert rows(numbered) == of(("T", "C"), roles=NAMED)
    assert uncoded.read(numbered).notes == ('Lines beside the table were skipped: "Session 4".',)
    pages = saved("pages.docx", [], [["Speaker", "Text"], ["T", ASKS]], [["C", WALKS]], [["x", "y", "z"]])
    assert rows(pages) == of(("T", "C"), roles=NAMED)
    assert uncoded.read(pages).notes == ("Tables beside the transcript were skipped: 1.",)
    lines = ["May 1, 2024, 2:03PM", f"0:0:3.210 --> 0:0:6.80\nLee, Ann\n{ASKS}", f"0:0:7.0 --> 0:0:9.500\nBo\n{WALKS}"]
    teams = saved("teams.docx", lines)
    assert rows(teams) == of(("Lee, Ann", "Bo"), (3210, 7000))
    assert list(uncoded.read(teams).table["end"]) == [6080, 9500]


def test_word_paragraphs_and_word_tables_are_read(tmp_path: Path) -> None:
    paragraphs, table = Document(), Document()
    for line in (f"Therapist:\t{ASKS}", f"Client:\t{WALKS}"):
        paragraphs.add_paragraph(line)
    paragraphs.save(str(tmp_path / "talk.docx"))
    table.add_paragraph("Session 4")
    cells = table.add_table(rows=3, cols=2)
    for row, texts in enumerate([("Speaker", "Text"), ("Therapist", ASKS), ("Client", WALKS)]):
        for column, text in enumerate(texts):
            cells.cell(row, column).text = text
    table.save(str(tmp_path / "table.docx"))
    assert told(tmp_path / "talk.docx") == told(tmp_path / "table.docx") == PAIR


def test_a_text_that_is_subtitles_or_a_table_is_read_as_such(tmp_path: Path) -> None:
    cue = f"00:00:01.000 --> 00:00:03.000\nTherapist: {ASKS}\n\n00:00:04.000 --> 00:00:06.000\nClient: {WALKS}\n"
    assert told(saved(tmp_path, f"WEBVTT\n\n{cue}", "talk.txt")) == PAIR
    assert told(saved(tmp_path, f"Speaker\tText\nTherapist\t{ASKS}\nClient\t{WALKS}\n", "talk.txt")) == PAIR


def test_the_comma_of_youtube_s_subtitles_parts_times_and_stays_in_texts(tmp_path: Path) -> None:
    text = "0:00:01.000,0:00:03.000\nTherapist: So, well?\n\n0:00:04.000,0:00:06.500\nClient: Hm, 1,5.\n"
    assert rows(saved(tmp_path, text, "talk.sbv")) == [
        ("interviewer", "Therapist", 1000, "So, well?"),
        ("client", "Client", 4000, "Hm, 1,5."),
    ]
