"""`tape-review config`: every setting with its value and where that comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import settings
from tests.cli.calls import run


def test_each_setting_stands_there_with_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TAPE_REVIEW_TAPES__TRIES", "7")
    path = tmp_path / "mine.toml"
    path.write_text("[review]\nport = 9999\n")
    printed = run("config", "--config", str(path)).stdout
    rows = {
        cells[0]: cells[1:]
        for line in printed.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("│ ").split("│")]) == 3
    }
    assert set(settings.load().origins) <= set(rows)
    assert rows["review.port"][0] == "9999"
    assert "mine.toml" in rows["review.port"][1]
    assert rows["tapes.tries"][0] == "7"
    assert rows["tapes.tries"][1] == "environment"
