"""The real engine on speech in two languages: Spanish, half and half, English alone; all with known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import settings
from pipeline.audio.recording import SAMPLE_RATE
from pipeline.speech import transcriber
from pipeline.speech.chunking import Samples
from pipeline.speech.cores import Cores
from pipeline.speech.transcriber import Transcript

pytestmark = pytest.mark.engines

RECORDINGS = Path(__file__).parents[1] / "recordings"


def sound(name: str, start: int, end: int) -> Samples:
    """Some seconds of a recording."""
    samples, rate = soundfile.read(RECORDINGS / name, dtype="float32")
    assert rate == SAMPLE_RATE
    part: Samples = samples[start * rate : end * rate]
    return part


def transcribed(samples: Samples) -> Transcript:
    return transcriber.load(settings.load().settings).transcribe(samples, Cores(2))


def test_a_spanish_session_is_transcribed_in_spanish() -> None:
    """It became invented English."""
    transcript = transcribed(sound("spanish.ogg", 0, 22))
    assert {word.language for word in transcript.words} == {"es"}
    text = " ".join(word.text.lower() for word in transcript.words)
    assert all(phrase in text for phrase in ("gracias por venir hoy", "sus hijos son muy importantes", "mis amigos"))


def test_where_the_language_changes_the_transcript_does() -> None:
    english, spanish = sound("roleplay-alcohol.ogg", 0, 16), sound("spanish.ogg", 0, 18)
    transcript = transcribed(np.concatenate([english, spanish, sound("roleplay-alcohol.ogg", 16, 30)]))
    wrong = [word for word in transcript.words if (16_000 <= word.span.middle < 34_000) != (word.language == "es")]
    assert len(wrong) <= 0.05 * len(transcript.words)
    assert {word.language for word in transcript.words} == {"en", "es"}


def test_english_has_no_stretch_in_another_language() -> None:
    transcript = transcribed(sound("roleplay-alcohol.ogg", 0, 120))
    assert [run.language for run in transcript.languages] == ["en"]
    assert {word.language for word in transcript.words} == {"en"}
