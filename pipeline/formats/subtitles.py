"""Subtitles: WebVTT, ``.vtt`` (W3C, 2019), and SubRip, ``.srt``, which has no standard.

A WebVTT cue per utterance has the speaker as its voice, role and codes as its classes; an SRT subtitle has role and
speaker in brackets before the text::

    u0002                                                    2
    00:00:01.200 --> 00:00:02.500                            00:00:01,200 --> 00:00:02,500
    <v.client.change S2>I could walk.</v>                    [client S2] I could walk.

Both are read as players read them (WebVTT, section 6.1): a cue's text ends at an empty line, and a line with ``-->``
always begins the next one. A cue that ends before it starts keeps its start; one whose times cannot be read is skipped;
a note names either. A cue of several voices is read as an utterance of each. In files of other programs a name before a
colon is the speaker's ("Ann: So you walk."), and cues without one go on with the speaker before. Rolling captions are
merged. webvtt-py skips what it cannot read without a word, and escapes nothing that it writes, so that the tests use it
and this module does not.

Cannot hold: words; a moment becomes a millisecond long. WebVTT lacks coders, layers and dates of codes, and an id that
is more than letters, digits, ``_`` and ``-``; SRT lacks ids and codes, and has no way to escape anything: a text with a
blank line or ``-->`` is refused. A note, in SRT a first subtitle shown for a millisecond, names what times count from.
Not read: styles, regions, other notes, and tags other than voices; in SRT tags such as ``<i>`` and ``{\\an8}``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.errors import FormatError
from pipeline.formats import speaker_prefix, time_origin
from pipeline.formats import transcript as coded
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import LONGEST_MS, Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import ROLES, UNKNOWN, Role, Span

_TIME = r"(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(?:\s|$)")
_INLINE_TIME = re.compile(r"<\d{1,3}(?::\d{2}){1,2}\.\d{3}>")
_FLASH = 50
"""Milliseconds of a cue that only shows again what was said, between two rolling captions."""

_Fields = tuple[str | None, ...]


@dataclass(frozen=True)
class Cue:
    """A cue; ``name`` is the line before its times, ``line`` where in the file it stands."""

    name: str
    span: Span
    lines: tuple[str, ...]
    line: int


def read_cues(source: Source, text: str, *, asides: bool) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    """The cues of a text, and sentences on what was mended or passed over.

    Parameters
    ----------
    asides: whether blocks that begin with NOTE, STYLE or REGION are none (WebVTT).

    Raises
    ------
    FormatError: F03 or F07 where no cue can be read, though there is something.
    """
    lines = re.split(r"\r\n|\r|\n", text)  # other line ends that Python knows, such as U+2028, are text
    heads = [number for number, line in enumerate(lines) if "-->" in line]
    fractions = [part for number in heads for part in _fractions(lines[number])]
    unpadded = counts_milliseconds(fractions)
    cues: list[Cue] = []
    notes: list[str] = []
    names, bodies, loose = _assign_lines(lines, heads, asides)
    for number in heads:
        where = f"Line {number + 1}"
        fields = _TIMES.fullmatch(lines[number])
        start, end = _span(fields.groups(), unpadded) if fields else (-1, -1)
        shown = " ".join(bodies[number]).strip()[:60]
        if not fields or max(start, end) >= LONGEST_MS:
            code, value = ("F07", "has an impossible time") if fields else ("F03", "has no readable times")
            if len(heads) == 1:
                source.refuse(code, value, _REMEDY, where=f"line {number + 1} of")
            notes.append(f'{where} {value}: "{shown}" was skipped.')
            continue
        if end < start:
            notes.append(f'{where} ends before it starts: "{shown}" has no length.')
        cues.append(Cue(names.get(number, ""), Span(start, max(start, end)), tuple(bodies[number]), number + 1))
    if loose and not cues:
        value = "has no times such as 00:00:01.000 --> 00:00:02.000"
        source.refuse("F03", value, _REMEDY, where=f"line {loose[0] + 1} of")
    notes += [f'Line {number + 1} belongs to no cue: "{lines[number].strip()[:60]}" was skipped.' for number in loose]
    return tuple(cues), tuple(notes)


_REMEDY = "fix the times by hand; if it has no subtitles, give it the right ending, such as .txt"


def _assign_lines(
    lines: Sequence[str], heads: Sequence[int], asides: bool
) -> tuple[dict[int, str], dict[int, list[str]], list[int]]:
    """Return the name and the text of each cue, by the line of its times, and the lines that belong to none."""
    names: dict[int, str] = {}
    bodies: dict[int, list[str]] = {}
    loose: list[int] = []
    row, known = 0, set(heads)
    while row < len(lines):
        line = lines[row]
        if row in known:
            end = row + 1
            while end < len(lines) and lines[end] != "" and end not in known:
                end += 1
            body = list(lines[row + 1 : end])
            if end in known and body and body[-1].strip().isdecimal():  # the next cue's number, without a line between
                names[end] = body.pop().strip()
            bodies[row] = body
            row = end
        elif row + 1 in known:
            names[row + 1] = line.strip()
            row += 1
        elif asides and _ASIDE.match(line):
            while row < len(lines) and lines[row].strip() and row not in known:
                row += 1
        else:
            if line.strip():
                loose.append(row)
            row += 1
    return names, bodies, loose


def clock(ms: int, point: str) -> str:
    """A time as cues have it: ``clock(61_500, ".")`` -> ``"00:01:01.500"``."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def merge_rolling(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Rolling captions, which show each line again while the next one is said, with each line once.

    A file rolls where times stand within its lines, as YouTube writes them, or where most cues begin with the line on
    which the one before ended and say more. Other files stay as they are: people do say things twice.
    """
    cues = tuple(cues)
    bare = [tuple(line for line in (_INLINE_TIME.sub("", line).strip() for line in cue.lines) if line) for cue in cues]
    again = [len(b) > 1 and bool(a) and _plain(b[0]) == _plain(a[-1]) for a, b in pairwise(bare)]
    timed = any(_INLINE_TIME.search(line) for cue in cues for line in cue.lines)
    if (not timed and 3 * sum(again) < 2 * len(again)) or not again:
        return cues
    merged: list[Cue] = []
    shown: tuple[str, ...] = ()
    for cue, lines in zip(cues, bare, strict=True):
        repeated = 0
        for number in range(min(len(shown), len(lines)), 0, -1):
            if [*map(_plain, shown[-number:])] == [*map(_plain, lines[:number])]:
                repeated = number
                break
        if repeated == len(lines) and merged and cue.span.duration <= _FLASH:
            merged[-1] = replace(merged[-1], span=merged[-1].span | cue.span)
        elif repeated < len(lines):
            merged.append(replace(cue, lines=lines[repeated:]))
        shown = lines or shown
    return tuple(merged)


def _plain(line: str) -> str:
    return " ".join(re.sub(r"<[^<>]*>", "", line).split())


def _fractions(line: str) -> list[str]:
    fields = _TIMES.fullmatch(line)
    return [part for part in (fields[4], fields[8]) if part] if fields else []


def counts_milliseconds(fractions: Sequence[str]) -> bool:
    """Whether a short fraction counts milliseconds, as in Teams, where ``5.80`` is 5.080 s.

    Fractions of one length are what they look like. Of several lengths, a writer who leaves out zeros at the front
    never begins one with a zero, and one who leaves out zeros at the end never ends one with a zero.
    """
    if len({len(fraction) for fraction in fractions}) < 2:
        return False
    if any(fraction.startswith("0") and len(fraction) > 1 for fraction in fractions):
        return False
    return any(fraction.endswith("0") for fraction in fractions)


def _span(fields: _Fields, unpadded: bool) -> tuple[int, int]:
    return _time(fields[:4], unpadded), _time(fields[4:], unpadded)


def _time(fields: _Fields, unpadded: bool) -> int:
    hours, minutes, seconds, fraction = (field or "0" for field in fields)
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(fraction.rjust(3, "0") if unpadded else fraction.ljust(3, "0"))


@dataclass(frozen=True)
class _VoicePart:
    """One voice's part of a cue; ``speaker`` is None where no voice stands, ``role`` where nothing names it."""

    cue: Cue
    text: str
    speaker: str | None = None
    role: Role | None = None
    codes: tuple[str, ...] = ()


