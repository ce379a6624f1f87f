"""`tape-review evaluate`: the figures of the folds that training left, on invented sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.coding.inference import checkpoint
from pipeline.errors import CodingError, OutputError
from pipeline.speech import role_training
from pipeline.speech.roles import RoleModel
from tests.cli.calls import run


@pytest.mark.engines
def test_training_stores_both_models_and_evaluating_reads_them(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = checkpoint.read(trained / "models" / "utterance-tagger")
    assert stored.metadata["utterances"] == 540
    assert RoleModel.read(trained / "models" / "roles").words
    assert len(role_training.read_folds(trained / "models" / "roles")) == 80
    kept = {path.name: path.stat().st_mtime_ns for path in (trained / "keep").iterdir()}
    folds = [f"seed-0-fold-{fold}.{kind}" for fold in range(5) for kind in ("npy", "safetensors")]
    assert sorted(kept) == ["seed-0-all.safetensors", *folds]
    run("train", "--data", trained / "data", "--out", trained / "again", "--keep", trained / "keep")
    assert {path.name: path.stat().st_mtime_ns for path in (trained / "keep").iterdir()} == kept
    for name in checkpoint.RUNTIME_FILES:
        first, second = (trained / folder / "utterance-tagger" / name for folder in ("models", "again"))
        assert first.read_bytes() == second.read_bytes()

    monkeypatch.setenv("TAPE_REVIEW_CODING__TAGGER", str(trained / "models" / "utterance-tagger"))
    monkeypatch.setenv("TAPE_REVIEW_DIARIZATION__ROLES", str(trained / "models" / "roles"))
    figures = trained / "figures.json"
    printed = run("evaluate", "--data", trained / "data", "--json", figures).stdout
    assert "question yes/no" in printed
    stored = json.loads(figures.read_text())
    assert stored["roles"]["session"] == {"right": 20, "sessions": 20}
    question = next(figure for figure in stored["tags"]["written"] if figure["name"] == "question yes/no")
    assert question["value"] > 0.95
    assert question["human"] == 0.958
    with pytest.raises(OutputError, match="TR-O04"):
        run("evaluate", "--data", trained / "data", "--json", trained / "none" / "figures.json")

    table = trained / "data" / "annomi" / "annomi.csv"
    table.write_text(table.read_text() + "\n")
    with pytest.raises(CodingError, match=r"TR-C05 data .* are not those that the tagger was trained on"):
        run("evaluate", "--data", trained / "data")


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(CodingError, match="TR-C05"):
        run("evaluate", "--data", tmp_path)
