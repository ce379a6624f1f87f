"""The checks of an installation, part by part."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import model_catalog
from pipeline.settings import Settings

_ENGINES = ("av", "ctranslate2", "faster_whisper", "onnxruntime", "sklearn", "soundfile", "spacy", "torch")
_ROOM = 2_000_000_000  # bytes: the largest recording that a room takes by default


NAMED = 3
"""How many of several things are named."""


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, what was found, and the remedy where it is wrong."""

    what: str
    fine: bool
    state: str
    remedy: str = ""

    @classmethod
    def of(cls, what: str, wrong: Iterable[object], remedy: str) -> Finding:
        """A check that finds nothing where all is well, and names some of many."""
        listed = [str(item) for item in wrong]
        more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
        return cls(what, not listed, ", ".join(listed[:NAMED]) + more or "nothing wrong", remedy if listed else "")


def check(settings: Settings) -> tuple[Finding, ...]:
    """Every check, none of which changes anything or touches the network."""
    return tuple(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")
    for name in _ENGINES:
        yield _tried(f"package {name}", lambda name=name: _version(name), "run `make install`")  # type: ignore[misc]
    chosen_models = {settings.transcription.model, settings.diarization.pipeline}
    for entry in model_catalog.catalog(settings.models):
        if entry.use == "run" or entry.name in chosen_models:
            fine = model_catalog.installed(entry, settings.models)
            presence = "installed" if fine else "missing"
            yield Finding(f"model {entry.name}", fine, presence, "" if fine else model_catalog.fetch_command(entry))
    for name in (settings.coding.tagger, settings.diarization.roles):
        yield _tried(f"weights {name}", lambda name=name: model_catalog.trained(name).name, "reinstall Tape Review")  # type: ignore[misc]
    free = shutil.disk_usage(Path.cwd()).free
    room = f"{free / 1e9:.1f} GB free here"
    yield Finding("disk", free > _ROOM, room, "" if free > _ROOM else "free 2 GB before processing a tape")


def _tried(what: str, attempt: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(what, True, attempt())
    except Exception as error:  # whatever keeps a package from loading is the finding
        return Finding(what, False, f"{type(error).__name__}: {error}", remedy)


def _version(name: str) -> str:
    return str(getattr(importlib.import_module(name), "__version__", "present"))
