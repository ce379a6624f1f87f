"""The JSON of speech recognizers, and Whisper's table of tabs in milliseconds.

::

    {"segments": [{"start": 0.1, "end": 2.0, "text": " I could walk.", "speaker": "SPEAKER_00"}], "language": "en"}

That is Whisper, faster-whisper and whisperX, whose ``speaker`` is there where it told voices apart; a bare list of such
segments is read, too. whisper.cpp has ``transcription`` with ``offsets`` in milliseconds, Hugging Face ``chunks`` with
a ``timestamp`` of two, Rev ``monologues`` of elements with times in seconds. Where the words of a segment have speakers
of their own, it is cut where another one begins. Words keep their times and probabilities; one without times stands
where the one before it ended. Tokens are left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipeline.formats.reading import TranscriptTable, of_speeches
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import SpokenPassage
from pipeline.formats.transcript import fill_times
from pipeline.timeline import UNKNOWN, Word

TSV_HEADER = ("start", "end", "text")
"""The columns of Whisper's own table, whose times are milliseconds."""

_LISTS = ("segments", "transcription", "chunks", "monologues")


@dataclass(frozen=True)
class _Segment:
    """A piece of speech; ``per`` is how many milliseconds the unit of its times has."""

    text: Any
    start: Any
    end: Any
    speaker: Any
    words: Any = None
    per: int = 1000


def fits(value: Any) -> bool:
    """Whether JSON is of this kind."""
    return _list(value) is not None


def reading(source: Source) -> TranscriptTable:
    """The table of a file's segments.

    Raises
    ------
    FormatError: F02, F03 and F06 as `Source.json`, F03 JSON of another program, and as `read`.
    """
    value = source.json()
    if not fits(value):
        remedy = "give JSON of Whisper, whisperX, whisper.cpp, Rev or Label Studio, or save the transcript as .csv"
        source.refuse("F03", "is JSON, but not of a program that we know", remedy)
    return of_speeches(source, read(source, value))


def read(source: Source, value: Any) -> tuple[SpokenPassage, ...]:
    """The segments in order.

    Raises
    ------
    FormatError: F03 a segment is none, F07 a wrong time.
    """
    speeches: list[SpokenPassage] = []
    for number, item in enumerate(_list(value) or [], 1):
        where = f"segment {number} of"
        segment = _segment(item, value) if isinstance(item, dict) else None
        if segment is None or not isinstance(segment.text, str):
            source.refuse("F03", "is not a segment with text", "fix or delete it in the file", where)
        for text, start, end, speaker, words in _cut(segment):
            first, last = _times(source, start, end, segment.per, where)
            if first is not None and last is not None and last < first:
                source.refuse("F07", "ends before it starts", "fix its times in the file", where)
            who = str("" if speaker is None else speaker).strip()
            speeches.append(SpokenPassage(who, text.strip(), first, last, _words(source, words, who, where)))
    return tuple(speech for speech in speeches if speech.text)


def _times(source: Source, start: Any, end: Any, per: int, where: str) -> tuple[int | None, int | None]:
    first, last = (None if time is None else source.milliseconds(time, per=per, where=where) for time in (start, end))
    return first, last


def _words(source: Source, words: list[dict[str, Any]], speaker: str, where: str) -> tuple[Word, ...]:
    """Words with their times; none where no word has any."""
    times = [_times(source, word.get("start"), word.get("end"), 1000, where) for word in words]
    if not any(start is not None for start, _ in times):
        return ()
    return tuple(
        Word(span, word["word"].strip(), _probability(word), speaker or UNKNOWN)
        for word, span in zip(words, fill_times(times), strict=True)
        if word["word"].strip()
    )


def _probability(word: dict[str, Any]) -> float:
    known = next((word[key] for key in ("probability", "score", "confidence") if key in word), 1.0)
    return min(1.0, max(0.0, float(known))) if isinstance(known, int | float) else 1.0


def _list(value: Any) -> list[Any] | None:
    if isinstance(value, dict):
        return next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return value if all("text" in item and "start" in item for item in value) else None
    return None


def _segment(item: dict[str, Any], value: Any) -> _Segment | None:
    if "elements" in item:
        return _monologue(item, value)
    text, speaker = item.get("text"), item.get("speaker")
    offsets, stamp = item.get("offsets"), item.get("timestamp")
    if isinstance(offsets, dict):
        return _Segment(text, offsets.get("from"), offsets.get("to"), speaker, per=1)
    if isinstance(stamp, list) and len(stamp) == 2:
        return _Segment(text, stamp[0], stamp[1], speaker)
    return _Segment(text, item.get("start"), item.get("end"), speaker, item.get("words"))


def _monologue(item: dict[str, Any], value: Any) -> _Segment | None:
    elements = item["elements"]
    if not isinstance(elements, list) or not all(isinstance(each, dict) for each in elements):
        return None
    people = value.get("speakers") if isinstance(value, dict) else None
    known = {each.get("id"): each.get("name") for each in people or [] if isinstance(each, dict)}
    number = item.get("speaker")
    name = (known.get(number) if isinstance(number, int | str) else None) or f"Speaker {number}"
    starts = [each["ts"] for each in elements if each.get("ts") is not None]
    ends = [each["end_ts"] for each in elements if each.get("end_ts") is not None]
    text = "".join(str(each.get("value", "")) for each in elements)
    words: list[dict[str, Any]] = []
    for each in elements:
        value = str(each.get("value", ""))
        if each.get("ts") is None and words:  # a blank or a mark belongs to the word before it
            words[-1]["word"] += value.strip()
        elif value.strip():
            times = {"start": each.get("ts"), "end": each.get("end_ts")}
            words.append({"word": value, **times, "confidence": each.get("confidence", 1.0)})
    return _Segment(text, starts[0] if starts else None, ends[-1] if ends else None, name, words)


def _cut(segment: _Segment) -> Iterator[tuple[str, Any, Any, Any, list[dict[str, Any]]]]:
    """Text, times, speaker and words of a segment, or of each part that its words give to another speaker."""
    words = segment.words if isinstance(segment.words, list) else []
    whole = all(isinstance(word, dict) and isinstance(word.get("word"), str) for word in words)
    if not whole or "".join("".join(word["word"].split()) for word in words) != "".join(segment.text.split()):
        words = []
    named, last = [], segment.speaker
    for word in words:
        last = word.get("speaker") or last
        named.append((last, word))
    parts = [(speaker, [word for _, word in group]) for speaker, group in groupby(named, key=lambda pair: pair[0])]
    if len(parts) < 2:
        speaker = segment.speaker or (parts[0][0] if parts else None)
        yield segment.text, segment.start, segment.end, speaker, words
        return
    for number, (speaker, part_words) in enumerate(parts):
        starts = [word["start"] for word in part_words if word.get("start") is not None]
        ends = [word["end"] for word in part_words if word.get("end") is not None]
        start = segment.start if number == 0 else starts[0] if starts else None
        end = segment.end if number == len(parts) - 1 else ends[-1] if ends else None
        yield " ".join(word["word"].strip() for word in part_words), start, end, speaker, part_words
