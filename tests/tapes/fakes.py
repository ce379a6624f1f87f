"""Engines that answer at once, for tests of jobs; and a worker and a recording to go with them.

Of the engines only the models are not real: the transcriber is ours around a parrot (it passes the transcriber's
contract, see `tests.speech.test_transcriber.TestParrot`), the diarizer takes each channel for one voice (it passes the
diarizers' contract), decoding, roles and units are the real ones. What a test wants of a worker stands in the
environment: ``FAKE_SECONDS`` that each stage takes, ``FAKE_DEED`` that a stage does, as ``"tag:kill"``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from pipeline.audio import Recording, Source
from pipeline.coding.codebook import CODES
from pipeline.engines import Engines
from pipeline.progress import Progress
from pipeline.settings import Settings
from pipeline.timeline import Span
from tests.speech.test_transcriber import parrot

PHRASE = "word1 word2"
"""What the parrot is heard to say."""

SECONDS = 6


class Fakes(Engines):
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.tagger = Guesser()  # type: ignore[assignment, misc]

    def decode(self, recording: Path, start: int | None, end: int | None, progress: Progress) -> Recording:
        at("decode")
        samples, rate = soundfile.read(recording, dtype="float32", always_2d=True)
        source = Source("recording", "0" * 64, "wav", "pcm_s16le", rate, samples.shape[1], SECONDS * 1000, None)
        return Recording(np.ascontiguousarray(samples.T), 0, SECONDS * 1000, source, ())

    def transcriber(self) -> Any:
        at("transcribe")
        return parrot()

    def diarizer(self, kind: Any, speakers: int | None, turns: Path | None) -> Any:
        at("diarize")
        return super().diarizer("channels", speakers, turns)

    def sentences(self) -> Any:
        at("attribute")
        return lambda texts: [[] for _ in texts]

    def models(self, kind: Any) -> dict[str, dict[str, str]]:
        return {}


class Guesser:
    """Proposes the same for everybody."""

    spread: Mapping[str, float] = {}

    def tag(self, table: pd.DataFrame, progress: Progress) -> pd.DataFrame:
        at("tag")
        interviewer = table["role"] == "interviewer"
        sure = {f"p_{code}": 0.0 for code in CODES} | {"p_question_open": 0.8}
        return table.assign(
            codes=np.where(interviewer, "question_open", "neutral"), probability=0.8, needs_check=False, **sure
        )


def at(stage: str) -> None:
    """What this test wants to happen in a stage."""
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    where, _, deed = os.environ.get("FAKE_DEED", "").partition(":")
    if where != stage:
        return
    if deed == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if deed == "raise":
        raise RuntimeError(PHRASE)
    if deed == "full":
        raise OSError(28, "No space left on device")
    if deed == "hang":
        time.sleep(600)


def two_voices(path: Path) -> Path:
    """A recording in which two people talk in turn, each on a channel of one's own."""
    rate, rng = 16_000, np.random.default_rng(1)
    sound = np.zeros((SECONDS * rate, 2), np.float32)
    for second in range(SECONDS):
        who = (second // 2) % 2
        sound[second * rate : second * rate + rate - 4000, who] = rng.normal(0, 0.1, rate - 4000)
    soundfile.write(path, sound, rate, subtype="PCM_16")
    return path


def spans() -> Sequence[Span]:
    return [Span(second * 1000, second * 1000 + 750) for second in range(SECONDS)]
