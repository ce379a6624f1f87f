"""`tape-review adapt`: a layer is stored only if it tags better than the shipped tagger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline import settings
from pipeline.cli.main import app
from pipeline.coding import tagger
from pipeline.coding.adaptation import Adaptation, HeldOutGain
from pipeline.coding.inference import checkpoint
from pipeline.errors import CodingError
from pipeline.formats import tape_tables
from tests.coding.test_adaptation import group_coded


def stored(folder: Path, table: pd.DataFrame) -> list[str]:
    """Write a group's tapes and codes; the command line that adapts to them."""
    command = ["adapt", str(folder / "codes.csv"), "--out", str(folder / "layer.json")]
    for tape, rows in table.groupby("tape_id"):
        full = rows.assign(turn_id="1", speaker="S", start=0, end=1000, text="words")
        tape_tables.write_utterances(full.drop(columns="consensus"), folder / f"{tape}.csv")
        command += ["--tape", str(folder / f"{tape}.csv")]
    agreed = table[["tape_id", "utterance_id"]].assign(
        coder="consensus", layer="consensus", code=table["consensus"], coded_at="2026-03-01"
    )
    agreed.to_csv(folder / "codes.csv", index=False)
    return command


def test_the_command_stores_a_layer_that_is_better(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, stored(tmp_path, group_coded(shift=1.5)))
    assert done.exit_code == 0, done.output
    assert "240 utterances on 4 tapes" in done.stdout
    assert "codebook pretags" in done.stdout
    assert "surprise" in done.stdout
    metadata = checkpoint.read_metadata(tagger.weights_folder(settings.load().settings))
    assert Adaptation.read(tmp_path / "layer.json").tagger == checkpoint.identity(metadata)


def test_the_command_finds_the_codebook_and_names_what_it_lacks(tmp_path: Path) -> None:
    table = group_coded(shift=0.0)
    question = table["consensus"].str.contains("question")
    interviewer = table["role"] == "interviewer"
    table["consensus"] = np.where(question, "question", np.where(interviewer, "seeking_collaboration", "mumbling"))
    done = CliRunner().invoke(app, stored(tmp_path, table))
    assert done.exit_code == 0, done.output
    assert "codebook miti-4.2" in done.stdout
    assert "not learned from: mumbling." in done.stdout


def test_the_command_stores_nothing_that_is_not_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeldOutGain, "better", False)
    done = CliRunner().invoke(app, stored(tmp_path, group_coded(shift=0.0)))
    assert "Not better than the shipped tagger" in done.stdout
    assert not (tmp_path / "layer.json").exists()


def test_codes_of_other_tapes_are_named(tmp_path: Path) -> None:
    command = stored(tmp_path, group_coded(shift=0.0))
    codes = pd.read_csv(tmp_path / "codes.csv").assign(tape_id="another")
    codes.to_csv(tmp_path / "codes.csv", index=False)
    failed = CliRunner().invoke(app, command)
    assert isinstance(failed.exception, CodingError)
    assert "TR-C06" in str(failed.exception)
