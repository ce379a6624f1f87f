"""What decides a stage's result is in its key, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline import settings
from pipeline.run import stage_keys
from pipeline.run.stage import Stage
from pipeline.run.stage_keys import RunInputs, decisive
from pipeline.settings import Settings
from pipeline.stages import STAGES

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
    "roles": None,
    "transcript": None,
    "layout": {"tracks": [], "join": False, "gaps": [], "offset": None},
}
MODELS = {part: {"model": part, "checksum": "0"} for part in stage_keys.MODELS}
ALL = {"run", *(stage.name for stage in STAGES)}
CODED = {"run", "tag", "measure", "report"}


def keys(
    chosen: Settings = DEFAULT,
    models: dict[str, dict[str, str]] = MODELS,
    stages: tuple[Stage[Any], ...] = STAGES,
    *,
    source: str = "source",
    codebook: str = "pretags",
    turns: list[str] | None = None,
    **request: Any,
) -> dict[str, str]:
    asked = ASKED | request | {"turns": turns[0] if turns else None}
    inputs = RunInputs(source, asked, decisive(chosen), models, {"name": codebook}, turns)
    run = inputs.key(stages)
    return {"run": run, **stage_keys.stage_keys(stages, inputs.named() | {"provenance": run})}


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


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"source": "other"}, ALL),
        ({"end": 20_000}, ALL),
        ({"diarizer": "channels"}, ALL - {"decode"}),
        ({"speakers": 3}, {"diarize", "attribute"} | CODED),
        ({"turns": ["digest", "tape-1", "a.wav"]}, {"diarize", "attribute"} | CODED),
        ({"interviewer": "S2"}, {"attribute"} | CODED),
        ({"layout": {"tracks": [], "join": True, "gaps": [], "offset": None}}, ALL),
        ({"roles": {"S1": "client", "S2": "interviewer"}}, {"attribute"} | CODED),
        ({"transcript": "digest"}, {"attribute"} | CODED),
        ({"target_behavior": "eating less"}, CODED),
        ({"tape_id": "tape-2"}, CODED),
        ({"codebook": "oars"}, {"run", "measure", "report"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",  # a set has no order that stays
)
def test_what_is_asked_for_repeats_the_stages_that_use_it(changes: dict[str, Any], stages: set[str]) -> None:
    assert changed(keys(**changes)) == stages


@pytest.mark.parametrize("position", [1, 2])
def test_the_names_by_which_the_lines_of_manual_turns_are_matched_repeat_the_diarization(position: int) -> None:
    turns = ["digest", "tape-1", "a.wav"]
    other = [*turns]
    other[position] = "other"
    before, after = keys(turns=turns), keys(turns=other)
    assert before["diarize"] != after["diarize"]
    assert before["transcribe"] == after["transcribe"]


def test_every_input_of_a_run_is_used_by_a_stage() -> None:
    inputs = RunInputs("source", ASKED, decisive(DEFAULT), MODELS, {})
    unused = inputs.named().keys() - {name for stage in STAGES for name in stage.inputs}
    assert unused == {"settings.coding"}  # its codebook and models stand under names of their own


def test_the_encoder_that_training_starts_from_repeats_nothing() -> None:
    assert changed(keys(with_setting("coding", "encoder", "another"))) == set()


@pytest.mark.parametrize(
    ("section", "name", "stages"),
    [
        ("audio", "quiet_dbfs", ALL),
        ("engines", "device", ALL - {"decode"}),
        ("transcription", "beam", {"transcribe", "attribute"} | CODED),
        ("diarization", "threshold", {"diarize", "attribute"} | CODED),
        ("measures", "draws", {"run", "measure", "report"}),
    ],
)
def test_a_setting_repeats_the_stages_that_it_decides(section: str, name: str, stages: set[str]) -> None:
    assert changed(keys(with_setting(section, name, 3))) == stages


@pytest.mark.parametrize(
    ("part", "stages"),
    [
        ("transcriber", {"transcribe", "attribute"} | CODED),
        ("embedding", {"diarize", "attribute"} | CODED),
        ("sentences", {"attribute"} | CODED),
        ("tagger", CODED),
    ],
)
def test_other_weights_repeat_the_stages_that_load_them(part: str, stages: set[str]) -> None:
    assert changed(keys(models=MODELS | {part: {"model": part, "checksum": "1"}})) == stages
    assert changed(keys(models={other: MODELS[other] for other in MODELS if other != part})) == stages


@pytest.mark.parametrize(
    ("package", "stages"),
    [
        ("av", ALL),
        ("faster-whisper", ALL - {"decode"}),
        ("ctranslate2", {"transcribe", "attribute"} | CODED),
        ("pyannote.audio", {"diarize", "attribute"} | CODED),
        ("spacy", {"attribute"} | CODED),
        ("numpy", {"run", "measure", "report"}),
    ],
)
def test_another_version_of_an_engine_repeats_its_stages(
    package: str, stages: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = keys()
    installed = stage_keys.versions
    monkeypatch.setattr(stage_keys, "versions", lambda stages: installed(stages) | {package: "0.0.1"})
    other = keys()
    assert {stage for stage in mine if mine[stage] != other[stage]} == stages


def test_every_engine_is_installed_and_named_in_the_provenance() -> None:
    versions = stage_keys.versions(STAGES)
    assert {"faster-whisper", "ctranslate2", "pyannote.audio", "onnxruntime", "spacy", "torch", "av"} <= set(versions)
    assert None not in versions.values()


@pytest.mark.parametrize("number", range(len(STAGES)), ids=[stage.name for stage in STAGES])
def test_a_misspelled_input_or_stage_is_an_error(number: int) -> None:
    stage = STAGES[number]
    misspelled = replace(stage, inputs=(*stage.inputs, "setings.audio")), replace(stage, takes=(*stage.takes, "decod"))
    for other, name in zip(misspelled, (r"setings\.audio", "decod"), strict=True):
        with pytest.raises(KeyError, match=name):
            keys(stages=(*STAGES[:number], other, *STAGES[number + 1 :]))


def test_a_stage_takes_no_later_one() -> None:
    with pytest.raises(KeyError, match="decode"):
        keys(stages=STAGES[1:])


def test_a_misspelled_model_or_setting_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError, match="embeding"):
        keys(models={"embeding": MODELS["embedding"]})
    monkeypatch.setitem(stage_keys._SETTINGS, "audio", ("decoder_second",))
    with pytest.raises(KeyError, match="decoder_second"):
        keys()
    monkeypatch.setitem(stage_keys._SETTINGS, "audios", ())
    with pytest.raises((KeyError, AttributeError)):
        keys()
