from dataclasses import replace

import numpy as np
import pytest

from pipeline.coding import calibration
from pipeline.coding.calibration import Calibration
from pipeline.coding.codebook import CODES
from pipeline.coding.inference.classifier import DECISIONS

THRESHOLDS = dict.fromkeys(DECISIONS, 0.5) | {"complex": 0.55}
PLAIN = Calibration(dict.fromkeys(DECISIONS, (1.0, 0.0)), THRESHOLDS, check_below=0.25)


def row(**probabilities: float) -> np.ndarray:
    return np.array([[probabilities.get(decision, 0.1) for decision in DECISIONS]])


def pretags(role: str, **probabilities: float) -> dict[str, object]:
    columns = PLAIN.pretag_columns(np.array([role], dtype=object), row(**probabilities))
    return {name: values[0] for name, values in columns.items()}


def test_decisions_are_made_separately() -> None:
    columns = pretags("interviewer", question=0.9, open=0.7, reflection=0.8, complex=0.3, information=0.2)
    assert columns["codes"] == "question_open|reflection_simple"
    assert columns["p_question_open"] == pytest.approx(0.63)
    assert columns["p_question_closed"] == pytest.approx(0.27)
    assert columns["p_reflection_simple"] == pytest.approx(0.56)
    assert columns["p_reflection_complex"] == pytest.approx(0.24)
    assert columns["p_other"] == pytest.approx(0.1 * 0.2 * 0.8)
    assert columns["probability"] == pytest.approx(0.7)
    assert not columns["needs_check"]
    assert columns["p_change"] == columns["p_sustain"] == columns["p_neutral"] == 0


def test_an_unsure_reflection_is_simple_and_to_be_checked() -> None:
    columns = pretags("interviewer", reflection=0.6, complex=0.52)
    assert columns["codes"] == "reflection_simple"
    assert columns["probability"] == pytest.approx(0.48)
    assert columns["needs_check"]


def test_the_code_farthest_beyond_its_threshold_comes_first() -> None:
    lenient = replace(PLAIN, thresholds=THRESHOLDS | {"information": 0.25})
    columns = lenient.pretag_columns(np.array(["interviewer"], dtype=object), row(question=0.8, information=0.5))
    assert columns["codes"] == ["information|question_closed"]  # 2.0 against 1.6
    columns = PLAIN.pretag_columns(np.array(["interviewer"], dtype=object), row(question=0.8, information=0.5))
    assert columns["codes"] == ["question_closed|information"]


def test_nothing_chosen_is_other_and_neutral() -> None:
    assert pretags("interviewer")["codes"] == "other"
    columns = pretags("client", client=0.3, change=0.9)
    assert columns["codes"] == "neutral"
    assert columns["probability"] == pytest.approx(0.7)
    assert columns["p_change"] == pytest.approx(0.27)
    assert columns["p_neutral"] == pytest.approx(0.7)


def test_client_talk_is_change_or_sustain() -> None:
    assert pretags("client", client=0.8, change=0.9)["codes"] == "change"
    assert pretags("client", client=0.8, change=0.2)["codes"] == "sustain"


def test_an_unknown_role_has_no_codes() -> None:
    columns = pretags("unknown", question=0.9, client=0.9)
    assert columns["codes"] == ""
    assert columns["needs_check"]
    assert [columns["probability"], *(columns[f"p_{code}"] for code in CODES)] == [0] * 10


def test_log_odds_become_probabilities() -> None:
    scaled = Calibration(dict.fromkeys(DECISIONS, (2.0, -1.0)), THRESHOLDS)
    logits = np.full((1, len(DECISIONS)), 0.5)
    assert scaled.probabilities(logits) == pytest.approx(0.5)
    logits += np.log(3) / 2
    assert scaled.probabilities(logits) == pytest.approx(0.75)
    logits[:] = 1e6
    assert scaled.probabilities(logits) == pytest.approx(1.0)


def simulated(deviation: float, scale: float) -> tuple[np.ndarray, ...]:
    """Tapes of 60 rows whose true log-odds share a shift; the log-odds are returned times a scale."""
    random = np.random.default_rng(7)
    tapes = np.repeat([f"tape-{number}" for number in range(120)], 60).astype(object)
    true = random.normal(0, 1.5, (len(tapes), len(DECISIONS)))
    shift = np.repeat(random.normal(0, deviation, (120, len(DECISIONS))), 60, axis=0)
    answers = (random.random(true.shape) < 1 / (1 + np.exp(-(true + shift)))).astype(float)
    return true * scale, answers, tapes, np.full(len(tapes), "interviewer", dtype=object)


def test_overconfident_log_odds_are_taken_back() -> None:
    logits, answers, tapes, roles = simulated(deviation=0.0, scale=3.0)
    fitted = calibration.fit(logits, answers, tapes, roles)
    for slope, intercept in fitted.platt_scaling.values():
        assert slope == pytest.approx(1 / 3, abs=0.03)
        assert intercept == pytest.approx(0, abs=0.1)
    assert max(fitted.session_effect_sd.values()) < 0.24


def test_the_session_effect_is_estimated() -> None:
    fitted = calibration.fit(*simulated(deviation=1.0, scale=1.0))
    for decision, deviation in fitted.session_effect_sd.items():
        factor = calibration.SESSION_EFFECT_FACTORS.get(decision, 1.0)
        assert deviation / factor == pytest.approx(0.95, abs=0.2)  # Platt scaling shrinks log-odds a little


def test_a_fifth_is_to_be_checked_and_rows_without_an_answer_do_not_count() -> None:
    logits, answers, tapes, roles = simulated(deviation=0.5, scale=1.0)
    answers[::2, DECISIONS.index("open")] = np.nan
    fitted = calibration.fit(logits, answers, tapes, roles)
    checked = fitted.pretag_columns(roles, fitted.probabilities(logits))["needs_check"]
    assert checked.mean() == pytest.approx(0.2, abs=0.01)
    assert fitted.thresholds["complex"] == calibration.COMPLEX_THRESHOLD
    assert fitted.thresholds["question"] == pytest.approx(0.5, abs=0.1)
