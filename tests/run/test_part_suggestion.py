"""Which part of a long recording is suggested: worked by hand, from sound in the end, and without a word of it kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline import settings
from pipeline.run.engines import Engines
from pipeline.run.part_suggestion import LikelyMoment, SuggestedPart, densest, fast, suggested_part, thoughts
from pipeline.settings import Settings
from pipeline.speech.cores import Cores
from pipeline.timeline import Span, Word

MINUTE = 60_000
SETTINGS = settings.load().settings


def moments(*minutes: float, probability: float = 0.9) -> list[LikelyMoment]:
    """Moments of six seconds that begin at these minutes."""
    spans = [Span(int(minute * MINUTE), int(minute * MINUTE) + 6000) for minute in minutes]
    return [LikelyMoment(span, probability) for span in spans]


def test_the_part_with_the_most_talk_is_in_the_middle_of_what_is_suggested() -> None:
    """Five moments from 30:00 to 38:06, of eight; 20 minutes leave 714 s, of which half, 357 s, lie before 30:00."""
    talk = moments(2, 10, 30, 32, 34, 36, 38, 59)
    assert densest(talk, 20 * MINUTE, 60 * MINUTE) == SuggestedPart(1_443_000, 2_643_000, 5, 8)


def test_a_suggestion_stays_within_the_recording() -> None:
    assert densest(moments(0, 1, 2, 3, 4), 20 * MINUTE, 60 * MINUTE) == SuggestedPart(0, 20 * MINUTE, 5, 5)
    late = densest(moments(55, 56, 57, 58, 59.9), 20 * MINUTE, 60 * MINUTE)
    assert late == SuggestedPart(40 * MINUTE, 60 * MINUTE, 5, 5)


def test_unsure_moments_count_by_their_probability_and_are_not_numbered() -> None:
    """Four unsure moments (.4 each, 1.6) lose to two sure ones (.9 each, 1.8) with three more around them."""
    talk = [*moments(1, 2, 3, 4, probability=0.4), *moments(40, 41, 42, 43, 44)]
    part = densest(talk, 10 * MINUTE, 60 * MINUTE)
    assert part is not None
    assert (part.moments, part.all_moments) == (5, 5)
    assert part.start > 30 * MINUTE


def test_hardly_any_talk_is_no_reason_for_a_suggestion() -> None:
    assert densest(moments(1, 2, 3, 4), 20 * MINUTE, 60 * MINUTE) is None
    assert densest([], 20 * MINUTE, 60 * MINUTE) is None


def test_of_parts_alike_the_first_is_suggested() -> None:
    part = densest(moments(*range(5), *range(50, 55)), 20 * MINUTE, 80 * MINUTE)
    assert part is not None
    assert part.start == 0


def test_words_are_parted_at_pauses_and_at_the_ends_of_sentences() -> None:
    spoken = ["I", "want", "to.", "Do", "you?", "Yes", "but", "no"]
    starts = [0, 300, 600, 900, 1200, 1500, 1800, 4000]
    words = [Word(Span(start, start + 200), text, 0.9) for start, text in zip(starts, spoken, strict=True)]
    assert [(span.start, span.end, text) for span, text in thoughts(words)] == [
        (0, 800, "I want to."),
        (900, 1400, "Do you?"),
        (1500, 2000, "Yes but"),
        (4000, 4200, "no"),
    ]


def test_the_whole_is_decoded_once_and_greedily() -> None:
    quick = fast(SETTINGS).transcription
    assert (quick.beam, quick.timed_beam, quick.plain_beam, quick.prompt, quick.language) == (1, 0, 0, "", "en")
    assert fast(SETTINGS).engines.cores == 1


class Listener:
    """Recognizes a sentence in every second that is not silent."""

    def __init__(self, sentence: str) -> None:
        self.texts = sentence.split()

    def transcribe(self, samples: np.ndarray, cores: Cores) -> Any:
        seconds = np.abs(samples[: len(samples) // 16_000 * 16_000]).reshape(-1, 16_000).max(axis=1)
        words = [
            Word(Span(int(second) * 1000 + 200 * at, int(second) * 1000 + 200 * at + 150), text, 0.9)
            for second in np.flatnonzero(seconds > 0.1)
            for at, text in enumerate(self.texts)
        ]
        return SimpleNamespace(words=tuple(words))


class Guesser:
    """Takes everything for change talk, and remembers the tables that it was given."""

    def __init__(self) -> None:
        self.tables: list[pd.DataFrame] = []

    def tag(self, table: pd.DataFrame, progress: Any) -> pd.DataFrame:
        self.tables.append(table)
        return table.assign(p_change=0.8, p_sustain=0.1)


class Loud(Engines):
    """Real decoding; a recognizer and a tagger that answer at once."""

    sentence = "I want to stop."
    tagger = Guesser()  # type: ignore[assignment]

    def transcriber(self) -> Any:
        return Listener(self.sentence)


class Asking(Loud):
    sentence = "Will you stop?"


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Five minutes; a second of a tone at 0:30 and, each five seconds, from 3:00 to 3:25."""
    samples = np.zeros(5 * 60 * 16_000, np.float32)
    time = np.arange(16_000) / 16_000
    for second in (30, 180, 185, 190, 195, 200, 205):
        samples[second * 16_000 : (second + 1) * 16_000] = 0.3 * np.sin(2 * np.pi * 200 * time)
    path = tmp_path / "long.flac"
    soundfile.write(path, samples, 16_000, format="FLAC")
    return path


def small(window: float = 2.0) -> Settings:
    audio = SETTINGS.audio.model_copy(update={"segment_limit_minutes": window})
    return SETTINGS.model_copy(update={"audio": audio})


def test_a_recording_is_transcribed_window_by_window_and_only_times_come_back(long_file: Path) -> None:
    """The tone at 0:30 is in the first window of two minutes, all others are in the second, at their own times."""
    done: list[float] = []
    part = suggested_part(long_file, 5 * MINUTE, 2 * MINUTE, "drinking less", Loud(small()), done.append)
    assert part is not None
    assert (part.moments, part.all_moments) == (6, 7)
    assert part.end - part.start == 2 * MINUTE
    assert part.start <= 180_000
    assert part.end >= 206_000
    assert set(asdict(part)) == {"start", "end", "moments", "all_moments"}
    assert done == sorted(done)
    assert done[-1] == 1.0
    rows = Loud.tagger.tables[0]
    assert set(rows["role"]) == {"client"}
    assert set(rows["target_behavior"]) == {"drinking less"}


def test_questions_are_no_change_talk(long_file: Path) -> None:
    assert (
        suggested_part(long_file, 5 * MINUTE, 2 * MINUTE, "drinking less", Asking(small()), lambda done: None) is None
    )
