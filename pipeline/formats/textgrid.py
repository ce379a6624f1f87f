"""Praat TextGrids, ``.TextGrid``, long and short (Praat manual, "TextGrid file formats").

Praat itself sees nothing of such a file but its free-standing numbers, texts in double quotes and flags in angle
brackets; all else is comment. So is it read here. Tiers are laid out as in `pipeline.formats.tiers`.

Cannot hold: what tiers cannot. Utterances without text say ``[speech]``, as an empty label is a pause. Points, which
have no length, are read as moments; binary TextGrids are refused.

praatio takes ``item [`` or ``"IntervalTier"`` within a label for structure, so that the tests use it and this module
does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from pipeline.formats import tiers, time_origin
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import DAMAGED, Source
from pipeline.formats.tier_kinds import RawTier, TierLabel
from pipeline.formats.transcript import CodedTranscript
from pipeline.timeline import Span, to_seconds

NO_TEXT = "[speech]"
SILENCE = frozenset({"sil", "sp", "<sil>", "<p:>", "<p>", "<nib>", "#", "##"})
"""Labels with which aligners mark a pause: nobody speaks."""
_ZERO = "zero"
"""The tier whose one label says what times count from."""

_TOKEN = re.compile(
    r"""![^\n]*                           # a comment
    |"([^"]*+(?:""[^"]*+)*+)("?)           # text, and its end
    |(?<![^\s])(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?=\s|$)   # a number that stands free
    |<(exists|absent)>                    # a flag
    |[^\s"!<]+|["<]                       # anything else""",
    re.VERBOSE,
)
_HEAD = ("ooTextFile", "TextGrid")


def read(source: Source) -> CodedTranscript:
    """The transcript of a TextGrid.

    Raises
    ------
    FormatError: F03 it is none, or ends too soon; F06 as `Source.text`; F07 a wrong time.
    """
    text = source.text()
    if not re.match(r'\s*File type\s*=\s*"ooTextFile( short)?"', text):
        source.refuse("F03", "is not a TextGrid in text form", "save it in Praat as a text file")
    tokens = _tokens(text)
    try:
        next(tokens)
        if next(tokens) != "TextGrid":
            source.refuse("F03", "has another object of Praat", "save the TextGrid alone")
        _time(source, tokens), _time(source, tokens)
        tiers_read = []
        if next(tokens) == "<exists>":
            tiers_read = [_tier(source, tokens) for _ in range(_count(source, tokens))]
    except StopIteration:
        source.refuse("F03", "ends too soon", DAMAGED)
    labels = [label for tier in tiers_read if tier.name == _ZERO for _, label in tier.labels]
    known = next((at for label in labels if (at := time_origin.parse(label)) is not None), None)
    rest = [tier for tier in tiers_read if tier.name != _ZERO or known is None]
    return replace(tiers.join(source.stem, *tiers.read(source, rest)), zero=known)


def _tokens(text: str) -> Iterator[str | float]:
    for match in _TOKEN.finditer(text):
        label, closed, number, flag = match.groups()
        if label is not None:
            if not closed:
                return
            yield label.replace('""', '"')
        elif number is not None:
            yield float(number)
        elif flag is not None:
            yield f"<{flag}>"


def _tier(source: Source, tokens: Iterator[str | float]) -> RawTier:
    kind, name = _label(source, tokens), _label(source, tokens).strip()
    _time(source, tokens), _time(source, tokens)
    labels: list[TierLabel] = []
    for _ in range(_count(source, tokens)):
        start = end = _time(source, tokens)
        if kind == "IntervalTier":
            end = _time(source, tokens)
        if end < start:
            value = f"has an interval on tier {name[:40]!r} that ends before it starts"
            source.refuse("F07", value, "move its end in Praat, or delete it")
        label = _label(source, tokens).strip()
        if label and label not in SILENCE:
            labels.append((Span(start, end), "" if label == NO_TEXT else label))
    if kind not in ("IntervalTier", "TextTier"):
        source.refuse("F03", f"has a tier of the unknown class {kind[:40]!r}", "remove that tier from the TextGrid")
    return RawTier(name, tuple(labels))


def _label(source: Source, tokens: Iterator[str | float]) -> str:
    token = next(tokens)
    if not isinstance(token, str):
        source.refuse("F03", f"has the number {token:g} where a text belongs", DAMAGED)
    return token


def _time(source: Source, tokens: Iterator[str | float]) -> int:
    return source.milliseconds(next(tokens), per=1000)


def _count(source: Source, tokens: Iterator[str | float]) -> int:
    count = next(tokens)
    if not isinstance(count, float) or not count.is_integer() or not 0 <= count < 1e7:
        source.refuse("F03", f"has {str(count)[:40]!r} where a number of tiers or labels belongs", DAMAGED)
    return int(count)


def write(transcript: CodedTranscript) -> bytes:
    """A TextGrid in long form, UTF-8.

    Raises
    ------
    FormatError: F08 as `pipeline.formats.elan.write`.
    """
    rows = tiers.split(transcript)
    end = to_seconds(max((span.end for row in rows for span, _ in row.labels), default=1))
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}"]
    named = [(row.name, list(_filled([(span, text or _empty(row)) for span, text in row.labels], end))) for row in rows]
    if transcript.zero is not None:
        named.append((_ZERO, [("0", end, time_origin.sentence(transcript.zero))]))
    lines += ["tiers? <exists>", f"size = {len(named)}", "item []:"]
    for number, (name, filled) in enumerate(named, 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        lines += ["        xmin = 0", f"        xmax = {end}", f"        intervals: size = {len(filled)}"]
        for interval, (start, stop, label) in enumerate(filled, 1):
            lines += [f"        intervals [{interval}]:", f"            xmin = {start}", f"            xmax = {stop}"]
            lines.append(f"            text = {_quoted(label)}")
    return ("\n".join(lines) + "\n").encode()


def _empty(row: tiers.Tier) -> str:
    return NO_TEXT if row.kind == "text" else ""


def _filled(labels: list[TierLabel], end: str) -> Iterator[tuple[str, str, str]]:
    """Intervals that leave no gap: pauses have an empty label."""
    bounds = [Span(0, 0), *(span for span, _ in labels)]
    for (before, after), (_, label) in zip(pairwise(bounds), labels, strict=True):
        if before.end < after.start:
            yield to_seconds(before.end), to_seconds(after.start), ""
        yield to_seconds(after.start), to_seconds(after.end), label
    if to_seconds(bounds[-1].end) != end:
        yield to_seconds(bounds[-1].end), end, ""


def _quoted(text: str) -> str:
    return '"' + printable(text, "text", breaks=True).replace('"', '""') + '"'
