"""Every kind of file that is read or written: one list of readers, by name and by ending, for every command."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import FormatError
from pipeline.files import put
from pipeline.formats import (
    casaa,
    chat,
    ctm,
    documents,
    elan,
    label_studio,
    parquet,
    reading,
    refi_qda,
    rttm,
    spreadsheet,
    subtitles,
    tape_folder,
    textgrid,
    tidy_table,
    whisper_json,
)
from pipeline.formats.reading import TranscriptTable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript


@dataclass(frozen=True)
class Format:
    """How a format is called, what its files end in, and how it is read and written."""

    name: str
    ending: str
    read: Callable[[Source], CodedTranscript]
    write: Callable[[CodedTranscript], bytes]


@dataclass(frozen=True)
class Reader:
    """How a kind of file is called, what such files end in in lower case, and how one is read.

    ``fits`` says whether a file with one of these endings is of this kind; the last reader of an ending takes the rest.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[Source], CodedTranscript | TranscriptTable]
    fits: Callable[[Source], bool] = lambda source: True


FORMATS = (
    Format("elan", ".eaf", elan.read, elan.write),
    Format("textgrid", ".TextGrid", textgrid.read, textgrid.write),
    Format("chat", ".cha", chat.read, chat.write),
    Format("cacti", ".casaa", casaa.read, casaa.write),
    Format("label-studio", ".json", label_studio.read, label_studio.write),
    Format("refi-qda", ".qdpx", refi_qda.read, refi_qda.write),
    Format("webvtt", ".vtt", subtitles.read_webvtt, subtitles.write_webvtt),
    Format("srt", ".srt", subtitles.read_srt, subtitles.write_srt),
    Format("rttm", ".rttm", rttm.read_transcript, rttm.write_transcript),
    Format("ctm", ".ctm", ctm.read, ctm.write),
    Format("csv", ".csv", tidy_table.read, tidy_table.write),
    Format("parquet", ".parquet", parquet.read, parquet.write),
)
"""Formats that are written, and read back."""

_FITS: Mapping[str, Callable[[Source], bool]] = {
    "csv": tidy_table.fits,
    "label-studio": lambda source: label_studio.fits(source.json()),
}

READERS = (
    *(Reader(each.name, (each.ending.lower(),), each.read, _FITS.get(each.name, Reader.fits)) for each in FORMATS),
    Reader("table", (".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls"), spreadsheet.read),
    Reader("text", (".txt", ".text", ".md"), documents.text),
    Reader("word", (".docx",), documents.word),
    Reader("whisper", (".json",), whisper_json.reading),
    Reader("noscribe", (".html", ".htm"), documents.page),
    Reader("sbv", (".sbv",), documents.sbv),
)
"""Readers of all kinds of files, in the order in which they are tried."""

ENDINGS = tuple(sorted({ending for reader in READERS for ending in reader.endings}))
"""The endings of files that can be read, in lower case."""

_TEXTS = frozenset({".vtt", ".srt", ".sbv", ".cha", ".textgrid", ".ctm", ".rttm", ".html", ".htm", ".json", ".csv"})
"""Files of text that may be in the encoding of old programs."""

_REMEDIES = {
    **dict.fromkeys((".doc", ".odt", ".rtf"), "open it in Word or LibreOffice and save it as .docx or .txt"),
    ".pdf": "save the transcript as .docx or .txt from the program that made it, or copy its text into such a file",
    **dict.fromkeys((".ods", ".numbers"), "open it and save it as .xlsx or as CSV"),
    **dict.fromkeys(
        (".wav", ".mp3", ".m4a", ".mp4", ".flac", ".ogg", ".webm", ".aac"),
        "it is a recording: use `tape-review process`",
    ),
}
"""Remedies for files of kinds that cannot be read."""


def endings(*names: str) -> tuple[str, ...]:
    """The endings of the readers of these names."""
    return tuple(ending for reader in READERS if reader.name in names for ending in reader.endings)


