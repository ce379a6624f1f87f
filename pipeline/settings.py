"""Settings: TOML files and environment variables, checked, with the origin of each value.

`configs/default.toml` names every setting and holds its default; later layers override single values: what the chosen
speech recognizer needs (`configs/transcribers`), profiles and files in the order given, then
``TAPE_REVIEW_<SECTION>__<KEY>`` from the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline import languages
from pipeline.errors import SettingsError

_REMEDY = "see configs/default.toml"
_PREFIX = "tape_review_"

OWN = "tape-review.toml"
"""In the folder of a speech recognizer: the settings of [transcription] that it needs."""


def project_folder(name: str) -> Path:
    """The project's `configs` or `models` folder, in a checkout as in an installed wheel."""
    package = Path(__file__).resolve().parent
    packed = package / "_project" / name
    return packed if packed.is_dir() else package.parent / name


def _language(value: object) -> object:
    """A language as its code, or "auto"; ValueError for any other text."""
    if not isinstance(value, str) or value.strip().lower() == languages.AUTO:
        return languages.AUTO if isinstance(value, str) else value
    code = languages.code(value)
    if code is None:
        raise ValueError("is not auto, and no code or English name of a language")
    return code


class Section(BaseModel):
    """A group of settings; unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AudioSettings(Section):
    """Limits of a recording."""

    segment_limit_minutes: float = Field(gt=0)
    hard_limit_minutes: float = Field(gt=0)
    source_limit_minutes: float = Field(gt=0)
    source_limit_mb: float = Field(gt=0)
    decoder_seconds: int = Field(ge=1)
    decoder_memory_mb: int = Field(ge=256)
    quiet_dbfs: float = Field(lt=0)
    silence_seconds: float = Field(gt=0)


MOST_TERMS = 60
"""More names and terms would leave the recognizer no room for what was said."""


def listed_terms(text: str) -> tuple[str, ...]:
    """Return the names and terms of a text that separates them by commas, semicolons or lines."""
    terms = (" ".join(term.split()) for term in re.split(r"[,;\n]", text))
    return tuple(dict.fromkeys(term for term in terms if term))


ExpectedTerms = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=60)], ...],
    BeforeValidator(lambda value: listed_terms(value) if isinstance(value, str) else value),
    Field(max_length=MOST_TERMS),
]
"""Names and terms that may be spoken; in the environment, separated by commas."""


class TranscriptionSettings(Section):
    """How speech becomes words."""

    model: str
    compute: str
    language: Annotated[str, BeforeValidator(_language)]
    prompt: str
    terms: ExpectedTerms
    beam: int = Field(ge=1, le=10)
    timed_beam: int = Field(ge=0, le=10)
    plain_beam: int = Field(ge=0, le=10)
    thin_words: float = Field(ge=0)
    batch: int = Field(ge=1)
    window_seconds: float = Field(ge=5, le=30)
    vad_threshold: float = Field(gt=0, lt=1)
    vad_pause_ms: int = Field(ge=100)
    vad_margin_ms: int = Field(ge=0)
    outside_ms: int = Field(ge=0)
    vocalization_ms: int = Field(ge=60)
    log_probability_limit: float = Field(lt=0)
    compression_limit: float = Field(gt=1)


class DiarizationSettings(Section):
    """How voices are told apart."""

    pipeline: str
    roles: str
    segmentation: str
    embedding: str
    segmentation_step: float = Field(gt=0, le=1)
    threshold: float = Field(gt=0, lt=2)
    min_cluster_size: int = Field(ge=1)
    batch: int = Field(ge=1)
    ghost_share: float = Field(ge=0, lt=0.5)
    ghost_seconds: float = Field(ge=0)
    ghost_likeness: float = Field(ge=-1, le=1)


class CodingSettings(Section):
    """How utterances are found and pre-tagged."""

    sentences: str
    tagger: str
    adaptation: str
    encoder: str
    codebook: str


class MeasuresSettings(Section):
    """How measures are reported."""

    interval: float = Field(gt=0, lt=1)
    draws: int = Field(ge=200, le=100_000)
    seed: int = Field(ge=0)


class ModelsSettings(Section):
    """Where weights lie, and which there are besides those of the bundled catalog."""

    folder: str
    catalog: str


class EnginesSettings(Section):
    """The hardware that the engines use."""

    cores: int = Field(ge=1)
    device: Literal["cpu", "cuda"]


def _network(text: str) -> str:
    ip_network(text)  # ValueError where it is none
    return text


def _listed(value: object) -> object:
    """A list as the environment holds it: ``10.0.0.1, 10.1.0.0/16``, or as in a file."""
    return re.findall(r'[^\s,"\[\]]+', value) if isinstance(value, str) else value


Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_listed)]
"""IP addresses, and networks in CIDR notation."""


class ReviewSettings(Section):
    """How the review room is reached."""

    host: str
    port: int = Field(ge=1, le=65535)
    address: str = Field(pattern=r"^$|^https?://[^/\s]+$")
    idle_minutes: int = Field(ge=1)
    absolute_hours: int = Field(ge=1)
    trusted_proxies: Networks
    certificate_file: str
    certificate_key_file: str
    upload_limit_mb: int = Field(ge=1)
    drafts_limit: int = Field(ge=1)
    drafts_limit_mb: int = Field(ge=1)
    oidc_issuer: str = Field(pattern=r"^$|^https?://\S+$")
    oidc_client_id: str
    oidc_secret_file: str


class MailSettings(Section):
    """The mail server of the host, if mails are to be sent."""

    host: str
    port: int = Field(ge=1, le=65535)
    security: Literal["starttls", "tls", "none"]
    user: str
    password_file: str
    sender: str


class MonitoringSettings(Section):
    """For whoever watches over the program; no word of a tape is in it."""

    metrics: bool
    metrics_readers: Networks
    metrics_token_file: str
    request_log: bool
    least_free_mb: int = Field(ge=0)


class TapesSettings(Section):
    """Where tapes are kept, and how the jobs on them run."""

    home: str
    keys: str
    database: str
    queue: str
    jobs_at_once: int = Field(ge=1, le=64)
    gpu_queue: bool
    tries: int = Field(ge=1, le=100)
    poll_seconds: float = Field(ge=0.01, le=60)
    heartbeat_seconds: float = Field(ge=0.05, le=60)
    dead_after_seconds: float = Field(ge=0.2, le=3600)


class Settings(Section):
    """All settings of one run."""

    audio: AudioSettings
    transcription: TranscriptionSettings
    diarization: DiarizationSettings
    coding: CodingSettings
    measures: MeasuresSettings
    models: ModelsSettings
    engines: EnginesSettings
    review: ReviewSettings
    mail: MailSettings
    monitoring: MonitoringSettings
    tapes: TapesSettings


def with_terms(settings: Settings, terms: Sequence[str]) -> Settings:
    """Return settings whose recognizer also listens for these names and terms.

    Raises
    ------
    SettingsError: S03 they are too many, or one is too long.
    """
    wanted = tuple(dict.fromkeys((*settings.transcription.terms, *terms)))
    try:
        transcription = TranscriptionSettings(**settings.transcription.model_dump() | {"terms": wanted})
    except ValidationError as error:
        value = f"are {len(wanted)}, the longest of {max(map(len, wanted))} characters"
        remedy = f"name at most {MOST_TERMS}, each of at most 60 characters"
        raise SettingsError("S03", "names and terms", value, remedy) from error
    return settings.model_copy(update={"transcription": transcription})


def with_language(settings: Settings, language: str | None) -> Settings:
    """Return the settings with the language that was asked for a tape; as they are for None."""
    if language is None:
        return settings
    return settings.model_copy(
        update={"transcription": settings.transcription.model_copy(update={"language": language})}
    )


@dataclass(frozen=True)
class Loaded:
    """Settings together with where each value came from (``"audio.hard_limit_minutes" -> "default.toml"``)."""

    settings: Settings
    origins: Mapping[str, str]


def profiles() -> list[str]:
    """Names for ``--profile``: the files in `configs/` beside the default."""
    return sorted(file.stem for file in project_folder("configs").glob("*.toml") if file.stem != "default")


def load(names: Sequence[str] = (), files: Sequence[Path] = ()) -> Loaded:
    """Merge the default, the recognizer's own settings, the named profiles, the files and the environment.

    Raises
    ------
    SettingsError: S01 unreadable file, S02 unknown setting, S03 wrong value, S04 unknown profile.
    """
    folder = project_folder("configs")
    for name in names:
        if name not in profiles():
            raise SettingsError("S04", f"profile {name!r}", "does not exist", f"choose one of {', '.join(profiles())}")
    layers = [(path.name, _read(path)) for path in [folder / "default.toml", *(folder / f"{n}.toml" for n in names)]]
    layers += [(str(path), _read(path)) for path in files]
    layers.append(("environment", _environment()))
    return _loaded(layers)


def recognizer_settings(model: str) -> TranscriptionSettings:
    """Return the settings with which a speech recognizer works where nothing else is said."""
    default = project_folder("configs") / "default.toml"
    layers = [(default.name, _read(default)), (model, {"transcription": {"model": model}})]
    return _loaded(layers).settings.transcription


def _loaded(layers: list[tuple[str, dict[str, Any]]]) -> Loaded:
    """The settings of the layers, the default first."""
    merged: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for origin, layer in [layers[0], *_transcriber(layers), *layers[1:]]:
        for section, values in layer.items():
            if section not in Settings.model_fields or not isinstance(values, dict):
                raise SettingsError("S02", f"setting {section!r} in {origin}", "is unknown", _REMEDY)
            for key, value in values.items():
                merged.setdefault(section, {})[key] = value
                origins[f"{section}.{key}"] = origin
    return Loaded(_validated(merged, origins), origins)


def _transcriber(layers: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """The layer of the recognizer that the layers choose; none for the default's, whose settings those are.

    A recognizer in a folder brings its own in a file `OWN` beside its weights.
    """
    sections = (layer.get("transcription") for _, layer in layers)
    names = [section["model"] for section in sections if isinstance(section, dict) and "model" in section]
    default, chosen = names[0], str(names[-1])
    if chosen == default:
        return []
    folder = project_folder("configs") / "transcribers"
    known = {path.stem: path for path in folder.glob("*.toml")}
    brought = Path(chosen).expanduser() / OWN
    path = brought if brought.is_file() else known.get(chosen, folder / "other.toml")
    return [(str(brought) if path == brought else f"transcribers/{path.name}", _read(path))]


def _environment() -> dict[str, dict[str, str]]:
    """The settings in the environment: section -> key -> value, as text.

    A variable without ``__`` is none of ours, whatever it is called: `TAPE_REVIEW_MODELS` may be another program's.
    """
    sections: dict[str, dict[str, str]] = {}
    for name, value in os.environ.items():
        section, nested, key = name.lower().removeprefix(_PREFIX).partition("__")
        if not name.lower().startswith(_PREFIX) or not nested:
            continue
        if section not in Settings.model_fields:
            raise SettingsError("S02", f"setting {section + '.' + key!r} in environment", "is unknown", _REMEDY)
        sections.setdefault(section, {})[key] = value
    return sections


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            "S01", f"settings file {path}", f"cannot be read ({error})", "fix it or name another file"
        ) from error


def _validated(merged: dict[str, dict[str, Any]], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings(**merged)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        origin = origins.get(name, next((o for key, o in origins.items() if key.startswith(f"{name}.")), "no file"))
        if first["type"] == "extra_forbidden":
            raise SettingsError("S02", f"setting {name!r} in {origin}", "is unknown", _REMEDY) from error
        value = f"is {first['input']!r}: {first['msg']}"
        raise SettingsError("S03", f"setting {name!r} in {origin}", value, _REMEDY) from error
