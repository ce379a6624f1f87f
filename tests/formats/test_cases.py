"""Files that were misread once, each with what it says. A reading is (start, end, role, speaker, text), times in ms."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FormatError
from pipeline.formats import registry, uncoded

CASES = Path(__file__).parent / "cases"
ASKS, WALKS = "What would you like?", "I want to walk."

Reading = tuple[int, int, str, str, str]

READINGS: dict[str, list[Reading]] = {
    "bad_cue.vtt": [(1000, 2000, "unknown", "S01", ASKS), (3100, 3100, "unknown", "S00", "I could walk.")],
    "dash.vtt": [
        (1000, 2000, "client", "Client", "- I could walk."),
        (2000, 3000, "interviewer", "Therapist", "-- So you walk?"),
    ],
    "lt.vtt": [(1000, 2000, "unknown", "unknown", "Ada says 3 < 4 & 5 > 2 now")],
    "noblank.vtt": [(1000, 2000, "unknown", "unknown", ASKS), (2000, 4000, "unknown", "unknown", WALKS)],
    "order_voices.vtt": [
        (1000, 4000, "interviewer", "Therapist", "How was it?"),
        (1000, 4000, "client", "Client", "Fine."),
    ],
    "space_line.vtt": [(1000, 2000, "unknown", "unknown", "I could walk.")],
    "stream.vtt": [(3300, 6870, "unknown", "unknown", "Hello."), (7000, 8005, "client", "Client", "Hi.")],
    "teams.vtt": [
        (3210, 6800, "unknown", "Doe, Ada", "What would you like\nto talk about?"),
        (7000, 9500, "client", "Bo Client", "I want to walk more."),
    ],
    "teams_unpadded.vtt": [
        (3490, 5080, "interviewer", "Therapist", "What next?"),
        (5080, 5550, "client", "Client", "A walk."),
    ],
    "teams_unpadded2.vtt": [
        (3490, 5080, "interviewer", "Therapist", "What next?"),
        (5080, 8550, "client", "Client", "A walk."),
    ],
    "youtube.vtt": [
        (160, 2010, "unknown", "unknown", "what would you like"),
        (2010, 4010, "unknown", "unknown", "I want to walk"),
    ],
    "zoom.vtt": [
        (1000, 3000, "interviewer", "Ada Coach", "What would you like to talk about?"),
        (3500, 6000, "unknown", "Bo", "I want to walk more. One thing: it rains."),
        (6000, 8000, "unknown", "Bo", "And I get wet."),
    ],
    "no_index.srt": [(1000, 2000, "unknown", "unknown", "I could walk."), (2000, 3000, "unknown", "unknown", "Yes.")],
    "noblank.srt": [
        (1000, 2000, "unknown", "unknown", "What next?"),
        (2000, 3000, "unknown", "unknown", "I could walk."),
    ],
    "otter.srt": [(0, 2000, "unknown", "Speaker 1", ASKS), (2000, 4000, "unknown", "Speaker 2", WALKS)],
    "space_line.srt": [(1000, 2000, "unknown", "unknown", "I could walk.")],
    "tags.srt": [(1000, 2000, "unknown", "unknown", "I could walk.")],
    "whisper.srt": [
        (0, 2000, "unknown", "SPEAKER_00", ASKS),
        (2000, 4000, "unknown", "SPEAKER_00", WALKS),
        (3500, 3500, "unknown", "SPEAKER_00", "Yes."),
    ],
    "batchalign.cha": [
        (0, 900, "unknown", "PAR0", "what would you like?"),
        (1000, 2000, "unknown", "PAR1", "I could walk."),
    ],
    "chat_cod.cha": [(0, 900, "interviewer", "Ada", "what next?"), (1000, 2000, "client", "Bo", "a walk.")],
    "order_untimed.cha": [
        (0, 900, "interviewer", "Ada", "hello."),
        (900, 900, "interviewer", "Ada", "how was it?"),
        (900, 900, "client", "Bo", "fine."),
        (900, 900, "interviewer", "Ada", "you walked?"),
        (5000, 6000, "client", "Bo", "yes."),
    ],
}


@pytest.mark.parametrize("name", READINGS)
def test_a_file_says_what_it_says(name: str) -> None:
    said = registry.read(CASES / name)
    assert [(one.span.start, one.span.end, one.role, one.speaker, one.text) for one in said.utterances] == READINGS[
        name
    ]


def test_what_was_mended_or_passed_over_is_told() -> None:
    notes = {name: registry.read(CASES / name).notes for name in READINGS}
    assert {name: told for name, told in notes.items() if told} == {
        "bad_cue.vtt": ('Line 8 ends before it starts: "<v S00>I could walk." has no length.',),
        "whisper.srt": ('Line 10 ends before it starts: "Yes." has no length.',),
    }


def test_the_marks_of_chat_are_read_by_their_meaning() -> None:
    said = registry.read(CASES / "chat_marks.cha")
    assert [one.text for one in said.utterances] == [
        "what would you like?",
        "because I wanna walk um more.",
        "yes.",
        "I want I need to walk.",
        "I walk good wa pt.",
        "so you walk.",
        "and really no way out maybe.",
        "",
        "",
        "\u201cI walk\u201d he said.",
        "it is twenty-one dogs, you know?",
        "what do you mean?",
        "okay sure.",
    ]
    assert [mark.code for mark in said.utterances[1].marks] == ["ct"]
    assert said.notes == ('Line 20: "mhm", said by PAR meanwhile, was passed over.',)


def test_codes_stand_on_any_coding_tier_of_chat_and_words_have_times() -> None:
    asked, walked = registry.read(CASES / "chat_cod.cha").utterances
    assert [mark.code for mark in asked.marks] == ["OQ", "GI:x"]
    assert walked.marks == ()
    words = registry.read(CASES / "batchalign.cha").utterances[1].words
    assert [(word.text, word.span.start, word.span.end) for word in words] == [
        ("I", 1000, 1200),
        ("could", 1200, 1500),
        ("walk", 1500, 2000),
    ]


def test_an_empty_file_is_named() -> None:
    with pytest.raises(FormatError, match="TR-F03 file empty.vtt does not begin with WEBVTT"):
        registry.read(CASES / "empty.vtt")


SPREADSHEETS: dict[str, list[tuple[str, str]]] = {
    "capitals.csv": [("interviewer", ASKS)],
    "clock.csv": [("interviewer", ASKS)],
    "counsellor_uk.csv": [("interviewer", ASKS), ("client", WALKS)],
    "cp1252.csv": [("interviewer", "What would you like caf\xe9?")],
    "descript.csv": [("interviewer", ASKS), ("client", WALKS)],
    "empty_rows.csv": [("interviewer", ASKS)],
    "excel_semicolon.csv": [("interviewer", ASKS), ("client", "I want to walk more.")],
    "french.csv": [("interviewer", "Que voulez-vous ?")],
    "letters.csv": [("interviewer", ASKS), ("client", WALKS)],
    "tabs.tsv": [("interviewer", ASKS)],
    "trailing_columns.csv": [("interviewer", ASKS)],
    "two_columns.csv": [("interviewer", ASKS), ("client", WALKS)],
    "o.txt": [("", ASKS), ("", WALKS)],
    "otter.txt": [("", ASKS), ("", WALKS)],
    "whisper.tsv": [("", ASKS), ("", WALKS)],
    "whisperx.json": [("", ASKS)],
}
"""Role and text; a role is empty where the words have to decide."""


@pytest.mark.parametrize("name", SPREADSHEETS)
def test_a_transcript_to_code_says_what_it_says(name: str) -> None:
    table = uncoded.read(CASES / "code" / name).table
    assert list(zip(table["role"], table["text"], strict=True)) == SPREADSHEETS[name]


@pytest.mark.parametrize("name", ["t.docx", "t.xlsx"])
def test_an_archive_that_holds_no_document_is_named(name: str) -> None:
    with pytest.raises(FormatError, match=f"TR-F03 file {name} is no "):
        uncoded.read(CASES / "code" / name)


def test_chat_without_times_can_be_coded_and_not_converted(tmp_path: Path) -> None:
    text = (CASES / "order_untimed.cha").read_text()
    for times in ("\x150_900\x15", "\x155000_6000\x15"):
        text = text.replace(times, "")
    (tmp_path / "talk.cha").write_text(text)
    table = uncoded.read(tmp_path / "talk.cha").table
    assert list(table["text"]) == ["hello.", "how was it?", "fine.", "you walked?", "yes."]
    assert table[["start", "end"]].isna().all(axis=None)
    with pytest.raises(FormatError, match="TR-F07 file talk.cha has no times; pre-tag it"):
        registry.read(tmp_path / "talk.cha")
