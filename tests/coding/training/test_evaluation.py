from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.calibration import Calibration
from pipeline.coding.codebook import CODES
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.training import data, evaluation
from pipeline.settings import project_folder

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SHIPPED = project_folder("models") / "utterance-tagger"
NAN = np.nan


def hand_coded(*rows: tuple[str, str, dict[str, float], str]) -> pd.DataFrame:
    """Rows of role, main behavior, hand-coded decisions and tagged codes, with a probability of .9 for each code."""
    table = pd.DataFrame({"role": [row[0] for row in rows], "main": [row[1] for row in rows]})
    for decision in DECISIONS:
        table[decision] = [row[2].get(decision, NAN) for row in rows]
    table["codes"] = [row[3] for row in rows]
    for code in CODES:
        table[f"p_{code}"] = [0.9 if code in row[3].split("|") else 0.0 for row in rows]
    table["probability"] = 0.9
    table["needs_check"] = [number % 2 == 0 for number in range(len(rows))]
    return table.assign(tape_id="a", family="f", fold=0, text="")


def answered(**answers: float) -> dict[str, float]:
    return {"question": 0.0, "reflection": 0.0, "information": 0.0} | answers


def test_macro_f1_of_a_matrix_by_hand() -> None:
    # Class one: 2 * 3 / (3 + 1 + 3 + 0) = 6/7; class two: 2 * 2 / (2 + 0 + 2 + 1) = 4/5.
    assert evaluation._macro_f1(np.array([[3, 1], [0, 2]])) == pytest.approx((6 / 7 + 4 / 5) / 2)
    assert evaluation._macro_f1(np.array([[3, 0, 0], [0, 2, 0], [0, 0, 0]])) == 1


def test_calibration_error_by_hand() -> None:
    # Two rows at .85 of which one is right: |.85 - .5| * 2/4; two at .15, both wrong: .15 * 2/4.
    rows = pd.DataFrame({"p": [0.85, 0.85, 0.15, 0.15], "y": [1.0, 0.0, 0.0, 0.0]})
    assert evaluation._calibration_error(rows) == pytest.approx(0.175 + 0.075)
    assert evaluation._calibration_error(pd.DataFrame({"p": [1.0, 0.0], "y": [1.0, 0.0]})) == 0


def test_a_row_is_wrong_where_any_decision_is() -> None:
    table = hand_coded(
        ("interviewer", "question", answered(question=1, open=1), "question_open"),
        ("interviewer", "question", answered(question=1, open=1), "question_closed"),
        ("interviewer", "question", answered(question=1), "question_closed"),  # open or closed is masked
        ("interviewer", "question", answered(question=1, open=1, information=1), "question_open"),
        ("interviewer", "reflection", answered(reflection=1, complex=1), "reflection_simple"),
        ("interviewer", "other", answered(), "other"),
        ("interviewer", "other", answered(), "reflection_simple"),
        ("client", "", {"client": 1.0, "change": 1.0}, "change"),
        ("client", "", {"client": 1.0, "change": 0.0}, "change"),
        ("client", "", {"client": 0.0}, "neutral"),
    )
    assert evaluation.has_error(table).tolist() == [False, True, False, True, True, False, True, False, True, False]


def test_the_main_behavior_is_the_first_code() -> None:
    table = hand_coded(
        ("interviewer", "question", answered(), "information|question_open"),
        ("interviewer", "question", answered(), "question_open|reflection_simple"),
        ("interviewer", "question", answered(), "other"),
    )
    assert evaluation.main_behavior(table).tolist() == ["information", "question", "other"]


def test_sessions_hold_ratios_and_their_coverage() -> None:
    table = hand_coded(
        ("interviewer", "question", answered(question=1, open=1), "question_open"),
        ("interviewer", "reflection", answered(reflection=1, complex=0), "reflection_simple"),
        ("interviewer", "reflection", answered(reflection=1, complex=1), "other"),
        ("client", "", {"client": 0.0}, "neutral"),
    )
    codes = [f"p_{code}" for code in CODES]
    table[codes] = table[codes].replace(0.9, 0.999)
    session = evaluation.session_table(table, {0: Calibration({}, {})}).iloc[0]
    assert session["rq"] == 2
    assert session["tagged_rq"] == 1
    assert not session["rq_held"]  # the tags are too sure that there is at most one reflection
    table.loc[2, "p_reflection_complex"] = 0.5
    session = evaluation.session_table(table, {0: Calibration({}, {})}).iloc[0]
    assert session["rq_held"]
    assert session["cr_held"]


