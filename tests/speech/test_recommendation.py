"""Which recognizer suits a machine: times and memory worked by hand from a pace, and the choice."""

from __future__ import annotations

import pytest

from pipeline import settings
from pipeline.speech import recommendation
from pipeline.speech.recommendation import Pace

DEFAULT = settings.load().settings
GIGABYTE = 10**9


def expected(pace: Pace) -> dict[str, recommendation.Expectation]:
    return {item.model.name: item for item in recommendation.expectations(pace, DEFAULT)}


def test_the_encoder_alone_grows_with_layers_and_width() -> None:
    """Base, per window: 6 (12 x 512^2 x 1500 + 2 x 1500^2 x 512) = 42.1e9; turbo: 32 (12 x 1280^2 x 1500 + 2 x
    1500^2 x 1280) = 1128e9, 26.8 times as much. 20 minutes are 42.9 windows of 28 s, on two cores."""
    minutes = {name: item.minutes for name, item in expected(Pace(window=1.0, step=0.0)).items()}
    factor = minutes["whisper-large-v3-turbo"] / minutes["whisper-base"]
    assert factor == pytest.approx(26.8, abs=0.05)
    assert minutes["whisper-base"] == pytest.approx(recommendation.OVERHEAD * 1200 / 28 / 2 / 60)


def test_the_decoder_runs_once_per_piece_and_beam() -> None:
    """Base decodes with beams 2, 2 and 1, each 90 pieces per window; a step is measured with a beam of 2."""
    base = expected(Pace(window=0.0, step=0.01))["whisper-base"]
    assert base.minutes == pytest.approx(recommendation.OVERHEAD * 1200 / 28 * 0.01 * 90 * 5 / 2 / 2 / 60)


def test_models_come_with_the_most_accurate_first() -> None:
    assert next(iter(expected(Pace(1, 0.01)))) == "whisper-large-v3-turbo"
    assert list(expected(Pace(1, 0.01)))[-2:] == ["whisper-base", "whisper-tiny.en"]


@pytest.mark.parametrize(
    ("pace", "memory", "chosen"),
    [
        (Pace(0.1, 0.001), 64 * GIGABYTE, "whisper-large-v3-turbo"),
        (Pace(0.1, 0.001), 5 * GIGABYTE, "whisper-small.en"),  # 2.7 GB are more than the half
        (Pace(8.0, 0.04), 64 * GIGABYTE, "whisper-base"),
        (Pace(90.0, 1.0), 64 * GIGABYTE, None),
    ],
)
def test_the_most_accurate_that_fits_is_recommended(
    pace: Pace, memory: int, chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendation, "machine_memory", lambda: memory)
    best = recommendation.recommended(tuple(expected(pace).values()))
    assert (best and best.name) == chosen


def test_what_is_in_use_is_named_in_words() -> None:
    assert recommendation.in_use(DEFAULT) == "Whisper base; voices by pyannote segmentation and CAM++"
    accurate = settings.load(["accurate"]).settings
    assert recommendation.in_use(accurate) == "Whisper large-v3-turbo; voices by community-1"


@pytest.mark.engines
def test_a_measured_pace_is_remembered(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    source = recommendation.model_catalog.folder("whisper-base", DEFAULT.models)
    (folder / "whisper-base").symlink_to(source)
    options = DEFAULT.model_copy(update={"models": DEFAULT.models.model_copy(update={"folder": str(folder)})})
    pace = recommendation.measure(options)
    assert 0 < pace.step < pace.window
    monkeypatch.setattr(recommendation, "measure", None)
    assert recommendation.known_pace(options) == pace
