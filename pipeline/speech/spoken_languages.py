"""Which language is spoken where on a recording.

An interpreter's session changes the language with every turn, so the language is detected in stretches of a few seconds
and not once per file. A single stretch shows well whether it is English, and badly which other language it is, and at
the end of a chunk even English may look foreign. So neighbors decide together (`languages.foreign_stretches`), and what
seems foreign is detected again, cut out of its surroundings, before it is believed::

    English?    .98 | .97 | .01 (es .4) | .02 (haw .3) | .92 | .99 | .03 (mi .2)
    sequence    en    en    foreign       foreign        en    en    foreign
    by itself               └──────── es .96 ────────┘               en .97
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from pipeline import languages
from pipeline.languages import ENGLISH
from pipeline.lexicon import plains
from pipeline.timeline import Span

# Chosen on spoken scenes and real English speech: `python -m tests.benchmarks.languages` measures them.
LONGEST_STRETCH = 3000
"""Milliseconds of a stretch at most."""

AROUND = 5000
"""Milliseconds around a stretch's middle in which the language is detected, too,"""

_OWN_WEIGHT = 0.65
"""and the weight of the stretch itself beside that."""

_WHOLE = 1000
"""A stretch of so many milliseconds has its full weight; a shorter one is less sure."""

_CHANGE_COST = 0.8
"""The cost of a change of language, in log odds of a whole stretch."""

_ENGLISH_BONUS = 0.0
"""What a whole stretch grants to English."""

SHORTEST_RUN = 1200
"""Milliseconds of speech of a run at least: "sí" and "ja" within an English session are no run."""

_LEAST = 0.3
"""The least probability of a run's language, detected by itself: noise and singing are in none."""

_LEAST_AT_A_GLANCE = 0.1
"""The same where a run is encoded at its own length: a run with less has not reached `_LEAST` on any recording."""

_TEXT_WEIGHT = 6.0
"""How much the texts count beside the probabilities of the languages: the text in the right language is likelier."""

_CLOSER_COST, _CLOSER_BONUS = 0.5, -1.0
"""The cost of a change and the bonus of English on a tape that is known to have another language."""

_TINY = 1e-4  # below this, how improbable a language is says nothing more

Stretch = tuple[Span, Mapping[str, float]]
"""A stretch of speech, with language -> probability."""


@dataclass(frozen=True)
class LanguageRun:
    """Speech in one language, from its first stretch to its last; ``speech`` is its ms of speech.

    ``probability`` is the mean over its stretches.
    """

    span: Span
    language: str
    probability: float
    speech: int


