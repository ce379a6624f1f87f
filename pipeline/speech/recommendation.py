"""Which speech recognizer suits this machine: a measured half minute of the installed one, and what follows for others.

The time of a Whisper model is that of its encoder, which looks at every window of 30 s once, and of its decoder, which
runs once per word piece, beam and decoding. Both are measured here on Whisper base and carried over to other sizes by
their multiplications. That is an estimate: ``python -m tests.benchmarks.recommendation`` compares it with what the
models on the machine really take.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline import model_catalog, settings
from pipeline.files import atomic_write
from pipeline.model_catalog import CatalogEntry, WhisperSize
from pipeline.settings import EnginesSettings, Settings

REFERENCE = "whisper-base"
"""The model that is measured; every installation has it."""

TAPE_MINUTES = 20
"""Minutes of a usual tape, which should take no longer than it lasts."""

_PACE = "pace.json"  # in the folder of the models: machine -> its pace
_WINDOW = 28.0  # s of a window that are filled with speech
_FRAMES = 1500  # of the encoder's output per window
_VOCABULARY = 51_865  # word pieces of Whisper's models for all languages
_PIECES = 90  # word pieces in a window of conversation: two words per second, 1.6 pieces per word
_BEAM = 2  # with which decoding is measured
OVERHEAD = 1.4
"""Recognition as a whole against its parts that are measured: speech detection, word times and second decodings come
on top. ``python -m tests.benchmarks.recommendation``: 1.44 on base, 1.54 on tiny.en, with 1 here."""

_OTHERS = 1.9e9  # bytes that a run takes besides the recognizer's weights (`make bench`: 2.1 GB with base)
_FIT = 0.5  # share of the machine's memory that a run may take

ACCURACY = (
    "whisper-large-v3-turbo",
    "distil-whisper-large-v3",
    "whisper-medium.en",
    "whisper-small.en",
    "whisper-base",
)
"""Models from the most accurate on, by the error rates that their makers published for English conversation."""


@dataclass(frozen=True)
class Pace:
    """Seconds of one core that Whisper base takes: for the encoder per window, for the decoder per step of its beam."""

    window: float
    step: float


@dataclass(frozen=True)
class Expectation:
    """The expected needs of a model here: minutes to recognize a tape of 20 minutes, and bytes of memory."""

    model: CatalogEntry
    minutes: float
    memory: int

    @property
    def fits(self) -> bool:
        """Whether it recognizes a tape in less time than the tape lasts, in half of the machine's memory."""
        return self.minutes <= TAPE_MINUTES and self.memory <= _FIT * machine_memory()


def machine_memory() -> int:
    """Return the bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def known_pace(options: Settings) -> Pace:
    """Return the pace that was measured on this machine before, or measure it.

    Raises
    ------
    ModelError: M01 Whisper base is not installed.
    """
    path = model_catalog.root(options.models) / _PACE
    try:
        measured = json.loads(path.read_text(encoding="utf-8"))
        return Pace(**measured[platform.node()])
    except (OSError, ValueError, KeyError, TypeError):
        return measure(options)


def measure(options: Settings) -> Pace:
    """Measure the pace of Whisper base on one core of this machine, which takes a few seconds, and remember it.

    Raises
    ------
    ModelError: M01 it is not installed.
    """
    pace = _measured(options)
    path = model_catalog.root(options.models) / _PACE
    with suppress(OSError), atomic_write(path, replace=True) as file:  # only others may write the folder
        file.write(json.dumps({platform.node(): asdict(pace)}).encode())
    return pace


def _measured(options: Settings) -> Pace:
    import numpy as np
    from faster_whisper import WhisperModel

    folder = model_catalog.folder(REFERENCE, options.models)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    noise = np.random.default_rng(0).normal(0, 0.01, round(_WINDOW * 16_000)).astype(np.float32)
    features = model.feature_extractor(noise, padding=True)[..., : 2 * _FRAMES]
    model.encode(features)  # the first call prepares the weights
    since = time.process_time()
    encoded = model.encode(features)
    window = time.process_time() - since
    tokenizer = model.hf_tokenizer
    prompt = [tokenizer.token_to_id(token) for token in ("<|startoftranscript|>", "<|en|>", "<|transcribe|>")]
    since = time.process_time()
    model.model.generate(
        encoded,
        [[*prompt, tokenizer.token_to_id("<|notimestamps|>")]],
        beam_size=_BEAM,
        max_length=2 * _PIECES,
        suppress_tokens=[tokenizer.token_to_id("<|endoftext|>")],  # as many steps as a window of speech takes
    )
    return Pace(window, (time.process_time() - since) / (2 * _PIECES - len(prompt)))


def expectations(pace: Pace, options: Settings) -> tuple[Expectation, ...]:
    """Return what each recognizer of the catalog would need here, the most accurate first."""
    entries = [entry for entry in model_catalog.catalog(options.models) if entry.whisper]
    ranked = sorted(entries, key=lambda entry: ACCURACY.index(entry.name) if entry.name in ACCURACY else len(ACCURACY))
    reference = model_catalog.entry(REFERENCE, options.models)
    if reference is None or reference.whisper is None:
        raise ValueError(f"the catalog lacks {REFERENCE}")
    return tuple(
        _expectation(entry, entry.whisper, reference.whisper, pace, options) for entry in ranked if entry.whisper
    )


def recommended(expected: Sequence[Expectation]) -> CatalogEntry | None:
    """Return the most accurate model that fits this machine, or None."""
    return next((expectation.model for expectation in expected if expectation.fits), None)


def _expectation(
    entry: CatalogEntry, size: WhisperSize, reference: WhisperSize, pace: Pace, options: Settings
) -> Expectation:
    decoding = settings.recognizer_settings(entry.name)
    beams = decoding.beam + decoding.timed_beam + decoding.plain_beam
    windows = TAPE_MINUTES * 60 / _WINDOW
    encoder = pace.window * _encoder(size) / _encoder(reference)
    step = pace.step * _decoder(size) / _decoder(reference)
    seconds = OVERHEAD * windows * (encoder + step * _PIECES * beams / _BEAM)
    memory = round(_OTHERS + _weights(entry, options.engines))
    return Expectation(entry, seconds / options.engines.cores / 60, memory)


def _encoder(size: WhisperSize) -> int:
    """Multiplications of the encoder per window."""
    return size.encoder_layers * (12 * size.width**2 * _FRAMES + 2 * _FRAMES**2 * size.width)


def _decoder(size: WhisperSize) -> int:
    """Multiplications of the decoder per step of one beam."""
    return size.decoder_layers * (14 * size.width**2 + 2 * _FRAMES * size.width) + _VOCABULARY * size.width


def _weights(entry: CatalogEntry, engines: EnginesSettings) -> float:
    """Bytes of the weights at work: the files hold 16 bits per weight, a processor uses 8."""
    return entry.size / (2 if engines.device == "cpu" else 1)


def in_use(options: Settings) -> str:
    """Return the recognizer and the diarizer that the settings name, in words."""
    recognizer = model_catalog.entry(options.transcription.model, options.models)
    what = recognizer.what.split(",")[0].split(":")[0] if recognizer else Path(options.transcription.model).name
    diarizer = options.diarization.pipeline
    return f"{what}; voices by {Path(diarizer).name if diarizer else 'pyannote segmentation and CAM++'}"
