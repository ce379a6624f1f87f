"""Resegmentation: where one speaker was detected alone, did the other one take over in between?

Segmentation networks miss changes between alike voices, above all far from the microphone: on AMI's two-person clip
all windows together leave 17 % of the speech with the wrong man. The speakers' embeddings, known once the recording is
clustered, tell them apart in windows of less than a second: 1 to 2 % is left. So each stretch is embedded again in
short windows that never reach beyond it, and the likeliest sequence of speakers through them is computed (Viterbi)::

    segmentation    S1 ────────────────────────────┐ alone: two local speakers would have been detected here
    windows            ▔▔▔ 0.75 s, every 0.375 s
    nearest center     1 1 1 1 2 2 2 2 2 1 1 1 1 1
    resegmentation  S1 ───────┐ S2 ────┐ S1 ───────┘

Where stretches begin and end, and where speakers overlap, stays as the segmentation network has it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from pipeline.speech.diarization.contract import SpeakerSegment
from pipeline.timeline import Span

# Chosen on AMI's two-person clip; on other clips, others hardly do better (`tests.benchmarks.far_field`).
WINDOW, STEP = 750, 375
"""Length and step of the windows in milliseconds."""

_CHANGE_COST = 0.3
"""The cost of a change of speaker, in cosine similarity summed over windows."""
_STAY_BONUS = 0.1
"""What each window grants to the speaker of the segmentation."""

EmbedWindows = Callable[[Sequence[int]], np.ndarray]
"""Embeddings (n, d) of the windows that begin at n times, in milliseconds."""


def reassignments(
    segments: Iterable[SpeakerSegment], embed_windows: EmbedWindows, centers: Mapping[str, np.ndarray]
) -> tuple[SpeakerSegment, ...]:
    """Stretches that belong to another speaker than the one who was detected alone there, each with that other speaker.

    Parameters
    ----------
    segments: the segmentation's.
    centers: the mean embedding of each speaker, (d,).
    """
    speakers = sorted(centers)
    directions = _unit(np.stack([centers[speaker] for speaker in speakers])) if speakers else np.zeros((0, 1))
    reassigned: list[SpeakerSegment] = []
    stretches = [
        stretch
        for stretch in single_speaker(segments)
        if stretch.span.duration >= WINDOW and stretch.speaker in centers
    ]
    windows = [range(stretch.span.start, stretch.span.end - WINDOW + 1, STEP) for stretch in stretches]
    if not stretches:
        return ()
    # All at once: most stretches hold few windows, and an engine takes several in hardly more time than one.
    scored = _unit(embed_windows([*itertools.chain.from_iterable(windows)])) @ directions.T
    ends = list(itertools.accumulate(map(len, windows)))
    for stretch, starts, scores in zip(stretches, windows, np.split(scored, ends[:-1]), strict=True):
        scores[:, speakers.index(stretch.speaker)] += _STAY_BONUS
        edges = [stretch.span.start, *(start + (WINDOW + STEP) // 2 for start in starts[:-1]), stretch.span.end]
        for state, (begin, end) in zip(_viterbi(scores), itertools.pairwise(edges), strict=True):
            if speakers[state] == stretch.speaker:
                continue
            if reassigned and reassigned[-1].span.end == begin and reassigned[-1].speaker == speakers[state]:
                begin = reassigned.pop().span.start
            reassigned.append(SpeakerSegment(Span(begin, end), speakers[state]))
    return tuple(reassigned)


def single_speaker(segments: Iterable[SpeakerSegment]) -> tuple[SpeakerSegment, ...]:
    """Where exactly one speaker talks, ordered by start."""
    steps = sorted(
        step
        for segment in segments
        for step in ((segment.span.start, 1, segment.speaker), (segment.span.end, -1, segment.speaker))
    )
    stretches: list[SpeakerSegment] = []
    active: set[str] = set()
    before = 0
    for time, group in itertools.groupby(steps, key=lambda step: step[0]):
        if len(active) == 1 and time > before:
            stretches.append(SpeakerSegment(Span(before, time), next(iter(active))))
        for _, change, speaker in group:
            active = active | {speaker} if change > 0 else active - {speaker}
        before = time
    return tuple(stretches)


def reassign(segments: Iterable[SpeakerSegment], reassigned: Sequence[SpeakerSegment]) -> tuple[SpeakerSegment, ...]:
    """The segments after reassignment: each reassigned stretch is taken from its former speaker."""
    remaining: list[SpeakerSegment] = []
    for segment in segments:
        start = segment.span.start
        for change in (other for other in reassigned if other.span & segment.span and other.speaker != segment.speaker):
            if change.span.start > start:
                remaining.append(SpeakerSegment(Span(start, change.span.start), segment.speaker))
            start = max(start, change.span.end)
        if segment.span.end > start:
            remaining.append(SpeakerSegment(Span(start, segment.span.end), segment.speaker))
    return tuple(sorted([*remaining, *reassigned]))


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine similarity of two embeddings: 1 for the same voice, near 0 for strangers."""
    return float(_unit(first) @ _unit(second))


def _viterbi(scores: np.ndarray) -> list[int]:
    """The likeliest sequence of states under a cost of change: (windows, states) -> one state per window."""
    costs = _CHANGE_COST * (1 - np.eye(scores.shape[1]))
    best, origins = scores[0], []
    for score in scores[1:]:
        reached = best[:, None] - costs
        origins.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + score
    states = [int(best.argmax())]
    for origin in reversed(origins):
        states.append(int(origin[states[-1]]))
    return states[::-1]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
