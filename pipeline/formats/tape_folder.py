"""A processed tape as a transcript: its ``utterances.csv``, with the ``words.csv`` beside it. Read only.

The machine's codes are marks of the coder ``machine``. What the tables say of probabilities and checks is left behind.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.errors import TableError
from pipeline.formats import tape_tables
from pipeline.formats.time_origin import Zero
from pipeline.formats.transcript import (
    NO_TIMES,
    CodedTranscript,
    CodedUtterance,
    Mark,
    ordered_transcript,
    role_named,
    split_codes,
)
from pipeline.languages import ENGLISH
from pipeline.timeline import Span, Word, to_ms

MACHINE = "machine"
UTTERANCES, WORDS, PROVENANCE = "utterances.csv", "words.csv", "provenance.json"


def read(path: Path) -> CodedTranscript:
    """The transcript of a tape's folder, or of its coded table; of a tape without sound, all utterances stand at 0.

    Raises
    ------
    TableError: T01 to T06 as `tables.read_utterances`; T05 several tapes, or some utterances without times.
    """
    path = path / UTTERANCES if path.is_dir() else path
    table = tape_tables.read_utterances(path)
    tape, *others = table["tape_id"].unique()
    if others:
        raise TableError("T05", f"table {path.name}", f"holds {1 + len(others)} tapes", "give the table of one tape")
    untimed = bool(table[["start", "end"]].isna().all(axis=None))  # coded from its text alone
    table = table.assign(start=0, end=0) if untimed else table
    missing = (table["start"].isna() | table["end"].isna() | (table["end"] < table["start"])).to_numpy()
    if missing.any():
        name = table["utterance_id"].iloc[int(missing.argmax())]
        raise TableError("T05", f"utterance {name!r} of {path.name}", "has no times", "give a table with start and end")
    spoken = _words(path.with_name(WORDS)) if path.with_name(WORDS).is_file() and not untimed else {}
    provenance = _provenance(path.with_name(PROVENANCE), tape)
    transcript = ordered_transcript(
        tape,
        (
            CodedUtterance(
                row["utterance_id"],
                Span(row["start"], row["end"]),
                row["speaker"],
                role_named(row["role"]),
                row["text"],
                tuple(Mark(code, MACHINE, MACHINE) for code in split_codes(row["codes"])),
                spoken.get(row["utterance_id"], ()),
            )
            for row in table.to_dict("records")
        ),
        (NO_TIMES,) if untimed else (),
        zero=None if untimed else _zero(table, path, provenance),
    )
    return replace(transcript, recording=provenance.recording)


def _zero(table: pd.DataFrame, path: Path, provenance: _Provenance) -> int | None:
    """The table's own zero; of a recording of several files the provenance also says where each begins."""
    zero = _table_zero(table, path)
    return provenance.zero if zero in (None, provenance.zero) else zero


def _table_zero(table: pd.DataFrame, path: Path) -> int | None:
    """The zero of the times where the table itself names it, in milliseconds of the recording."""
    cells = {cell.strip() for cell in table[tape_tables.ZERO]} if tape_tables.ZERO in table else {""}
    if len(cells) > 1:
        value = f"has times that count from different zeros ({', '.join(sorted(cells))})"
        raise TableError("T05", f"table {path.name}", value, "give the table as `tape-review process` wrote it")
    cell = cells.pop()
    if not re.fullmatch(r"(?:\d{1,6}(?:\.\d+)?)?", cell):
        remedy = "write seconds of the recording, or leave the column empty"
        raise TableError("T05", f"table {path.name}", f"has zero {cell!r}", remedy)
    return to_ms(float(cell)) if cell else None


@dataclass(frozen=True)
class _Provenance:
    """Where a tape begins in its recording, in milliseconds, and the recording's SHA-256, as far as they are known."""

    zero: int | None = None
    recording: str | None = None


def _provenance(path: Path, tape_id: str) -> _Provenance:
    """The provenance beside the table, if it is that of this tape."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["tape_id"] != tape_id:
            return _Provenance()
        recording = (content.get("recording") or {}).get("sha256")
        zero = to_ms(float(content["segment"]["start"]))
        files = content.get("files", ())
        begins = [to_ms(float(file["begins"])) for file in files] if len(files) > 1 else []
        return _Provenance(Zero(zero, begins) if begins else zero, recording)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _Provenance()


def _words(path: Path) -> dict[str, tuple[Word, ...]]:
    words_by_utterance: dict[str, list[Word]] = defaultdict(list)
    for row in tape_tables.read_words(path).to_dict("records"):
        if any(pd.isna(row[name]) for name in ("start", "end")) or row["end"] < row["start"]:
            raise TableError("T05", f"word {row['word_id']!r} of {path.name}", "has no times", "give start and end")
        probability = 1.0 if pd.isna(row["probability"]) else row["probability"]
        language = row["language"] or ENGLISH
        word = Word(Span(row["start"], row["end"]), row["text"], probability, row["speaker"], language)
        words_by_utterance[row["utterance_id"]].append(word)
    return {name: tuple(words) for name, words in words_by_utterance.items()}
