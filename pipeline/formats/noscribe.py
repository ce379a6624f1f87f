"""Transcripts of noScribe (.html): paragraphs whose anchors hold times, and whose text begins with the speaker.

::

    <p><a name="ts_1000_3000_S00">S00: What would you like?</a></p>

Times are milliseconds from the recording's start. Marks that noScribe writes for pauses, "(..)", stay as they are.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pipeline.formats.safe_reader import Source
from pipeline.formats.script import SpokenPassage

_ANCHOR = re.compile(r"ts_(\d{1,9})_(\d{1,9})(?:_(\w+))?")
_PREFIX = re.compile(r"([^\W\d_][\w .-]{0,39}):\s+(.*)", re.DOTALL)
_OVERLAP = re.compile(r"//\s*(.*?)\s*//")
"""Overlapping speech stands between slashes."""
_STAMP = re.compile(r"\[\d{1,2}:\d{2}:\d{2}\]\s*")


def read(source: Source) -> tuple[SpokenPassage, ...]:
    """The paragraphs that somebody says, in order.

    Raises
    ------
    FormatError: F03 no paragraph has a time, F06 as `Source.text`.
    """
    parser = _Paragraphs()
    parser.feed(source.text())
    parser.close()
    speeches: list[SpokenPassage] = []
    for text, anchors in parser.paragraphs:
        text = _STAMP.sub("", " ".join(text.split()))
        text = _OVERLAP.sub(r"\1", text)
        if not anchors or not text:
            continue
        prefix = _PREFIX.fullmatch(text)
        previous = speeches[-1].speaker if speeches else ""
        speaker = prefix[1] if prefix else anchors[0][2] or previous
        spoken_text = prefix[2] if prefix else text
        start, end = min(anchor[0] for anchor in anchors), max(anchor[1] for anchor in anchors)
        speeches.append(SpokenPassage(speaker, spoken_text, start, max(start, end)))
    if not speeches:
        source.refuse(
            "F03",
            "is not a transcript of noScribe: no paragraph has a time",
            "save it in noScribe as HTML, or give it as text (.txt)",
        )
    return tuple(speeches)


class _Paragraphs(HTMLParser):
    """Text and anchors of each paragraph."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[tuple[str, list[tuple[int, int, str]]]] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a paragraph, or note the time of an anchor."""
        if tag == "p":
            self.paragraphs.append(("", []))
        elif tag in ("style", "script", "head"):
            self._hidden += 1
        elif tag == "a" and self.paragraphs:
            anchor = _ANCHOR.fullmatch(dict(attrs).get("name") or "")
            if anchor:
                self.paragraphs[-1][1].append((int(anchor[1]), int(anchor[2]), anchor[3] or ""))

    def handle_endtag(self, tag: str) -> None:
        """End what hides its text."""
        if tag in ("style", "script", "head"):
            self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        """Add to the paragraph that is open."""
        if self.paragraphs and not self._hidden:
            text, anchors = self.paragraphs[-1]
            self.paragraphs[-1] = (text + data, anchors)
