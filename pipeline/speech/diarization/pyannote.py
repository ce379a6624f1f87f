"""The diarizer that tells voices apart by their sound, with pyannote.audio.

torch and pyannote.audio are imported only when it starts to work (`pipeline.speech.diarization.pyannote_pipeline`).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import model_catalog
from pipeline.audio.recording import SAMPLE_RATE, Recording
from pipeline.run.progress import Progress
from pipeline.settings import Settings
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import hidden_voices
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.diarization.resegmentation import WINDOW, cosine, reassign, reassignments
from pipeline.speech.diarization.segments import (
    crop,
    exclusive,
    fill_gaps,
    numbered_labels,
    relabel,
    speech_durations,
    spurious_speakers,
)
from pipeline.timeline import Span, to_ms

if TYPE_CHECKING:
    from pyannote.audio import Pipeline
    from pyannote.core import Annotation

_SHARES = {"segmentation": (0.05, 0.2), "embeddings": (0.2, 0.7), "resegmentation": (0.7, 1.0)}
"""The begin and end of each step in the progress of the whole; the first two are pyannote's names."""

_SHOWN_WINDOWS = 64  # short windows after which progress is shown: about half a second's work


@dataclass(frozen=True)
class PyannoteDiarizer:
    """Runs a pyannote pipeline on the mean of the channels.

    ``speakers`` is how many voices there are; None lets the pipeline count them. A number makes it return so many even
    where fewer speak: the extra one is mostly spurious.
    """

    settings: Settings
    speakers: int | None = 2

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Return who speaks when, computed on one core.

        Raises
        ------
        ModelError: M01, M02 or M07, a model is not there or not what it should be.
        SpeechError: P14 the pipeline of the settings cannot be loaded.
        """
        with cores.hold_one():
            pipeline, engine = self._load()
            progress(_SHARES["segmentation"][0])
            output = self._run(pipeline, recording, progress)
            window = Span(0, recording.duration)
            segments = crop(_segments(output.speaker_diarization), window)
            duplicates: frozenset[str] = frozenset()
            doubts = hidden_voices.Doubts((), ())
            if not self.settings.diarization.pipeline and segments:
                centers = _centers(output)
                doubts = self._second_opinion(pipeline)
                reassigned = self._reassignments(pipeline, segments, centers, progress)
                segments = crop(reassign(segments, reassigned), window)
                duplicates = self._duplicates(segments, centers)
        segments = fill_gaps(segments)
        labels = numbered_labels(segments)
        segments = relabel(segments, labels)
        spurious = {
            *spurious_speakers(segments, self.settings.diarization),
            *(labels[speaker] for speaker in duplicates),
        }
        progress(1.0)
        hidden, alike = doubts.by_speaker(segments)
        return Diarization(segments, exclusive(segments), tuple(sorted(spurious)), engine, hidden, alike)

    def _second_opinion(self, pipeline: Any) -> hidden_voices.Doubts:
        """Return where a free count of the voices disagrees with the number that was asked for."""
        if self.speakers is None:
            return hidden_voices.Doubts((), ())
        with _short_recordings():
            requested, local = pipeline.cluster(self.speakers)
            free, _ = pipeline.cluster(None)
        return hidden_voices.compare(requested, free, local.active, local.starts, local.frame)

    def _reassignments(
        self, pipeline: Any, segments: tuple[SpeakerSegment, ...], centers: dict[str, np.ndarray], progress: Progress
    ) -> tuple[SpeakerSegment, ...]:
        begin, end = _SHARES["resegmentation"]
        last = segments[-1].span.end

        def embed_windows(starts: Sequence[int]) -> np.ndarray:
            embeddings = []
            for first in range(0, len(starts), _SHOWN_WINDOWS):
                shown = starts[first : first + _SHOWN_WINDOWS]
                progress(begin + (end - begin) * min(shown[-1] / last, 1.0))
                embeddings.append(pipeline.embed_windows(shown, WINDOW))
            return np.concatenate(embeddings)

        try:
            return reassignments(segments, embed_windows, centers)
        finally:
            pipeline.release()

    def _duplicates(self, segments: Iterable[SpeakerSegment], centers: dict[str, np.ndarray]) -> frozenset[str]:
        """Speakers who sound so much like somebody who speaks more that they are probably the same person."""
        ordered = [speaker for speaker, _ in speech_durations(segments).most_common() if speaker in centers]
        return frozenset(
            less
            for more, less in itertools.combinations(ordered, 2)
            if cosine(centers[more], centers[less]) > self.settings.diarization.ghost_likeness
        )

    def _load(self) -> tuple[Pipeline, dict[str, Any]]:
        import torch

        from pipeline.speech.diarization import pyannote_pipeline

        options, weights, device = self.settings.diarization, self.settings.models, self.settings.engines.device
        if device == "cpu":
            torch.set_num_threads(1)
        if options.pipeline:
            pipeline = pyannote_pipeline.pretrained(model_catalog.locate(options.pipeline, weights))
            models = [model_catalog.provenance(options.pipeline, weights)]
        else:
            names = options.segmentation, options.embedding
            segmentation, embedding = (model_catalog.folder(name, weights) for name in names)
            pipeline = pyannote_pipeline.build(segmentation, embedding, options)
            models = [model_catalog.provenance(name, weights) for name in names]
        from pyannote.audio import __version__

        engine: dict[str, Any] = {
            "diarizer": "pyannote",
            "engine": "pyannote.audio",
            "version": __version__,
            "device": device,
        }
        engine |= {"speakers": self.speakers or "auto", "options": options.model_dump(mode="json"), "models": models}
        return pipeline.to(torch.device(device)), engine

    def _run(self, pipeline: Pipeline, recording: Recording, progress: Progress) -> Any:
        import torch

        def show(step: str, _: object, total: int | None = None, completed: int | None = None, **__: object) -> None:
            if step in _SHARES and total and completed is not None:
                begin, end = _SHARES[step]
                progress(begin + (end - begin) * min(completed / total, 1.0))

        file = {"waveform": torch.from_numpy(recording.mono)[None], "sample_rate": SAMPLE_RATE, "uri": "recording"}
        with _short_recordings():
            return pipeline(file, num_speakers=self.speakers, hook=show)


@contextmanager
def _short_recordings() -> Iterator[None]:
    """Silence the clustering on fewer voices than were asked for, or too little to compare: the result shows it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*The detected number of speakers")
        warnings.filterwarnings("ignore", message="Mean of empty slice", category=RuntimeWarning)
        warnings.filterwarnings("ignore", message="invalid value encountered", category=RuntimeWarning)
        yield


def _centers(output: Any) -> dict[str, np.ndarray]:
    """The mean embedding of each speaker that the clustering has one for."""
    rows = zip(output.speaker_diarization.labels(), output.speaker_embeddings, strict=True)
    return {speaker: row for speaker, row in rows if np.isfinite(row).all() and row.any()}


def _segments(annotation: Annotation) -> list[SpeakerSegment]:
    return [
        SpeakerSegment(Span(max(0, to_ms(segment.start)), max(0, to_ms(segment.end))), speaker)
        for segment, _, speaker in annotation.itertracks(yield_label=True)
    ]