def format_named(name: str) -> Format:
    """The format of that name, to write.

    Raises
    ------
    FormatError: F09 there is none.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    raise FormatError(
        "F09",
        f"format {name}",
        "cannot be written",
        f"use one of {', '.join(each_format.name for each_format in FORMATS)}",
    )


def format_of(path: Path) -> Format:
    """The format to write that a file's ending stands for, in any case.

    Raises
    ------
    FormatError: F09 it stands for none.
    """
    for each in FORMATS:
        if path.suffix.lower() == each.ending.lower():
            return each
    remedy = f"name its format with --to, or use one of {', '.join(each.ending for each in FORMATS)}"
    raise FormatError("F09", f"file {path.name}", "ends in nothing that can be written", remedy)


def read_any(
    path: Path, name: str | None = None, tiers: Mapping[str, str] | None = None
) -> CodedTranscript | TranscriptTable:
    """Return the content of a file, by the reader named or by the one for its ending and its content.

    ``tiers`` says of tiers of ELAN and Praat what they hold (`pipeline.formats.tier_kinds.KINDS`).

    Raises
    ------
    FormatError: F09 no reader has that name or that ending, and what the reader raises.
    TableError: T02 to T06 of spreadsheets and text files.
    """
    _readers(path, name)  # before the file is opened: of a recording, that it is none counts
    return of_source(Source.open(path, tiers), name)


def of_source(source: Source, name: str | None = None) -> CodedTranscript | TranscriptTable:
    """Return the content of a file that is in memory, as `read_any`; its name has the ending."""
    readers = _readers(Path(source.name), name)
    notes: tuple[str, ...] = ()
    if Path(source.name).suffix.lower() in _TEXTS:
        source, notes = source.in_utf8()
    content = next((each for each in readers if each.fits(source)), readers[-1]).read(source)
    return replace(content, notes=(*notes, *content.notes)) if notes else content


def read(path: Path, name: str | None = None, tiers: Mapping[str, str] | None = None) -> CodedTranscript:
    """The transcript of a file, as `read_any`; a tape's folder or coded table is one, too.

    Raises
    ------
    FormatError: as `read_any`; F07 a table holds several tapes.
    TableError: T01 to T06 as `tape.read` and `read_any`.
    """
    if name is None and (path.is_dir() or _is_tape(path)):
        return tape_folder.read(path)
    content = read_any(path, name, tiers)
    return content if isinstance(content, CodedTranscript) else reading.to_transcript(path.name, content)


def write(transcript: CodedTranscript, path: Path, name: str | None = None) -> None:
    """Write a file whole or not at all, with its data dictionary beside it where the format has one.

    Raises
    ------
    FormatError: F08 the format cannot hold a text or a code, F09 it is unknown.
    OutputError: O04 the file cannot be written.
    """
    wanted = format_named(name) if name else format_of(path)
    put(path, wanted.write(transcript))
    if wanted.name == "csv":
        put(path.with_name(f"{path.name}-metadata.json"), tidy_table.dictionary(path.name))


def _readers(path: Path, name: str | None) -> list[Reader]:
    """The readers that may take a file; at least one."""
    if name is not None:
        readers = [reader for reader in READERS if reader.name == name]
        names = ", ".join(reader.name for reader in READERS)
        remedy = f"use one of {names}"
    else:
        ending = path.suffix.lower()
        readers = [reader for reader in READERS if ending in reader.endings]
        remedy = _REMEDIES.get(ending, f"save it as one of {', '.join(ENDINGS)}, or name its format with --from")
    if readers:
        return readers
    thing = f"file {path.name}" if name is None else f"format {name}"
    raise FormatError("F09", thing, "is of no kind that can be read", remedy)


def _is_tape(path: Path) -> bool:
    """A coded table of ours has the column ``needs_check``, which a tidy one has not."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return "needs_check" in next(csv.reader([file.readline(10_000)]), [])
