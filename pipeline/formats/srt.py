"""SubRip subtitles, ``.srt``: no standard; as players read them, a number, the times and the text of each::

    2
    00:00:01,200 --> 00:00:02,500
    [client S2] I could walk.

Role and speaker stand in brackets before the text; without them, a text of another program is said by nobody known.
Cannot hold: ids, codes, words; a moment becomes a millisecond long. There is no way to escape anything: a text with a
blank line or ``-->`` is refused. Tags such as ``<i>`` are read as text.
"""

from __future__ import annotations

import re

from pipeline.errors import FormatError
from pipeline.formats import coded, cues
from pipeline.formats.coded import CodedTranscript, CodedUtterance, transcript
from pipeline.formats.intake import Source
from pipeline.formats.plain import packed, printable, unpacked
from pipeline.timeline import UNKNOWN

_SAID = re.compile(r"\[(interviewer|client|unknown) ([^\s\]]*)\] ?(.*)", re.DOTALL)


def read(source: Source) -> CodedTranscript:
    """The subtitles of a file.

    Raises
    ------
    FormatError: F03 a block that is no subtitle, F06 as `Source.text`, F07 one that ends before it starts.
    """
    found = []
    for number, block in cues.blocks(source.text()):
        if not block[0].strip().isdecimal():
            source.refuse("F03", "is no number of a subtitle", where=f"line {number} of")
        cue = cues.cue(source, number, block)
        text = "\n".join(cue.lines).strip()
        said = _SAID.fullmatch(text)
        role, speaker, text = said.groups() if said else ("unknown", UNKNOWN, text)
        found.append(CodedUtterance("", cue.span, unpacked(speaker), coded.role(role), text.strip()))
    return transcript(source.stem, found)


def write(said: CodedTranscript) -> bytes:
    """An SRT file.

    Raises
    ------
    FormatError: F08 a text holds control characters, a blank line or ``-->``.
    """
    blocks = []
    for number, one in enumerate(said.utterances, 1):
        text = printable(one.text, "text", breaks=True)
        if "-->" in text or re.search(r"\n\s*\n", text):
            value = "holds a blank line or -->, which SRT cannot hold"
            raise FormatError("F08", f"text {text[:40]!r}", value, "write WebVTT, or change it")
        span = one.span.some
        times = f"{cues.clock(span.start, ',')} --> {cues.clock(span.end, ',')}"
        blocks.append(f"{number}\n{times}\n[{one.role} {packed(one.speaker)}] {text}\n")
    return "\n".join(blocks).encode()