def test_parts_are_measured_that_hold_anything() -> None:
    table = hand_coded(
        ("interviewer", "question", answered(question=1, open=1), "question_open"),
        ("interviewer", "other", answered(), "question_open"),
        ("interviewer", "question", answered(question=1, open=1), "question_open"),
    ).assign(quality="high", target_behavior=["a", "b", "c"], text=["so", "so", "word " * 30])
    parts = {name: {figure.name: figure for figure in of} for name, of in evaluation.metrics_by_slice(table).items()}
    assert sorted(parts) == ["1 to 5 words", "high quality", "more than 25 words", "topic: a", "topic: b", "topic: c"]
    short = parts["1 to 5 words"]["question yes/no"]  # one of two is right: F1 of yes 2/3, of no 0
    assert (short.value, short.number) == (pytest.approx(1 / 3), 2)
    assert parts["topic: a"]["client talk"].number == 0
    assert np.isnan(parts["topic: a"]["client talk"].value)


def test_several_seeds_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = (
        (evaluation.Metric("a", 0.5, 0.4, 0.6, 9, 0.7),),
        (evaluation.Metric("a", 0.7, 0.6, 0.9, 9, 0.7),),
    )
    metrics_of_seeds = iter(seeds)
    monkeypatch.setattr(evaluation, "metrics", lambda table, by_fold: next(metrics_of_seeds))
    keys = pd.DataFrame({"tape_id": ["1"], "utterance_id": ["1"]})
    (mean,) = evaluation.mean_over_seeds(keys, pd.concat([keys.assign(seed=4), keys.assign(seed=2)]), {})
    assert mean == evaluation.Metric(
        "a", pytest.approx(0.6), pytest.approx(0.5), pytest.approx(0.75), 9, 0.7, (0.5, 0.7)
    )


@pytest.fixture(scope="module")
def shipped() -> dict[str, evaluation.Metric]:
    if not (DATA / data.FILE).exists():
        pytest.skip("the training data are not on this machine")
    table, metadata = data.read(DATA), checkpoint.read_metadata(SHIPPED)
    assert data.checksum(DATA) == metadata["data"]["sha256"]
    metrics = evaluation.mean_over_seeds(
        table, checkpoint.read_folds(SHIPPED, "written"), checkpoint.fold_calibrations(metadata)
    )
    return {metric.name: metric for metric in metrics}


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        # Plain TF-IDF with logistic regression, family-disjoint.
        ("question yes/no", 0.903),
        ("reflection yes/no", 0.753),
        ("OQ, CQ, SR, CR, other", 0.558),
        ("client talk", 0.485),
        ("main behavior, 4 classes", 0.727),
        ("session R:Q, Spearman", 0.6),
    ],
)
def test_the_shipped_tagger_beats_the_linear_baseline(
    shipped: dict[str, evaluation.Metric], name: str, floor: float
) -> None:
    metric = shipped[name]
    assert metric.value > floor
    assert metric.low < metric.value < metric.high


@pytest.mark.parametrize("name", ["question", "reflection", "information", "change", "sustain"])
def test_the_shipped_probabilities_are_calibrated(shipped: dict[str, evaluation.Metric], name: str) -> None:
    assert shipped[f"calibration error, {name}"].value <= 0.05


def test_the_shipped_intervals_cover(shipped: dict[str, evaluation.Metric]) -> None:
    for name in ("R:Q", "%CR"):
        assert 0.85 <= shipped[f"90 % intervals that hold {name}"].value <= 0.97


def test_checking_a_fifth_finds_more_than_a_fifth_of_the_errors(
    shipped: dict[str, evaluation.Metric],
) -> None:
    assert shipped["share of utterances to check"].value == pytest.approx(0.2, abs=0.02)
    assert shipped["share of errors among them"].value > 0.3
