"""A processed tape as a transcript."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import TableError
from pipeline.formats import tape_folder, tape_tables
from pipeline.formats.transcript import NO_TIMES, Mark
from pipeline.timeline import Span, Word


def folder(path: Path, times: list[tuple[int | None, int | None]]) -> Path:
    """A tape of an utterance for each pair of times in ms, each of one word."""
    roles = ["client" if number % 2 else "interviewer" for number in range(len(times))]
    shared = {"tape_id": "walk", "turn_id": "t1", "speaker": "S1", "role": roles, "text": "Yes."}
    ids = [f"u{number}" for number in range(len(times))]
    table = pd.DataFrame({"utterance_id": ids, **shared, "codes": "other|change", "needs_check": False})
    table[["start", "end"]] = pd.DataFrame(times, dtype="Int64")
    tape_tables.write_utterances(table, path / "utterances.csv")
    words = table.assign(word_id=ids, probability=0.5, language="en")[list(tape_tables.WORD_COLUMNS)]
    (path / "words.csv").write_bytes(tape_tables.written(words, tape_tables.WORD_COLUMNS))
    return path


def test_a_folder_gives_utterances_with_words_codes_and_the_second_of_the_recording(tmp_path: Path) -> None:
    tape = folder(tmp_path, [(0, 900), (900, 1800)])
    (tape / "provenance.json").write_text(json.dumps({"tape_id": "walk", "segment": {"start": 30.5}}))
    read = tape_folder.read(tape)
    assert (read.tape_id, read.zero, read.notes) == ("walk", 30_500, ())
    assert [(each.id, each.span, each.role) for each in read.utterances] == [
        ("u0", Span(0, 900), "interviewer"),
        ("u1", Span(900, 1800), "client"),
    ]
    assert read.utterances[1].words == (Word(Span(900, 1800), "Yes.", 0.5, "S1"),)
    assert read.utterances[0].marks == (Mark("other", "machine", "machine"), Mark("change", "machine", "machine"))


def test_a_tape_that_was_coded_from_its_text_alone_has_no_times(tmp_path: Path) -> None:
    """It was refused for lack of times, so that its codes could go nowhere."""
    read = tape_folder.read(folder(tmp_path, [(None, None), (None, None)]))
    assert [(each.id, each.span, each.words) for each in read.utterances] == [
        ("u0", Span(0, 0), ()),
        ("u1", Span(0, 0), ()),
    ]
    assert read.notes == (NO_TIMES,)
    assert read.is_untimed


def test_a_time_that_is_missing_beside_others_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"TR-T05 utterance 'u1' of utterances.csv has no times"):
        tape_folder.read(folder(tmp_path, [(0, 900), (None, None)]))
