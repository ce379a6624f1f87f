"""`tape-review train` and what it leaves, on invented sessions."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli import train
from pipeline.coding.inference import checkpoint
from pipeline.errors import CodingError, OutputError
from tests.cli.calls import run
from tests.coding.invented import write_annomi, write_encoder


@pytest.mark.engines
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
    printed = run("evaluate", "--data", trained / "data", "--parts", "--json", figures).stdout
    assert "Seed 3" in printed
    assert "topic: walking more" in printed
    for figure in json.loads(figures.read_text())["tags"]["bare"]:
        assert figure["value"] == pytest.approx(sum(figure["seeds"]) / 2)


@pytest.mark.engines
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


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(CodingError, match="TR-C05"):
        run("train", "--data", tmp_path)


@pytest.mark.parametrize("package", ["onnx", "safetensors"])
def test_a_missing_package_is_told_before_anything_is_learned(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = train.find_spec
    monkeypatch.setattr(train, "find_spec", lambda name: None if name == package else real(name))
    with pytest.raises(CodingError, match=rf"TR-C08 package {package} is not installed; .*tape-review\[train\]"):
        train.train(tmp_path)
    assert list(tmp_path.iterdir()) == []
