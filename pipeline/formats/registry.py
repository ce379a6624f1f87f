"""Every format by its name and its file ending."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import FormatError
from pipeline.files import put
from pipeline.formats import (
    casaa,
    chat,
    ctm,
    elan,
    label_studio,
    parquet,
    refi_qda,
    rttm,
    srt,
    tape,
    textgrid,
    tidy,
    webvtt,
)
from pipeline.formats.coded import CodedTranscript
from pipeline.formats.intake import Source


@dataclass(frozen=True)
class Format:
    """How a format is called, what its files end in, and how it is read and written."""

    name: str
    ending: str
    read: Callable[[Source], CodedTranscript]
    write: Callable[[CodedTranscript], bytes]


FORMATS = (
    Format("elan", ".eaf", elan.read, elan.write),
    Format("textgrid", ".TextGrid", textgrid.read, textgrid.write),
    Format("chat", ".cha", chat.read, chat.write),
    Format("cacti", ".casaa", casaa.read, casaa.write),
    Format("label-studio", ".json", label_studio.read, label_studio.write),
    Format("refi-qda", ".qdpx", refi_qda.read, refi_qda.write),
    Format("webvtt", ".vtt", webvtt.read, webvtt.write),
    Format("srt", ".srt", srt.read, srt.write),
    Format("rttm", ".rttm", rttm.coded, rttm.written),
    Format("ctm", ".ctm", ctm.read, ctm.write),
    Format("csv", ".csv", tidy.read, tidy.write),
    Format("parquet", ".parquet", parquet.read, parquet.write),
)


def named(name: str) -> Format:
    """The format of that name.

    Raises
    ------
    FormatError: F09 there is none.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    raise FormatError("F09", f"format {name}", "is unknown", f"use one of {', '.join(one.name for one in FORMATS)}")


def of(path: Path) -> Format:
    """The format that a file's ending stands for, in any case.

    Raises
    ------
    FormatError: F09 it stands for none.
    """
    for each in FORMATS:
        if path.suffix.lower() == each.ending.lower():
            return each
    endings = ", ".join(each.ending for each in FORMATS)
    remedy = f"name its format with --from or --to, or use one of {endings}; `tape-review code` reads more"
    raise FormatError("F09", f"file {path.name}", "ends in nothing that we know", remedy)


def read(path: Path, name: str | None = None, tiers: Mapping[str, str] | None = None) -> CodedTranscript:
    """The transcript of a file, of the format named or of its ending; a tape's folder or coded table is one, too.

    ``tiers`` says of tiers of ELAN and Praat what they hold (`pipeline.formats.tier_kinds.KINDS`).

    Raises
    ------
    FormatError: F09 the format is unknown, and what its reader raises.
    TableError: T01 to T06 as `tape.read`.
    """
    if name is None and (path.is_dir() or _is_tape(path)):
        return tape.read(path)
    wanted = named(name) if name else of(path)
    return wanted.read(Source.open(path, tiers))


def write(said: CodedTranscript, path: Path, name: str | None = None) -> None:
    """Write a file whole or not at all, with its data dictionary beside it where the format has one.

    Raises
    ------
    FormatError: F08 the format cannot hold a text or a code, F09 it is unknown.
    OutputError: O04 the file cannot be written.
    """
    wanted = named(name) if name else of(path)
    put(path, wanted.write(said))
    if wanted.name == "csv":
        put(path.with_name(f"{path.name}-metadata.json"), tidy.dictionary(path.name))


def _is_tape(path: Path) -> bool:
    """A coded table of ours has the column ``needs_check``, which a tidy one has not."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return "needs_check" in next(csv.reader([file.readline(10_000)]), [])