def around(stretch: Span) -> Span:
    """Return a stretch with its surroundings, in ms of its chunk."""
    start = max(0, stretch.middle - AROUND // 2)
    return Span(start, start + AROUND)


def combined(by_itself: Mapping[str, float], with_surroundings: Mapping[str, float]) -> dict[str, float]:
    """Return language -> probability of a stretch, from what was detected in it and around it (weighted log odds)."""
    log = {
        language: _OWN_WEIGHT * math.log(max(share, _TINY))
        + (1 - _OWN_WEIGHT) * math.log(max(with_surroundings.get(language, 0.0), _TINY))
        for language, share in by_itself.items()
    }
    total = sum(math.exp(value) for value in log.values())
    return {language: math.exp(value) / total for language, value in log.items()}


def runs(stretches: Iterable[Stretch]) -> tuple[LanguageRun, ...]:
    """Return a recording as runs of English and of what seems to be another language, in order of time.

    A foreign run has the language that is likeliest in its stretches. One with too little speech is English.
    """
    ordered = sorted(stretches, key=lambda stretch: stretch[0])
    foreign = languages.foreign_stretches(_weighed(ordered), _CHANGE_COST, _ENGLISH_BONUS)
    return _joined_english(_run(list(group), is_foreign) for is_foreign, group in _grouped(ordered, foreign))


def closer_runs(stretches: Iterable[Stretch], known: Sequence[Span]) -> tuple[LanguageRun, ...]:
    """Return the runs of a recording that is known to have another language in ``known`` spans.

    Outside of these, every stretch that could be in another language, too, is a run of its own, to be tried by itself.
    """
    ordered = sorted(stretches, key=lambda stretch: stretch[0])
    foreign = languages.foreign_stretches(_weighed(ordered), _CLOSER_COST, _CLOSER_BONUS)
    inside = [next((number for number, span in enumerate(known) if stretch in span), -1) for stretch, _ in ordered]
    all_runs: list[LanguageRun] = []
    for number, pairs in groupby(zip(inside, ordered, foreign, strict=True), itemgetter(0)):
        group = [(stretch, is_foreign) for _, stretch, is_foreign in pairs]
        if number >= 0:
            all_runs.append(_run([stretch for stretch, _ in group], True))
        else:
            all_runs += [_run([stretch], is_foreign) for stretch, is_foreign in group]
    return _joined_english(all_runs)


def _weighed(ordered: Sequence[Stretch]) -> list[tuple[float, float]]:
    return [(shares.get(ENGLISH, 0.0), min(1.0, span.duration / _WHOLE)) for span, shares in ordered]


def _joined_english(all_runs: Iterable[LanguageRun]) -> tuple[LanguageRun, ...]:
    joined: list[LanguageRun] = []
    for run in all_runs:
        both_english = bool(joined) and joined[-1].language == run.language == ENGLISH
        joined.append(_joined(joined.pop(), run) if both_english else run)
    return tuple(joined)


def _grouped(ordered: Sequence[Stretch], foreign: Sequence[bool]) -> Iterator[tuple[bool, Iterator[Stretch]]]:
    for is_foreign, pairs in groupby(zip(foreign, ordered, strict=True), itemgetter(0)):
        yield is_foreign, (stretch for _, stretch in pairs)


def _run(group: Sequence[Stretch], is_foreign: bool) -> LanguageRun:
    speech = sum(span.duration for span, _ in group)
    mean: dict[str, float] = {}
    for span, shares in group:
        for language, share in shares.items():
            mean[language] = mean.get(language, 0.0) + share * span.duration / max(1, speech)
    language = likeliest_other(mean) if is_foreign and speech >= SHORTEST_RUN else ENGLISH
    return LanguageRun(group[0][0] | group[-1][0], language, mean.get(language, 0.0), speech)


@dataclass(frozen=True)
class Trial:
    """A suspected run by itself: language -> probability, and by how much its text is likelier in another language.

    ``text_gain`` is the mean log probability of a token of the text in the likeliest other language, less that of the
    English text; minus infinity where the text in that language was rejected or is the English one. An accent gives
    sounds that look like another language's, but no text in it: "Well, my doctor said" in a Spanish voice is Catalan by
    its sound with .68, and as Catalan text far less likely than as English.
    """

    shares: Mapping[str, float]
    text_gain: float

    def language(self, on_tape: Mapping[str, float]) -> str:
        """Return the run's language; ``on_tape`` is how much of the tape may be in each."""
        other = likeliest_other(self.shares, on_tape)
        if not is_possible(self.shares, other):
            return ENGLISH
        odds = math.log(self.shares[other] / max(self.shares.get(ENGLISH, 0.0), _TINY))
        return other if odds + _TEXT_WEIGHT * self.text_gain > 0 else ENGLISH


def is_possible(shares: Mapping[str, float], other: str) -> bool:
    """Return whether a run may be in this language at all, by its sound."""
    return other != ENGLISH and shares[other] >= _LEAST


def is_surely_english(glance: Mapping[str, float]) -> bool:
    """Return whether a run is in no other language even by what a glance says, which may be a little off."""
    return glance.get(likeliest_other(glance), 0.0) < _LEAST_AT_A_GLANCE


def is_same_text(first: str, second: str) -> bool:
    """Return whether two texts share most of their words: as Tagalog, Whisper writes English speech in English."""
    words = [set(plains(text.split())) for text in (first, second)]
    return 2 * len(words[0] & words[1]) > min(map(len, words))


def likeliest_other(shares: Mapping[str, float], on_tape: Mapping[str, float] | None = None) -> str:
    """Return the likeliest language but English; English where there is no other."""
    others = [language for language in shares if language != ENGLISH]
    weight = on_tape or {}
    return max(others, key=lambda language: shares[language] * weight.get(language, 1.0), default=ENGLISH)


def _joined(first: LanguageRun, second: LanguageRun) -> LanguageRun:
    speech = first.speech + second.speech
    mean = (first.probability * first.speech + second.probability * second.speech) / max(1, speech)
    return LanguageRun(first.span | second.span, first.language, mean, speech)


def settled(all_runs: Sequence[LanguageRun], trials: Mapping[LanguageRun, Trial]) -> tuple[LanguageRun, ...]:
    """Return the runs: those that are foreign by themselves, too, in their final language, all others in English.

    A tape has few languages, and relatives are mistaken for each other (Spanish for Galician): each run takes the
    language that is likeliest in it and on the whole tape.
    """
    on_tape: dict[str, float] = {}
    for run, trial in trials.items():
        for language, share in trial.shares.items():
            on_tape[language] = on_tape.get(language, 0.0) + share * run.speech
    joined: list[LanguageRun] = []
    for run in all_runs:
        tried = trials.get(run)
        if tried is not None:
            language = tried.language(on_tape)
            run = LanguageRun(run.span, language, tried.shares.get(language, 0.0), run.speech)
        joined.append(_joined(joined.pop(), run) if joined and joined[-1].language == run.language else run)
    return tuple(joined)
