"""The diarizer that tells voices apart by their sound, with pyannote.audio."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import model_catalog
from pipeline.audio.recording import SAMPLE_RATE, Recording
from pipeline.run.progress import Progress
from pipeline.settings import Settings
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import (
    Diarization,
    Voice,
    bridged,
    clipped,
    exclusive,
    ghosts,
    numbers,
    renamed,
)
from pipeline.speech.diarization.resegmentation import WINDOW, changes, likeness, moved
from pipeline.timeline import Span, to_ms

if TYPE_CHECKING:
    from pyannote.audio import Pipeline
    from pyannote.core import Annotation

_SHARES = {"segmentation": (0.05, 0.2), "embeddings": (0.2, 0.7), "second look": (0.7, 1.0)}
"""Where each step of the pipeline begins and ends in the progress of the whole."""


@dataclass(frozen=True)
class PyannoteDiarizer:
    """Runs a pyannote pipeline on the mean of the channels.

    ``speakers`` is how many voices there are; None lets the pipeline count them. A number makes it find so many even
    where fewer speak: the extra one is mostly a ghost.
    """

    settings: Settings
    speakers: int | None = 2

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Who speaks when, on one core.

        Raises
        ------
        ModelError: M01, M02 or M07, a model is not there or not what it should be.
        SpeechError: P14 the pipeline of the settings cannot be loaded.
        """
        with cores.one():
            pipeline, engine = self._load()
            progress(_SHARES["segmentation"][0])
            found = self._run(pipeline, recording, progress)
            window = Span(0, recording.duration)
            voices = clipped(_voices(found.speaker_diarization), window)
            alike: frozenset[str] = frozenset()
            if not self.settings.diarization.pipeline and voices:
                centers = _centers(found)
                changed = self._second_look(pipeline, voices, centers, progress)
                voices = clipped(moved(voices, changed), window)
                alike = self._alike(voices, centers)
        voices = bridged(voices)
        names = numbers(voices)
        voices = renamed(voices, names)
        ghostly = {*ghosts(voices, self.settings.diarization), *(names[speaker] for speaker in alike)}
        progress(1.0)
        return Diarization(voices, exclusive(voices), tuple(sorted(ghostly)), engine)

    def _second_look(
        self, pipeline: Any, voices: tuple[Voice, ...], centers: dict[str, np.ndarray], progress: Progress
    ) -> tuple[Voice, ...]:
        begin, end = _SHARES["second look"]
        last = voices[-1].span.end

        def listen(starts: Sequence[int]) -> np.ndarray:
            progress(begin + (end - begin) * min(starts[-1] / last, 1.0))
            return pipeline.listen(starts, WINDOW)

        try:
            return changes(voices, listen, centers)
        finally:
            pipeline.forget()

    def _alike(self, voices: Iterable[Voice], centers: dict[str, np.ndarray]) -> frozenset[str]:
        """Who sounds so much like somebody who speaks more that it is probably the same person."""
        spoken: Counter[str] = Counter()
        for voice in voices:
            spoken[voice.speaker] += voice.span.duration
        ordered = [speaker for speaker, _ in spoken.most_common() if speaker in centers]
        return frozenset(
            less
            for more, less in itertools.combinations(ordered, 2)
            if likeness(centers[more], centers[less]) > self.settings.diarization.ghost_likeness
        )

    def _load(self) -> tuple[Pipeline, dict[str, Any]]:
        import torch

        from pipeline.speech.diarization import pyannote_pipeline

        asked, weights, device = self.settings.diarization, self.settings.models, self.settings.engines.device
        if device == "cpu":
            torch.set_num_threads(1)
        if asked.pipeline:
            pipeline = pyannote_pipeline.pretrained(model_catalog.locate(asked.pipeline, weights))
            used = [model_catalog.provenance(asked.pipeline, weights)]
        else:
            names = asked.segmentation, asked.embedding
            segmentation, embedding = (model_catalog.folder(name, weights) for name in names)
            pipeline = pyannote_pipeline.build(segmentation, embedding, asked)
            used = [model_catalog.provenance(name, weights) for name in names]
        from pyannote.audio import __version__

        engine: dict[str, Any] = {
            "diarizer": "pyannote",
            "engine": "pyannote.audio",
            "version": __version__,
            "device": device,
        }
        engine |= {"speakers": self.speakers or "auto", "options": asked.model_dump(mode="json"), "models": used}
        return pipeline.to(torch.device(device)), engine

    def _run(self, pipeline: Pipeline, recording: Recording, progress: Progress) -> Any:
        import torch

        def show(step: str, _: object, total: int | None = None, completed: int | None = None, **__: object) -> None:
            if step in _SHARES and total and completed is not None:
                begin, end = _SHARES[step]
                progress(begin + (end - begin) * min(completed / total, 1.0))

        file = {"waveform": torch.from_numpy(recording.mono)[None], "sample_rate": SAMPLE_RATE, "uri": "recording"}
        with warnings.catch_warnings():
            # Fewer voices than were asked for, or too little speech to compare: the answer says so itself.
            warnings.filterwarnings("ignore", message=r"\s*The detected number of speakers")
            warnings.filterwarnings("ignore", message="Mean of empty slice", category=RuntimeWarning)
            warnings.filterwarnings("ignore", message="invalid value encountered", category=RuntimeWarning)
            return pipeline(file, num_speakers=self.speakers, hook=show)


def _centers(found: Any) -> dict[str, np.ndarray]:
    """The mean embedding of each speaker whom the clustering knows."""
    rows = zip(found.speaker_diarization.labels(), found.speaker_embeddings, strict=True)
    return {speaker: row for speaker, row in rows if np.isfinite(row).all() and row.any()}


def _voices(found: Annotation) -> list[Voice]:
    return [
        Voice(Span(max(0, to_ms(segment.start)), max(0, to_ms(segment.end))), speaker)
        for segment, _, speaker in found.itertracks(yield_label=True)
    ]
