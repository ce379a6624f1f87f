"""WebVTT subtitles, ``.vtt`` (W3C, 2019): a cue per utterance, the speaker a voice, role and codes its classes::

    u0002
    00:00:01.200 --> 00:00:02.500
    <v.client.change S2>I could walk.</v>

A cue of several voices is read as an utterance of each. Where no voice is marked, a name before a colon is one
("Ann: So you walk."), and cues without one go on with the speaker before. Rolling captions are merged.

Cannot hold: coders, layers and dates of codes, words, and an id that is more than letters, digits, ``_`` and ``-``; a
moment becomes a millisecond long. A note says what times count from. Not read: styles, regions, other notes, and tags
other than voices; their text stays.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.formats import cues, speaker_prefix, time_origin
from pipeline.formats import transcript as coded
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import ROLES, UNKNOWN, Role, Span

_VOICE = re.compile(r"<v((?:\.[^\s.<>&]+)*)(?:\s([^<>]*))?>|</v>")
_TAG = re.compile(r"</?(?:[biucv]|ruby|rt|lang|font)(?:[.\s][^<>]*)?>|<\d{1,3}(?::\d{2}){1,2}\.\d{3}>", re.IGNORECASE)
_WEBEX = re.compile(r'\d+ "([^"]+)" \(\d+\)')
"""How Webex names a cue: its number, who speaks and that one's number."""
_ID = re.compile(r"(?!NOTE|STYLE|REGION)[\w-]+")


def read(source: Source) -> CodedTranscript:
    """The cues of a file.

    Raises
    ------
    FormatError: F03 no WebVTT, or no cue can be read; F06 as `Source.text`; F07 the only cue's times are wrong.
    """
    text_of_file = text = source.text()
    if not re.match(r"WEBVTT(?:[ \t\r\n]|$)", text):
        source.refuse(
            "F03",
            "does not begin with WEBVTT",
            "write WEBVTT in its first line; if it is SRT, rename it to end in .srt",
        )
    head = re.match(r"(?:(?!.*-->).+(?:\r\n|\r|\n|$))*", text)
    breaks = re.sub(r"[^\r\n]+", "", head[0] if head else "")
    shown, notes = cues.read(source, breaks + text[head.end() if head else 0 :], asides=True)
    parts = [(cue, part) for cue in cues.merge_rolling(shown) for part in _parts("\n".join(cue.lines))]
    names = speaker_prefix.names((part.text for _, part in parts if not part.speaker), captions=True)
    utterances, last = [], UNKNOWN
    named: set[str] = set()
    for cue, part in parts:
        marks = tuple(Mark(code) for code in part.codes)
        webex = _WEBEX.fullmatch(cue.name)
        voice = part.speaker or (webex[1] if webex else "")
        if not voice and not part.text and not part.codes:
            continue  # a cue that shows nothing
        spoken = [(voice, part.text)] if voice else speaker_prefix.pieces(part.text, names, last)
        for speaker, text in spoken:
            role = part.role or coded.role_named(speaker)
            named |= set() if part.role else {speaker}
            utterances.append(CodedUtterance(cue.name, cue.span, speaker, role, text, marks))
        last = spoken[-1][0]
    remarks = (time_origin.parse(note) for note in re.findall(r"^NOTE[ \t](.*)$", text_of_file, re.MULTILINE))
    known = next((at for at in remarks if at is not None), None)
    return ordered_transcript(source.stem, utterances, notes, zero=known, named=named)


@dataclass(frozen=True)
class _Part:
    """One voice's part of a cue; ``speaker`` is empty without a voice, ``role`` None where no class names it."""

    role: Role | None
    speaker: str
    codes: tuple[str, ...]
    text: str


def _parts(text: str) -> Iterator[_Part]:
    parts: list[tuple[tuple[str, ...], str, str]] = []
    classes, speaker, last = "", "", 0
    for tag in (*_VOICE.finditer(text), None):
        piece = text[last : tag.start() if tag else len(text)]
        if piece.strip() or (classes or speaker):
            names = tuple(percent_decoded(html.unescape(name)) for name in classes.split(".") if name)
            parts.append((names, html.unescape(speaker).strip(), html.unescape(_TAG.sub("", piece)).strip()))
        if tag:
            classes, speaker, last = tag[1] or "", tag[2] or "", tag.end()
    for names, who, piece in parts or [((), "", "")]:
        ours = bool(names) and names[0] in ROLES
        codes = (
            tuple(code for name in names[1:] for code in coded.split_codes(name)) if ours else ()
        )  # others' are styles
        yield _Part(coded.role_named(names[0]) if ours else None, who, codes, piece)


def write(transcript: CodedTranscript) -> bytes:
    """A WebVTT file.

    Raises
    ------
    FormatError: F08 a text or a name holds control characters.
    """
    blocks = []
    for utterance in transcript.utterances:
        codes = dict.fromkeys(percent_encoded(mark.code) for mark in utterance.given)
        voice = ".".join(["v", utterance.role, *codes])
        speaker = html.escape(printable(utterance.speaker, "speaker"), quote=False)
        text = html.escape(printable(utterance.text, "text", breaks=True), quote=False)
        text = text.replace("\n", "&#10;").replace("\t", "&#9;")
        name = utterance.id if _ID.fullmatch(utterance.id) else ""
        blocks.append(cue_block(utterance.span, f"<{voice} {speaker}>{text}</v>", name))
    return document(blocks, transcript.zero).encode()


def cue_block(span: Span, payload: str, name: str = "") -> str:
    """The block of a cue, at least a millisecond long; ``payload`` has its tags and is escaped."""
    times = f"{cues.clock(span.start, '.')} --> {cues.clock(span.some.end, '.')}"
    return "\n".join([*([name] if name else []), times, payload])


def document(blocks: Iterable[str], zero: int | None) -> str:
    """A WebVTT file of such blocks; a note says what times count from, in ms of the recording, where that is known."""
    head = ["WEBVTT"] if zero is None else ["WEBVTT", f"NOTE {time_origin.sentence(zero)}"]
    return "\n\n".join([*head, *blocks]) + "\n"
