"""Operations on speaker segments: crop, fill gaps, relabel, one speaker at a time, spurious speakers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pipeline.settings import DiarizationSettings
from pipeline.speech.diarization.contract import SpeakerSegment
from pipeline.timeline import Span, merge

PAUSE = 300
"""A speaker goes on through a shorter pause, in milliseconds, as in NIST's Rich Transcription evaluations."""


def crop(segments: Iterable[SpeakerSegment], window: Span) -> tuple[SpeakerSegment, ...]:
    """The segments within a window, in its time, by start; one speaker's that overlap or touch become one."""
    spans: dict[str, list[Span]] = {}
    for segment in sorted(segments):
        if shared := segment.span & window:
            spans.setdefault(segment.speaker, []).append(shared.shift(-window.start))
    return tuple(sorted(SpeakerSegment(span, speaker) for speaker in spans for span in merge(spans[speaker], 1)))


def fill_gaps(segments: Iterable[SpeakerSegment]) -> tuple[SpeakerSegment, ...]:
    """The segments with pauses shorter than `PAUSE` closed, unless another speaker talks in the pause."""
    ordered = sorted(segments)
    last: dict[str, SpeakerSegment] = {}
    closed: list[SpeakerSegment] = []
    for segment in ordered:
        before = last.get(segment.speaker)
        if before and segment.span.start - before.span.end < PAUSE:
            pause = Span(before.span.end, max(before.span.end, segment.span.start))
            if not any(other.span & pause for other in ordered if other.speaker != segment.speaker):
                last[segment.speaker] = SpeakerSegment(before.span | segment.span, segment.speaker)
                continue
        if before:
            closed.append(before)
        last[segment.speaker] = segment
    return tuple(sorted([*closed, *last.values()]))


def numbered_labels(segments: Iterable[SpeakerSegment]) -> dict[str, str]:
    """``S1``, ``S2``, … for the speakers, by first appearance."""
    speakers = dict.fromkeys(segment.speaker for segment in sorted(segments))
    return {speaker: f"S{number}" for number, speaker in enumerate(speakers, 1)}


def relabel(segments: Iterable[SpeakerSegment], labels: Mapping[str, str]) -> tuple[SpeakerSegment, ...]:
    """The same segments with other speaker labels."""
    return tuple(sorted(replace(segment, speaker=labels[segment.speaker]) for segment in segments))


def exclusive(segments: Iterable[SpeakerSegment]) -> tuple[SpeakerSegment, ...]:
    """One speaker at a time: where several speak, the one with the longest segment keeps the floor."""
    ordered = sorted(segments)
    edges = sorted({edge for segment in ordered for edge in (segment.span.start, segment.span.end)})
    holders: list[SpeakerSegment] = []
    active: list[SpeakerSegment] = []
    upcoming = iter([*ordered, None])
    following = next(upcoming)
    for start, end in itertools.pairwise(edges):
        while following and following.span.start <= start:
            active.append(following)
            following = next(upcoming)
        active = [segment for segment in active if segment.span.end > start]
        if active:
            holder = min(active, key=lambda segment: (-segment.span.duration, segment))
            holders.append(SpeakerSegment(Span(start, end), holder.speaker))
    return crop(holders, Span(0, edges[-1])) if edges else ()


def speech_durations(segments: Iterable[SpeakerSegment]) -> Counter[str]:
    """Milliseconds of speech by speaker."""
    durations: Counter[str] = Counter()
    for segment in segments:
        durations[segment.speaker] += segment.span.duration
    return durations


def spurious_speakers(segments: Iterable[SpeakerSegment], settings: DiarizationSettings) -> tuple[str, ...]:
    """Speakers with suspiciously little speech: a small share or a few seconds. Whoever speaks most is not spurious."""
    durations = speech_durations(segments)
    least = max(settings.ghost_seconds * 1000, settings.ghost_share * durations.total())
    others = sorted(durations, key=lambda speaker: (-durations[speaker], speaker))[1:]
    return tuple(sorted(speaker for speaker in others if durations[speaker] < least))
