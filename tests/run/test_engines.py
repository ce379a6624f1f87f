"""The engines that the settings name: their models are known before any work, and each loads when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import model_catalog, settings
from pipeline.errors import TapeReviewError
from pipeline.run import engines as engines_module
from pipeline.run.engines import Engines
from pipeline.settings import Settings

DEFAULT = settings.load().settings


def changed(section: str, **values: object) -> Settings:
    return DEFAULT.model_copy(update={section: getattr(DEFAULT, section).model_copy(update=values)})


def test_every_model_that_a_run_loads_is_named_with_its_checksum() -> None:
    models = Engines(DEFAULT).models("auto")
    assert {"transcriber", "sentences", "segmentation", "embedding", "tagger", "roles"} <= set(models)
    assert all(model["checksum"] for model in models.values())
    assert models["transcriber"]["model"] == DEFAULT.transcription.model


def test_a_run_that_separates_no_voices_by_their_sound_needs_no_model_for_it() -> None:
    assert not {"segmentation", "embedding", "diarizer"} & set(Engines(DEFAULT).models("channels"))


def test_a_whole_pipeline_takes_the_place_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    located: list[str] = []
    monkeypatch.setattr(model_catalog, "locate", lambda name, _: located.append(name))
    monkeypatch.setattr(model_catalog, "provenance", lambda name, _: {"model": name, "checksum": "0"})
    models = Engines(changed("diarization", pipeline="community")).models("pyannote")
    assert "community" in located
    assert not {"segmentation", "embedding"} & set(models)


def test_a_model_that_is_missing_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(TapeReviewError, match="large-v9"):
        Engines(changed("transcription", model="large-v9")).models("auto")


def test_the_tagger_is_loaded_once_and_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Any] = []
    monkeypatch.setattr(engines_module.tagger, "load", lambda loaded: loads.append(loaded) or object())
    engines = Engines(DEFAULT)
    assert loads == []
    assert engines.tagger is engines.tagger
    assert loads == [DEFAULT]
