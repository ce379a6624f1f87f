"""What a benchmark row says of a result: word errors, speaker errors, roles, codes, fillers.

A `Result` is what any way of processing yields; a `Truth` is what was really said. Times in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import jiwer
import meeteval
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from pipeline.lexicon import is_backchannel

UMS = frozenset({"um", "uh", "er", "erm", "umm", "uhm"})
HUMS = frozenset({"mm-hm", "uh-huh", "mm", "hm", "aha"})

_SPELLINGS = {
    **dict.fromkeys(("mmhm", "mm-hmm", "mmhmm", "mhm", "mhmm", "m-hm", "mm-mm"), "mm-hm"),
    **dict.fromkeys(("uhhuh", "uh-hum"), "uh-huh"),
    **dict.fromkeys(("'cause", "cause", "cuz"), "because"),
    "mmm": "mm",
    "hmm": "hm",
    "umm": "um",
    "uhm": "um",
    "uhh": "uh",
    "okay": "ok",
    "yep": "yeah",
    "alright": "all right",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "kinda": "kind of",
}
_KEPT = re.compile(r"[^\w'\- ]")


@dataclass(frozen=True)
class Said:
    """One word or utterance: who, when, what, and the codes where it is an utterance."""

    start: float
    end: float
    speaker: str
    text: str
    role: str = ""
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Truth:
    """What was really said: words or utterances in order, and who spoke when."""

    lines: tuple[Said, ...]
    voices: Annotation
    duration: float


@dataclass(frozen=True)
class Result:
    """What a way of processing found. ``utterances`` is empty where it proposes no codes.

    ``vocalizations`` are voices that it heard without words; they have no text.
    """

    words: tuple[Said, ...]
    voices: Annotation
    utterances: tuple[Said, ...] = ()
    vocalizations: tuple[Said, ...] = ()


def normal(text: str) -> list[str]:
    """Words for comparison: lower case, no punctuation, one spelling for each hum; fillers and cut-off words stay.

    >>> normal("Mm-hmm. Okay, I- I was, um, gonna...")
    ['mm-hm', 'ok', 'i', 'i', 'was', 'um', 'going', 'to']
    """
    plain = _KEPT.sub(" ", text.lower().replace("’", "'").replace("–", " ").replace("—", " ")).split()
    words = (_SPELLINGS.get(word.strip("-'"), word.strip("-'")) for word in plain)
    return [part for word in words for part in word.split() if part]


def wer(truth: Truth, result: Result) -> float:
    """Word error rate, verbatim, speakers ignored, words in order of start."""
    spoken = " ".join(" ".join(normal(line.text)) for line in sorted(truth.lines, key=lambda s: s.start))
    recognized = " ".join(" ".join(normal(word.text)) for word in sorted(result.words, key=lambda s: s.start))
    return float(jiwer.wer(spoken, recognized))


def cpwer(truth: Truth, result: Result) -> float:
    """Concatenated minimum-permutation word error rate (Watanabe et al., CHiME-6, 2020), by meeteval."""
    rate = meeteval.wer.cp_word_error_rate(_by_speaker(truth.lines), _by_speaker(result.words))
    return float(rate.error_rate)


def der(truth: Truth, result: Result, collar: float) -> float:
    """Diarization error rate over the whole recording, overlap included, by pyannote.metrics.

    ``collar`` is pyannote's: so many seconds in all are left out around each boundary of the truth.
    """
    metric = DiarizationErrorRate(collar=collar, skip_overlap=False)
    return float(metric(truth.voices, result.voices, uem=Timeline([Segment(0, truth.duration)])))


def role_accuracy(truth: Truth, result: Result) -> float:
    """Share of the found words, in truth's speech of exactly one voice, that carry that voice's role."""
    hits = total = 0
    for word in result.words:
        roles = {line.role for line in truth.lines if line.start <= (word.start + word.end) / 2 <= line.end}
        if len(roles) == 1:
            total += 1
            hits += word.role in roles
    return hits / total if total else 0.0


def matched(truth: Truth, result: Result, family: str) -> tuple[int, int, int]:
    """Of the scripted utterances whose codes start with ``family``: (found, scripted, proposed where none is scripted).

    A scripted utterance is found where a proposed one with such a code shares at least half of the shorter one's time.
    """
    scripted = [line for line in truth.lines if _carries(line, family)]
    proposed = [line for line in result.utterances if _carries(line, family)]
    hit = sum(any(_same(line, other) for other in proposed) for line in scripted)
    extra = sum(not any(_same(line, other) for other in scripted) for line in proposed)
    return hit, len(scripted), extra


def fillers(lines: Iterable[Said]) -> tuple[int, int]:
    """How many ums and how many listening noises were written down."""
    words = [word for line in lines for word in normal(line.text)]
    return sum(word in UMS for word in words), sum(word in HUMS for word in words)


def unclear(truth: Truth, result: Result) -> tuple[int, int]:
    """How many of the listening noises are marked as a voice without words, and how many marks stand where none is."""
    noises = [line for line in truth.lines if is_backchannel([line.text])]
    marked = sum(any(_touch(noise, stretch) for stretch in result.vocalizations) for noise in noises)
    wrong = sum(not any(_touch(noise, stretch) for noise in noises) for stretch in result.vocalizations)
    return marked, wrong


def _touch(first: Said, second: Said) -> bool:
    return first.start < second.end and second.start < first.end


def _carries(line: Said, family: str) -> bool:
    return any(code.startswith(family) for code in line.codes)


def _same(first: Said, second: Said) -> bool:
    shared = min(first.end, second.end) - max(first.start, second.start)
    return shared >= 0.5 * min(first.end - first.start, second.end - second.start) and shared > 0


def _by_speaker(lines: Iterable[Said]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for line in sorted(lines, key=lambda s: s.start):
        texts.setdefault(line.speaker, []).extend(normal(line.text))
    return {speaker: " ".join(words) for speaker, words in texts.items()}
