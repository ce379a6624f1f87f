"""The program's diarization pipeline, which remembers of each recording what no candidate of a benchmark changes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.speech.diarization import pyannote_pipeline

LOADED_ONCE = {
    name: functools.cache(getattr(pyannote_pipeline, name)) for name in ("segmentation_model", "embedding_model")
}


class Remembering(pyannote_pipeline.SharedEmbeddingPipeline):
    """The program's pipeline, which computes what no candidate changes once for each recording."""

    _results: dict[Any, Any] = {}  # noqa: RUF012 - shared by the pipelines of all candidates, cleared with each recording

    @classmethod
    def forget(cls) -> None:
        """Begin another recording."""
        cls._results.clear()

    def get_segmentations(self, *arguments: Any, **options: Any) -> Any:
        """Who speaks in each window."""
        if "segmentations" not in self._results:
            self._results["segmentations"] = super().get_segmentations(*arguments, **options)
        return self._results["segmentations"]

    def get_embeddings(self, *arguments: Any, **options: Any) -> np.ndarray:
        """The embeddings of local speakers."""
        if "embeddings" not in self._results:
            embeddings = super().get_embeddings(*arguments, **options)
            self._results["embeddings"] = embeddings, self._recording_embeddings, self._local_speakers
        embeddings, self._recording_embeddings, self._local_speakers = self._results["embeddings"]
        return embeddings.copy()

    def embed_windows(self, starts: Sequence[int], duration: int) -> np.ndarray:
        """The embeddings of short windows."""
        if missing := [start for start in starts if (start, duration) not in self._results]:
            keys = [(start, duration) for start in missing]
            self._results.update(zip(keys, super().embed_windows(missing, duration), strict=True))
        return np.stack([self._results[start, duration] for start in starts])
