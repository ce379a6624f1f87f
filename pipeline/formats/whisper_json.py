"""What Whisper, faster-whisper and whisperX write: JSON with segments, and a table of tabs in milliseconds.

::

    {"segments": [{"start": 0.1, "end": 2.0, "text": " I could walk.", "speaker": "SPEAKER_00"}], "language": "en"}

``speaker`` is there where whisperX has told the voices apart. Words, probabilities and tokens are left behind.
"""

from __future__ import annotations

from typing import Any

from pipeline.formats.intake import Source
from pipeline.formats.script import Speech

TSV_HEADER = ("start", "end", "text")
"""The columns of Whisper's own table, whose times are milliseconds."""


def fits(value: Any) -> bool:
    """Whether JSON is of this kind."""
    return isinstance(value, dict) and isinstance(value.get("segments"), list)


def read(source: Source, value: Any) -> tuple[Speech, ...]:
    """The segments in order.

    Raises
    ------
    FormatError: F03 a segment is none, F07 a wrong time.
    """
    speeches = []
    for number, segment in enumerate(value["segments"], 1):
        where = f"segment {number} of"
        if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
            source.refuse("F03", "is no segment with a text", where=where)
        start, end = (
            None if segment.get(key) is None else source.milliseconds(segment[key], per=1000, where=where)
            for key in ("start", "end")
        )
        if start is not None and end is not None and end < start:
            source.refuse("F07", "ends before it starts", where=where)
        speeches.append(Speech(str(segment.get("speaker") or ""), segment["text"].strip(), start, end))
    return tuple(speech for speech in speeches if speech.text)
