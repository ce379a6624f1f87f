import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
from pyarrow import parquet as arrow

from pipeline.errors import FormatError
from pipeline.formats import parquet, registry, tidy_table
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span
from tests.formats.transcripts import WALK

HEADER = "tape_id,utterance_id,coder,layer,code,coded_at,role,speaker,start,end,text\n"
"""Of a table that does not say what its times count from, as older versions wrote it."""


def test_the_numbers_of_a_table_by_hand() -> None:
    lines = tidy_table.write(WALK).decode().splitlines()
    assert lines[:3] == [
        f"{HEADER.strip()},zero",
        "walk,u0001,ana,coach,question_open,,interviewer,S1,0.000,0.900,What would you like?,",
        "walk,u0001,machine,machine,question_open,,interviewer,S1,0.000,0.900,What would you like?,",
    ]
    assert lines[-1] == "walk,u0003,,,,,interviewer,S1,2.400,2.600,mm-hm,"


def test_no_cell_is_a_formula_for_a_spreadsheet() -> None:
    texts = ["=1+1", "+1", "-1", "@x", "'tis", "'=x", '"=x"', " =x", "a\n=b"]
    transcript = ordered_transcript(
        "=t", [CodedUtterance("", Span(n, n + 1), "=s", text=text) for n, text in enumerate(texts)]
    )
    rows = list(csv.reader(tidy_table.write(transcript).decode().splitlines(keepends=True)))
    assert all(not cell.startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row)
    back = tidy_table.read(Source("x.csv", tidy_table.write(transcript)))
    assert [utterance.text for utterance in back.utterances] == [text.strip() for text in texts]
    assert (back.tape_id, back.utterances[0].speaker) == ("=t", "=s")


def test_a_coder_who_gave_no_code_has_heard_the_utterance() -> None:
    transcript = ordered_transcript("t", [CodedUtterance("", Span(0, 1), marks=(Mark("", "ana", "coach"),))])
    assert tidy_table.read(Source("t.csv", tidy_table.write(transcript))) == transcript


def test_the_data_dictionary_names_each_column(tmp_path: Path) -> None:
    registry.write(WALK, tmp_path / "codes.csv")
    metadata = json.loads((tmp_path / "codes.csv-metadata.json").read_text())
    assert metadata["url"] == "codes.csv"
    assert [each["name"] for each in metadata["tableSchema"]["columns"]] == list(
        pd.read_csv(tmp_path / "codes.csv").columns
    )
    assert all(each["dc:description"] for each in metadata["tableSchema"]["columns"])
    assert arrow.read_schema(pyarrow.BufferReader(parquet.write(WALK))).field("start").metadata[b"description"]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("tape_id,code\n", "TR-F03", "'utterance_id' 0 times"),
        (HEADER.replace("text", "code"), "TR-F03", "'code' 2 times"),
        (HEADER + "t,u,a,,c,,client,S,0,1\n", "TR-F07", "row 2 of t.csv has 10 cells"),
        (HEADER + "t,u,a,,c,,client,S,1,0,x\n", "TR-F07", "ends before"),
        (HEADER + "t,u,a,,c,,client,S,nan,1,x\n", "TR-F07", "'nan' for a time"),
        (HEADER + "t,,a,,c,,client,S,0,1,x\n", "TR-F07", "no utterance_id"),
        (HEADER + "t,u,a,,c,,client,S,0,1,x\nt,u,a,,c,,client,S,0,2,x\n", "TR-F07", "row 3 of t.csv differs"),
        (HEADER + "t,u,a,,c,,client,S,0,1,x\ns,v,a,,c,,client,S,0,1,x\n", "TR-F07", "holds 2 tapes"),
        (HEADER + 't,u,a,,c,,client,S,0,1,"x\n', "TR-F03", "not CSV"),
        (HEADER + "t,u,a,,c,,client,S,0,1," + "x" * 200_000 + "\n", "TR-F03", "not CSV"),
    ],
)
def test_a_wrong_table_is_named(content: str, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        tidy_table.read(Source("t.csv", content.encode()))
    assert caught.value.code == code
    assert message in str(caught.value)


def table(**columns: object) -> bytes:
    sink = pyarrow.BufferOutputStream()
    base = {"tape_id": ["t"], "utterance_id": ["u"], "code": ["c"], "start": [0.0], "end": [1.5]}
    arrow.write_table(pyarrow.table(base | columns), sink)
    return bytes(sink.getvalue())


def test_reads_a_table_that_pandas_made(tmp_path: Path) -> None:
    rows = {"tape_id": ["t"] * 2, "utterance_id": ["u", "v"], "code": ["a|b", None], "start": [0, 2], "end": [1, 3]}
    pd.DataFrame(rows).to_parquet(tmp_path / "t.parquet")
    first, second = parquet.read(Source.open(tmp_path / "t.parquet")).utterances
    assert [mark.code for mark in first.marks] == ["a", "b"]
    assert (second.span, second.marks) == (Span(2000, 3000), ())


def test_rows_that_count_from_different_zeros_are_refused() -> None:
    head = HEADER.strip() + ",zero\n"
    rows = ["t,u,a,,c,,client,S,0,1,x,30.000\n", "t,v,a,,c,,client,S,1,2,y,0.000\n"]
    assert tidy_table.read(Source("t.csv", (head + rows[0]).encode())).zero == 30_000
    with pytest.raises(FormatError, match="TR-F07 .*different zeros"):
        tidy_table.read(Source("t.csv", (head + "".join(rows)).encode()))
