"""Settings: layers, origins, and mistakes that get a clear answer."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline import settings
from pipeline.errors import SettingsError
from pipeline.settings import Section, Settings, load, profiles, project_folder

CONFIGS = project_folder("configs")


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("TAPE_REVIEW_") and "__" in name:
            monkeypatch.delenv(name)


def written(folder: Path, text: str | bytes, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def failure(*files: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load(files=files)
    return str(caught.value)


# what the project ships


def test_the_default_names_every_setting_and_no_other() -> None:
    default = tomllib.loads((CONFIGS / "default.toml").read_text(encoding="utf-8"))
    named = {f"{section}.{key}" for section, values in default.items() for key in values}
    known = {
        f"{section}.{key}"
        for section, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
        for key in field.annotation.model_fields
    }
    assert named == known
    assert {name.split(".")[0] for name in known} == set(Settings.model_fields)


def test_every_default_comes_from_the_default_file() -> None:
    loaded = load()
    assert set(loaded.origins.values()) == {"default.toml"}
    assert set(loaded.origins) == {
        f"{section}.{key}" for section, values in loaded.settings.model_dump().items() for key in values
    }


def test_no_setting_has_its_default_in_code() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings()  # type: ignore[call-arg]
    assert {error["loc"][0] for error in caught.value.errors()} == set(Settings.model_fields)
    for field in Settings.model_fields.values():
        assert isinstance(field.annotation, type)
        assert all(each.is_required() for each in field.annotation.model_fields.values())


def test_every_profile_loads() -> None:
    assert "gpu" in profiles()
    assert "default" not in profiles()
    for name in profiles():
        assert load([name]).settings


def test_settings_never_change() -> None:
    loaded = load().settings
    with pytest.raises(ValidationError, match="frozen"):
        loaded.engines.cores = 4
    with pytest.raises(ValidationError, match="frozen"):
        loaded.engines = loaded.engines


# layers


def test_a_file_overrides_single_values(tmp_path: Path) -> None:
    path = written(tmp_path, "[audio]\nsegment_limit_minutes = 15")
    loaded = load(files=[path])
    assert loaded.settings.audio.segment_limit_minutes == 15
    assert loaded.settings.audio.hard_limit_minutes == load().settings.audio.hard_limit_minutes
    assert loaded.origins["audio.segment_limit_minutes"] == str(path)
    assert loaded.origins["audio.hard_limit_minutes"] == "default.toml"


def test_later_files_win(tmp_path: Path) -> None:
    first = written(tmp_path, "[engines]\ncores = 3", "first.toml")
    second = written(tmp_path, "[engines]\ncores = 4", "second.toml")
    assert load(files=[first, second]).settings.engines.cores == 4
    assert load(files=[second, first]).settings.engines.cores == 3


def test_the_environment_wins_over_files_and_files_over_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "configs"
    profile.mkdir()
    written(profile, (CONFIGS / "default.toml").read_bytes(), "default.toml")
    written(profile, "[engines]\ncores = 3\ndevice = 'cuda'", "big.toml")
    monkeypatch.setattr(settings, "project_folder", {"configs": profile}.__getitem__)
    assert profiles() == ["big"]
    assert load(["big"]).settings.engines.cores == 3
    mine = written(tmp_path, "[engines]\ncores = 4")
    assert load(["big"], [mine]).settings.engines.cores == 4
    monkeypatch.setenv("TAPE_REVIEW_ENGINES__CORES", "5")
    loaded = load(["big"], [mine])
    assert loaded.settings.engines.cores == 5
    assert loaded.origins["engines.cores"] == "environment"
    assert loaded.origins["engines.device"] == "big.toml"


def test_names_in_the_environment_may_be_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("tape_review_engines__cores", "5")
    assert load().settings.engines.cores == 5


def test_text_in_the_environment_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPE_REVIEW_TRANSCRIPTION__MODEL", "5")
    assert load().settings.transcription.model == "5"


def test_a_variable_without_a_section_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPE_REVIEW_HOME", "/somewhere")
    monkeypatch.setenv("TAPE_REVIEW_", "x")
    assert set(load().origins.values()) == {"default.toml"}


@pytest.mark.parametrize("value", ["/x", "", "2", "{", '{"cores": 3}'])
@pytest.mark.parametrize("section", Settings.model_fields)
def test_a_variable_called_like_a_section_is_none_of_ours(
    section: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TAPE_REVIEW_MODELS=/x` broke every command."""
    monkeypatch.setenv(f"TAPE_REVIEW_{section.upper()}", value)
    assert set(load().origins.values()) == {"default.toml"}
    monkeypatch.setenv("TAPE_REVIEW_ENGINES__CORES", "5")
    assert load().settings.engines.cores == 5


