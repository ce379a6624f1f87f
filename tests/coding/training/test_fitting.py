from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.checkpoint import Fitted
from pipeline.coding.inference.classifier import DECISIONS, OUTPUTS
from pipeline.coding.training import data as annomi
from pipeline.coding.training import evaluation, finetuning, fitting
from pipeline.coding.training.asr_confusions import COLUMNS as COUNTED
from pipeline.coding.training.augmentation import Slipping
from pipeline.coding.training.distillation import COLUMNS as ANSWERED
from pipeline.coding.training.distillation import Teacher
from pipeline.coding.training.folds import VARIANTS, Course, Kept, learn
from pipeline.coding.training.network import Network
from pipeline.errors import CodingError, ModelError
from tests.coding.invented import COLUMNS, write_annomi, write_encoder

pytestmark = pytest.mark.engines

NOBODY = Teacher(pd.DataFrame(columns=list(ANSWERED)))
FOLDS = (None, 0, 1, 2, 3, 4)
MISHEARINGS = pd.DataFrame([(0, "help", "kelp", 1), (0, "help", "help", 9)], columns=list(COUNTED))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_annomi(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def table(data: Path) -> pd.DataFrame:
    return annomi.read(data)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def course(table: pd.DataFrame, encoder: Path) -> Course:
    return Course(table, encoder, MISHEARINGS, NOBODY)


@pytest.fixture(scope="module")
def trained(course: Course) -> Fitted:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.coding.training.finetuning.EPOCHS", 1)
        return fitting.train(course, [0])


def test_labels_become_decisions(data: Path) -> None:
    table = annomi.read(data)
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
        found = first.loc[utterance, list(DECISIONS)]
        assert [None if pd.isna(value) else int(value) for value in found] == list(answers)
    assert list(first["start"].iloc[:6]) == [0, 15_000, 30_000, 45_000, 60_000, 75_000]
    assert list(first["main"].iloc[[0, 1, 2, 8, 10]]) == ["question", "", "reflection", "information", "other"]


def test_annotator_3_teaches_no_open_questions(data: Path) -> None:
    table = annomi.read(data)
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
        annomi.read(tmp_path)


def test_a_wrong_value_in_the_data_is_named(tmp_path: Path) -> None:
    path = write_annomi(tmp_path) / "annomi" / "annomi.csv"
    path.write_text(path.read_text().replace("family-0,0", "family-0,first"))
    with pytest.raises(CodingError, match=r"TR-C05.*hold a wrong value"):
        annomi.read(tmp_path)


def test_the_invented_sessions_have_the_published_columns() -> None:
    assert len(COLUMNS) == 20


def test_no_family_is_learned_from_and_measured(data: Path) -> None:
    table = annomi.read(data)
    seen = 0
    for fold, rest, held in fitting.splits(table["fold"].to_numpy()):
        assert set(table["fold"].iloc[held]) == {fold}
        assert not set(table["family"].iloc[rest]) & set(table["family"].iloc[held])
        seen += len(held)
    assert seen == len(table)


def test_a_fold_is_predicted_by_what_did_not_see_it(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[set[int]] = []
    scored: list[set[int]] = []
    misheard: list[str] = []
    heard: list[dict[int, float]] = []

    def finetune(
        rows: pd.DataFrame, folder: Path, seed: int, progress: object, slipping: Slipping, taught: np.ndarray
    ) -> Network:
        learned.append(set(rows["fold"]))
        heard.append(dict(zip(rows["fold"], taught[:, 0], strict=True)))
        misheard.append(slipping("help", np.random.default_rng(0)))
        return Network.of(folder, OUTPUTS, 1)

    def scores(network: object, reader: object, rows: pd.DataFrame) -> np.ndarray:
        scored.append(set(rows["fold"]))
        return np.zeros((len(rows), OUTPUTS))

    monkeypatch.setattr("pipeline.coding.training.finetuning.finetune", finetune)
    monkeypatch.setattr("pipeline.coding.training.finetuning.scores", scores)
    certain = pd.DataFrame([(2, "help", "kelp", 10**6)], columns=list(COUNTED))
    # A teacher whose every score names the fold of the utterance and the other that it did not see (9: none).
    rows = course.table[["tape_id", "utterance_id", "fold"]]
    without = [rows.assign(without=fold, score=10 * rows["fold"] + (9 if fold is None else fold)) for fold in FOLDS]
    answers = pd.concat(without).astype({"without": "Int64"})
    answers[list(ANSWERED[3:])] = answers[["score"] * OUTPUTS].to_numpy()
    course = replace(course, mishearings=certain, teacher=Teacher(answers[list(ANSWERED)]))
    learn(course, [(0, fold) for fold in (0, 1, 2, 3, 4, None)], Kept(tmp_path))
    # The longest first; of equal ones, as they were asked for.
    assert learned == [set(range(5)), *(set(range(5)) - {fold} for fold in range(5))]
    assert scored == [{fold} for fold in range(5) for _ in VARIANTS]
    assert misheard == ["kelp", "kelp", "kelp", "help", "kelp", "kelp"]
    assert heard == [
        {fold: 10 * fold + (9 if out is None else out) for fold in range(5) if fold != out} for out in FOLDS
    ]
    assert fitting.network_folds(course.table, 0, Kept(tmp_path)).shape == (len(VARIANTS), len(course.table), OUTPUTS)


def test_a_network_learns_what_its_teacher_says(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetuning, "TAUGHT", 1.0)
    monkeypatch.setattr(finetuning, "HEADS", 0.05)
    rows = course.table[course.table["tape_id"].isin(["0", "1", "2"])]
    asked = []
    for says in (-3.0, 3.0):
        network = finetuning.finetune(rows, course.encoder, 0, taught=np.full((len(rows), OUTPUTS), says))
        found = finetuning.scores(network, finetuning.reader_of(course.encoder), rows)
        asked.append(found[:, DECISIONS.index("question")].mean())
    assert asked == pytest.approx([-3, 3], abs=1)  # whatever the hand codes are


def test_networks_do_not_depend_on_how_many_are_learned_at_once(course: Course, tmp_path: Path) -> None:
    rows = course.table[course.table["tape_id"].isin(["0", "1"])].assign(fold=lambda rows: rows["tape_id"].astype(int))
    course = replace(course, table=rows.reset_index(drop=True))
    wanted = [(1, 0), (1, 1)]
    for cores in (1, 2):
        (tmp_path / str(cores)).mkdir()
        done: list[float] = []
        learn(course, wanted, Kept(tmp_path / str(cores)), cores, done.append)
        assert done == sorted(done)
        assert done[-1] == 1
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / cores).iterdir()} for cores in "12")
    assert sorted(one) == [f"seed-1-fold-{fold}.{kind}" for fold in (0, 1) for kind in ("npy", "safetensors")]
    assert one == two


