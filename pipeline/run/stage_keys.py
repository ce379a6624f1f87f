"""What decides each stage's result, and the keys under which results are kept.

A stage depends on the parts that `NEEDS` lists, on the recording and on the version of this program. Whatever only
decides whether or how fast there is a result (limits, cores, where weights and tapes lie) is no part of any key: who
raises a limit finds the finished stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from pipeline import __version__
from pipeline.run.stage_cache import digest
from pipeline.settings import Settings

MODELS = ("transcriber", "segmentation", "embedding", "diarizer", "sentences", "roles", "tagger", "adaptation")
"""The weights that a run may load; a run has no need of some of them."""

PACKAGES: dict[str, tuple[str, ...]] = {
    "decode": ("av", "soundfile", "soxr"),
    "transcribe": ("faster-whisper", "ctranslate2", "onnxruntime", "tokenizers"),
    "diarize": ("pyannote.audio", "torch", "scipy", "faster-whisper", "onnxruntime"),
    "attribute": ("spacy",),
    "tag": ("onnxruntime", "tokenizers"),
    "measure": ("numpy", "pandas", "scipy"),
}
"""The packages that compute each stage: another version may compute something else."""

_SETTINGS: dict[str, tuple[str, ...]] = {
    "audio": (
        *("segment_limit_minutes", "hard_limit_minutes", "source_limit_minutes", "source_limit_mb"),
        *("decoder_seconds", "decoder_memory_mb"),
    ),
    "transcription": (),
    "diarization": (),
    "coding": ("encoder",),
    "measures": (),
    "engines": ("cores",),
}
"""The sections of the settings that decide results -> the settings in them that do not."""

_DECODE = ("start", "end", "settings.audio", "versions.decode")
_VOICES = (*_DECODE, "speakers", "diarizer", "turns", "settings.engines")
_TRANSCRIBE = (*_VOICES, "settings.transcription", "model.transcriber", "versions.transcribe")
_DIARIZE = (
    *(*_VOICES, "settings.diarization", "model.segmentation", "model.embedding", "model.diarizer"),
    "versions.diarize",
)
_ATTRIBUTE = (
    *_TRANSCRIBE,
    *_DIARIZE,
    "interviewer",
    "transcript",
    "model.roles",
    "model.sentences",
    "versions.attribute",
)

NEEDS: dict[str, tuple[str, ...]] = {
    "decode": _DECODE,
    "transcribe": _TRANSCRIBE,
    "diarize": _DIARIZE,
    "attribute": _ATTRIBUTE,
    "tag": (*_ATTRIBUTE, "tape_id", "target_behavior", "model.tagger", "model.adaptation", "versions.tag"),
}
"""Stage -> the parts of the inputs that it depends on; what is transcribed of a channel depends on its voices."""


class StageKeys:
    """The keys of one run and its stages.

    Parameters
    ----------
    source: SHA-256 of the recording.
    asked: what a member asked for.
    models: what is loaded, by its part of the run (`MODELS`).
    codebook: the codebook by which measures count.

    Raises
    ------
    KeyError: a stage, an input, a setting or a model has a name that is not known: no key may silently leave it out.
    """

    def __init__(
        self,
        source: str,
        asked: Mapping[str, Any],
        settings: Settings,
        models: Mapping[str, Mapping[str, str]],
        codebook: Mapping[str, Any],
    ) -> None:
        if unknown := models.keys() - set(MODELS):
            raise KeyError(f"no part of a run is called {', '.join(sorted(unknown))}")
        self._source = source
        self.settings = decisive(settings)
        self.versions = versions()
        self._inputs = {
            **asked,
            **{f"settings.{section}": values for section, values in self.settings.items()},
            **{f"model.{part}": models.get(part) for part in MODELS},
            **{f"versions.{stage}": [self.versions[name] for name in names] for stage, names in PACKAGES.items()},
            "codebook": codebook,
        }
        self.run = self._key("run", *self._inputs)
        self._keys = {stage: self._key(stage, *parts) for stage, parts in NEEDS.items()}

    def __getitem__(self, stage: str) -> str:
        return self._keys[stage]

    def _key(self, stage: str, *parts: str) -> str:
        return digest(stage, __version__, self._source, {part: self._inputs[part] for part in parts})


def decisive(settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings that decide what comes out, section by section, as plain values."""
    found = {}
    for section, others in _SETTINGS.items():
        found[section] = getattr(settings, section).model_dump(mode="json")
        for name in others:
            del found[section][name]
    return found


@cache
def versions() -> dict[str, str | None]:
    """Package -> its version, for all `PACKAGES`; None where it is not installed."""
    return {name: _version(name) for names in PACKAGES.values() for name in names}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
