"""The survey of a long recording: it is drawn as a whole, or as far as the machine can look in the time it has."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from pipeline import settings
from pipeline.audio import overview
from pipeline.audio.file_layout import ONE_FILE
from pipeline.audio.overview import Overview
from pipeline.errors import AudioError
from pipeline.review.upload import surveys

AUDIO = settings.load().settings.audio


def test_a_recording_of_more_than_an_hour_is_drawn_to_its_end(tmp_path) -> None:
    """An hour without a sound, then a minute of a tone that swells each second."""
    time = np.arange(60 * 8000) / 8000
    tone = (0.4 * np.sin(2 * np.pi * 200 * time) * np.sin(np.pi * time) ** 2).astype(np.float32)
    path = tmp_path / "long.flac"
    soundfile.write(path, np.concatenate([np.zeros(3600 * 8000, np.float32), tone]), 8000, format="FLAC")
    survey = surveys.of_files([path], ONE_FILE, None, AUDIO).survey
    assert (survey.duration, survey.shown) == (3_660_000, 3_660_000)
    assert 600 <= len(survey.peaks) <= 1200
    sounding = [at for at, peak in enumerate(survey.peaks) if peak > 60]
    assert sounding[0] == pytest.approx(len(survey.peaks) * 60 / 61, abs=2)
    assert sounding[-1] >= len(survey.peaks) - 2


def test_a_machine_too_slow_for_the_whole_shows_the_first_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    def look_over(file: object, audio: object, limit: int) -> Overview:
        limits.append(limit)
        if limit > 3_600_000:
            raise AudioError("A14", "recording", "takes more than 120 s to decode", "export it")
        return Overview("0" * 64, 3_601_000, False, np.zeros(180_050, np.float32), ())

    monkeypatch.setattr(overview, "look_over", look_over)
    survey = surveys.of_files([io.BytesIO()], ONE_FILE, None, AUDIO).survey
    assert limits == [3 * 3_600_000, 3_600_000]
    assert (survey.duration, survey.shown) == (None, 3_600_000)
