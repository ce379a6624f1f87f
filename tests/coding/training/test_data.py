"""AnnoMI's labels as decisions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.training import data
from pipeline.errors import CodingError
from tests.coding.invented import COLUMNS, write_annomi


def test_labels_become_decisions(annomi_folder: Path) -> None:
    table = data.read(annomi_folder)
    first = table[table["tape_id"] == "0"].set_index("utterance_id")
    expected = {
        "0": (1, 1, 0, None, 0, None, None),
        "1": (None, None, None, None, None, 1, 1),
        "2": (0, None, 1, 0, 0, None, None),
        "3": (None, None, None, None, None, 1, 0),
        "4": (0, None, 1, 1, 0, None, None),
        "5": (None, None, None, None, None, 0, None),
        "6": (1, 0, 0, None, 0, None, None),
        "8": (0, None, 0, None, 1, None, None),
        "10": (0, None, 0, None, 0, None, None),
    }
    for utterance, answers in expected.items():
        row = first.loc[utterance, list(DECISIONS)]
        assert [None if pd.isna(value) else int(value) for value in row] == list(answers)
    assert list(first["start"].iloc[:6]) == [0, 15_000, 30_000, 45_000, 60_000, 75_000]
    assert list(first["main"].iloc[[0, 1, 2, 8, 10]]) == ["question", "", "reflection", "information", "other"]


def test_the_open_questions_of_annotator_3_are_masked(annomi_folder: Path) -> None:
    table = data.read(annomi_folder)
    third = table[table["annotator"] == 3]
    assert third["open"].isna().all()
    assert (third["question"] == 1).sum() > 0
    assert table.loc[table["annotator"] == 2, "open"].notna().any()


@pytest.mark.parametrize(
    ("content", "named"), [(None, "cannot be read"), ("", "cannot be read"), ("a,b\n1,2\n", "transcript_id")]
)
def test_missing_data_are_named(tmp_path: Path, content: str | None, named: str) -> None:
    if content is not None:
        (tmp_path / "annomi").mkdir()
        (tmp_path / "annomi" / "annomi.csv").write_text(content)
    with pytest.raises(CodingError, match=f"TR-C05.*{named}"):
        data.read(tmp_path)


def test_a_wrong_value_in_the_data_is_named(tmp_path: Path) -> None:
    path = write_annomi(tmp_path) / "annomi" / "annomi.csv"
    path.write_text(path.read_text().replace("family-0,0", "family-0,first"))
    with pytest.raises(CodingError, match=r"TR-C05.*hold a wrong value"):
        data.read(tmp_path)


def test_the_invented_sessions_have_the_published_columns() -> None:
    assert len(COLUMNS) == 20
