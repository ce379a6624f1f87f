"""A coder's own codes as a table and as captions, for other programs; the transcript stays plain text there.

A cell of the table that a spreadsheet would take for a formula gets an apostrophe in front: this file, unlike the ones
that our own programs read, is meant to be opened in one.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping, Sequence

from pipeline.coding.codebook import Codebook
from pipeline.formats import subtitles
from pipeline.review.coding.code_events import CodeState
from pipeline.review.coding.corrections import CorrectedUtterance
from pipeline.timeline import ROLES, UNKNOWN, Span, to_seconds

COLUMNS = ("utterance_id", "start", "end", "role", "speaker", "text", "codes", "unsure", "zero", "language")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of a formula; in some spreadsheets also the same signs in full width, or after a line break."""


SIMULATED = "simulated"
"""The last column in the files of a simulated home; `pipeline.formats.code_table` passes its word on."""


def codes_csv(
    utterances: Sequence[CorrectedUtterance],
    codes: Mapping[str, CodeState],
    zero: int | None = 0,
    is_simulated: bool = False,
) -> str:
    """Return CSV with one row per utterance; times in seconds from ``zero``, a millisecond of the recording.

    ``zero`` None: the tape has no sound, and its rows have no times.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*COLUMNS, SIMULATED) if is_simulated else COLUMNS)
    for utterance in utterances:
        state = codes.get(utterance.id)
        start, end, origin = ("", "", "") if zero is None else map(to_seconds, (utterance.start, utterance.end, zero))
        row = (
            *(utterance.id, start, end, utterance.role, utterance.speaker),
            " ".join(word.text for word in utterance.words),
            *("|".join(state.codes) if state else "", "true" if state and state.unsure else "false"),
            *(origin, utterance.language),
            *(["true"] if is_simulated else []),
        )
        writer.writerow([_escape_formula(cell) for cell in row])
    return buffer.getvalue()


def codes_webvtt(
    utterances: Sequence[CorrectedUtterance],
    codes: Mapping[str, CodeState],
    book: Codebook,
    zero: int = 0,
    is_simulated: bool = False,
) -> str:
    """Return WebVTT: each utterance followed by its codes' labels in brackets; times as in `codes_csv`."""
    labels = {code.name: code.label for code in book.codes}
    blocks = ["NOTE Simulated: an invented tape with invented codes."] if is_simulated else []
    for utterance in utterances:
        state = codes.get(utterance.id)
        names = [labels.get(code, code) for code in state.codes] if state else []
        text = " ".join([*(word.text for word in utterance.words), *(f"[{name}]" for name in names)])
        speaker = utterance.role if utterance.role in ROLES else UNKNOWN
        escaped = html.escape(" ".join(text.split()), quote=False)
        blocks.append(subtitles.cue_block(Span(utterance.start, utterance.end), f"<v {speaker}>{escaped}"))
    return subtitles.document(blocks, zero)


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
