"""Decoding options of a chunk, how far a decoded text can be trusted, and which of several hypotheses to keep.

Whisper writes what a transcript usually holds: no "um"s. A prompt full of them makes it write verbatim, but then it may
lose a part of the chunk or fall into a loop. With time stamps as well, it loses little, but invents more where voices
are far away. So a chunk is decoded with several options, and the hypothesis with the most words that are likely to be
right is kept (`best`). Where both texts of the prompt agree, none without it is better, and none is made.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pipeline.languages import ENGLISH, is_foreign
from pipeline.settings import TranscriptionSettings

# WER and "um" in `make bench` move with these.
_LOOP = re.compile(r"\b(\S+(?: \S+){0,11}?)(?: \1){3,}")
"""The same one to twelve words at least four times in a row."""

_LOOP_WORDS = 8
"""A shorter loop may be spoken: "no, no, no, no"."""

_SHARPNESS = 5.0
"""A word's score falls with this power of its probability; 3 to 8 chose alike on our recordings."""

_RECITED, _MOSTLY = 3, 0.8
"""So many terms in the order of the list, making up so much of a chunk's words, are no speech."""

_AGREEING = 0.8
"""The share of words, in order, from which on two texts agree: of 47 chunks of a session of 20 minutes the text without
the prompt is the best of 2, whose other texts share .74 and .61, and of none of the 39 whose texts share so many."""

_PLAIN_SHARE = 0.8
"""Plain text has fewer words to be wrong about, since it leaves the fillers out: it has to be so much better."""


@dataclass(frozen=True)
class DecodingOptions:
    """Options of one decoding: the prompt, whether with time stamps, the beam size, terms, and the language."""

    prompt: str
    timed: bool
    beam: int
    terms: tuple[str, ...] = ()
    language: str = ENGLISH


@dataclass(frozen=True)
class Hypothesis:
    """One decoding of one chunk: its text, its text tokens and their mean log probability."""

    options: DecodingOptions
    text: str
    tokens: tuple[int, ...]
    log_probability: float

    @property
    def words(self) -> int:
        """Number of words."""
        return len(self.text.split())

    @property
    def compression(self) -> float:
        """The compression ratio of zlib: high where the text repeats the same characters."""
        text = self.text.encode()
        return len(text) / len(zlib.compress(text)) if text else 0.0

    @property
    def loops(self) -> bool:
        """Whether some words come at least four times in a row, and longer than anybody would speak them."""
        match = _LOOP.search(re.sub(r"[^\w' ]", "", self.text.lower()))
        return match is not None and len(match[0].split()) >= _LOOP_WORDS

    @property
    def score(self) -> float:
        """The number of words that are likely to be right, estimated from their mean probability."""
        right = self.words * math.exp(_SHARPNESS * self.log_probability)
        return right if self.options.prompt else _PLAIN_SHARE * right


def rejection_reason(hypothesis: Hypothesis, settings: TranscriptionSettings) -> str | None:
    """Return why a text is more likely invented than spoken, or None.

    The limits are those at which Whisper's authors decode anew (Radford et al. 2022, section 4.5).
    """
    if _recites(hypothesis):
        return "recites the list of terms"
    if hypothesis.loops or hypothesis.compression > settings.compression_limit:
        return "repeats itself"
    if hypothesis.log_probability < settings.log_probability_limit:
        return "improbable"
    return None


def _recites(hypothesis: Hypothesis) -> bool:
    """Whether a text holds hardly more than the list of terms, in its order: the recognizer read it off."""
    terms = [term.casefold() for term in hypothesis.options.terms]
    text = re.sub(r"[^\w' -]", "", hypothesis.text.casefold())
    starts = [text.find(re.sub(r"[^\w' -]", "", term)) for term in terms]
    listed = [(start, term) for start, term in zip(starts, terms, strict=True) if start >= 0]
    words = sum(len(term.split()) for _, term in listed)
    return len(listed) >= _RECITED and listed == sorted(listed) and words >= _MOSTLY * hypothesis.words


def best(hypotheses: Iterable[Hypothesis], settings: TranscriptionSettings) -> Hypothesis:
    """Return the highest-scoring hypothesis that is not rejected, or of all where all are; the first of equals."""
    return max(hypotheses, key=lambda hypothesis: (rejection_reason(hypothesis, settings) is None, hypothesis.score))


def agree(hypotheses: Sequence[Hypothesis], settings: TranscriptionSettings) -> bool:
    """Return whether there are several texts, none of which is rejected, that share nearly all words in their order."""
    if len(hypotheses) < 2 or any(rejection_reason(hypothesis, settings) for hypothesis in hypotheses):
        return False
    first, *others = (re.sub(r"[^\w' ]", "", hypothesis.text.casefold()).split() for hypothesis in hypotheses)
    return all(SequenceMatcher(None, first, other, autojunk=False).ratio() >= _AGREEING for other in others)


def decoding_options(settings: TranscriptionSettings, language: str = ENGLISH) -> list[DecodingOptions]:
    """Return the options with which every chunk of a language is decoded.

    The prompt is English: with it Whisper writes another language in English words, so it is for English alone.
    """
    if is_foreign(language):
        return [
            DecodingOptions("", timed=False, beam=settings.beam, terms=settings.terms, language=language),
            DecodingOptions("", timed=True, beam=settings.beam, terms=settings.terms, language=language),
        ]
    candidates = [
        DecodingOptions(settings.prompt, timed=False, beam=settings.beam, terms=settings.terms),
        DecodingOptions(settings.prompt, timed=True, beam=settings.timed_beam, terms=settings.terms),
    ]
    return [options for options in candidates if options.beam]


def without_prompt(settings: TranscriptionSettings, language: str = ENGLISH) -> DecodingOptions | None:
    """Return the options for chunks whose texts do not agree, or None where the settings leave them out.

    Another language is decoded without a prompt anyway.
    """
    if is_foreign(language) or not settings.plain_beam:
        return None
    return DecodingOptions("", timed=False, beam=settings.plain_beam, terms=settings.terms)


def fallback(settings: TranscriptionSettings, language: str = ENGLISH) -> DecodingOptions:
    """Return the options that lose least: for a chunk of which the others gave hardly a word."""
    return DecodingOptions("", timed=True, beam=1, terms=settings.terms, language=language)
