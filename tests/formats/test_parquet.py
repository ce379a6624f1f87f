"""Tidy tables as Parquet: a foreign file is read apart, with little memory and time."""

from __future__ import annotations

import subprocess

import pyarrow
import pytest
from pyarrow import parquet as arrow

from pipeline.errors import FormatError
from pipeline.formats import parquet, tidy_table
from pipeline.formats.safe_reader import Source
from tests.formats.test_tidy_table import table
from tests.formats.transcripts import WALK

pytestmark = pytest.mark.usefixtures("cold_children")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (table(start=[["list"]]), "F03"),
        (table(start=["soon"]), "F03"),
        (table(end=[float("inf")]), "F03"),
        (table(end=[-1.0]), "F07"),
        (b"PAR1" + bytes(100) + b"PAR1", "F03"),
    ],
)
def test_a_wrong_parquet_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FormatError, match=f"TR-{code} .*t.parquet"):
        parquet.read(Source("t.parquet", data))


def test_a_parquet_bomb_is_refused_in_a_process_of_its_own() -> None:
    text = pyarrow.array(["x" * 1000]).cast(pyarrow.large_string())
    rows = 49_000
    columns = {name: pyarrow.array([0.5]).take(pyarrow.array([0] * rows)) for name in ("start", "end")}
    columns |= {name: text.take(pyarrow.array([0] * rows)) for name in ("tape_id", "utterance_id", "code", "text")}
    sink = pyarrow.BufferOutputStream()
    arrow.write_table(pyarrow.table(columns), sink, compression="zstd")
    data = bytes(sink.getvalue())
    assert len(data) < 300_000
    with pytest.raises(FormatError, match="TR-F03 .*too large"):
        parquet.read(Source("t.parquet", data))


def test_a_reader_that_goes_on_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("reader", 120)

    monkeypatch.setattr(subprocess, "run", slow)
    with pytest.raises(FormatError, match="TR-F02 .*too long"):
        parquet.read(Source("t.parquet", table()))


def test_what_only_looks_like_parquet_is_refused_before_a_process_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a reader was started"))
    with pytest.raises(FormatError, match="TR-F03 .*not a Parquet file"):
        parquet.read(Source("t.parquet", b"PAR1 cut off"))


def test_a_reader_that_crashes_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], -9, b"", b""))
    with pytest.raises(FormatError, match="TR-F02 .*crashes its reader"):
        parquet.read(Source("t.parquet", table()))


def test_the_data_dictionary_is_part_of_the_file() -> None:
    schema = arrow.read_schema(pyarrow.BufferReader(parquet.write(WALK)))
    described = {field.name: field.metadata[b"description"].decode() for field in schema}
    assert described == {column.name: column.meaning for column in tidy_table.COLUMNS}
    assert str(schema.field("start").type) == "double"
