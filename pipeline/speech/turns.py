"""Who said which word, and where a turn ends.

`attribute` gives every word of a transcript the voice that the diarizer heard, `turns` gathers words into uninterrupted
speech. Listener noises ("mm-hm") stand in a turn of their own and leave the other's turn whole:

::

    S1   I had stopped for a year ......... and then it came back.
    S2                         mm-hm
                               |
    turns: S1 "I had stopped for a year and then it came back.", S2 "mm-hm"

The transcriber's words start a little off (.06 s at the median, 90 % within .43 s), the diarizer's voices too, so a
word that no voice holds goes to the nearest one. Moving changes of voice to the end of a sentence or to a pause, and
giving single words back to whoever speaks before and after, were tried: on real meetings (AMI) they changed no word.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.lexicon import asks, ends_sentence, is_listener_noise
from pipeline.timeline import UNKNOWN, Span, Turn, Word

if TYPE_CHECKING:
    from pipeline.speech.diarization.contract import Diarization, Voice

# The numbers were chosen on `session-20-minutes`; cpWER in `make bench` moves with them.
REACH = 400
"""Milliseconds by which a word may miss its voice: 90 % of the words start within .43 s of where they are spoken."""

SHORTEST, BRIEF = 150, 1500
"""A voice that is heard so long, in milliseconds, may be a listener noise; a longer one is a turn."""

FLUENT = 200
"""Words closer than this, in milliseconds, were spoken in one breath."""

FALSE_START = 3
"""So many words at most may begin too early, under the other's listener noise."""

STRAY_WORDS = 2
"""A stretch of so many words that no voice claims does not break the turn around it."""

QUESTION = 40
"""Words of a turn that are read to see whether it ends in a question."""


def attribute(words: Sequence[Word], diarization: Diarization) -> tuple[Word, ...]:
    """Every word with its speaker, ordered by start; `timeline.UNKNOWN` where no voice is within `REACH`.

    A word goes to the voice that it overlaps most, else to the nearest one; a listener noise goes to a brief voice
    right there, if one is heard. Then words that begin under the other's listener noise return to whoever goes on.
    Words that carry a speaker already (one channel a speaker) keep it. The words themselves never change, and none is
    lost.
    """
    voices = _Voices(diarization.exclusive)
    brief = _Voices(voice for voice in diarization.voices if SHORTEST <= voice.span.duration <= BRIEF)
    ordered = sorted(words, key=lambda word: word.span.start)
    heard = [word if word.speaker != UNKNOWN else word.by(_claim(word, voices, brief)) for word in ordered]
    movable = [word.speaker == UNKNOWN for word in ordered]
    return tuple(_without_false_starts(heard, movable, _Voices(diarization.voices)))


def turns(words: Iterable[Word]) -> tuple[Turn, ...]:
    """Words as turns, ordered by start; every word is in exactly one.

    A turn goes on until another voice takes over. Three things do not take over and become turns of their own inside
    it: a listener noise, unless it answers a question; speech that begins and ends while the turn goes on; and one or
    two words of an unknown speaker. So turns may overlap in time.
    """
    found: list[list[Word]] = []
    floor: list[Word] = []
    for stretch in _stretches(words):
        if floor and stretch[0].speaker == floor[0].speaker:
            floor.extend(stretch)
            continue
        found.append(stretch)
        if not (_is_aside(stretch, floor) if floor else _is_noise(stretch)):
            floor = stretch
    found.sort(key=lambda turn: turn[0].span.start)
    return tuple(Turn(turn[0].speaker, tuple(turn)) for turn in found)


class _Voices:
    """Voices in order of start, to be looked up by time."""

    def __init__(self, voices: Iterable[Voice]) -> None:
        self._voices = sorted(voices, key=lambda voice: (voice.span.start, voice.span.end, voice.speaker))
        self._starts = [voice.span.start for voice in self._voices]
        self._longest = max((voice.span.duration for voice in self._voices), default=0)

    def near(self, span: Span, reach: int) -> list[Voice]:
        """Voices that are no further than ``reach`` milliseconds from a span."""
        first = bisect_left(self._starts, span.start - reach - self._longest)
        last = bisect_right(self._starts, span.end + reach)
        return [voice for voice in self._voices[first:last] if voice.span.gap(span) <= reach]


