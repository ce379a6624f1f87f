"""`tape-review sample`: what it draws, how much it says is needed, and why it draws nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from pipeline.errors import TableError
from pipeline.measures.reliability.sampling import SAMPLE_COLUMNS
from tests.cli.calls import run, write_codes
from tests.measures.coders import DAY, group


def test_a_sample_says_what_to_double_code_and_how_much_is_needed(tmp_path: Path) -> None:
    table = group(20)
    path = write_codes(table[table["layer"] == "member"], tmp_path / "codes.csv")
    done = run("sample", str(path), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert tuple(rows[0]) == (*SAMPLE_COLUMNS, "zero")
    assert 3 <= len(rows) <= 5
    assert "A 95 % interval 10% wide around 80% needs" in done.stderr
    assert "To double-code" in run("sample", str(path), "--by", "utterances").stdout
    with pytest.raises(TableError, match="TR-T03 table codes.csv lacks the column 'start'"):
        run("sample", str(path), "--by", "minutes")
    member = table[table["layer"] == "member"]
    timed = member.assign(
        start=member["utterance_id"].astype(int) * 15, end=member["utterance_id"].astype(int) * 15 + 9
    )
    done = run("sample", str(write_codes(timed, tmp_path / "timed.csv")), "--by", "minutes")
    assert "to 5:00" in done.stdout
    assert "stretches of five minutes of 20." in " ".join(done.stdout.split())
    coached = write_codes(table, tmp_path / "coached.csv")
    assert "A coach has coded every tape or stretch already" in run("sample", str(coached)).stdout


def test_stretches_to_double_code_say_what_they_count_from(tmp_path: Path) -> None:
    """A stretch from 0:00 of a tape that begins at 90.5 s was looked for at the start of the recording."""
    table = group(1)
    member = table[table["layer"] == "member"]
    seconds = member["utterance_id"].astype(int) * 15
    path = write_codes(member.assign(start=seconds, end=seconds + 9, zero=90.5), tmp_path / "codes.csv")
    done = run("sample", str(path), "--by", "minutes", "--share", "1", "--format", "csv")
    assert {row["zero"] for row in csv.DictReader(io.StringIO(done.stdout))} == {"90.5"}
    assert "begins in its recording: t000 90.500 s." in done.stderr
    plain = write_codes(member.assign(start=seconds, end=seconds + 9), tmp_path / "plain.csv")
    done = run("sample", str(plain), "--by", "minutes", "--share", "1", "--format", "csv")
    assert {row["zero"] for row in csv.DictReader(io.StringIO(done.stdout))} == {""}
    assert "begins in its recording" not in done.stderr


def test_a_tape_is_old_by_the_day_and_not_by_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coded on one day, which is the table's last: on the 30th day after it is old, and not before."""
    path = write_codes(group(1), tmp_path / "codes.csv")
    for day, coders in ((29.99, set()), (30, {"ann", "bob"}), (400, {"ann", "bob"})):
        monkeypatch.setattr("pipeline.tapes.clock.now", lambda day=day: round(day * DAY))
        done = run("sample", str(path), "--format", "csv", "--table", "again")
        assert {row["coder"] for row in csv.DictReader(io.StringIO(done.stdout))} == coders


def test_why_nothing_is_drawn_is_true(tmp_path: Path) -> None:
    table = group(2)
    path = write_codes(table[table["layer"] == "coach"], tmp_path / "codes.csv")
    assert "Neither a member nor the group has coded a tape" in run("sample", str(path)).stdout
