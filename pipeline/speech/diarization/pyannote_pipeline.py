"""pyannote.audio's speaker diarization, with CAM++ as its embedding of voices.

The pipeline is pyannote's own `SpeakerDiarization` (MIT): segmentation-3.0 detects who of up to three local speakers
talks in each frame of 10 s windows, an embedding of each local speaker's speech is clustered over the recording, and
the clusters' windows are added up. Ours are the weights, which are read as plain tensors, and a cheaper way to the
embeddings.

Importing this module imports torch and pyannote.audio: import it only to run the engine.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import ModelError, SpeechError
from pipeline.settings import DiarizationSettings
from pipeline.speech.diarization import band_limit, campplus, clustering, torchaudio_compat

torchaudio_compat.import_pyannote()

from pyannote.audio import Model, Pipeline  # noqa: E402 - not before the stand-in
from pyannote.audio.core.model import Introspection  # noqa: E402
from pyannote.audio.core.plda import PLDA  # noqa: E402
from pyannote.audio.core.task import Problem, Resolution, Specifications  # noqa: E402
from pyannote.audio.models.segmentation import PyanNet  # noqa: E402
from pyannote.audio.pipelines.clustering import AgglomerativeClustering  # noqa: E402
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization  # noqa: E402
from pyannote.core import SlidingWindowFeature  # noqa: E402

_MOST_VOICES = 20  # at most, where nobody says how many: a session has two or three

_ADVANCES = 1.2
"""The amount of a local speaker's speech that is embedded, in steps of the window."""


def specifications() -> Specifications:
    """The output of segmentation-3.0: 3 local speakers in windows of 10 s, at most 2 of them at a time."""
    return Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        warm_up=(0.0, 0.0),
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )


def segmentation_model(folder: Path) -> PyanNet:
    """segmentation-3.0 from its state dict.

    Raises
    ------
    ModelError: M07 the folder lacks the file, or it holds another model.
    """
    model = PyanNet(
        sincnet={"stride": 10},
        lstm={"hidden_size": 128, "num_layers": 4, "bidirectional": True, "monolithic": True},
        linear={"hidden_size": 128, "num_layers": 2},
    )
    model.specifications = specifications()
    model.build()
    with _model_file(folder, "segmentation.pt") as file:
        model.load_state_dict(torch.load(file, map_location="cpu", weights_only=True)["state_dict"])
    return model.eval()


