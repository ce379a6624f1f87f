"""The engines that a run loads: those that the settings name, each when it is first needed.

This is the seam where tests put engines of their own: anything with these methods will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from pipeline import model_catalog
from pipeline.audio import assembly
from pipeline.audio.file_layout import FileLayout
from pipeline.audio.recording import Recording
from pipeline.audio.source_bytes import SoundSource
from pipeline.coding import sentences, tagger
from pipeline.coding.segmentation import SentenceFinder
from pipeline.coding.tagger import Tagger
from pipeline.run.progress import Progress
from pipeline.settings import Settings
from pipeline.speech import roles, transcriber
from pipeline.speech.diarization import diarizers
from pipeline.speech.diarization.contract import Diarizer, Kind
from pipeline.speech.roles import RoleModel
from pipeline.speech.transcriber import Transcriber


class Engines:
    """The engines of one run, as the settings name them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def decode(
        self,
        recordings: Sequence[SoundSource],
        layout: FileLayout,
        start: int | None,
        end: int | None,
        progress: Progress,
    ) -> Recording:
        """Read the segment of a recording's files; see `pipeline.audio.assembly.decode`."""
        return assembly.decode(recordings, layout, self.settings.audio, start, end, progress)

    def transcriber(self) -> Transcriber:
        """Return the engine that turns sound into words."""
        return transcriber.load(self.settings)

    def diarizer(self, kind: Kind, speakers: int | None, turns: Path | None, tape_id: str) -> Diarizer:
        """Return the engine that separates the voices."""
        return diarizers.load(kind, self.settings, speakers, turns, tape_id)

    def roles(self) -> RoleModel:
        """Return the model that decides who the interviewer is."""
        return roles.load(self.settings)

    def sentences(self) -> SentenceFinder:
        """Return the function that finds where a sentence may start."""
        return sentences.load(self.settings)

    @cached_property
    def tagger(self) -> Tagger:
        """The engine that proposes codes."""
        return tagger.load(self.settings)

    def models(self, kind: Literal["auto", "pyannote", "channels", "manual"]) -> dict[str, dict[str, str]]:
        """Return the models that each engine loads, with checksums; a missing one is an error before any work."""
        settings = self.settings
        names = {
            "transcriber": settings.transcription.model,
            "sentences": settings.coding.sentences,
        }
        if kind in ("auto", "pyannote"):
            parts = settings.diarization
            whole = {"diarizer": parts.pipeline}
            names |= whole if parts.pipeline else {"segmentation": parts.segmentation, "embedding": parts.embedding}
        for name in names.values():
            model_catalog.locate(name, settings.models)
        ours = {"tagger": settings.coding.tagger, "roles": settings.diarization.roles}
        weights = {part: model_catalog.trained(name) for part, name in ours.items()}
        provenance = {part: model_catalog.provenance(name, settings.models) for part, name in names.items()} | {
            part: {"model": folder.name, "checksum": model_catalog.checksum(folder)} for part, folder in weights.items()
        }
        return provenance | tagger.adaptation_provenance(settings)
