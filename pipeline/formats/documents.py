"""Transcripts as documents that people read: text files, Word files, noScribe's pages, YouTube's own subtitles."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.errors import FormatError
from pipeline.formats import noscribe, reading, script, spreadsheet, srt, webvtt, word_file, worksheet
from pipeline.formats.reading import Reading
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import Script
from pipeline.formats.transcript import CodedTranscript

_SBV = re.compile(rb"^(\d+:\d\d:\d\d\.\d{3}),(\d+:\d\d:\d\d\.\d{3})(?=\r?$)", re.MULTILINE)
"""YouTube's own subtitles have a comma between two times, and are like SRT else."""
_SUBTITLES = re.compile(r"WEBVTT\b|(?:\s*\d+\s*\n)?\s*\d\d:\d\d:\d\d,\d{3} --> ")


def text(source: Source) -> Reading | CodedTranscript:
    """A text file: a script, or subtitles or a table (as Excel saves "Unicode text") with another ending.

    Raises
    ------
    TableError: T02 it is no text; T03 to T06 as `spreadsheet.read`.
    FormatError: F03 no line says who speaks; others as `webvtt.read` and `srt.read`.
    """
    told, notes = worksheet.decoded(source)
    if worksheet.is_tabbed(told):
        return spreadsheet.read(source)
    if _SUBTITLES.match(told):
        whole = replace(source, data=told.encode())
        return webvtt.read(whole) if told.startswith("WEBVTT") else srt.read(whole)
    read = _script(source, script.read(source, re.split(r"\r\n|\r|\n", told)))
    return replace(read, notes=(*notes, *read.notes))


def page(source: Source) -> Reading:
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
    FormatError: as `srt.read`.
    """
    return srt.read(replace(source, data=_SBV.sub(rb"\1 --> \2", source.data)))


def _script(source: Source, read: Script) -> Reading:
    notes = (*reading.passed(read.skipped, "Lines without a speaker"), *read.notes)
    return reading.of_speeches(source, read.speeches, notes)


def word(source: Source) -> Reading:
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
        told: Script | None = script.read(source, lines)
    except FormatError:
        if not talk:
            raise
        told = None
    if told is not None and len(told.speeches) >= len(talk):
        read, beside = _script(source, told), beside + bool(talk)
        notes: tuple[str, ...] = ()
    else:
        read = spreadsheet.of_sheet(source, worksheet.of_cells(source.name, talk))
        notes = reading.passed([line.strip() for line in lines if line.strip()], "Lines beside the table")
    notes += reading.passed(headings, "Headings")
    if beside:
        notes += (f"Tables beside the transcript were skipped: {beside}.",)
    return replace(read, notes=(*read.notes, *notes))
