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

    said: tuple[Said, ...]
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
    spoken = " ".join(" ".join(normal(said.text)) for said in sorted(truth.said, key=lambda s: s.start))
    found = " ".join(" ".join(normal(word.text)) for word in sorted(result.words, key=lambda s: s.start))
    return float(jiwer.wer(spoken, found))


def cpwer(truth: Truth, result: Result) -> float:
    """Concatenated minimum-permutation word error rate (Watanabe et al., CHiME-6, 2020), by meeteval."""
    rate = meeteval.wer.cp_word_error_rate(_by_speaker(truth.said), _by_speaker(result.words))
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
        roles = {said.role for said in truth.said if said.start <= (word.start + word.end) / 2 <= said.end}
        if len(roles) == 1:
            total += 1
            hits += word.role in roles
    return hits / total if total else 0.0


def found(truth: Truth, result: Result, family: str) -> tuple[int, int, int]:
    """Of the scripted utterances whose codes start with ``family``: (found, scripted, proposed where none is scripted).

    A scripted utterance is found where a proposed one with such a code shares at least half of the shorter one's time.
    """
    scripted = [said for said in truth.said if _carries(said, family)]
    proposed = [said for said in result.utterances if _carries(said, family)]
    hit = sum(any(_same(one, other) for other in proposed) for one in scripted)
    extra = sum(not any(_same(one, other) for other in scripted) for one in proposed)
    return hit, len(scripted), extra


def fillers(said: Iterable[Said]) -> tuple[int, int]:
    """How many ums and how many listening noises were written down."""
    words = [word for one in said for word in normal(one.text)]
    return sum(word in UMS for word in words), sum(word in HUMS for word in words)


def unclear(truth: Truth, result: Result) -> tuple[int, int]:
    """How many of the listening noises are marked as a voice without words, and how many marks stand where none is."""
    noises = [said for said in truth.said if is_backchannel([said.text])]
    marked = sum(any(_touch(noise, one) for one in result.vocalizations) for noise in noises)
    wrong = sum(not any(_touch(noise, one) for noise in noises) for one in result.vocalizations)
    return marked, wrong


def _touch(one: Said, other: Said) -> bool:
    return one.start < other.end and other.start < one.end


def _carries(said: Said, family: str) -> bool:
    return any(code.startswith(family) for code in said.codes)


def _same(one: Said, other: Said) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared >= 0.5 * min(one.end - one.start, other.end - other.start) and shared > 0


def _by_speaker(said: Iterable[Said]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for one in sorted(said, key=lambda s: s.start):
        texts.setdefault(one.speaker, []).extend(normal(one.text))
    return {speaker: " ".join(words) for speaker, words in texts.items()}
