"""What an engine believes it heard in a window, how far that can be trusted, and which of several beliefs to keep.

Whisper writes what a transcript usually says: without its "um"s. A prompt full of them makes it write what was said,
but then it may lose a part of the window or fall into a loop. Asked for time stamps as well, it loses little, but
invents more where voices are far away. So a window is heard in several manners, and the belief with the most words that
are likely to be right is kept (`best`).
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.settings import TranscriptionSettings

# WER and "um" in `make bench` move with these.
_LOOP = re.compile(r"\b(\S+(?: \S+){0,11}?)(?: \1){3,}")
"""The same one to twelve words at least four times in a row."""

_LOOP_WORDS = 8
"""A shorter loop may be said: "no, no, no, no"."""

_SHARPNESS = 5.0
"""How much a word counts falls with this power of its probability; 3 to 8 chose alike on our recordings."""

_PLAIN_SHARE = 0.8
"""Plain text has fewer words to be wrong about, since it leaves the fillers out: it has to be so much better."""


@dataclass(frozen=True)
class Manner:
    """How a window is heard: shown which prompt, with time stamps or not, and following how many texts at a time."""

    prompt: str
    timed: bool
    beam: int


@dataclass(frozen=True)
class Hypothesis:
    """One decoding of one window: its text, its text tokens and their mean log probability."""

    manner: Manner
    text: str
    tokens: tuple[int, ...]
    log_probability: float

    @property
    def words(self) -> int:
        """Number of words."""
        return len(self.text.split())

    @property
    def compression(self) -> float:
        """How many times smaller zlib makes the text: much, where it repeats the same characters."""
        text = self.text.encode()
        return len(text) / len(zlib.compress(text)) if text else 0.0

    @property
    def loops(self) -> bool:
        """Whether some words come at least four times in a row, and longer than anybody would say them."""
        found = _LOOP.search(re.sub(r"[^\w' ]", "", self.text.lower()))
        return found is not None and len(found[0].split()) >= _LOOP_WORDS

    @property
    def worth(self) -> float:
        """About how many words are likely to be right."""
        right = self.words * math.exp(_SHARPNESS * self.log_probability)
        return right if self.manner.prompt else _PLAIN_SHARE * right


def doubt(hypothesis: Hypothesis, settings: TranscriptionSettings) -> str | None:
    """Why a text is more likely invented than heard, or None.

    The limits are those at which Whisper's authors decode anew (Radford et al. 2022, section 4.5).
    """
    if hypothesis.loops or hypothesis.compression > settings.compression_limit:
        return "repeats itself"
    if hypothesis.log_probability < settings.log_probability_limit:
        return "improbable"
    return None


def best(hypotheses: Iterable[Hypothesis], settings: TranscriptionSettings) -> Hypothesis:
    """The one of most worth among those without doubt, or where all are doubtful among all; the first of equals."""
    return max(hypotheses, key=lambda one: (doubt(one, settings) is None, one.worth))


def manners(settings: TranscriptionSettings) -> list[Manner]:
    """The manners in which every window is heard."""
    wanted = [
        Manner(settings.prompt, timed=False, beam=settings.beam),
        Manner(settings.prompt, timed=True, beam=settings.timed_beam),
        Manner("", timed=False, beam=settings.plain_beam),
    ]
    return [manner for manner in wanted if manner.beam]


LAST_RESORT = Manner("", timed=True, beam=1)
"""The manner that loses least: for a window of which the others wrote hardly anything."""
