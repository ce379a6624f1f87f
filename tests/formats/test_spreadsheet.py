"""Columns made sense of: times, ids, and cells that are left empty."""

from __future__ import annotations

from pathlib import Path

from pipeline.formats import uncoded
from tests.formats.talks import ASKS, WALKS, saved
from tests.formats.test_uncoded import HEADER


def test_times_are_read_as_clocks_seconds_or_milliseconds(tmp_path: Path) -> None:
    clock = saved(tmp_path, f"{HEADER},start,end\na,1,T,x,0:01,0:01:02.5\na,2,C,x,63,\n")
    assert uncoded.read(clock).table[["start", "end"]].fillna(-1).to_numpy().tolist() == [[1000, 62500], [63000, -1]]
    comma = saved(tmp_path, 'role;text;start\nT;x;"2,5"\nC;x;3\n')
    assert list(uncoded.read(comma).table["start"]) == [2500, 3000]
    whisper = saved(tmp_path, f"start\tend\ttext\n0\t2000\t{ASKS}\n2000\t4000\t{WALKS}\n", "whisper.tsv")
    assert list(uncoded.read(whisper).table["end"]) == [2000, 4000]
    named = saved(tmp_path, "Start (ms),who,text\n1500,T,x\n2500,C,x\n")
    assert list(uncoded.read(named).table["start"]) == [1500, 2500]


def test_columns_are_kept_ids_are_numbered_and_it_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path, "\ufeffRole,Text,Note,,Utterance\nTherapist,Hello,mine,,a\nCLIENT,NA,,,\n,,,,\n")
    reading = uncoded.read(path)
    assert list(reading.table.columns) == ["role", "text", "Note", "utterance_id", "target_behavior", "tape_id"]
    assert list(reading.table["role"]) == ["interviewer", "client"]
    assert list(reading.table["text"]) == ["Hello", "NA"]
    assert list(reading.table["Note"]) == ["mine", ""]
    assert list(reading.table["utterance_id"]) == ["a", "u0002"]
    assert set(reading.table["tape_id"]) == {"talk"}
    assert reading.notes == ('Columns were read as follows: "Utterance" for utterance id.', "1 row without an id: numbered by position.")  # fmt: skip  # noqa: E501


def test_an_empty_cell_of_the_speaker_is_the_one_above_and_that_is_told(tmp_path: Path) -> None:
    """As people write tables, and as cells that are merged in Excel are read; a remark is nobody's."""
    table = "speaker,text\n,Recorded in May.\nAnn,What next?\n,Take your time.\n,[pause]\nBo,A walk.\n,\n,Every day.\n"
    read = uncoded.read(saved(tmp_path, table))
    assert list(zip(read.table["speaker"], read.table["text"], strict=True)) == [
        ("", "Recorded in May."),
        ("Ann", "What next?"),
        ("Ann", "Take your time."),
        ("Bo", "A walk."),
        ("Bo", "Every day."),
    ]
    assert "2 rows have an empty cell for the speaker, and were given to the speaker above: 4, 8." in read.notes


def test_an_empty_cell_of_the_speaker_takes_no_speaker_of_another_tape_or_role(tmp_path: Path) -> None:
    table = "tape_id,speaker,role,text\na,Ann,interviewer,Hi.\na,,client,Hi.\na,,,A walk.\nb,,,Hm.\nb,Bo,client,Hm.\n"
    read = uncoded.read(saved(tmp_path, table))
    assert list(zip(read.table["speaker"], read.table["role"], strict=True)) == [
        ("Ann", "interviewer"),
        ("", "client"),
        ("", ""),
        ("", ""),
        ("Bo", "client"),
    ]


def test_ids_that_are_the_same_in_several_rows_count_something_else(tmp_path: Path) -> None:
    read = uncoded.read(saved(tmp_path, "Turn,Role,Text\n1,T,So?\n1,T,Well?\n2,C,Hm.\n"))
    assert list(read.table["utterance_id"]) == ["u0001", "u0002", "u0003"]
    assert list(read.table["Turn"]) == ["1", "1", "2"]
    assert any('"Turn" is the same in several rows' in note for note in read.notes)


def test_an_id_that_is_made_up_takes_nobody_else_s(tmp_path: Path) -> None:
    read = uncoded.read(saved(tmp_path, "utterance_id,role,text\nu0002,T,So?\n,C,Hm.\n"))
    assert list(read.table["utterance_id"]) == ["u0002", "u0002+"]


def test_a_range_in_one_cell_is_start_and_end(tmp_path: Path) -> None:
    read = uncoded.read(saved(tmp_path, "Timespan,role,text\n0:01 - 0:03,T,So?\n0:03 --> 0:05,C,Hm.\n"))
    assert read.table[["start", "end"]].to_numpy().tolist() == [[1000, 3000], [3000, 5000]]


def test_a_frame_behind_the_seconds_is_left_out_and_told(tmp_path: Path) -> None:
    read = uncoded.read(saved(tmp_path, "start,role,text\n00:00:01:12,T,So?\n00:00:03;24,C,Hm.\n"))
    assert list(read.table["start"]) == [1000, 3000]
    assert any(note.startswith("The frames behind the seconds of start were left out") for note in read.notes)


def test_thousands_of_seconds_may_have_a_comma(tmp_path: Path) -> None:
    read = uncoded.read(saved(tmp_path, 'start,role,text\n"1,234.5",T,So?\n'))
    assert list(read.table["start"]) == [1_234_500]
