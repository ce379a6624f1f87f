"""The zero of the times of a file: named by every table that leaves, and brought along by whatever reads one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import FormatError, TableError
from pipeline.formats import reading, registry, tape_folder, tape_tables, time_origin, uncoded
from pipeline.review.coding import downloads
from pipeline.review.coding.code_events import CodeState
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from tests.formats.test_tape_folder import folder


def zeros(content: bytes) -> set[str]:
    return {row["zero"] for row in csv.DictReader(io.StringIO(content.decode()))}


def test_a_published_table_ends_with_what_its_times_count_from() -> None:
    table = pd.DataFrame({"start": [0, 1000], "end": [900, 1900]})
    assert zeros(tape_tables.published(table, ("start", "end"), 30_500)) == {"30.500"}
    assert zeros(tape_tables.published(table, ("start", "end"), 0)) == {"0.000"}
    assert zeros(tape_tables.published(table, ("start", "end"), None)) == {""}
    empty = tape_tables.published(table.iloc[:0], ("start", "end"), 30_500)
    assert empty == b"start,end,zero\n"


@pytest.mark.parametrize("is_alone", [False, True])
def test_a_coded_table_keeps_its_zero_when_it_is_alone(tmp_path: Path, is_alone: bool) -> None:
    """Its zero stood only in the provenance beside it."""
    (tmp_path / "tape").mkdir()
    tape, away = folder(tmp_path / "tape", [(0, 900), (900, 1800)]), tmp_path / "away.csv"
    (tape / "provenance.json").write_text(json.dumps({"tape_id": "walk", "segment": {"start": 12}}))
    table = tape_tables.read_utterances(tape / "utterances.csv")
    where = away if is_alone else tape / "utterances.csv"
    where.write_bytes(tape_tables.published(table, tape_tables.UTTERANCE_COLUMNS, 30_500))
    assert registry.read(away if is_alone else tape).zero == 30_500
    table["zero"] = ""
    tape_tables.write_utterances(table, where)
    assert registry.read(away if is_alone else tape).zero == (None if is_alone else 12_000)


def test_where_each_file_of_a_recording_begins_is_not_lost_to_the_table(tmp_path: Path) -> None:
    tape = folder(tmp_path, [(0, 900), (900, 1800)])
    files = [{"begins": "0.000"}, {"begins": "20.000"}]
    (tape / "provenance.json").write_text(json.dumps({"tape_id": "walk", "segment": {"start": 12}, "files": files}))
    table = tape_tables.read_utterances(tape / "utterances.csv")
    for zero, sentence in ((12_000, "file 1 begins at 0.000 s and file 2 at 20.000 s"), (13_000, "13.000 s into")):
        (tape / "utterances.csv").write_bytes(tape_tables.published(table, tape_tables.UTTERANCE_COLUMNS, zero))
        assert sentence in time_origin.sentence(registry.read(tape).zero or 0)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["30.000", ""], "different zeros"),
        (["30.000", "31.000"], "different zeros"),
        (["here", "here"], "'here'"),
        (["-1", "-1"], "'-1'"),
        (["nan", "nan"], "'nan'"),
        (["inf", "inf"], "'inf'"),
    ],
)
def test_a_coded_table_without_one_true_zero_is_refused(tmp_path: Path, cells: list[str], message: str) -> None:
    tape = folder(tmp_path, [(0, 900), (900, 1800)])
    table = tape_tables.read_utterances(tape / "utterances.csv").assign(zero=cells)
    tape_tables.write_utterances(table, tape / "utterances.csv")
    with pytest.raises(TableError, match=f"TR-T05.*{message}"):
        tape_folder.read(tape)


def room_export(zero: int | None) -> str:
    utterances = [
        CorrectedUtterance(
            f"u{at}", "t1", "client", "S2", 1000 * at, 1000 * at + 900, (CorrectedWord(f"w{at}", "Yes.", 0, 9),)
        )
        for at in range(3)
    ]
    return downloads.codes_csv(utterances, {"u1": CodeState(("change",))}, zero)


def test_what_the_room_exports_comes_back_with_its_zero(tmp_path: Path) -> None:
    """The column stood in the file, and `convert` passed it over."""
    file = tmp_path / "codes.csv"
    file.write_text(room_export(30_500))
    assert registry.read(file).zero == 30_500
    file.write_text(room_export(30_500).replace(",", ";").replace("30.500", "30,500"))
    assert registry.read(file).zero == 30_500
    file.write_text(room_export(None))
    assert registry.read(file).zero is None


def test_a_table_with_several_zeros_is_refused_and_another_column_of_that_name_is_none(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(room_export(30_500).replace("30.500", "31.000", 1))
    with pytest.raises(FormatError, match=r"TR-F07.*different zeros \(30\.500, 31\.000\)"):
        registry.read(file)
    file.write_text("role,text,zero\ninterviewer,Hello?,no\nclient,Yes.,yes\n")
    assert registry.read(file).zero is None


def test_a_transcript_to_code_keeps_the_zero_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "talk.vtt"
    file.write_text(
        "WEBVTT\n\nNOTE time 0 is 30.500 s into the recording\n\n"
        "00:00.000 --> 00:00.900\n<v interviewer>Hello?\n\n00:01.000 --> 00:01.900\n<v client>Yes.\n"
    )
    table = uncoded.read(file).table
    assert list(table["zero"]) == ["30.500", "30.500"]
    assert reading.to_transcript("talk", reading.TranscriptTable(table)).zero == 30_500
    file.write_text(file.read_text().replace("NOTE time 0 is 30.500 s into the recording\n\n", ""))
    assert "zero" not in uncoded.read(file).table
