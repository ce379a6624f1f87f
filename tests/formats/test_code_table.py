from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FormatError, TableError
from pipeline.formats import code_table

HEADER = "tape_id,utterance_id,coder,layer,code,coded_at"


def read(folder: Path, *rows: str, header: str = HEADER) -> code_table.Codes:
    path = folder / "codes.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return code_table.read(path)


def test_several_codes_of_one_moment_belong_together(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "t,1,ann,member,question_open,2026-03-01",
        "t,1,ann,member,reflection_simple,2026-03-01",
        "t,2,ann,member,b|a,",
    )
    assert list(table.table["codes"]) == ["question_open|reflection_simple", "a|b"]
    assert list(table.table.columns[:6]) == ["tape_id", "utterance_id", "coder", "layer", "codes", "coded_at"]
    assert table.earlier.empty


def test_the_latest_coding_holds_and_that_is_said(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "t,1,ann,member,change,2026-03-01",
        "t,1,ann,member,sustain,2026-04-01",
        "t,1,ann,coach,change,2026-03-01",
    )
    assert list(table.table["codes"]) == ["sustain", "change"]
    assert list(table.earlier["codes"]) == ["change"]
    assert table.notes == ("1 row was replaced by a later coding of the same coder: the latest counts.",)


def test_a_repeated_row_counts_once(tmp_path: Path) -> None:
    table = read(tmp_path, "t,1,ann,member,change,2026-03-01", "t,1,ann,member,change,2026-03-01")
    assert list(table.table["codes"]) == ["change"]
    assert table.notes == ("1 row names a code of an utterance again: counted once.",)


def test_an_empty_code_is_an_utterance_left_without_one(tmp_path: Path) -> None:
    table = read(tmp_path, "t,1,ann,member,,2026-03-01", "t,2,ann,member,Not coded,2026-03-01")
    assert list(table.table["codes"]) == ["", ""]


def test_a_row_without_coder_layer_and_code_says_that_nobody_coded(tmp_path: Path) -> None:
    table = read(tmp_path, "t,1,,,,", "t,2,ann,member,change,2026-03-01")
    assert list(table.table["utterance_id"]) == ["2"]
    with pytest.raises(TableError, match=r"TR-T05 .* row 2 has layer ''"):
        read(tmp_path, "t,1,ann,,,")
    with pytest.raises(TableError, match="TR-T04"):
        read(tmp_path, "t,1,,,,")


def test_an_apostrophe_that_keeps_spreadsheets_from_calculating_is_no_part_of_a_code(tmp_path: Path) -> None:
    table = read(tmp_path, "t,1,'=ann,member,'+C,2026-03-01", "t,2,ann,member,'other',2026-03-01")
    assert list(table.table["codes"]) == ["+C", "'other'"]
    assert list(table.table["coder"]) == ["=ann", "ann"]


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("1970-01-02", 86_400_000),
        ("1970-01-01T01:00:00", 3_600_000),
        ("1970-01-01T01:00:00Z", 3_600_000),
        ("1970-01-01 02:00:00.5+01:00", 3_600_500),
        ("19700102", 86_400_000),
        ("", None),
    ],
)
def test_dates_with_and_without_zone(tmp_path: Path, written: str, milliseconds: int | None) -> None:
    at = read(tmp_path, f"t,1,ann,member,change,{written}").table["coded_at"].iloc[0]
    assert (None if pd.isna(at) else at) == milliseconds


def test_machine_and_consensus_need_no_name(tmp_path: Path) -> None:
    table = read(tmp_path, "t,1,,Machine,change,", "t,1,, CONSENSUS ,change,")
    assert list(table.table["coder"]) == ["machine", "consensus"]
    assert list(table.table["layer"]) == ["machine", "consensus"]


