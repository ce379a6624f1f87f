"""A second opinion on how many people speak: how many voices the sound has, whatever number was asked for.

A diarizer that is told to find two voices finds two, and gives a third person's words to whoever sounds most alike;
told to find two where there is one, or two who sound the same, it cuts at random. So the voices are counted freely,
too, and a difference is reported, never mended silently::

    asked for   S1 ████████          ████     S2 ████████ ▒▒▒▒
    free                                                  ▒▒▒▒   another voice within S2
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.timeline import Span, clock, merge

LEAST_SHARE, LEAST_SECONDS = 0.08, 4.0
"""A hidden voice has at least so much of all speech, and of it in seconds; less is more often a cough or an error."""

_PAUSE = 1500  # ms within which pieces of one voice are shown as one
_SHOWN = 4  # pieces that a message names, the longest ones


@dataclass(frozen=True)
class Doubts:
    """Where one more voice than was asked for hides, and where each of those voices speaks that sound alike."""

    hidden: tuple[Span, ...]
    alike: tuple[tuple[Span, ...], ...]

    def by_speaker(self, segments: Sequence[SpeakerSegment]) -> tuple[tuple[SpeakerSegment, ...], tuple[str, ...]]:
        """The hidden voice's stretches with the speakers in whose segments they lie; the speakers that are alike."""
        hidden = (SpeakerSegment(span, speaker) for span in self.hidden if (speaker := _whose([span], segments)))
        alike = {speaker for spans in self.alike if (speaker := _whose(spans, segments))}
        return tuple(sorted(hidden)), tuple(sorted(alike)) if len(alike) > 1 else ()


def compare(requested: np.ndarray, free: np.ndarray, active: np.ndarray, starts: np.ndarray, frame: float) -> Doubts:
    """Compare two clusterings: one with the number of voices that was asked for, one free.

    Parameters
    ----------
    requested, free: cluster of each local speaker of each window, (windows, local speakers), -2 where there is none.
    active: whether each local speaker speaks, shape (windows, frames, local speakers).
    starts: start of each window in ms.
    frame: length of a frame in ms.
    """
    amount = active.sum(axis=1)  # frames, (windows, local speakers)
    total = int(amount[free >= 0].sum())
    step = float(np.median(np.diff(starts))) if len(starts) > 1 else active.shape[1] * frame
    seconds = step / active.shape[1] / 1000  # of a frame: windows overlap
    hidden: list[Span] = []
    largest: dict[int, list[int]] = {}
    for voice in np.unique(requested[requested >= 0]):
        inside = (requested == voice) & (free >= 0)
        sizes = {int(cluster): int(amount[inside & (free == cluster)].sum()) for cluster in np.unique(free[inside])}
        ranked = sorted(sizes, key=lambda cluster: -sizes[cluster])
        if not ranked:
            continue
        largest.setdefault(ranked[0], []).append(int(voice))
        for cluster in ranked[1:]:
            if sizes[cluster] >= max(LEAST_SHARE * total, LEAST_SECONDS / seconds):
                hidden += _spans(inside & (free == cluster), active, starts, frame)
    groups = [voices for voices in largest.values() if len(voices) > 1]
    alike = tuple(tuple(_spans(requested == voice, active, starts, frame)) for voices in groups for voice in voices)
    return Doubts(tuple(merge(sorted(hidden), _PAUSE)), alike)


def notes(diarization: Diarization) -> Iterator[str]:
    """Yield what the second opinion says, in sentences."""
    hidden: dict[str, list[SpeakerSegment]] = {}
    for segment in diarization.hidden:
        hidden.setdefault(segment.speaker, []).append(segment)
    for speaker, segments in hidden.items():
        longest = sorted(sorted(segments, key=lambda segment: -segment.span.duration)[:_SHOWN])
        times = ", ".join(f"{clock(segment.span.start)}-{clock(segment.span.end)}" for segment in longest)
        yield (
            f"one more person than was asked for seems to speak within voice {speaker}, most at {times}: listen there, "
            "and ask for one voice more if it is so (--speakers)"
        )
    if diarization.alike:
        yield (
            f"{' and '.join(diarization.alike)} sound so much alike that words may be given to the wrong voice, or a "
            "third person may be among them: listen to the clips of each voice before you trust the figures"
        )


def _whose(spans: Iterable[Span], segments: Sequence[SpeakerSegment]) -> str:
    """The speaker whose segments the spans share most with; empty where they share nothing."""
    shared: Counter[str] = Counter()
    for span in spans:
        for segment in segments:
            shared[segment.speaker] += segment.span.overlap(span)
    speaker, amount = max(shared.items(), key=lambda pair: pair[1], default=("", 0))
    return speaker if amount else ""


def _spans(chosen: np.ndarray, active: np.ndarray, starts: np.ndarray, frame: float) -> list[Span]:
    """Where the chosen local speakers speak, in ms, windows laid over one another: (windows, local speakers)."""
    spans = sorted(
        Span(round(starts[window] + first * frame), round(starts[window] + last * frame))
        for window, speaker in np.argwhere(chosen)
        for first, last in _runs(active[window, :, speaker])
    )
    return merge(spans, _PAUSE)


def _runs(frames: np.ndarray) -> np.ndarray:
    """First and past-the-last index of each run of frames that are set, shape (runs, 2)."""
    return np.flatnonzero(np.diff(np.concatenate(([0], frames.astype(np.int8), [0])))).reshape(-1, 2)
