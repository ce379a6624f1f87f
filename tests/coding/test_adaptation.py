import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.adaptation import Adaptation, HeldOutGain, adapt, answers_by_hand, log_odds
from pipeline.coding.calibration import Calibration
from pipeline.coding.codebook import CODES
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS
from pipeline.errors import CodingError
from pipeline.formats import codebook_files

THRESHOLDS = dict.fromkeys(DECISIONS, 0.5)
PRETAGS = codebook_files.read("pretags")
PLAIN = Calibration(dict.fromkeys(DECISIONS, (1.0, 0.0)), THRESHOLDS)


NAN = float("nan")


def group_coded(shift: float, tapes: int = 4, rows: int = 60) -> pd.DataFrame:
    """Tapes whose group codes reflections more often than the tagger by so much on the log-odds, and all else alike."""
    random = np.random.default_rng(5)
    count = tapes * rows
    logits = random.normal(0, 1.5, (count, len(DECISIONS)))
    group = logits + np.array([shift if decision == "reflection" else 0.0 for decision in DECISIONS])
    truth = random.random(group.shape) < 1 / (1 + np.exp(-group))
    role = np.where(np.arange(count) % 2 == 0, "interviewer", "client").astype(object)
    pretags = PLAIN.pretag_columns(role, 1 / (1 + np.exp(-logits)))
    consensus = PLAIN.pretag_columns(role, truth.astype(float))["codes"]
    return pd.DataFrame(pretags).assign(
        tape_id=np.repeat([f"tape-{number}" for number in range(tapes)], rows),
        utterance_id=[str(number) for number in range(count)],
        role=role,
        consensus=consensus,
    )


def test_the_layer_follows_a_group_that_codes_more_reflections() -> None:
    adaptation = adapt(group_coded(shift=1.5), "tagger", THRESHOLDS, PRETAGS)
    assert adaptation.gain.better
    scale, shift = adaptation.layer["reflection"]
    assert shift > 0.6
    assert scale == pytest.approx(1, abs=0.35)
    adapted = adaptation(PLAIN)
    even = np.zeros((1, len(DECISIONS)))
    assert adapted.probabilities(even)[0, DECISIONS.index("reflection")] > 0.6
    assert adapted.thresholds == PLAIN.thresholds


def test_a_group_that_agrees_with_the_tagger_gains_little() -> None:
    gain = adapt(group_coded(shift=0.0), "tagger", THRESHOLDS, PRETAGS).gain
    assert gain.log_loss[1] == pytest.approx(gain.log_loss[0], abs=0.02)


def test_better_means_a_lower_loss_and_no_more_errors() -> None:
    assert HeldOutGain(10, (0.5, 0.4), (0.2, 0.2)).better
    assert not HeldOutGain(10, (0.5, 0.4), (0.2, 0.21)).better
    assert not HeldOutGain(10, (0.5, 0.5), (0.2, 0.1)).better


def test_codes_become_decisions_and_probabilities_come_back() -> None:
    table = group_coded(shift=0.0)
    answers = answers_by_hand(table, PRETAGS)
    row = table.index[table["consensus"].str.contains("reflection_complex")][0]
    assert answers[row, DECISIONS.index("reflection")] == answers[row, DECISIONS.index("complex")] == 1
    assert np.isnan(answers[row, DECISIONS.index("client")])
    client = table["role"] == "client"
    assert np.isnan(answers[client][:, DECISIONS.index("question")]).all()
    again = PLAIN.pretag_columns(table["role"].to_numpy(dtype=object), PLAIN.probabilities(log_odds(table)))
    for code in CODES:
        np.testing.assert_allclose(again[f"p_{code}"], table[f"p_{code}"], atol=1e-4)


@pytest.mark.parametrize(
    ("book", "code", "expected"),
    [
        ("miti-4.2", "question", {"question": 1, "open": NAN, "reflection": 0, "complex": NAN}),
        ("miti-4.2", "reflection_simple", {"question": 0, "reflection": 1, "complex": 0, "information": 0}),
        ("miti-4.2", "persuasion", {"question": NAN, "reflection": NAN, "information": NAN}),
        ("miti-4.2", "persuasion|question", {"question": 1, "reflection": NAN}),
        ("miti-4.2", "", {"question": 0, "reflection": 0, "information": 0}),
        ("oars", "question_open", {"question": 1, "open": 1, "reflection": 0, "information": NAN}),
        ("oars", "", {"question": NAN, "open": NAN, "reflection": 0, "information": NAN}),
        ("oars", "reflection", {"reflection": 1, "complex": NAN, "question": NAN}),
        ("pretags", "question_closed|information", {"question": 1, "open": 0, "information": 1, "client": NAN}),
        ("pretags", "of another book", {"question": NAN, "reflection": NAN, "information": NAN}),
    ],
)
def test_a_code_answers_the_decisions_of_its_codebook(book: str, code: str, expected: dict[str, float]) -> None:
    table = pd.DataFrame({"role": ["interviewer"], "consensus": [code]})
    decisions = dict(zip(DECISIONS, answers_by_hand(table, codebook_files.read(book))[0], strict=True))
    np.testing.assert_equal({name: decisions[name] for name in expected}, expected)


def test_codes_that_stand_for_none_of_the_machines_are_refused() -> None:
    with pytest.raises(CodingError, match="TR-C06"):
        adapt(group_coded(shift=0.0).assign(consensus="affirmation"), "tagger", THRESHOLDS, codebook_files.read("oars"))


@pytest.mark.parametrize(("tapes", "rows"), [(1, 100), (2, 10)])
def test_too_few_codes_are_refused(tapes: int, rows: int) -> None:
    with pytest.raises(CodingError, match="TR-C06"):
        adapt(group_coded(0.0, tapes, rows), "tagger", THRESHOLDS, PRETAGS)


def test_a_layer_is_stored_and_comes_back(tmp_path: Path) -> None:
    adaptation = adapt(group_coded(shift=1.5), "tagger", THRESHOLDS, PRETAGS)
    adaptation.write(tmp_path / "layer.json")
    assert Adaptation.read(tmp_path / "layer.json") == adaptation


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "layer": {}, "gain": {}}'])
def test_a_damaged_layer_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "layer.json").write_text(text)
    with pytest.raises(CodingError, match="TR-C07"):
        Adaptation.read(tmp_path / "layer.json")


@pytest.mark.engines
def test_the_tagger_uses_the_layer_that_the_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tagger.load(settings.load().settings)
    layer = {"reflection": (1.0, 2.0)}
    adaptation = Adaptation(
        layer, checkpoint.identity(shipped.metadata), 2, 50, HeldOutGain(50, (0.5, 0.4), (0.2, 0.1))
    )
    path = tmp_path / "layer.json"
    adaptation.write(path)
    monkeypatch.setenv("TAPE_REVIEW_CODING__ADAPTATION", str(path))
    adapted = tagger.load(settings.load().settings)
    slope, intercept = shipped.calibration.platt_scaling["reflection"]
    assert adapted.calibration.platt_scaling["reflection"] == pytest.approx((slope, intercept + 2.0))
    assert json.loads(path.read_text())["tagger"] == checkpoint.identity(shipped.metadata)
    replace(adaptation, tagger="another").write(path)
    with pytest.raises(CodingError, match="TR-C07"):
        tagger.load(settings.load().settings)