def _claim(word: Word, voices: _Voices, brief: _Voices) -> str:
    """The speaker of a word, by its own time alone; ties go to the speaker whose name sorts first."""
    if is_listener_noise([word.text]):
        heard = brief.near(word.span, FLUENT)
        if heard:
            return _closest(heard, word)
    near = voices.near(word.span, REACH)
    if not near:
        return UNKNOWN
    overlap: Counter[str] = Counter()
    for voice in near:
        overlap[voice.speaker] += voice.span.overlap(word.span)
    if any(overlap.values()):
        return min(overlap, key=lambda speaker: (-overlap[speaker], speaker))
    return _closest(near, word)


def _closest(voices: Iterable[Voice], word: Word) -> str:
    """The speaker whose voice is nearest; of several that a word touches, the one that speaks least."""
    return min(voices, key=lambda voice: (voice.span.gap(word.span), voice.span.duration, voice.speaker)).speaker


def _without_false_starts(words: list[Word], movable: Sequence[bool], voices: _Voices) -> list[Word]:
    """The first words of a sentence that begin too early go to whoever goes on with it.

    The engine writes "Yes. She said" where a listener hums between the two, and lets "She" begin with the hum. So a few
    words under a brief voice, without a sentence's end or a pause before the other goes on, are the other's.
    """
    settled = list(words)
    for at in range(1, len(words)):
        speaker, other = settled[at - 1].speaker, settled[at].speaker
        if UNKNOWN in (speaker, other) or speaker == other or is_listener_noise([words[at].text]):
            continue
        start = at
        while start and settled[start - 1].speaker == speaker and movable[start - 1] and _goes_on(settled, start):
            start -= 1
        if start == 0 or not (settled[start - 1].speaker == other or is_listener_noise([settled[start - 1].text])):
            continue
        heard = [
            voice
            for word in settled[start:at]
            for voice in voices.near(word.span, 0)
            if voice.speaker == speaker and voice.span.overlap(word.span)
        ]
        if at - start <= FALSE_START and all(voice.span.duration <= BRIEF for voice in heard):
            settled[start:at] = [word.by(other) for word in settled[start:at]]
    return settled


def _goes_on(words: Sequence[Word], at: int) -> bool:
    """Whether the word before word ``at`` is said in one breath with it, as a part of its sentence."""
    last = words[at - 1]
    return (
        last.span.gap(words[at].span) < FLUENT and not ends_sentence(last.text) and not is_listener_noise([last.text])
    )


def _stretches(words: Iterable[Word]) -> list[list[Word]]:
    """Words of one speaker that no other's word parts, ordered by start.

    While both speak at once their words interleave; that parts nobody's stretch: it goes on as long as its speaker
    makes no pause that would hold the other's words.
    """
    found: list[list[Word]] = []
    latest: dict[str, list[Word]] = {}
    between: dict[str, list[Span]] = {}
    for word in sorted(words, key=lambda word: word.span.start):
        stretch, others = latest.get(word.speaker), between.get(word.speaker, [])
        if stretch and (not others or _at_once(_end(stretch), word.span.start, others)):
            stretch.append(word)
        else:
            latest[word.speaker] = [word]
            found.append(latest[word.speaker])
        between[word.speaker] = []
        for speaker, spans in between.items():
            if speaker != word.speaker:
                spans.append(word.span)
    return found


def _at_once(end: int, start: int, others: Sequence[Span]) -> bool:
    """Whether others spoke over a voice that went on: the pause from ``end`` to ``start`` does not hold them."""
    return start - end < FLUENT and any(span.start < end or span.end > start for span in others)


def _end(words: Sequence[Word]) -> int:
    """When words have ended: one that begins later may end earlier, and no turn shrinks by it."""
    return max(word.span.end for word in words)


def _is_noise(stretch: Sequence[Word]) -> bool:
    return is_listener_noise([word.text for word in stretch])


def _is_aside(stretch: Sequence[Word], floor: Sequence[Word]) -> bool:
    """Whether a stretch leaves the turn that is going on whole."""
    start, end = stretch[0].span.start, _end(stretch)
    if stretch[0].speaker == UNKNOWN and len(stretch) <= STRAY_WORDS:
        return True
    if end <= _end(floor):
        return True
    return _is_noise(stretch) and not asks([word.text for word in floor[-QUESTION:] if word.span.start <= start])