def _transcript(
    source: Source, parts: Sequence[_VoicePart], names: frozenset[str], notes: Sequence[str], zero: int | None
) -> CodedTranscript:
    """The transcript of such parts; ``names`` are those that stand before a colon."""
    utterances: list[CodedUtterance] = []
    named: set[str] = set()
    last = UNKNOWN
    for part in parts:
        voiced = part.speaker is not None
        spoken = [(part.speaker or "", part.text)] if voiced else speaker_prefix.pieces(part.text, names, last)
        marks = tuple(Mark(code) for code in part.codes)
        for speaker, text in spoken:
            role = part.role or coded.role_named(speaker)
            named |= set() if part.role else {speaker}
            utterances.append(CodedUtterance(part.cue.name, part.cue.span, speaker, role, text, marks))
        last = spoken[-1][0]
    return ordered_transcript(source.stem, utterances, notes, zero=zero, named=named)


_SRT_TAG = re.compile(r"</?(?:[biu]|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_FIRST = Span(0, 1)
"""When the subtitle is shown that names what times count from: SRT has no other place for a remark."""

_BRACKETED = re.compile(r"\[(interviewer|client|other|unknown) ([^\s\]]*)\] ?(.*)", re.DOTALL)


def read_srt(source: Source) -> CodedTranscript:
    """The subtitles of an SRT file.

    Raises
    ------
    FormatError: F03 no subtitle can be read, F06 as `Source.text`, F07 the only one's times are wrong.
    """
    cues, notes = read_cues(source, source.text(), asides=False)
    zero = time_origin.parse("\n".join(cues[0].lines)) if cues and cues[0].span == _FIRST else None
    parts, loose = [], []
    for cue in merge_rolling(cues if zero is None else cues[1:]):
        cue = replace(cue, name="")
        text = "\n".join(line for line in cue.lines if line.strip()).strip()
        if match := _BRACKETED.fullmatch(text):
            parts.append(_VoicePart(cue, match[3].strip(), percent_decoded(match[2]), coded.role_named(match[1])))
            continue
        text = _SRT_TAG.sub("", text).strip()
        loose.append(text)
        if text:  # else a subtitle that shows nothing
            parts.append(_VoicePart(cue, text))
    return _transcript(source, parts, speaker_prefix.names(loose, captions=True), notes, zero)


def write_srt(transcript: CodedTranscript) -> bytes:
    """An SRT file.

    Raises
    ------
    FormatError: F08 a text holds control characters, a blank line or ``-->``.
    """
    blocks = [] if transcript.zero is None else [_srt_block(0, _FIRST, time_origin.sentence(transcript.zero))]
    for number, utterance in enumerate(transcript.utterances, 1):
        text = printable(utterance.text, "text", breaks=True)
        if "-->" in text or re.search(r"\n\s*\n", text):
            value = "has a blank line or -->, which SRT cannot store"
            raise FormatError("F08", f"text {text[:40]!r}", value, "write WebVTT, or change it")
        text = f"[{utterance.role} {percent_encoded(utterance.speaker)}] {text}"
        blocks.append(_srt_block(number, utterance.span.some, text))
    return "\n".join(blocks).encode()


def _srt_block(number: int, span: Span, text: str) -> str:
    return f"{number}\n{clock(span.start, ',')} --> {clock(span.end, ',')}\n{text}\n"


_VOICE = re.compile(r"<v((?:\.[^\s.<>&]+)*)(?:\s([^<>]*))?>|</v>")
_WEBVTT_TAG = re.compile(
    r"</?(?:[biucv]|ruby|rt|lang|font)(?:[.\s][^<>]*)?>|<\d{1,3}(?::\d{2}){1,2}\.\d{3}>", re.IGNORECASE
)
_WEBEX = re.compile(r'\d+ "([^"]+)" \(\d+\)')
"""How Webex names a cue: its number, who speaks and that one's number."""
_ID = re.compile(r"(?!NOTE|STYLE|REGION)[\w-]+")


def read_webvtt(source: Source) -> CodedTranscript:
    """The cues of a WebVTT file.

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
    shown, notes = read_cues(source, breaks + text[head.end() if head else 0 :], asides=True)
    parts = []
    loose = []
    for cue in merge_rolling(shown):
        webex = _WEBEX.fullmatch(cue.name)
        for part in _voices(cue):
            loose += [] if part.speaker else [part.text]
            part = replace(part, speaker=part.speaker or (webex[1] if webex else None))
            if part.speaker or part.text or part.codes:  # else a cue that shows nothing
                parts.append(part)
    remarks = (time_origin.parse(note) for note in re.findall(r"^NOTE[ \t](.*)$", text_of_file, re.MULTILINE))
    zero = next((at for at in remarks if at is not None), None)
    return _transcript(source, parts, speaker_prefix.names(loose, captions=True), notes, zero)


def _voices(cue: Cue) -> Iterator[_VoicePart]:
    text = "\n".join(cue.lines)
    parts: list[tuple[tuple[str, ...], str, str]] = []
    classes, speaker, last = "", "", 0
    for tag in (*_VOICE.finditer(text), None):
        piece = text[last : tag.start() if tag else len(text)]
        if piece.strip() or (classes or speaker):
            names = tuple(percent_decoded(html.unescape(name)) for name in classes.split(".") if name)
            parts.append((names, html.unescape(speaker).strip(), html.unescape(_WEBVTT_TAG.sub("", piece)).strip()))
        if tag:
            classes, speaker, last = tag[1] or "", tag[2] or "", tag.end()
    for names, who, piece in parts or [((), "", "")]:
        ours = bool(names) and names[0] in ROLES
        codes = (
            tuple(code for name in names[1:] for code in coded.split_codes(name)) if ours else ()
        )  # others' are styles
        yield _VoicePart(cue, piece, who or None, coded.role_named(names[0]) if ours else None, codes)


def write_webvtt(transcript: CodedTranscript) -> bytes:
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
    times = f"{clock(span.start, '.')} --> {clock(span.some.end, '.')}"
    return "\n".join([*([name] if name else []), times, payload])


def document(blocks: Iterable[str], zero: int | None) -> str:
    """A WebVTT file of such blocks; a note says what times count from, in ms of the recording, where that is known."""
    head = ["WEBVTT"] if zero is None else ["WEBVTT", f"NOTE {time_origin.sentence(zero)}"]
    return "\n\n".join([*head, *blocks]) + "\n"
