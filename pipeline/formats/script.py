"""Transcripts as running text, in a text file or in Word: who speaks stands before what is said, or above it.

::

    Therapist: What would you like?          [00:01:05] Ann: What would you like?      Ann Lee  0:03
    Client: I want to walk.                  SPEAKER_01: I want to walk.               What would you like?

Lines that name nobody go on with the utterance before them. Lines before the first speaker and the notice that Otter
puts at the end are no speech; they are passed over, and told.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.formats import speaker_prefix
from pipeline.formats.intake import Source
from pipeline.timeline import typed

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_STAMP = rf"[\[(]?(?P<start>{_CLOCK})(?:\s*(?:-->|->|[-–])\s*(?P<end>{_CLOCK}))?[\])]?"
_NAME = r"\[?(?P<name>[^\W\d_][^:\n\t\[\]]{0,39}?)\]?"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_NAME}(?P<apart>\s{{2,}}|\t|,)?\s*{_STAMP}\s*:?(?P<text>)",  # Ann Lee  0:03
        rf"{_STAMP}\s+{_NAME}(?P<text>)",  # 00:00:05 Ann
        rf"{_NAME}\s*{_STAMP}\s*:\s+(?P<text>.+)",  # Ann (0:03): What would you like?
        rf"{_STAMP}\s*[-–]?\s*{_NAME}\s*:(?:\s+(?P<text>.*))?",  # [0:03] Ann: What would you like?
        rf"{_NAME}\s*:(?:\s+(?P<text>.*))?",  # Ann: What would you like?
    )
)
_NO_SPEECH = re.compile(r"Transcribed by https?://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Speech:
    """One utterance: who, what, and when in ms where that is written."""

    speaker: str
    text: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Script:
    """The utterances in the order of the file; ``skipped`` are lines that nobody says."""

    speeches: tuple[Speech, ...]
    skipped: tuple[str, ...]


def read(source: Source, lines: Iterable[str]) -> Script:
    """The utterances of lines of text.

    Raises
    ------
    FormatError: F03 no line says who speaks.
    """
    lines = [line.strip() for line in lines]
    speakers = _speakers(lines)
    speeches: list[Speech] = []
    skipped: list[str] = []
    for line in lines:
        if not line:
            continue
        speech = _speech(line, speakers)
        if speech is not None:
            speeches.append(speech)
        elif _NO_SPEECH.fullmatch(line) or not speeches:
            skipped.append(line)
        else:
            last = speeches[-1]
            speeches[-1] = replace(last, text=f"{last.text} {line}".strip())
    if not speeches:
        source.refuse("F03", "names no speaker", 'begin each turn with who speaks, such as "Therapist: "')
    return Script(tuple(speech for speech in speeches if speech.text), tuple(skipped))


def word_blocks(source: Source) -> tuple[list[str], list[list[list[str]]]]:
    """Paragraphs and tables of a Word document (.docx): lines of text, and cells of each table.

    Raises
    ------
    FormatError: F02 to F05 an unsafe or damaged document.
    """
    from docx import Document
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    members = source.members()
    if "word/document.xml" not in members:
        source.refuse("F03", "is no Word document", "save it as .docx or as plain text")
    for name, member in members.items():
        if name.endswith((".xml", ".rels")):
            member.refuse_entities()
    try:
        blocks = list(Document(io.BytesIO(source.data)).iter_inner_content())
    except Exception as error:
        remedy = "open it, save it anew as .docx, and try again"
        source.refuse("F03", f"is a damaged Word document ({type(error).__name__})", remedy)
    lines = [line for block in blocks if isinstance(block, Paragraph) for line in block.text.split("\n")]
    tables = [
        [[cell.text.strip() for cell in row.cells] for row in block.rows]
        for block in blocks
        if isinstance(block, Table)
    ]
    return lines, tables


def _speakers(lines: Sequence[str]) -> frozenset[str]:
    """The names that a line of this text may begin with."""
    return speaker_prefix.settled(match["name"].strip() for line in lines for match in _matches(line))


def _matches(line: str) -> Iterator[re.Match[str]]:
    for pattern in _PATTERNS:
        match = pattern.fullmatch(line)
        if match and speaker_prefix.is_name(match["name"].strip()):
            yield match
            return


def _speech(line: str, speakers: frozenset[str]) -> Speech | None:
    """The beginning of an utterance that a line is, or None where it names nobody."""
    for match in _matches(line):
        parts = match.groupdict()
        name = match["name"].strip()
        if name in speakers or parts.get("apart"):
            return Speech(name, (parts["text"] or "").strip(), _ms(parts.get("start")), _ms(parts.get("end")))
    return None


def _ms(stamp: str | None) -> int | None:
    return typed(stamp.replace(",", ".")) if stamp else None
