"""SubRip subtitles, ``.srt``: no standard; as players read them, a number, the times and the text of each::

    2
    00:00:01,200 --> 00:00:02,500
    [client S2] I could walk.

Role and speaker stand in brackets before the text; in files of other programs a name before a colon is the speaker's
("Ann: So you walk."), and subtitles without one go on with the speaker before. A first subtitle, shown for a
millisecond, says what times count from.

Cannot hold: ids, codes, words; a moment becomes a millisecond long. There is no way to escape anything: a text with a
blank line or ``-->`` is refused. Of other programs' texts, tags such as ``<i>`` and ``{\an8}`` are left out.
"""

from __future__ import annotations

import re

from pipeline.errors import FormatError
from pipeline.formats import cues, speaker_prefix, time_origin
from pipeline.formats import transcript as coded
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, ordered_transcript
from pipeline.timeline import UNKNOWN, Span

_TAG = re.compile(r"</?(?:[biu]|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_FIRST = Span(0, 1)
"""When the subtitle is shown that says what times count from: there is no other place for a remark."""

_SAID = re.compile(r"\[(interviewer|client|unknown) ([^\s\]]*)\] ?(.*)", re.DOTALL)


def read(source: Source) -> CodedTranscript:
    """The subtitles of a file.

    Raises
    ------
    FormatError: F03 no subtitle can be read, F06 as `Source.text`, F07 the only one's times are wrong.
    """
    cues_read, notes = cues.read(source, source.text(), asides=False)
    known = time_origin.parse("\n".join(cues_read[0].lines)) if cues_read and cues_read[0].span == _FIRST else None
    shown = cues.merge_rolling(cues_read if known is None else cues_read[1:])
    texts = ["\n".join(line for line in cue.lines if line.strip()).strip() for cue in shown]
    ours = [_SAID.fullmatch(text) for text in texts]
    loose = (_bare(text) for text, match in zip(texts, ours, strict=True) if not match)
    names = speaker_prefix.names(loose, captions=True)
    utterances, last = [], UNKNOWN
    named: set[str] = set()
    for cue, text, match in zip(shown, texts, ours, strict=True):
        if match:
            role, speaker, text = match.groups()
            spoken = [(percent_decoded(speaker), text.strip(), role)]
        else:
            if not _bare(text):
                continue  # a subtitle that shows nothing
            parts = speaker_prefix.pieces(_bare(text), names, last)
            named |= {speaker for speaker, _ in parts}
            spoken = [(speaker, part, speaker) for speaker, part in parts]
        for speaker, part, role in spoken:
            utterances.append(CodedUtterance("", cue.span, speaker, coded.role_named(role), part))
        last = spoken[-1][0]
    return ordered_transcript(source.stem, utterances, notes, zero=known, named=named)


def _bare(text: str) -> str:
    """A text of another program without its tags."""
    return _TAG.sub("", text).strip()


def write(transcript: CodedTranscript) -> bytes:
    """An SRT file.

    Raises
    ------
    FormatError: F08 a text holds control characters, a blank line or ``-->``.
    """
    blocks = [] if transcript.zero is None else [_block(0, _FIRST, time_origin.sentence(transcript.zero))]
    for number, utterance in enumerate(transcript.utterances, 1):
        text = printable(utterance.text, "text", breaks=True)
        if "-->" in text or re.search(r"\n\s*\n", text):
            value = "has a blank line or -->, which SRT cannot store"
            raise FormatError("F08", f"text {text[:40]!r}", value, "write WebVTT, or change it")
        blocks.append(
            _block(number, utterance.span.some, f"[{utterance.role} {percent_encoded(utterance.speaker)}] {text}")
        )
    return "\n".join(blocks).encode()


def _block(number: int, span: Span, text: str) -> str:
    return f"{number}\n{cues.clock(span.start, ',')} --> {cues.clock(span.end, ',')}\n{text}\n"
