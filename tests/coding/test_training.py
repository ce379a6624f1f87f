from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding import training, weights
from pipeline.coding.classifier import DECISIONS, Inputs
from pipeline.coding.training import Corpus
from pipeline.coding.weights import Fitted
from pipeline.errors import CodingError
from pipeline.formats import annomi
from tests.coding.invented import COLUMNS, HashedEncoder, write_annomi


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_annomi(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def corpus(data: Path) -> Corpus:
    return Corpus.of(annomi.read(data), HashedEncoder())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(corpus: Corpus) -> Fitted:
    return training.train(corpus)


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
    for fold, rest, held in training.splits(table["fold"].to_numpy()):
        assert set(table["fold"].iloc[held]) == {fold}
        assert not set(table["family"].iloc[rest]) & set(table["family"].iloc[held])
        seen += len(held)
    assert seen == len(table)


def test_a_fold_is_predicted_by_what_did_not_see_it(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    folds = corpus.table["fold"].to_numpy()
    fitted: list[set[int]] = []

    class Constant:
        def __call__(self, inputs: Inputs) -> np.ndarray:
            return np.zeros((2, len(inputs.lexical), len(DECISIONS)))

    def fit(corpus: Corpus, rows: np.ndarray) -> Constant:
        fitted.append(set(folds[rows]))
        return Constant()

    monkeypatch.setattr(training, "fit", fit)
    held_out = training.cross_fit(corpus)
    assert fitted == [set(range(5)) - {fold} for fold in range(5)]
    assert sorted(held_out.by_fold) == list(range(5))


def test_both_variants_are_learned(corpus: Corpus) -> None:
    written, bare = corpus.variants
    assert written.lexical[0].startswith("what would you like")
    assert "?" in written.lexical[0]
    assert "?" not in bare.lexical[0]


def test_training_finds_what_is_plain(corpus: Corpus, trained: Fitted) -> None:
    folds = trained.folds[trained.folds["variant"] == "written"]
    table = corpus.table.merge(folds, on=["tape_id", "utterance_id"])
    assert len(table) == len(corpus.table)
    interviewer = table[table["role"] == "interviewer"]
    found = interviewer["codes"].str.contains("question")
    assert (found == (interviewer["question"] == 1)).mean() > 0.95
    assert not table["codes"].eq("").any()


def test_the_same_seed_gives_the_same_tags(corpus: Corpus) -> None:
    rows = np.arange(len(corpus.table) // 2)
    one, two = (training.fit(corpus, rows, seeds=(1,))(corpus.variants[0]) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    other = training.fit(corpus, rows, seeds=(2,))(corpus.variants[0])
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])


def test_what_is_stored_comes_back(tmp_path: Path, corpus: Corpus, trained: Fitted) -> None:
    weights.write(tmp_path, trained, {"version": "test"})
    back = weights.read(tmp_path)
    for inputs in corpus.variants:
        np.testing.assert_allclose(back.classifier(inputs), trained.classifier(inputs), atol=1e-4)
    assert back.calibration == trained.calibration
    assert back.by_fold == trained.by_fold
    assert back.about["version"] == "test"
    bare = weights.read_folds(tmp_path, "bare")
    assert list(bare["codes"]) == list(trained.folds.loc[trained.folds["variant"] == "bare", "codes"])


def test_the_same_tagger_is_stored_in_the_same_bytes(tmp_path: Path, trained: Fitted) -> None:
    for name in ("one", "two"):
        weights.write(tmp_path / name, trained, {})
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("name", [weights.CLASSIFIER, weights.VOCABULARY, weights.METADATA, weights.FOLDS])
def test_a_missing_or_altered_file_is_named(tmp_path: Path, trained: Fitted, name: str) -> None:
    weights.write(tmp_path, trained, {})
    path = tmp_path / name
    data = path.read_bytes()
    for content in (data[: len(data) // 2], data[:40] + b"\x00" + data[41:], b"", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CodingError, match="TR-C04"):
            weights.read_folds(tmp_path, "bare") if name == weights.FOLDS else weights.read(tmp_path)
        path.touch()


def test_weights_of_another_format_are_refused(
    tmp_path: Path, trained: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights.write(tmp_path, trained, {})
    monkeypatch.setattr(weights, "FORMAT", weights.FORMAT + 1)
    with pytest.raises(CodingError, match="another format"):
        weights.read(tmp_path)
