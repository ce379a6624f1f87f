"""WebVTT subtitles, ``.vtt`` (W3C, 2019): a cue an utterance, the speaker a voice, role and codes its classes::

    u0002
    00:00:01.200 --> 00:00:02.500
    <v.client.change S2>I could walk.</v>

A cue of several voices is read as an utterance of each. Cannot hold: coders, layers and dates of codes, words, and an
id that is more than letters, digits, ``_`` and ``-``; a moment becomes a millisecond long. Not read: styles, regions,
notes, and tags other than voices, of which the text stays.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pipeline.formats import coded, cues
from pipeline.formats.coded import CodedTranscript, CodedUtterance, Mark, transcript
from pipeline.formats.intake import Source
from pipeline.formats.plain import packed, printable, unpacked
from pipeline.timeline import UNKNOWN

_VOICE = re.compile(r"<v((?:\.[^\s.<>&]+)*)(?:\s([^<>]*))?>|</v>")
_TAG = re.compile(r"<[^<>]*>")
_ID = re.compile(r"(?!NOTE|STYLE|REGION)[\w-]+")
_ROLES = ("interviewer", "client", "unknown")


def read(source: Source) -> CodedTranscript:
    """The cues of a file.

    Raises
    ------
    FormatError: F03 no WebVTT, or a block that is no cue; F06 as `Source.text`; F07 a cue that ends before it starts.
    """
    found = []
    head, *rest = [*cues.blocks(source.text())] or [(1, [""])]
    if not re.match(r"WEBVTT(?:[ \t]|$)", head[1][0]) or head[0] != 1:
        source.refuse("F03", "does not begin with WEBVTT")
    for number, block in rest:
        if re.match(r"(NOTE|STYLE|REGION)(?:\s|$)", block[0]) and "-->" not in block[0]:
            continue
        cue = cues.cue(source, number, block)
        found += [
            CodedUtterance(cue.name, cue.span, speaker, coded.role(role), text, tuple(Mark(code) for code in codes))
            for role, speaker, codes, text in _voices("\n".join(cue.lines))
        ]
    return transcript(source.stem, found)


def _voices(text: str) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Role, speaker, codes and text of each voice in a cue."""
    parts: list[tuple[tuple[str, ...], str, str]] = []
    classes, speaker, last = "", "", 0
    for tag in (*_VOICE.finditer(text), None):
        said = text[last : tag.start() if tag else len(text)]
        if said.strip() or (classes or speaker):
            names = tuple(unpacked(html.unescape(name)) for name in classes.split(".") if name)
            parts.append((names, html.unescape(speaker).strip(), html.unescape(_TAG.sub("", said)).strip()))
        if tag:
            classes, speaker, last = tag[1] or "", tag[2] or "", tag.end()
    for names, who, said in parts or [((), "", "")]:
        role = names[0] if names and names[0] in _ROLES else coded.role(who)
        codes = names[1:] if names and names[0] in _ROLES else names
        yield role, who or UNKNOWN, tuple(code for name in codes for code in coded.codes(name)), said


def write(said: CodedTranscript) -> bytes:
    """A WebVTT file.

    Raises
    ------
    FormatError: F08 a text or a name holds control characters.
    """
    blocks = ["WEBVTT"]
    for one in said.utterances:
        span = one.span.some
        codes = dict.fromkeys(packed(mark.code) for mark in one.given)
        voice = ".".join(["v", one.role, *codes])
        speaker = html.escape(printable(one.speaker, "speaker"), quote=False)
        text = html.escape(printable(one.text, "text", breaks=True), quote=False)
        text = text.replace("\n", "&#10;").replace("\t", "&#9;")
        times = f"{cues.clock(span.start, '.')} --> {cues.clock(span.end, '.')}"
        lines = [one.id] if _ID.fullmatch(one.id) else []
        blocks.append("\n".join([*lines, times, f"<{voice} {speaker}>{text}</v>"]))
    return ("\n\n".join(blocks) + "\n").encode()