class VoiceEmbedding(Model):
    """CAM++ as pyannote's pipelines know embeddings: waveforms in, one embedding per waveform and mask out."""

    def __init__(self, network: campplus.CamPlusPlus) -> None:
        super().__init__(sample_rate=campplus.SAMPLE_RATE, num_channels=1)
        self.network = network

    @property
    def dimension(self) -> int:
        """The length of an embedding."""
        return campplus.DIMENSION

    def forward(self, waveforms: Tensor, weights: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """Embeddings (batch, 192) of waveforms (batch, 1, n) under masks (batch, frames); NaN for too little speech."""
        embeddings = []
        for number, (samples,) in enumerate(waveforms):
            features = campplus.filter_banks(samples)
            mask = torch.ones(1) if weights is None else weights[number]
            frames = _stretched(mask > 0.5, len(features))
            embedding = campplus.RecordingEmbeddings(self.network, features, frames).embed(0, frames)
            embeddings.append(features.new_full((self.dimension,), torch.nan) if embedding is None else embedding)
        return torch.stack(embeddings)


def embedding_model(folder: Path) -> VoiceEmbedding:
    """CAM++ from its state dict.

    Raises
    ------
    ModelError: M07 the folder lacks the file, or it holds another model.
    """
    with _model_file(folder, "campplus.pt") as file:
        return VoiceEmbedding(campplus.load(file)).eval()


class NoPLDA(PLDA):
    """The probabilistic model that pyannote wants and agglomerative clustering does not use."""

    def __init__(self) -> None:
        """Load nothing."""


class VoiceClustering(AgglomerativeClustering):
    """pyannote's clustering, with a threshold that fits the recording, and with those who say little.

    ``least`` is the least threshold.
    """

    def __init__(self, least: float) -> None:
        super().__init__(metric="cosine")
        self.least = least

    def __call__(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        num_clusters: int | None = None,
        min_clusters: int | None = None,
        max_clusters: int | None = None,
        **others: Any,
    ) -> Any:
        """Clusters as pyannote's: of embeddings (windows, local speakers, d) and their speech."""
        clustered, windows, _ = self.filter_embeddings(embeddings, segmentations)
        self.threshold = clustering.least_distance(clustered, windows, self.least)
        counts = {"num_clusters": num_clusters, "min_clusters": min_clusters, "max_clusters": max_clusters}
        return super().__call__(embeddings, segmentations=segmentations, **counts, **others)

    def filter_embeddings(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        min_active_ratio: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Embeddings of local speakers who talk alone for long enough, with their windows and numbers in those."""
        if segmentations is None:
            raise ValueError("who speaks when decides which embeddings count")
        share = clustering.LEAST_ALONE / segmentations.sliding_window.duration
        chosen: tuple[np.ndarray, np.ndarray, np.ndarray] = super().filter_embeddings(
            embeddings, segmentations=segmentations, min_active_ratio=share
        )
        return chosen


@dataclass(frozen=True)
class LocalSpeakers:
    """Who speaks in each window of a recording, before anybody knows who is the same person.

    ``embeddings`` are (windows, local speakers, 192), ``segmentations`` their activity by frame.
    """

    embeddings: np.ndarray
    segmentations: SlidingWindowFeature

    @property
    def active(self) -> np.ndarray:
        """Whether each local speaker speaks, shape (windows, frames, local speakers)."""
        active: np.ndarray = np.nan_to_num(self.segmentations.data) > 0.5
        return active

    @property
    def starts(self) -> np.ndarray:
        """Start of each window in ms."""
        window = self.segmentations.sliding_window
        return np.array([window[number].start * 1000 for number in range(len(self.segmentations.data))])

    @property
    def frame(self) -> float:
        """Length of a frame in ms."""
        duration: float = self.segmentations.sliding_window.duration
        return duration * 1000 / self.segmentations.data.shape[1]


class SharedEmbeddingPipeline(SpeakerDiarization):
    """`SpeakerDiarization` that embeds only who speaks, and shares the work between overlapping windows.

    It embeds windows of the recording that it last worked on (`embed_windows`) until it is told to `release` it.
    """

    _recording_embeddings: campplus.RecordingEmbeddings | None = None
    _local_speakers: LocalSpeakers | None = None

    def get_segmentations(self, file: dict[str, Any], hook: Callable[..., None] | None = None) -> SlidingWindowFeature:
        """Who speaks in each window, heard below 7 kHz (`band_limit`)."""
        limited = band_limit.below(file["waveform"][0].numpy(), file["sample_rate"])
        return super().get_segmentations(file | {"waveform": torch.from_numpy(limited)[None]}, hook=hook)

    def embed_windows(self, starts: Sequence[int], duration: int) -> np.ndarray:
        """Embeddings (n, 192) of n stretches of that recording, all of one duration; times in milliseconds."""
        if self._recording_embeddings is None:
            raise RuntimeError("no recording has been worked on")
        rate = campplus.FRAMES_PER_SECOND
        with torch.inference_mode():
            embeddings = self._recording_embeddings.windows(
                [start * rate // 1000 for start in starts], duration * rate // 1000
            )
        return embeddings.cpu().numpy()

    def release(self) -> None:
        """Drop the recording."""
        self._recording_embeddings = None

    def cluster(self, speakers: int | None) -> tuple[np.ndarray, LocalSpeakers]:
        """Cluster of each local speaker of that recording, (windows, local speakers), -2 where there is none.

        ``speakers`` is how many clusters to find; None counts them.
        """
        if self._local_speakers is None:
            raise RuntimeError("no recording has been worked on")
        local = self._local_speakers
        count = {"num_clusters": speakers} if speakers else {}
        clusters, _, _ = self.clustering(
            embeddings=local.embeddings,
            segmentations=local.segmentations,
            min_clusters=speakers or 1,
            max_clusters=speakers or _MOST_VOICES,
            **count,
        )
        clusters = np.array(clusters)
        clusters[local.active.sum(axis=1) == 0] = -2
        return clusters, local

    def get_embeddings(
        self,
        file: dict[str, Any],
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = False,
        hook: Callable[..., None] | None = None,
    ) -> np.ndarray:
        """Embeddings (windows, local speakers, 192), NaN where a local speaker is silent or speaks too little.

        Where somebody speaks alone for long enough, only that is embedded (``exclude_overlap``). Of each local
        speaker's speech the first part counts, a little more than windows advance: the next window goes on from there.
        """
        model: VoiceEmbedding = self._embedding.model_
        active = torch.from_numpy(np.nan_to_num(binary_segmentations.data) > 0.5)
        windows, _, speakers = active.shape
        rate = campplus.FRAMES_PER_SECOND
        frames = round(binary_segmentations.sliding_window.duration * rate)
        enough = round(_ADVANCES * binary_segmentations.sliding_window.step * rate)
        starts = [round(binary_segmentations.sliding_window[window].start * rate) for window in range(windows)]
        features = campplus.filter_banks(file["waveform"][0].to(model.device))
        speech = torch.zeros(max(starts) + frames, dtype=torch.bool)
        for start, mask in zip(starts, active.any(-1), strict=True):
            speech[start : start + frames] |= _stretched(mask, frames)
        embeddings = np.full((windows, speakers, campplus.DIMENSION), np.nan, np.float32)
        self._local_speakers = LocalSpeakers(embeddings, binary_segmentations)
        if not len(features):
            return embeddings
        self._recording_embeddings = recording = campplus.RecordingEmbeddings(
            model.network, features, speech[: len(features)].to(model.device)
        )

        def local_speakers() -> Iterator[tuple[tuple[int, int], int, Tensor]]:
            for window, start in enumerate(starts):
                masks = _stretched(active[window], min(frames, len(features) - start))
                alone = masks & (masks.sum(-1, keepdim=True) < 2)
                for speaker in range(speakers):
                    clean = alone if exclude_overlap and alone[:, speaker].sum() >= campplus.FEWEST else masks
                    mask = clean[:, speaker] & (clean[:, speaker].cumsum(0) <= enough)
                    yield (window, speaker), start, mask.to(model.device)
                if hook is not None:
                    hook("embeddings", None, total=windows, completed=window + 1)

        with torch.inference_mode():
            for number, embedding in recording.embed_each(local_speakers()):
                embeddings[number] = embedding.cpu().numpy()
        return embeddings


def build(segmentation: Path, embedding: Path, settings: DiarizationSettings) -> SharedEmbeddingPipeline:
    """The pipeline from two local models.

    Raises
    ------
    ModelError: M07 a folder lacks a file, or holds another model.
    """
    pipeline = SharedEmbeddingPipeline(
        segmentation=segmentation_model(segmentation),
        segmentation_step=settings.segmentation_step,
        segmentation_batch_size=settings.batch,
        embedding=embedding_model(embedding),
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        plda=NoPLDA(),
    )
    pipeline.clustering = VoiceClustering(settings.threshold)
    chosen = {"method": "centroid", "threshold": settings.threshold, "min_cluster_size": settings.min_cluster_size}
    return pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": chosen})


def pretrained(name: Path | str) -> Pipeline:
    """A whole pipeline as pyannote publishes them: from a local folder, or by its hub name, which asks the hub.

    Its weights are read as plain tensors: a checkpoint that holds anything else is refused.

    Raises
    ------
    SpeechError: P14 it cannot be loaded.
    """
    try:
        with _weights_only():
            pipeline = Pipeline.from_pretrained(name)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        remedy = "name the folder of a pyannote pipeline, or leave diarization.pipeline empty"
        raise SpeechError("P14", f"diarization pipeline {name}", f"cannot be loaded ({reason})", remedy) from error
    if pipeline is None:
        remedy = "accept its conditions on the hub and set HF_TOKEN and HF_HUB_OFFLINE=0, or name a local folder"
        raise SpeechError("P14", f"diarization pipeline {name}", "is not available", remedy)
    return pipeline


@contextmanager
def _weights_only() -> Iterator[None]:
    """Make torch refuse to run what a checkpoint holds; only the plain classes that pyannote's name are allowed."""
    name, harmless = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", [Introspection, Problem, Resolution, Specifications]
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        with torch.serialization.safe_globals([*harmless, torch.torch_version.TorchVersion]):
            yield
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})


@contextmanager
def _model_file(folder: Path, name: str) -> Iterator[Path]:
    """Yield a file of a model's folder; errors inside the block are raised as the model's (M07)."""
    try:
        yield folder / name
    except (OSError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        remedy = "fetch it again with `tape-review models --fetch`"
        raise ModelError("M07", f"model {folder}", f"has no valid {name}", remedy) from error


def _stretched(mask: Tensor, frames: int) -> Tensor:
    """A mask at another frame rate: the nearest frame counts. (k, …) -> (frames, …)."""
    centers = (torch.arange(frames, device=mask.device) + 0.5) * len(mask) / max(frames, 1)
    return mask[centers.long()]
