"""Sounds without words: where a coder should listen, because somebody made a sound that was not transcribed.

The transcriber reports speech that it wrote nothing for. It writes one voice at a time, so a listener's "mm-hm" under
the other's words is lost without a trace; the diarizer, which follows both voices, still detects it. Both are shown as
unclear, never as words: an invented backchannel would be worse than a missing one::

    S1 words     I had stopped for a year and then
    S1 segment  ████████████████████████████████████
    S2 segment              ████                       no word of S2: unclear, S2
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.turns import BRIEF
from pipeline.timeline import UNKNOWN, Span, Vocalization, Word

# The column "unclear" of `make bench` moves with these.
SHORTEST = 250
"""Milliseconds under which a segment is more likely an error of the diarizer than a sound."""

COVERED = 0.5
"""The share of a brief segment that others talk over; where it is alone, the transcriber reports it itself."""

BESIDE = 300
"""A word of the same speaker within so many milliseconds is the segment's own."""


def vocalizations(
    words: Sequence[Word], wordless: Iterable[Span], diarization: Diarization
) -> tuple[Vocalization, ...]:
    """Return the sounds without words, ordered by start.

    Parameters
    ----------
    words: with their speakers.
    wordless: speech that the transcriber wrote nothing for; it gets the speaker whose segments it overlaps most.
    """
    sounds = [Vocalization(span, _speaker(span, diarization.segments)) for span in wordless]
    for segment in diarization.segments:
        if not SHORTEST <= segment.span.duration <= BRIEF:
            continue
        has_word = any(word.speaker == segment.speaker and word.span.gap(segment.span) < BESIDE for word in words)
        known = any(sound.span.overlap(segment.span) for sound in sounds)
        if not has_word and not known and _is_talked_over(segment, words, diarization.segments):
            sounds.append(Vocalization(segment.span, segment.speaker))
    return tuple(sorted(sounds))


def _speaker(span: Span, segments: Iterable[SpeakerSegment]) -> str:
    overlap: dict[str, int] = {}
    for segment in segments:
        overlap[segment.speaker] = overlap.get(segment.speaker, 0) + segment.span.overlap(span)
    best = min(overlap, key=lambda speaker: (-overlap[speaker], speaker), default=UNKNOWN)
    return best if overlap.get(best) else UNKNOWN


def _is_talked_over(segment: SpeakerSegment, words: Iterable[Word], segments: Iterable[SpeakerSegment]) -> bool:
    """Whether others talk over a segment: their longer segments, or their words, which may begin too early."""
    by_segments = sum(
        segment.span.overlap(other.span)
        for other in segments
        if other.speaker != segment.speaker and other.span.duration > segment.span.duration
    )
    by_words = sum(segment.span.overlap(word.span) for word in words if word.speaker != segment.speaker)
    return max(by_segments, by_words) >= COVERED * segment.span.duration
