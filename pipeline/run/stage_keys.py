"""The inputs of a run, and the keys under which the results of its stages are stored.

A stage's key is made of what the stage declares (`pipeline.run.stage.Stage`): its inputs, the versions of its packages,
and the keys of the stages that it takes; besides, of the version of this program. Whatever only decides whether or how
fast there is a result (limits, cores, where weights and tapes lie) is no part of any key: who raises a limit finds the
finished stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from pipeline import __version__
from pipeline.run.stage import Stage
from pipeline.run.stage_cache import digest
from pipeline.settings import Settings

MODELS = ("transcriber", "segmentation", "embedding", "diarizer", "sentences", "roles", "tagger", "adaptation")
"""The weights that a run may load; a run has no need of some of them."""

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


@dataclass(frozen=True)
class RunInputs:
    """All that may decide a result of one run, as plain JSON values.

    Parameters
    ----------
    source: the digest that stands for the recording's files (`pipeline.audio.file_layout.together`).
    request: what a member asked for, by name.
    turns: what identifies the turns that a human wrote, with what their file is matched by; None without.
    settings: see `decisive`.
    models: the weights that are loaded, by their part of the run (`MODELS`).
    codebook: the codebook by which measures count.
    """

    source: str
    request: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Any]]
    models: Mapping[str, Mapping[str, str]]
    codebook: Mapping[str, Any]
    turns: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if unknown := self.models.keys() - set(MODELS):
            raise KeyError(f"no part of a run is called {', '.join(sorted(unknown))}")

    def named(self) -> dict[str, Any]:
        """Return every input by the name under which a stage declares it."""
        return {
            **self.request,
            "recordings": self.source,
            "turns": self.turns,
            **{f"settings.{section}": values for section, values in self.settings.items()},
            **{f"model.{part}": self.models.get(part) for part in MODELS},
            "codebook": self.codebook,
        }

    def key(self, stages: Sequence[Stage[Any]]) -> str:
        """Return the digest that stands for the whole run: all inputs, and the packages of all its stages."""
        known = versions(stages)
        inputs = self.named() | {"turns": self.request["turns"]}
        del inputs["recordings"]
        packages = {f"versions.{stage.name}": [known[name] for name in stage.packages] for stage in stages}
        packages = {name: numbers for name, numbers in packages.items() if numbers}
        return digest("run", __version__, self.source, inputs | packages)


def stage_keys(stages: Sequence[Stage[Any]], inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return stage -> key, a digest.

    Parameters
    ----------
    inputs: as `RunInputs.named` returns them.

    Raises
    ------
    KeyError: a stage declares an input, or takes a stage, that does not exist or comes later: no key may leave it out.
    """
    known = versions(stages)
    keys: dict[str, str] = {}
    for stage in stages:
        keys[stage.name] = digest(
            stage.name,
            __version__,
            {name: inputs[name] for name in stage.inputs},
            {name: known[name] for name in stage.packages},
            {name: keys[name] for name in stage.takes},
        )
    return keys


def decisive(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the settings that decide results, section by section, as plain values.

    Raises
    ------
    KeyError, AttributeError: `_SETTINGS` names a section or a setting that does not exist.
    """
    sections = {}
    for section, indecisive in _SETTINGS.items():
        sections[section] = getattr(settings, section).model_dump(mode="json")
        for name in indecisive:
            del sections[section][name]
    return sections


def versions(stages: Sequence[Stage[Any]]) -> dict[str, str | None]:
    """Return package -> version for all packages of the stages; None where one is not installed."""
    return {name: _version(name) for stage in stages for name in stage.packages}


@cache
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