def test_what_goes_wrong_in_another_process_is_told(course: Course, tmp_path: Path) -> None:
    broken = replace(course, encoder=tmp_path)
    with pytest.raises(ModelError, match="TR-M07"):
        learn(broken, [(0, 0), (0, 1)], Kept(tmp_path), cores=2)


def test_training_finds_what_is_plain(table: pd.DataFrame, trained: Fitted) -> None:
    folds = trained.folds[trained.folds["variant"] == "written"]
    joined = evaluation.joined(table, folds)
    assert len(joined) == len(table)
    interviewer = joined[joined["role"] == "interviewer"]
    found = interviewer["codes"].str.contains("question")
    assert (found == (interviewer["question"] == 1)).mean() > 0.95
    assert not joined["codes"].eq("").any()


def test_what_is_stored_comes_back(tmp_path: Path, table: pd.DataFrame, trained: Fitted) -> None:
    checkpoint.write(tmp_path, trained, {"version": "test"})
    back = checkpoint.read(tmp_path)
    assert np.isfinite(back.classifier(table)).all()
    np.testing.assert_array_equal(back.classifier.linear.weights, trained.linear.weights)
    assert back.calibration == trained.calibration
    assert checkpoint.by_fold(back.about) == trained.by_fold
    assert back.about["version"] == "test"
    bare = checkpoint.read_folds(tmp_path, "bare")
    assert list(bare["codes"]) == list(trained.folds.loc[trained.folds["variant"] == "bare", "codes"])


def test_the_same_tagger_is_stored_in_the_same_bytes(tmp_path: Path, trained: Fitted) -> None:
    for name in ("one", "two"):
        checkpoint.write(tmp_path / name, trained, {})
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("name", [*checkpoint.RUNNING, checkpoint.METADATA, checkpoint.FOLDS])
def test_a_missing_or_altered_file_is_named(tmp_path: Path, trained: Fitted, name: str) -> None:
    checkpoint.write(tmp_path, trained, {})
    path = tmp_path / name
    data = path.read_bytes()
    for content in (data[: len(data) // 2], data[:40] + bytes([data[40] ^ 1]) + data[41:], b"", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CodingError, match="TR-C04"):
            checkpoint.read_folds(tmp_path, "bare") if name == checkpoint.FOLDS else checkpoint.read(tmp_path)
        path.touch()


def test_weights_of_another_format_are_refused(
    tmp_path: Path, trained: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.write(tmp_path, trained, {})
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    with pytest.raises(CodingError, match="another format"):
        checkpoint.read(tmp_path)
