"""CTM, time marks of words (NIST, sclite's "ctm" format): a word per line, the speaker where sclite has the channel::

    walk S1 0.000 0.400 What 0.97
    tape speaker start duration word probability

Cannot hold: utterances, roles, codes. What one speaker says without a second's pause is read as one utterance. Words
are cut at blanks, so that a word with one is refused. A comment (``;;``) says what times count from. Other comments are
passed over, and so are the marks of alternatives (``<ALT_BEGIN>``), whose words all stay.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from pipeline.errors import FormatError
from pipeline.formats import time_origin
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, ordered_transcript
from pipeline.timeline import Span, Word, to_seconds

_PAUSE = 1000  # ms of silence at which an utterance ends, as in `tiers`
_WITH_SPEAKER = 8  # fields, as NIST's RT evaluations wrote them: the last two are the word's type and its speaker


def read(source: Source) -> CodedTranscript:
    """The words of one tape.

    Raises
    ------
    FormatError: F03 a line that is no CTM, F06 as `Source.text`, F07 a wrong time or probability, or several tapes.
    """
    spoken: dict[str, list[Word]] = defaultdict(list)
    tapes: dict[str, None] = {}
    known: int | None = None
    for number, line in enumerate(source.text().splitlines(), 1):
        fields, where = line.split(), f"line {number} of"
        known = time_origin.parse(line) if known is None and line.lstrip().startswith(";;") else known
        if not fields or line.lstrip().startswith(";;") or fields[2:4] == ["*", "*"]:
            continue
        if not 5 <= len(fields) <= 8:
            remedy = "write tape, channel, start, duration, word and, if known, probability"
            source.refuse("F03", f"has {len(fields)} fields, not 5 or 6", remedy, where)
        tape, speaker, start, duration, text = fields[:5]
        first, length = (source.milliseconds(field, per=1000, where=where) for field in (start, duration))
        probability = _probability(source, fields[5] if len(fields) > 5 else "NA", where)
        tapes[tape] = None
        if len(fields) == _WITH_SPEAKER and fields[7] not in ("NA", "<NA>", "-"):
            speaker = fields[7]
        word = Word(Span(first, first + length), text, probability, percent_decoded(speaker))
        spoken[word.speaker].append(word)
    if len(tapes) > 1:
        source.refuse("F07", f"holds {len(tapes)} tapes", "give the words of one tape")
    runs = (run for words in spoken.values() for run in _runs(sorted(words, key=lambda word: word.span)))
    return ordered_transcript(percent_decoded(next(iter(tapes), source.stem)), map(_utterance, runs), zero=known)


def _probability(source: Source, field: str, where: str) -> float:
    """A confidence as a probability: recognizers write -1 where they have none, and sums of scores a little over 1."""
    if field == "NA":
        return 1.0
    if not re.fullmatch(r"-?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:[eE][-+]?\d{1,3})?", field):
        source.refuse("F07", f"holds {field[:40]!r} for a probability", "write 0 to 1, or NA", where)
    confidence = float(field)
    return 1.0 if confidence < 0 else min(confidence, 1.0)


def _runs(words: list[Word]) -> Iterator[list[Word]]:
    run: list[Word] = []
    for word in words:
        if run and word.span.start - run[-1].span.end > _PAUSE:
            yield run
            run = []
        run.append(word)
    yield run


def _utterance(words: list[Word]) -> CodedUtterance:
    span = Span(words[0].span.start, max(word.span.end for word in words))
    text = " ".join(word.text for word in words)
    return CodedUtterance("", span, words[0].speaker, "unknown", text, (), tuple(words))


def write(transcript: CodedTranscript) -> bytes:
    """A CTM file.

    Raises
    ------
    FormatError: F08 there are no words, or a word holds blanks or control characters.
    """
    words = sorted(
        (word for utterance in transcript.utterances for word in utterance.words),
        key=lambda word: (word.span, word.speaker),
    )
    if transcript.utterances and not words:
        remedy = "convert the folder of a processed tape, which has them"
        raise FormatError("F08", f"tape {transcript.tape_id}", "has no words with times", remedy)
    lines = [] if transcript.zero is None else [f";; {time_origin.sentence(transcript.zero)}\n"]
    tape = percent_encoded(transcript.tape_id)
    for word in words:
        text = printable(word.text, "word")
        if not text or len(text.split()) != 1:
            raise FormatError(
                "F08",
                f"word {text[:40]!r}",
                "is empty or has a space",
                "write WebVTT, ELAN or another format, which hold it as it is",
            )
        times = f"{to_seconds(word.span.start)} {to_seconds(word.span.duration)}"
        lines.append(f"{tape} {percent_encoded(word.speaker) or '-'} {times} {text} {word.probability:.4f}\n")
    return "".join(lines).encode()
