"""A suggestion of the part to review: where a long recording has the most change and sustain talk, by a small model.

The whole recording is transcribed window by window with the smallest recognizer that is installed and its fastest
decoding. Voices are not separated: everything but questions is tagged as if the client said it. Of each window, only
times and probabilities remain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pandas as pd

from pipeline import model_catalog
from pipeline.audio.file_layout import ONE_FILE
from pipeline.audio.source_bytes import SoundSource
from pipeline.errors import ModelError
from pipeline.languages import ENGLISH
from pipeline.run.engines import Engines
from pipeline.run.progress import Progress, ignore
from pipeline.settings import Settings, recognizer_settings
from pipeline.speech.cores import Cores
from pipeline.timeline import Span, Word

SMALLEST = "whisper-tiny.en"
"""The recognizer for this, where it is installed: half the time of base, and nearly its accuracy on conversation."""

_PAUSE = 700  # ms between two words that are not of one thought; a longer pause than in most sentences
_MOST_WORDS = 40  # of a thought, as of an utterance (`segmentation.MAX_WORDS`)
_SURE = 0.5  # from which probability on a moment is counted
_LEAST = 5  # moments in the whole recording: with fewer, chance decides which part has more


@dataclass(frozen=True)
class LikelyMoment:
    """Something said, in the recording's time, and the probability that it is change or sustain talk."""

    span: Span
    probability: float


@dataclass(frozen=True)
class SuggestedPart:
    """A part, in milliseconds, with ``moments`` that are likely change or sustain talk, of ``all_moments``."""

    start: int
    end: int
    moments: int
    all_moments: int


def fast(settings: Settings) -> Settings:
    """Return the settings with which a recording is transcribed fast, on one core: one greedy decoding in English."""
    try:
        model_catalog.locate(SMALLEST, settings.models)
        transcription = recognizer_settings(SMALLEST)
    except ModelError:
        transcription = settings.transcription
    greedy = {"beam": 1, "timed_beam": 0, "plain_beam": 0, "prompt": "", "terms": (), "language": ENGLISH}
    return settings.model_copy(
        update={
            "transcription": transcription.model_copy(update=greedy),
            "engines": settings.engines.model_copy(update={"cores": 1}),
        }
    )


def suggested_part(
    file: SoundSource, duration: int, length: int, target: str, engines: Engines, progress: Progress
) -> SuggestedPart | None:
    """Return the part of a file with the most change and sustain talk; None if there is hardly any.

    Parameters
    ----------
    duration, length: of the recording and of the part, in milliseconds. target: the target behavior.
    engines: of the settings that `fast` returns.

    Raises
    ------
    AudioError: A01 to A19. ModelError: M01, M02, M07.
    """
    transcriber, cores = engines.transcriber(), Cores(1)
    audio = engines.settings.audio
    window = int(min(audio.segment_limit_minutes, audio.hard_limit_minutes) * 60_000)
    moments: list[LikelyMoment] = []
    for start in range(0, duration, window):
        end = min(duration, start + window)
        if end - start < 1000:  # less than the decoder takes
            break
        recording = engines.decode([file], ONE_FILE, start, end, ignore)
        words = transcriber.transcribe(recording.mono, cores).words
        moments += _moments(words, start, target, engines)
        progress(end / duration)
    progress(1.0)
    return densest(moments, length, duration)


def _moments(words: Sequence[Word], start: int, target: str, engines: Engines) -> list[LikelyMoment]:
    """Return the moments of a window that begins at ``start`` ms; questions are the interviewer's."""
    rows = [(span, text) for span, text in thoughts(words) if not text.endswith("?")]
    if not rows:
        return []
    table = pd.DataFrame({"tape_id": "", "role": "client", "text": [text for _, text in rows]})
    tagged = engines.tagger.tag(table.assign(target_behavior=target), ignore)
    probabilities = np.minimum(1.0, tagged["p_change"].to_numpy() + tagged["p_sustain"].to_numpy())
    return [
        LikelyMoment(Span(start + span.start, start + span.end), float(probability))
        for (span, _), probability in zip(rows, probabilities, strict=True)
    ]


def thoughts(words: Sequence[Word]) -> Iterator[tuple[Span, str]]:
    """Part words at pauses and at the ends of sentences, without knowing who speaks; yields each with its time."""
    thought: list[Word] = []
    for word, after in zip_longest(words, words[1:]):
        thought.append(word)
        ends = after is None or word.text.endswith((".", "?", "!")) or len(thought) == _MOST_WORDS
        if ends or (after is not None and after.span.start - word.span.end >= _PAUSE):
            span = Span(thought[0].span.start, max(each.span.end for each in thought))
            yield span, " ".join(each.text for each in thought)
            thought = []


def densest(moments: Sequence[LikelyMoment], length: int, duration: int) -> SuggestedPart | None:
    """Return the part of ``length`` ms with the most probable moments, in its middle; of parts alike, the first.

    Parameters
    ----------
    moments: in order of time. duration: of the recording in milliseconds, longer than the part.
    """
    sure = [moment.span for moment in moments if moment.probability >= _SURE]
    if len(sure) < _LEAST:
        return None
    starts = np.array([moment.span.start for moment in moments])
    ends = np.maximum.accumulate([moment.span.end for moment in moments])
    before = np.concatenate(([0.0], np.cumsum([moment.probability for moment in moments])))
    after_last = np.searchsorted(ends, starts + length, side="right")
    first = int(np.argmax(np.round(before[after_last] - before[:-1], 6)))
    inside = [span for span in sure if span.start >= starts[first] and span.end <= starts[first] + length]
    begins, stops = (inside[0].start, inside[-1].end) if inside else (int(starts[first]), int(starts[first]))
    start = max(0, min(begins - (length - (stops - begins)) // 2, duration - length)) // 1000 * 1000
    return SuggestedPart(start, min(duration, start + length), len(inside), len(sure))
