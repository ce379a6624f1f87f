"""Cells of spreadsheets: sheets, delimiters, encodings and headings as people have them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.errors import TableError
from pipeline.formats import uncoded, worksheet
from pipeline.formats.safe_reader import Source
from tests.formats.talks import ASKS, NAMED, PAIR, WALKS, of, rows, saved, told
from tests.formats.test_uncoded import HEADER


def test_times_beyond_a_day_in_a_workbook_are_times(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["Speaker", "Text", "Start"], ["T", ASKS, datetime.time(0, 0, 1)]):
        book.active.append(row)
    book.active.append(["C", WALKS, datetime.datetime(1900, 1, 1, 1, 2, 3)])
    book.save(tmp_path / "talk.xlsx")
    assert rows(tmp_path / "talk.xlsx") == of(("T", "C"), (1000, 90_123_000), NAMED)


def test_a_workbook_is_read_from_the_sheet_that_holds_the_talk(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Notes"])
    sheet = book.create_sheet("Talk")
    for row in (["Time", "Who", "What was said"], [datetime.time(0, 0, 1), "Therapist", ASKS]):
        sheet.append(row)
    sheet.append([datetime.timedelta(seconds=4.5), "Client", WALKS])
    sheet.append([None, None, None])
    book.save(tmp_path / "talk.xlsx")
    reading = uncoded.read(tmp_path / "talk.xlsx")
    assert told(tmp_path / "talk.xlsx") == PAIR
    assert list(reading.table["start"]) == [1000, 4500]
    assert reading.notes == (
        'The sheet "Talk" was read, not Sheet.',
        'Columns were read as follows: "What was said" for text, "Who" for speaker, "Time" for start.',
    )


def test_what_is_not_utf_8_is_read_as_windows_1252_and_told(tmp_path: Path) -> None:
    reading = uncoded.read(saved(tmp_path, f"{HEADER}\na,1,client,caf\xe9\n".encode("cp1252")))
    assert list(reading.table["text"]) == ["café"]
    assert "Windows-1252" in reading.notes[0]


def cells(text: str) -> worksheet.Worksheet:
    return worksheet.read(Source("t.csv", text.encode()))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_by_which_most_headings_are_known(mark: str) -> None:
    sheet = cells(f"Speaker{mark}Text{mark}Start (ms)\nT{mark}So, well; then{mark}5\n".replace("So, well; then", "So"))
    assert sheet.header == ("speaker", "text", "start")
    assert sheet.rows == (("T", "So", "5"),)
    assert sheet.ms == {"start"}


def test_lines_above_the_headings_and_empty_rows_and_columns_are_passed_over() -> None:
    sheet = cells("Session 4,,\n,,\nWho,,What was said\n,,\nT,,So?\nC,,Hm.\n")
    assert (sheet.header, sheet.lines) == (("speaker", "text"), (5, 6))


def test_a_column_without_a_heading_that_holds_something_is_kept() -> None:
    sheet = cells("Role,,Text\nT,mine,So?\n")
    assert sheet.header == ("role", "column 2", "text")


def test_of_two_headings_the_surer_is_taken_and_the_other_stays() -> None:
    sheet = cells("Utterance,Text,Role\nu1,So?,T\n")
    assert sheet.header == ("utterance_id", "text", "role")
    assert cells("Utterance,Role\nSo?,T\n").header == ("text", "role")


def test_an_end_without_a_start_counts_something_else() -> None:
    assert cells("Role,Text,End\nT,So?,4\n").header == ("role", "text", "End")


@pytest.mark.parametrize(
    ("rows", "talk"),
    [
        ([["Speaker", "Text"], ["T", "So?"]], True),
        ([["1", "T", "So?"], ["2", "C", "Hm."]], True),
        ([["Client", "P07"], ["Room", "3"]], False),
        ([["T", "1:02"], ["C", "1:05"]], False),
    ],
)
def test_rows_are_a_transcript_where_headings_or_roles_show_it(rows: list[list[str]], talk: bool) -> None:
    assert worksheet.is_talk(rows) is talk


def test_a_text_with_tabs_is_a_table_only_under_known_headings() -> None:
    assert worksheet.is_tabbed("Speaker\tText\nT\tSo?\n")
    assert not worksheet.is_tabbed("T\tSo?\nC\tHm.\n")


def test_an_old_workbook_says_how_to_save_it() -> None:
    with pytest.raises(TableError, match=r"TR-T02 .*Excel 97 to 2003.*save it as an Excel workbook"):
        worksheet.read(Source("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1"))
