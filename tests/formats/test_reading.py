"""Tables become transcripts and back: times that are missing, codes in a column, roles that a file settles."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.errors import FormatError
from pipeline.formats import reading
from pipeline.formats.reading import ENDS_UNKNOWN, TranscriptTable
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import SpokenPassage
from pipeline.formats.transcript import NO_TIMES, CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span

TALK = ordered_transcript(
    "walk",
    [
        CodedUtterance("a", Span(0, 900), "S1", "interviewer", "So?", (Mark("question_open"),)),
        CodedUtterance("b", Span(900, 1200), "unknown", "unknown", "Hm."),
    ],
)


def table(**columns: list[object]) -> TranscriptTable:
    base: dict[str, list[object]] = {"tape_id": ["t", "t"], "utterance_id": ["a", "b"], "text": ["So?", "Hm."]}
    frame = pd.DataFrame(base | columns)
    for name in ("start", "end"):
        if name in frame:
            frame[name] = frame[name].astype("Int64")
    return TranscriptTable(frame)


def test_codes_stay_behind_and_what_is_open_is_empty_unless_the_file_settles_it() -> None:
    rows = reading.of_transcript(TALK).table
    assert "codes" not in rows
    assert rows[["role", "speaker"]].to_numpy().tolist() == [["interviewer", "S1"], ["", ""]]
    assert list(reading.of_transcript(TALK, settled=True).table["role"]) == ["interviewer", "unknown"]


def test_a_transcript_without_times_has_none_in_its_table_and_does_not_say_it_twice() -> None:
    untimed = ordered_transcript("t", [CodedUtterance("", Span(0, 0), text="Hm.")], [NO_TIMES, "Else."])
    read = reading.of_transcript(untimed)
    assert read.table[["start", "end"]].isna().all(axis=None)
    assert read.notes == ("Else.",)
    assert reading.to_transcript("t.csv", read).notes == ("Else.", NO_TIMES)


def test_an_end_that_is_missing_lasts_until_the_next_begins_and_that_is_told() -> None:
    transcript = reading.to_transcript("t.csv", table(start=[0, 2000], end=[pd.NA, 3000]))
    assert [utterance.span for utterance in transcript.utterances] == [Span(0, 2000), Span(2000, 3000)]
    assert transcript.notes == (ENDS_UNKNOWN,)


@pytest.mark.parametrize(
    ("heading", "codes"),
    [("MITI code", ["OQ", "R"]), ("Kodierung", []), ("coding", ["OQ", "R"]), ("zip code", []), ("time code", [])],
)
def test_a_column_of_codes_is_known_by_its_heading(heading: str, codes: list[str]) -> None:
    transcript = reading.to_transcript("t.csv", table(**{heading: ["OQ|R", ""]}))
    assert [mark.code for mark in transcript.utterances[0].marks] == codes
    assert any(f'"{heading}"' in note for note in transcript.notes) is bool(codes)


def test_rows_of_two_tapes_and_no_rows_are_refused() -> None:
    with pytest.raises(FormatError, match=r"TR-F07 file t.csv holds 2 tapes"):
        reading.to_transcript("t.csv", table(tape_id=["t", "s"]))
    with pytest.raises(FormatError, match=r"TR-F03 file t.csv holds no utterance"):
        reading.to_transcript("t.csv", TranscriptTable(table().table.iloc[:0]))


def test_running_text_is_numbered_and_named_after_its_file() -> None:
    speeches = [SpokenPassage("Ann", "So?", 0, 900), SpokenPassage("Bo", "Hm.")]
    rows = reading.of_speeches(Source("talk.txt", b""), speeches, ["Else."])
    assert rows.table[["tape_id", "utterance_id", "speaker"]].to_numpy().tolist() == [
        ["talk", "u0001", "Ann"],
        ["talk", "u0002", "Bo"],
    ]
    assert rows.table["end"].isna().tolist() == [False, True]
    assert (rows.notes, rows.words) == (("Else.",), {})


def test_a_sentence_lists_eight_lines_and_counts_the_rest() -> None:
    (note,) = reading.skipped_note([f"line {number}" for number in range(10)], "Lines")
    assert note.startswith('Lines were skipped: "line 0"; ')
    assert note.endswith('"line 7"; and 2 more.')
    assert reading.skipped_note([], "Lines") == ()
