"""The plain way's two halves: faster-whisper and pyannote.audio as their documentation shows them, with our weights."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import soundfile
import soxr

from pipeline import model_catalog, settings
from pipeline.audio.recording import SAMPLE_RATE


def transcribed(audio: Path) -> list[tuple[float, float, str]]:
    """Words with their times, from faster-whisper's defaults with word times."""
    from faster_whisper import WhisperModel

    chosen = settings.load().settings
    model = WhisperModel(str(model_catalog.folder("whisper-base", chosen.models)))
    segments, _ = model.transcribe(str(audio), word_timestamps=True)
    return [(word.start, word.end, word.word.strip()) for segment in segments for word in segment.words or ()]


def diarized(audio: Path, speakers: int) -> list[tuple[float, float, str]]:
    """Who speaks when, from pyannote's `SpeakerDiarization` with the options of its published 3.1 pipeline."""
    import torch

    from pipeline.speech.diarization import pyannote_pipeline as engine  # makes pyannote importable

    stock = importlib.import_module("pyannote.audio.pipelines.speaker_diarization")

    chosen = settings.load().settings
    pipeline = stock.SpeakerDiarization(
        segmentation=engine.segmentation_model(model_catalog.folder("segmentation-3.0", chosen.models)),
        segmentation_batch_size=32,
        embedding=engine.embedding_model(model_catalog.folder("campplus", chosen.models)),
        embedding_batch_size=32,
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        plda=engine.NoPLDA(),
    ).instantiate(
        {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {"method": "centroid", "min_cluster_size": 12, "threshold": 0.7045654963945799},
        }
    )
    samples, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    mono = np.ascontiguousarray(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE), dtype=np.float32)
    diarization = pipeline(
        {"waveform": torch.from_numpy(mono)[None], "sample_rate": SAMPLE_RATE}, num_speakers=speakers
    )
    return [
        (segment.start, segment.end, speaker)
        for segment, _, speaker in diarization.speaker_diarization.itertracks(yield_label=True)
    ]
