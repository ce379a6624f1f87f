"""Words to speakers, and words to turns.

`attribute` gives every word of a transcript the speaker that the diarizer detected there, `turns` gathers words into
uninterrupted speech. Backchannels ("mm-hm") stand in a turn of their own and leave the other's turn whole:

::

    S1   I had stopped for a year ......... and then it came back.
    S2                         mm-hm
                               |
    turns: S1 "I had stopped for a year and then it came back.", S2 "mm-hm"

The transcriber's words start a little off (.06 s at the median, 90 % within .43 s), the diarizer's segments too, so a
word that no segment holds goes to the nearest one. Moving changes of speaker to the end of a sentence or a pause, and
giving single words back to whoever speaks before and after, were tried: on real meetings (AMI) they changed no word.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.lexicon import asks, is_backchannel, sentence_marks
from pipeline.timeline import UNKNOWN, Span, Turn, Word

if TYPE_CHECKING:
    from pipeline.speech.diarization.contract import Diarization, SpeakerSegment

# The numbers were chosen on `session-20-minutes`; cpWER in `make bench` moves with them.
REACH = 400
"""Milliseconds by which a word may miss its speaker's segment: 90 % of the words start within .43 s of their sound."""

SHORTEST, BRIEF = 150, 1500
"""A speaker segment of so many milliseconds may be a backchannel; a longer one is a turn."""

FLUENT = 200
"""Words closer than this, in milliseconds, were spoken in one breath."""

FALSE_START = 3
"""So many words at most may begin too early, under the other's backchannel."""

STRAY_WORDS = 2
"""A stretch of so many words without a speaker does not break the turn around it."""

QUESTION = 40
"""Words of a turn that are read to see whether it ends in a question."""


def attribute(words: Sequence[Word], diarization: Diarization) -> tuple[Word, ...]:
    """Return every word with its speaker, ordered by start; `timeline.UNKNOWN` where no segment is within `REACH`.

    A word goes to the speaker whose segments it overlaps most, else to the nearest one; a backchannel goes to a brief
    segment right there, if there is one. Then words that begin under the other's backchannel return to whoever goes on.
    Words that carry a speaker already (one channel per speaker) keep it. The words themselves never change, and none is
    lost.
    """
    exclusive = _SegmentIndex(diarization.exclusive)
    brief = _SegmentIndex(segment for segment in diarization.segments if SHORTEST <= segment.span.duration <= BRIEF)
    ordered = sorted(words, key=lambda word: word.span.start)
    attributed = [word if word.speaker != UNKNOWN else word.by(_speaker(word, exclusive, brief)) for word in ordered]
    movable = [word.speaker == UNKNOWN for word in ordered]
    return tuple(_without_false_starts(attributed, movable, _SegmentIndex(diarization.segments)))


def turns(words: Iterable[Word]) -> tuple[Turn, ...]:
    """Return the words as turns, ordered by start; every word is in exactly one.

    A turn goes on until another speaker takes over. Three things do not take over and become turns of their own inside
    it: a backchannel, unless it answers a question; speech that begins and ends while the turn goes on; and one or
    two words of an unknown speaker. So turns may overlap in time.
    """
    parts: list[list[Word]] = []
    floor: list[Word] = []
    for stretch in _stretches(words):
        if floor and stretch[0].speaker == floor[0].speaker:
            floor.extend(stretch)
            continue
        parts.append(stretch)
        if not (_is_aside(stretch, floor) if floor else _is_backchannel(stretch)):
            floor = stretch
    parts.sort(key=lambda part: part[0].span.start)
    return tuple(Turn(part[0].speaker, tuple(part)) for part in parts)


class _SegmentIndex:
    """Speaker segments in order of start, to be looked up by time."""

    def __init__(self, segments: Iterable[SpeakerSegment]) -> None:
        self._segments = sorted(segments, key=lambda segment: segment.span.start)
        self._starts = [segment.span.start for segment in self._segments]
        self._longest = max((segment.span.duration for segment in self._segments), default=0)

    def near(self, span: Span, reach: int) -> list[SpeakerSegment]:
        """Return the segments that are at most ``reach`` milliseconds from a span."""
        first = bisect_left(self._starts, span.start - reach - self._longest)
        last = bisect_right(self._starts, span.end + reach)
        return [segment for segment in self._segments[first:last] if segment.span.gap(span) <= reach]


