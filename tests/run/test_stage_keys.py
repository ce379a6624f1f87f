"""What decides a stage's result is in its key, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import settings
from pipeline.run import stage_keys
from pipeline.run.stage_keys import NEEDS, StageKeys
from pipeline.settings import Settings

DEFAULT = settings.load().settings
ASKED: dict[str, Any] = {
    "target_behavior": "walking more",
    "tape_id": "tape-1",
    "start": 0,
    "end": None,
    "speakers": 2,
    "diarizer": "auto",
    "turns": None,
    "interviewer": None,
    "transcript": None,
}
MODELS = {part: {"model": part, "checksum": "0"} for part in stage_keys.MODELS}


def keys(chosen: Settings = DEFAULT, models: dict[str, dict[str, str]] = MODELS, **asked: Any) -> dict[str, str]:
    made = StageKeys("source", ASKED | asked, chosen, models, {"name": "pretags"})
    return {"run": made.run, **{stage: made[stage] for stage in NEEDS}}


def changed(other: dict[str, str]) -> set[str]:
    mine = keys()
    return {stage for stage in mine if mine[stage] != other[stage]}


def with_setting(section: str, name: str, value: Any) -> Settings:
    values = getattr(DEFAULT, section).model_copy(update={name: value})
    return DEFAULT.model_copy(update={section: values})


@pytest.mark.parametrize(
    ("section", "name"),
    [
        *(("audio", name) for name in ("segment_limit_minutes", "hard_limit_minutes", "source_limit_minutes")),
        *(("audio", name) for name in ("source_limit_mb", "decoder_seconds", "decoder_memory_mb")),
        *(("engines", "cores"), ("tapes", "tries"), ("review", "upload_limit_mb")),
    ],
)
def test_a_raised_limit_repeats_nothing(section: str, name: str) -> None:
    assert changed(keys(with_setting(section, name, 9999))) == set()


def test_another_transcript_hears_nothing_again() -> None:
    assert changed(keys(transcript="digest")) == {"run", "attribute", "tag"}


def test_the_encoder_that_training_starts_from_repeats_nothing() -> None:
    assert changed(keys(with_setting("coding", "encoder", "another"))) == set()


@pytest.mark.parametrize(
    ("section", "name", "stages"),
    [
        ("audio", "quiet_dbfs", {"run", *NEEDS}),
        ("engines", "device", {"run", "transcribe", "diarize", "attribute", "tag"}),
        ("transcription", "beam", {"run", "transcribe", "attribute", "tag"}),
        ("diarization", "threshold", {"run", "diarize", "attribute", "tag"}),
        ("measures", "draws", {"run"}),
    ],
)
def test_a_setting_repeats_the_stages_that_it_decides(section: str, name: str, stages: set[str]) -> None:
    assert changed(keys(with_setting(section, name, 3))) == stages


@pytest.mark.parametrize(
    ("part", "stages"),
    [
        ("transcriber", {"run", "transcribe", "attribute", "tag"}),
        ("embedding", {"run", "diarize", "attribute", "tag"}),
        ("sentences", {"run", "attribute", "tag"}),
        ("tagger", {"run", "tag"}),
    ],
)
def test_other_weights_repeat_the_stages_that_load_them(part: str, stages: set[str]) -> None:
    assert changed(keys(models=MODELS | {part: {"model": part, "checksum": "1"}})) == stages
    assert changed(keys(models={other: MODELS[other] for other in MODELS if other != part})) == stages


@pytest.mark.parametrize(
    ("package", "stages"),
    [
        ("av", {"run", *NEEDS}),
        ("faster-whisper", {"run", "transcribe", "diarize", "attribute", "tag"}),
        ("ctranslate2", {"run", "transcribe", "attribute", "tag"}),
        ("pyannote.audio", {"run", "diarize", "attribute", "tag"}),
        ("spacy", {"run", "attribute", "tag"}),
        ("numpy", {"run"}),
    ],
)
def test_another_version_of_an_engine_repeats_its_stages(
    package: str, stages: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = keys()
    known = stage_keys.versions()
    monkeypatch.setattr(stage_keys, "versions", lambda: known | {package: "0.0.1"})
    other = keys()
    assert {stage for stage in mine if mine[stage] != other[stage]} == stages


def test_every_engine_is_installed_and_named_in_the_provenance() -> None:
    found = StageKeys("source", ASKED, DEFAULT, MODELS, {}).versions
    assert {"faster-whisper", "ctranslate2", "pyannote.audio", "onnxruntime", "spacy", "torch", "av"} <= set(found)
    assert None not in found.values()


def test_a_misspelled_part_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in NEEDS:
        with monkeypatch.context() as patch:
            patch.setitem(NEEDS, stage, (*NEEDS[stage], "setings.audio"))
            with pytest.raises(KeyError, match=r"setings\.audio"):
                keys()


def test_a_misspelled_model_or_setting_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError, match="embeding"):
        keys(models={"embeding": MODELS["embedding"]})
    monkeypatch.setitem(stage_keys._SETTINGS, "audio", ("decoder_second",))
    with pytest.raises(KeyError, match="decoder_second"):
        keys()
    monkeypatch.setitem(stage_keys._SETTINGS, "audios", ())
    with pytest.raises((KeyError, AttributeError)):
        keys()
