"""The results of single stages: transcripts by channel, roles by name, and warnings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audio.recording import QualityWarning, Recording, Source
from pipeline.errors import SpeechError
from pipeline.run import stage_functions
from pipeline.run.stage import StageContext
from pipeline.run.stage_functions import ManualTurns, borne_out, warnings
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.transcriber import Transcript
from pipeline.timeline import UNKNOWN, Span, Word


def test_a_voice_that_may_be_nobody_s_is_warned_of() -> None:
    diarization = Diarization((), (), ("S3",), {})
    source = Source("recording", "0" * 64, "wav", "pcm_s16le", 16_000, 1, 2000, None)
    quality = (QualityWarning("quiet", None, "the voices are quiet"),)
    recording = Recording(np.zeros((1, 32_000), np.float32), 0, 2000, source, quality)
    quiet, brief = warnings(recording, diarization)
    assert quiet == "the voices are quiet"
    assert brief.startswith("another voice, S3, is so brief")


def recording(channels: int) -> Recording:
    source = Source("recording", "0" * 64, "wav", "pcm_s16le", 16_000, channels, 2000, None)
    return Recording(np.zeros((channels, 32_000), np.float32), 0, 2000, source, ())


class Engine:
    """A transcriber and a diarizer that note how they are called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.progress: list[float] = []

    def transcribe(self, samples: np.ndarray, cores: Cores, progress: Any, spans: Any = None) -> Transcript:
        self.calls.append(spans)
        progress(0.5)
        word = Word(Span(1000 * (len(self.calls) - 1), 1000 * len(self.calls)), f"word{len(self.calls)}", 1.0, UNKNOWN)
        return Transcript((word,), (), (), {"name": "parrot"})

    def diarize(self, recording: Recording, cores: Cores, progress: Any) -> Diarization:
        self.calls.append(recording.source.name)
        return Diarization((), (), (), {})


def context(engine: Engine, **inputs: Any) -> StageContext:
    given = {
        "diarizer": "auto",
        "turns": None,
        "speakers": 2,
        "interviewer": None,
        "roles": None,
        "transcript": None,
    } | inputs

    class Loaded:
        def transcriber(self) -> Engine:
            return engine

        def diarizer(self, *asked: Any) -> Engine:
            engine.calls.append(asked)
            return engine

    return StageContext(given, Loaded(), Cores(1), engine.progress.append)  # type: ignore[arg-type]


def test_one_microphone_per_person_is_one_transcript_per_person() -> None:
    engine = Engine()
    transcript = stage_functions.transcribe(context(engine, diarizer="channels"), recording(2))
    assert [(word.text, word.speaker) for word in transcript.words] == [("word1", "S1"), ("word2", "S2")]
    assert engine.progress == [0.25, 0.75]  # half of each of two


def test_one_microphone_is_transcribed_as_a_whole() -> None:
    engine = Engine()
    transcript = stage_functions.transcribe(context(engine, diarizer="pyannote"), recording(2))
    assert (engine.calls, [word.text for word in transcript.words]) == ([None], ["word1"])


def test_turns_that_somebody_wrote_are_matched_by_the_name_they_are_known_by(tmp_path: Path) -> None:
    engine = Engine()
    written = ManualTurns(tmp_path / "turns.rttm", "tape-1", "talk.wav")
    stage_functions.diarize(context(engine, diarizer="manual", turns=written), recording(1))
    assert engine.calls == [("manual", 2, tmp_path / "turns.rttm", "tape-1"), "talk.wav"]


def test_a_recording_without_a_word_says_what_to_do() -> None:
    with pytest.raises(SpeechError, match=r"TR-P01 .*listen to it"):
        stage_functions.attribute(
            context(Engine()), recording(1), Transcript((), (), (), {}), Diarization((), (), (), {})
        )


def test_an_interviewer_who_does_not_speak_is_refused_with_those_who_do() -> None:
    words = (Word(Span(0, 900), "Hm.", 1.0, "S1"),)
    segments = (SpeakerSegment(Span(0, 1000), "S1"),)
    with pytest.raises(SpeechError, match=r"TR-P02 interviewer S7 does not speak; name one of S1"):
        stage_functions.attribute(
            context(Engine(), interviewer="S7"),
            recording(1),
            Transcript(words, (), (), {}),
            Diarization(segments, segments, (), {}),
        )


def test_what_decides_manual_turns_is_their_content_and_their_names(tmp_path: Path) -> None:
    path = tmp_path / "turns.rttm"
    path.write_text("SPEAKER talk 1 0.0 1.0 <NA> <NA> Ann <NA> <NA>\n")
    first = ManualTurns(path, "tape", "talk").identity()
    assert ManualTurns(path, "tape", "other").identity()[0] == first[0]
    assert ManualTurns(path, "tape", "other").identity() != first
    path.write_text("SPEAKER talk 1 0.0 2.0 <NA> <NA> Ann <NA> <NA>\n")
    assert ManualTurns(path, "tape", "talk").identity()[0] != first[0]
    with pytest.raises(SpeechError, match="TR-P10"):
        ManualTurns(tmp_path / "none.rttm", "tape", "talk").identity()


@pytest.mark.parametrize(("spoken", "left"), [(999, ["no_speech", "narrow_band"]), (1000, ["narrow_band"])])
def test_no_speech_is_not_claimed_above_a_transcript(spoken: int, left: list[str]) -> None:
    words = (Word(Span(0, 400), "yes", 0.9), Word(Span(5000, 5000 + spoken - 400), "indeed", 0.9))
    warned = tuple(QualityWarning(code, None, code) for code in ("no_speech", "narrow_band"))
    assert [warning.code for warning in borne_out(warned, Transcript(words, (), (), {}))] == left