def test_a_file_from_an_editor_that_marks_its_encoding_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf[engines]\r\ncores = 3\r\n")
    assert load(files=[path]).settings.engines.cores == 3


# mistakes


def test_an_unknown_profile_names_those_that_exist() -> None:
    with pytest.raises(SettingsError, match=r"TR-S04 profile 'gup' does not exist; choose one of .*gpu"):
        load(["gup"])


@pytest.mark.parametrize("name", ["../default", "default", "", "gpu.toml"])
def test_a_profile_is_a_name_and_no_path(name: str) -> None:
    with pytest.raises(SettingsError, match="TR-S04"):
        load([name])


@pytest.mark.parametrize("text", ["x = [", b"\xff\xfe[\x00", "[engines]\ncores = 2\ncores = 3"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str | bytes) -> None:
    path = written(tmp_path, text)
    assert failure(path).startswith(f"TR-S01 settings file {path} cannot be read (")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert failure(tmp_path / "none.toml").startswith(f"TR-S01 settings file {tmp_path / 'none.toml'} cannot be read (")
    assert failure(tmp_path).startswith(f"TR-S01 settings file {tmp_path} cannot be read (")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[engines]\ncore = 3", "engines.core"),
        ("[engine]\ncores = 3", "engine"),
        ("[engine]", "engine"),
        ("cores = 3", "cores"),
        ("engines = 3", "engines"),
    ],
)
def test_an_unknown_setting_is_named_with_its_file(tmp_path: Path, text: str, name: str) -> None:
    path = written(tmp_path, text)
    assert failure(path) == f"TR-S02 setting '{name}' in {path} is unknown; see configs/default.toml"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("[engines]\ncores = 0", "engines.cores", "0"),
        ("[engines]\ncores = 2.5", "engines.cores", "2.5"),
        ("[engines]\ncores = 'two'", "engines.cores", "'two'"),
        ("[engines]\ndevice = 'tpu'", "engines.device", "'tpu'"),
        ("[engines.device]\nname = 'cpu'", "engines.device", "{'name': 'cpu'}"),
        ("[measures]\ninterval = 1.0", "measures.interval", "1.0"),
        ("[audio]\nsegment_limit_minutes = inf", "audio.segment_limit_minutes", "inf"),
        ("[audio]\nsegment_limit_minutes = nan", "audio.segment_limit_minutes", "nan"),
        ("[audio]\nsegment_limit_minutes = -1", "audio.segment_limit_minutes", "-1"),
        ("[transcription]\nmodel = 5", "transcription.model", "5"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(tmp_path: Path, text: str, name: str, value: str) -> None:
    path = written(tmp_path, text)
    message = failure(path)
    assert message.startswith(f"TR-S03 setting '{name}' in {path} is {value}: Input should be ")
    assert message.endswith("; see configs/default.toml")


def test_the_origin_in_a_message_is_that_of_the_value(tmp_path: Path) -> None:
    right = written(tmp_path, "[measures]\ninterval = 0.8", "right.toml")
    wrong = written(tmp_path, "[engines]\ncores = 0", "wrong.toml")
    assert f"'engines.cores' in {wrong} is 0" in failure(wrong, right)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TAPE_REVIEW_ENGINES__CORES", "many", "TR-S03 setting 'engines.cores' in environment is 'many'"),
        ("TAPE_REVIEW_ENGINES__CORE", "2", "TR-S02 setting 'engines.core' in environment is unknown"),
        ("TAPE_REVIEW_ENGINE__CORES", "2", "TR-S02 setting 'engine.cores' in environment is unknown"),
        ("TAPE_REVIEW_ENGINES__CORES__X", "2", "TR-S02 setting 'engines.cores__x' in environment is unknown"),
        ("TAPE_REVIEW_ENGINES__", "2", "TR-S02 setting 'engines.' in environment is unknown"),
        ("TAPE_REVIEW___CORES", "2", "TR-S02 setting '.cores' in environment is unknown"),
    ],
)
def test_mistakes_in_the_environment(variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    assert failure().startswith(message)


def test_the_projects_folders_are_there() -> None:
    assert (project_folder("configs") / "default.toml").is_file()
    assert (project_folder("models") / "catalog.toml").is_file()


def test_a_recognizer_brings_its_own_settings() -> None:
    """Base's three decodings are base's; another model is decoded as its own file says, wherever it is chosen."""
    base = load().settings.transcription
    assert (base.model, base.beam, base.timed_beam, base.plain_beam) == ("whisper-base", 2, 2, 1)
    loaded = load(["accurate"])
    turbo = loaded.settings.transcription
    assert (turbo.model, turbo.beam, turbo.timed_beam, turbo.plain_beam) == ("whisper-large-v3-turbo", 5, 0, 0)
    assert loaded.origins["transcription.beam"] == "transcribers/whisper-large-v3-turbo.toml"
    assert turbo.prompt == base.prompt


def test_what_somebody_sets_wins_over_the_recognizers_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[transcription]\nbeam = 3\n")
    monkeypatch.setenv("TAPE_REVIEW_TRANSCRIPTION__MODEL", "whisper-small.en")
    transcription = load(files=[mine]).settings.transcription
    assert (transcription.model, transcription.beam, transcription.plain_beam) == ("whisper-small.en", 3, 0)


def test_a_folder_brings_its_own_or_gets_those_of_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ears"
    folder.mkdir()
    monkeypatch.setenv("TAPE_REVIEW_TRANSCRIPTION__MODEL", str(folder))
    assert load().origins["transcription.beam"] == "transcribers/other.toml"
    (folder / "tape-review.toml").write_text("[transcription]\nbeam = 1\nwindow_seconds = 20\n")
    loaded = load()
    assert (loaded.settings.transcription.beam, loaded.settings.transcription.window_seconds) == (1, 20)
    assert loaded.origins["transcription.beam"] == str(folder / "tape-review.toml")
    (folder / "tape-review.toml").write_text("[transcription]\nbeams = 1\n")
    with pytest.raises(SettingsError, match="TR-S02 setting 'transcription.beams' in .*tape-review.toml is unknown"):
        load()


def test_every_recognizer_of_the_catalog_has_settings_of_its_own() -> None:
    from pipeline import model_catalog

    settings = load().settings
    files = {path.stem for path in (project_folder("configs") / "transcribers").glob("*.toml")}
    names = {entry.name for entry in model_catalog.catalog(settings.models) if entry.whisper}
    assert files == names - {settings.transcription.model} | {"other"}


def test_the_profiles_for_ears_and_card_go_together() -> None:
    both = load(["accurate", "gpu"]).settings
    assert (both.transcription.model, both.transcription.compute) == ("whisper-large-v3-turbo", "float16")
    assert (both.transcription.batch, both.engines.device, both.diarization.pipeline) == (16, "cuda", "community-1")


def test_terms_are_listed_by_commas_semicolons_or_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPE_REVIEW_TRANSCRIPTION__TERMS", "Suboxone, Presque  Isle;Suboxone,,\nNguyen ")
    assert load().settings.transcription.terms == ("Suboxone", "Presque Isle", "Nguyen")


def test_terms_of_a_tape_join_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPE_REVIEW_TRANSCRIPTION__TERMS", "Suboxone")
    assert settings.with_terms(load().settings, ["Caribou", "Suboxone"]).transcription.terms == ("Suboxone", "Caribou")
    with pytest.raises(SettingsError, match="TR-S03 names and terms are 62, .*; name at most 60"):
        settings.with_terms(load().settings, [f"term {number}" for number in range(61)])