def test_recalibrations_stand_apart(tmp_path: Path) -> None:
    table = read(tmp_path, ",,ann,member,recalibrated,1970-01-02", "t,1,ann,member,change,1970-01-03")
    assert table.recalibrated.to_dict("records") == [{"coder": "ann", "at": 86_400_000}]
    assert len(table.table) == 1


def test_optional_columns_are_read(tmp_path: Path) -> None:
    header = f"{HEADER},role,start,pretag_shown"
    table = read(
        tmp_path,
        "t,1,ann,member,change,,Client,1.5,true",
        "t,2,ann,member,change,,,,no",
        "t,3,ann,member,,,therapist,3,",
        header=header,
    ).table
    assert list(table["role"]) == ["client", "unknown", "interviewer"]
    assert table["start"].to_list() == [1500, pd.NA, 3000]
    assert table["pretag_shown"].to_list() == [True, False, pd.NA]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "t,1,ann,judge,change,",
            "TR-T05 table codes.csv, row 2 has layer 'judge'; use one of machine, member, consensus, coach",
        ),
        ("t,1,,member,change,", "TR-T05 table codes.csv, row 2 has no coder; fill it in"),
        (",1,ann,member,change,", "TR-T05 table codes.csv, row 2 has no tape_id; fill it in"),
        ("t,,ann,member,change,", "TR-T05 table codes.csv, row 2 has no utterance_id; fill it in"),
        (
            "t,1,ann,member,change,01/03/2026",
            "TR-T07 table codes.csv, row 2 has coded_at '01/03/2026', which is not a date",
        ),
        (
            "t,1,ann,member,change,2026-02-30",
            "TR-T07 table codes.csv, row 2 has coded_at '2026-02-30', which is not a date",
        ),
        (",,ann,member,recalibrated,", "TR-T05 table codes.csv, row 2 is an event without a time"),
        (",,ann,member,recalibrated,2026-01-01", "TR-T04 table codes.csv has no rows with codes"),
        ("t,1,ann,member,change", "TR-T05 table codes.csv, row 2 has 5 cells, the header has 6"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(TableError) as caught:
        read(tmp_path, row)
    assert message in str(caught.value)


def test_an_empty_file_and_a_lacking_column_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="TR-T04 table codes.csv has no rows; export codes, one per row"):
        read(tmp_path)
    for column in code_table.COLUMNS:
        header = ",".join(name for name in code_table.COLUMNS if name != column)
        with pytest.raises(TableError, match=f"TR-T03 table codes.csv lacks the column '{column}'"):
            read(tmp_path, "a,b,c,d,e", header=header)
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(TableError, match="TR-T03"):
        code_table.read(tmp_path / "empty.csv")
    with pytest.raises(TableError, match="TR-T01"):
        code_table.read(tmp_path / "missing.csv")
    with pytest.raises(TableError, match="TR-T05 table codes.csv, row 2 has pretag_shown 'maybe'; use one of true, 1"):
        read(tmp_path, "t,1,ann,member,change,,maybe", header=f"{HEADER},pretag_shown")


@given(
    rows=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.sampled_from(["x", "y", "x|y", ""])),
        min_size=1,
        max_size=12,
    )
)
def test_every_utterance_has_one_row_with_all_its_codes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    table = read(
        tmp_path_factory.mktemp("codes"), *(f"{tape},{unit},ann,member,{code}," for tape, unit, code in rows)
    ).table
    expected: dict[tuple[str, str], set[str]] = {}
    for tape, unit, code in rows:
        expected.setdefault((tape, unit), set()).update(code.split("|"))
    assert {
        (row["tape_id"], row["utterance_id"]): set(row["codes"].split("|")) - {""} for row in table.to_dict("records")
    } == {key: found_ - {""} for key, found_ in expected.items()}


