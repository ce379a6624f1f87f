"""A file of codes laid out for the verbs on codes: each thing that was put right or guessed is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli._shared import codes_input
from pipeline.errors import TableError
from tests.cli.calls import write_codes
from tests.measures.coders import group


def notes(path: Path, codebook: str | None = None, absent: codes_input.Absent = "auto") -> str:
    return " ".join(codes_input.read(path, codebook, absent, None).notes)


def test_the_codebook_is_named_and_codes_that_it_lacks(tmp_path: Path) -> None:
    table = group(2)
    table["codes"] = table["codes"].replace("question_open", "wondering")
    path = write_codes(table, tmp_path / "codes.csv")
    sentences = notes(path, "pretags")
    assert "Families of codes after codebook pretags" in sentences
    assert "Not in the codebook, and each counted as a family of its own: wondering." in sentences


def timed(path: Path, later: float) -> Path:
    """Two coders of one tape whose second utterance begins so much later for one of them."""
    rows = [
        ("t", f"u{number}", coder, "member", "question_open", "2026-03-01", start, start + 4.0)
        for coder, shift in (("ann", 0.0), ("bob", later))
        for number, start in enumerate((0.0, 10.0 + shift))
    ]
    columns = ["tape_id", "utterance_id", "coder", "layer", "code", "coded_at", "start", "end"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def test_units_of_different_boundaries_are_brought_together_and_that_is_said(tmp_path: Path) -> None:
    path = timed(tmp_path / "codes.csv", later=1.0)
    assert "On 1 of the tapes coders' units have different boundaries" in notes(path)
    assert codes_input.read(path, None, "auto", None).panel.tape_index.shape == (2,)
    assert "No coder's units have other boundaries" in notes(timed(path, later=0.0))


def test_a_table_without_times_is_compared_by_id_and_that_is_said(tmp_path: Path) -> None:
    assert "compared by utterance_id" in notes(write_codes(group(2), tmp_path / "codes.csv"))


def test_what_stays_without_a_code_is_counted_unless_it_is_missing(tmp_path: Path) -> None:
    """Bob codes one of Ann's two utterances: the other was heard and left, or not heard."""
    path = timed(tmp_path / "codes.csv", later=0.0)
    pd.read_csv(path).iloc[:-1].to_csv(path, index=False)
    assert "1 utterances without a row are taken as heard" in notes(path, absent="not-coded")
    assert "taken as heard" not in notes(path, absent="missing")


def test_a_file_that_is_no_table_of_codes_is_named(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("tape_id,utterance_id\n1,2\n")
    with pytest.raises(TableError, match="TR-T03 table codes.csv lacks the column 'coder'"):
        codes_input.read(tmp_path / "codes.csv", None, "auto", None)
