"""Voices without words: where a coder should listen, because somebody made a sound that nobody wrote down.

The transcriber reports speech that it wrote nothing for. It writes one voice at a time, so a listener's "mm-hm" under
the other's words is lost without a trace; the diarizer, which follows both voices, still hears it. Both are shown as
unclear, never as words: a listening noise that was invented would be worse than one that is missing::

    S1 words    I had stopped for a year and then
    S1 voice   ████████████████████████████████████
    S2 voice               ████                        no word of S2: unclear, S2
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.speech.diarization.contract import Diarization, Voice
from pipeline.speech.turns import BRIEF
from pipeline.timeline import UNKNOWN, Span, Vocalization, Word

# The column "unclear" of `make bench` moves with these.
SHORTEST = 250
"""Milliseconds under which a voice is more likely an error of the diarizer than a sound."""

COVERED = 0.5
"""So much of a brief voice others talk over; where it is alone, the transcriber hears a sound without words itself."""

BESIDE = 300
"""A word of the same speaker within so many milliseconds is what the voice said."""


def vocalizations(
    words: Sequence[Word], wordless: Iterable[Span], diarization: Diarization
) -> tuple[Vocalization, ...]:
    """Sounds without words, ordered by start.

    Parameters
    ----------
    words: with their speakers.
    wordless: speech that the transcriber wrote nothing for; it gets the voice that it overlaps most.
    """
    found = [Vocalization(span, _speaker(span, diarization.voices)) for span in wordless]
    for voice in diarization.voices:
        if not SHORTEST <= voice.span.duration <= BRIEF:
            continue
        said = any(word.speaker == voice.speaker and word.span.gap(voice.span) < BESIDE for word in words)
        known = any(one.span.overlap(voice.span) for one in found)
        if not said and not known and _under(voice, words, diarization.voices):
            found.append(Vocalization(voice.span, voice.speaker))
    return tuple(sorted(found))


def _speaker(span: Span, voices: Iterable[Voice]) -> str:
    overlap: dict[str, int] = {}
    for voice in voices:
        overlap[voice.speaker] = overlap.get(voice.speaker, 0) + voice.span.overlap(span)
    best = min(overlap, key=lambda speaker: (-overlap[speaker], speaker), default=UNKNOWN)
    return best if overlap.get(best) else UNKNOWN


def _under(voice: Voice, words: Iterable[Word], voices: Iterable[Voice]) -> bool:
    """Whether others talk over a voice: their voices, each longer than this one, or words that begin too early."""
    longer = sum(
        voice.span.overlap(other.span)
        for other in voices
        if other.speaker != voice.speaker and other.span.duration > voice.span.duration
    )
    theirs = sum(voice.span.overlap(word.span) for word in words if word.speaker != voice.speaker)
    return max(longer, theirs) >= COVERED * voice.span.duration
