"""Transcripts as documents that people read: text files, Word files, noScribe's pages, YouTube's own subtitles."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.errors import FormatError
from pipeline.formats import noscribe, reading, script, spreadsheet, subtitles, word_file, worksheet
from pipeline.formats.reading import TranscriptTable
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import Script
from pipeline.formats.transcript import CodedTranscript

_SBV = re.compile(rb"^(\d+:\d\d:\d\d\.\d{3}),(\d+:\d\d:\d\d\.\d{3})(?=\r?$)", re.MULTILINE)
"""YouTube's own subtitles have a comma between two times, and are like SRT else."""
_SUBTITLES = re.compile(r"WEBVTT\b|(?:\s*\d+\s*\n)?\s*\d\d:\d\d:\d\d,\d{3} --> ")


def text(source: Source) -> TranscriptTable | CodedTranscript:
    """A text file: a script, or subtitles or a table (as Excel saves "Unicode text") with another ending.

    Raises
    ------
    TableError: T02 it is no text; T03 to T06 as `spreadsheet.read`.
    FormatError: F03 no line says who speaks; others as `subtitles.read_webvtt` and `subtitles.read_srt`.
    """
    content, notes = worksheet.decoded(source)
    if worksheet.is_tabbed(content):
        return spreadsheet.read(source)
    if _SUBTITLES.match(content):
        whole = replace(source, data=content.encode())
        return subtitles.read_webvtt(whole) if content.startswith("WEBVTT") else subtitles.read_srt(whole)
    read = _script(source, script.read(source, re.split(r"\r\n|\r|\n", content)))
    return replace(read, notes=(*notes, *read.notes))


def page(source: Source) -> TranscriptTable:
    """A page of noScribe.

    Raises
    ------
    FormatError: F03 and F06 as `noscribe.read`.
    """
    return reading.of_speeches(source, noscribe.read(source))


def sbv(source: Source) -> CodedTranscript:
    """Subtitles as YouTube writes them itself.

    Raises
    ------
    FormatError: as `subtitles.read_srt`.
    """
    return subtitles.read_srt(replace(source, data=_SBV.sub(rb"\1 --> \2", source.data)))


def _script(source: Source, read: Script) -> TranscriptTable:
    notes = (*reading.skipped_note(read.skipped, "Lines without a speaker"), *read.notes)
    return reading.of_speeches(source, read.speeches, notes)


def word(source: Source) -> TranscriptTable:
    """A Word document: the table that holds the talk, with those that go on with it, or else its paragraphs.

    Raises
    ------
    FormatError: F02 to F05 an unsafe or damaged document, F03 nobody speaks in it.
    TableError: T03 to T06 as `spreadsheet.of_sheet`.
    """
    lines, tables_of_cells, headings = word_file.blocks(source)
    talk: list[list[str]] = []
    beside = 0
    for cells in tables_of_cells:
        if talk and len(cells[0]) == len(talk[0]):
            talk += [row for row in cells if row != talk[0]]
        elif not talk and worksheet.is_talk(cells):
            talk = list(cells)
        else:
            beside += 1
    try:
        in_lines: Script | None = script.read(source, lines)
    except FormatError:
        if not talk:
            raise
        in_lines = None
    if in_lines is not None and len(in_lines.speeches) >= len(talk):
        read, beside = _script(source, in_lines), beside + bool(talk)
        notes: tuple[str, ...] = ()
    else:
        read = spreadsheet.of_sheet(source, worksheet.of_cells(source.name, talk))
        notes = reading.skipped_note([line.strip() for line in lines if line.strip()], "Lines beside the table")
    notes += reading.skipped_note(headings, "Headings")
    if beside:
        notes += (f"Tables beside the transcript were skipped: {beside}.",)
    return replace(read, notes=(*read.notes, *notes))