def test_rows_of_two_files_count_from_one_zero(tmp_path: Path) -> None:
    """A coach's codes of the whole recording beside the machine's of a tape that begins at 30 s."""
    header = f"{HEADER},start,end,zero"
    table = read(
        tmp_path,
        "t,1,machine,machine,change,,1.000,2.000,30.000",
        "t,c1,cora,coach,change,,31.000,32.500,0.000",
        "t,c2,dora,coach,change,,3.000,4.000,",
        "other,1,machine,machine,change,,5.000,6.000,0",
        header=header,
    )
    assert table.notes[-1] == (
        "1 row without zero: its times are taken to count like those of the tape's other rows, on t from 30.000 s."
    )
    times = list(zip(table.table["start"], table.table["end"], strict=True))
    assert times == [(1000, 2000), (1000, 2500), (3000, 4000), (5000, 6000)]
    assert "zero" not in table.table
    for zero in ("soon", "-1", "nan"):
        with pytest.raises(TableError, match=rf"TR-T05 table codes.csv, row 2 has zero '{zero}'"):
            read(tmp_path, f"t,1,machine,machine,change,,1.000,2.000,{zero}", header=header)


@pytest.mark.parametrize("offset", [30, 0.5, 90])
def test_times_that_fit_only_from_the_start_of_the_recording_are_refused_with_the_offset(
    tmp_path: Path, offset: float
) -> None:
    """A coach's table of the whole recording lacked the column's value, and was compared so many seconds off."""
    header = f"{HEADER},start,end,zero"
    units = [(0, 2.5), (3, 3.4), (4, 9), (11, 12)]
    ours = [f"t,u{at},ann,member,change,,{start},{end},{offset}" for at, (start, end) in enumerate(units)]
    theirs = [f"t,c{at},cora,coach,change,,{start + offset},{end + offset}," for at, (start, end) in enumerate(units)]
    with pytest.raises(FormatError, match=rf"TR-F12 table codes.csv, row 6 .* count from {offset:.3f} s"):
        read(tmp_path, *ours, *theirs, header=header)
    named = [f"{row}0" for row in theirs]
    assert len(set(read(tmp_path, *ours, *named, header=header).table["start"])) == len(units)
    segment = [f"t,c{at},cora,coach,change,,{start},{end}," for at, (start, end) in enumerate(units)]
    assert "4 rows without zero" in read(tmp_path, *ours, *segment, header=header).notes[-1]


def test_one_id_for_two_stretches_of_one_coder_is_refused(tmp_path: Path) -> None:
    """Both became one unit with the times of the first and the codes of both, without a word."""
    header = f"{HEADER},start,end"
    first, second = "t,u1,ann,member,change,2026-03-01,0,2", "t,u1,ann,member,sustain,2026-03-01,7,9"
    with pytest.raises(
        TableError, match=r"TR-T05 table codes.csv, row 3 has other times for utterance 'u1' than row 2"
    ):
        read(tmp_path, first, second, header=header)
    several = read(tmp_path, first, second.replace("7,9", "0,2"), "t,u1,bob,member,,2026-03-01,7,9", header=header)
    assert list(several.table["codes"]) == ["change|sustain", ""]
    again = read(tmp_path, first, second.replace("03-01", "03-05"), header=header)
    assert list(again.table["start"]) == [7000]
    untimed = read(tmp_path, "t,u1,ann,member,change,,,", "t,u1,ann,member,sustain,,,", header=header)
    assert list(untimed.table["codes"]) == ["change|sustain"]


def test_a_table_of_invented_codes_says_so(tmp_path: Path) -> None:
    rows = ("t,u1,Ada,member,change,2026-03-01,true", "t,u2,Ada,member,change,2026-03-01,true")
    notes = read(tmp_path, *rows, "t,u1,Ben,member,change,2026-03-01,", header=f"{HEADER},simulated").notes
    assert "Simulated: 2 rows of invented codes. No figure here is about real people." in notes
    real = read(tmp_path, "t,u1,Ada,member,change,2026-03-01,false", header=f"{HEADER},simulated").notes
    assert not [note for note in real if "Simulated" in note]