def _speaker(word: Word, exclusive: _SegmentIndex, brief: _SegmentIndex) -> str:
    """The speaker of a word, by its own time alone; ties go to the speaker whose name sorts first."""
    if is_backchannel([word.text]):
        near_brief = brief.near(word.span, FLUENT)
        if near_brief:
            return _closest(near_brief, word)
    near = exclusive.near(word.span, REACH)
    if not near:
        return UNKNOWN
    overlap: Counter[str] = Counter()
    for segment in near:
        overlap[segment.speaker] += segment.span.overlap(word.span)
    if any(overlap.values()):
        return min(overlap, key=lambda speaker: (-overlap[speaker], speaker))
    return _closest(near, word)


def _closest(segments: Iterable[SpeakerSegment], word: Word) -> str:
    """The speaker of the nearest segment; of several that a word touches, of the shortest."""
    return min(
        segments, key=lambda segment: (segment.span.gap(word.span), segment.span.duration, segment.speaker)
    ).speaker


def _without_false_starts(words: list[Word], movable: Sequence[bool], segments: _SegmentIndex) -> list[Word]:
    """The first words of a sentence that begin too early go to whoever goes on with it.

    The engine writes "Yes. She said" where a listener hums between the two, and lets "She" begin with the hum. So a few
    words under a brief segment, without a sentence's end or a pause before the other goes on, are the other's.
    """
    settled = list(words)
    for at in range(1, len(words)):
        speaker, other = settled[at - 1].speaker, settled[at].speaker
        if UNKNOWN in (speaker, other) or speaker == other or is_backchannel([words[at].text]):
            continue
        start = at
        while start and settled[start - 1].speaker == speaker and movable[start - 1] and _goes_on(settled, start):
            start -= 1
        if start == 0 or not (settled[start - 1].speaker == other or is_backchannel([settled[start - 1].text])):
            continue
        overlapped = [
            segment
            for word in settled[start:at]
            for segment in segments.near(word.span, 0)
            if segment.speaker == speaker and segment.span.overlap(word.span)
        ]
        if at - start <= FALSE_START and all(segment.span.duration <= BRIEF for segment in overlapped):
            settled[start:at] = [word.by(other) for word in settled[start:at]]
    return settled


def _goes_on(words: Sequence[Word], at: int) -> bool:
    """Whether the word before word ``at`` was spoken in one breath with it, as a part of its sentence."""
    last, following = words[at - 1], words[at]
    ends = sentence_marks([last.text, following.text])[0]
    return last.span.gap(following.span) < FLUENT and not ends and not is_backchannel([last.text])


def _stretches(words: Iterable[Word]) -> list[list[Word]]:
    """Words of one speaker that no other's word parts, ordered by start; of several that begin at once, by speaker.

    While both speak at once their words interleave; that parts nobody's stretch: it goes on as long as its speaker
    makes no pause that would hold the other's words.
    """
    stretches: list[list[Word]] = []
    latest: dict[str, list[Word]] = {}
    between: dict[str, list[Span]] = {}
    for word in sorted(words, key=lambda word: (word.span.start, word.speaker)):
        stretch, others = latest.get(word.speaker), between.get(word.speaker, [])
        if stretch and (not others or _at_once(_end(stretch), word.span.start, others)):
            stretch.append(word)
        else:
            latest[word.speaker] = [word]
            stretches.append(latest[word.speaker])
        between[word.speaker] = []
        for speaker, spans in between.items():
            if speaker != word.speaker:
                spans.append(word.span)
    return stretches


def _at_once(end: int, start: int, others: Sequence[Span]) -> bool:
    """Whether others spoke over a speaker who went on: the pause from ``end`` to ``start`` does not hold them."""
    return start - end < FLUENT and any(span.start < end or span.end > start for span in others)


def _end(words: Sequence[Word]) -> int:
    """The last end of any word: one that begins later may end earlier, and no turn shrinks by it."""
    return max(word.span.end for word in words)


def _is_backchannel(stretch: Sequence[Word]) -> bool:
    return is_backchannel([word.text for word in stretch])


def _is_aside(stretch: Sequence[Word], floor: Sequence[Word]) -> bool:
    """Whether a stretch leaves the turn that is going on whole."""
    start, end = stretch[0].span.start, _end(stretch)
    if stretch[0].speaker == UNKNOWN and len(stretch) <= STRAY_WORDS:
        return True
    if end <= _end(floor):
        return True
    return _is_backchannel(stretch) and not asks([word.text for word in floor[-QUESTION:] if word.span.start <= start])
