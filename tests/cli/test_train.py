"""`tape-review train` and what it leaves, on invented sessions."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.coding.inference import checkpoint
from pipeline.errors import CodingError, OutputError
from pipeline.speech import role_training
from pipeline.speech.roles import RoleModel
from tests.coding.invented import write_annomi, write_encoder

pytestmark = pytest.mark.engines


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("pipeline.coding.training.finetuning.EPOCHS", 1)
    monkeypatch.setenv("TAPE_REVIEW_ENGINES__CORES", "1")  # in this process, where the line above holds
    monkeypatch.setenv("TAPE_REVIEW_CODING__ENCODER", str(write_encoder(tmp_path / "encoder")))
    write_annomi(tmp_path / "data")
    run("train", "--data", tmp_path / "data", "--out", tmp_path / "models", "--keep", tmp_path / "keep")
    return tmp_path


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
    told = run("evaluate", "--data", trained / "data", "--json", figures)
    assert "question yes/no" in told
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


def test_the_first_seed_ships_and_others_stay_beside_it(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = ("--seed", "3", "--seed", "0", "--seed", "3")
    run("train", "--data", trained / "data", "--out", trained / "more", "--keep", trained / "keep", *seeds)
    folder = trained / "more" / "utterance-tagger"
    assert checkpoint.read(folder).metadata["seeds"] == [3, 0]
    assert list(checkpoint.read_folds(folder, "bare")["seed"].unique()) == [3, 0]
    first = trained / "models" / "utterance-tagger"
    assert (folder / "network.onnx").read_bytes() != (first / "network.onnx").read_bytes()
    # One after the other is as good as both at once.
    run("train", "--data", trained / "data", "--out", trained / "models", "--keep", trained / "keep", "--seed", "3")
    for path in folder.iterdir():
        assert path.read_bytes() == (first / path.name).read_bytes()
    monkeypatch.setenv("TAPE_REVIEW_CODING__TAGGER", str(first))
    figures = trained / "figures.json"
    told = run("evaluate", "--data", trained / "data", "--parts", "--json", figures)
    assert "Seed 3" in told
    assert "topic: walking more" in told
    for figure in json.loads(figures.read_text())["tags"]["bare"]:
        assert figure["value"] == pytest.approx(sum(figure["seeds"]) / 2)


def test_other_seeds_are_measured_without_changing_what_ships(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = trained / "models" / "utterance-tagger"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    folds = checkpoint.read_folds(folder, "written")
    command = ("train", "--data", trained / "data", "--keep", trained / "keep", "--out")
    given = (*command, trained / "models", "--folds-only")
    run(*given, "--seed", "4", "--seed", "2")
    assert all((folder / name).read_bytes() == before[name] for name in checkpoint.RUNTIME_FILES)
    assert checkpoint.read(folder).metadata["seeds"] == [0, 4, 2]
    all_folds = checkpoint.read_folds(folder, "written")
    pd.testing.assert_frame_equal(all_folds[all_folds["seed"] == 0].reset_index(drop=True), folds)
    assert all_folds.groupby("seed").size().to_dict() == {0: 540, 2: 540, 4: 540}
    # The same as if all seeds had been measured at once.
    run(*command, trained / "more", "--seed", "0", "--seed", "4", "--seed", "2")
    once = trained / "more" / "utterance-tagger" / checkpoint.FOLDS
    assert once.read_bytes() == (folder / checkpoint.FOLDS).read_bytes()

    with pytest.raises(CodingError, match=r"TR-C05 .* ships seed 0, whose folds stay as they are"):
        run(*given, "--seed", "4", "--seed", "0")
    monkeypatch.setenv("TAPE_REVIEW_CODING__ENCODER", str(write_encoder(trained / "other", seed=9)))
    with pytest.raises(CodingError, match=r"TR-C05 .* differs in the encoder"):
        run(*given, "--seed", "5")
    monkeypatch.setenv("TAPE_REVIEW_CODING__ENCODER", str(trained / "encoder"))
    data = trained / "data" / "annomi" / "annomi.csv"
    data.write_text(data.read_text() + "\n")
    with pytest.raises(CodingError, match=r"TR-C05 .* differs in the data"):
        run(*given, "--seed", "5")
    with pytest.raises(CodingError, match="TR-C04"):
        run(*command, trained / "none", "--folds-only", "--seed", "5")


def test_a_place_that_cannot_be_made_is_named_before_training(tmp_path: Path) -> None:
    write_annomi(tmp_path / "data")
    with pytest.raises(OutputError, match="TR-O04"):
        run("train", "--data", tmp_path / "data", "--out", tmp_path / "data" / "annomi" / "annomi.csv" / "models")


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_missing_data_are_named(verb: str, tmp_path: Path) -> None:
    with pytest.raises(CodingError, match="TR-C05"):
        run(verb, "--data", tmp_path)
