"""Files that were misread once, each with what it says. A reading is (start, end, role, speaker, text), times in ms."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FormatError
from pipeline.formats import codebook_files, registry, uncoded
from pipeline.formats.transcript import NO_TIMES

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
    "elan_child_text.eaf": [(1000, 2000, "client", "client", "I could walk.")],
    "elan_chunk.eaf": [(1000, 2000, "client", "client", "I could walk.")],
    "elan_code_not_cv_toplevel.eaf": [(1000, 2000, "client", "client", "I could walk.")],
    "elan_code_on_code.eaf": [(1000, 2000, "client", "client", "I could walk.")],
    "elan_notes.eaf": [(1000, 2000, "client", "client", "I could walk.")],
    "elan_role_in_tier.eaf": [(1000, 2000, "client", "P07", "I could walk.")],
    "elan_translation.eaf": [(1000, 2000, "client", "client", "I could walk.")],
    "elan_unaligned.eaf": [
        (1000, 4000, "client", "client", "I could walk."),
        (1000, 1300, "interviewer", "therapist", "Mhm."),
    ],
    "coach.TextGrid": [(1000, 2000, "client", "client", "I could walk.")],
    "mfa.TextGrid": [(1000, 2000, "unknown", "S1", "I walk")],
    "utf16.TextGrid": [(1000, 2000, "client", "client", "Ich k\u00f6nnte gehen.")],
    "word_phone.TextGrid": [(1000, 2000, "unknown", "unknown", "I walk")],
    "ctm_e.ctm": [(0, 400, "unknown", "1", "What")],
    "ctm_noconf.ctm": [(0, 400, "unknown", "1", "What")],
    "ctm_over.ctm": [(0, 400, "unknown", "1", "What")],
    "cacti1_audio_filename.casaa": [(6000, 6000, "interviewer", "Therapist", "")],
    "cacti_text_export.casaa": [(6000, 6000, "interviewer", "Therapist", "")],
    "cacti2_real_schema.casaa": [
        (1200, 1200, "interviewer", "Therapist", ""),
        (3500, 3500, "client", "Client", "he means it"),
    ],
    "refi_audio_selection.qdpx": [
        (1000, 2000, "unknown", "unknown", "I could walk."),
        (2500, 4000, "unknown", "unknown", "Oh, so"),
    ],
    "refi_capital_name.qdpx": [
        (1000, 2000, "unknown", "unknown", "I could walk."),
        (2500, 4000, "unknown", "unknown", "Oh, so"),
    ],
    "refi_guid_case.qdpx": [(1000, 2000, "unknown", "unknown", "I could walk.")],
    "refi_text_only.qdpx": [(0, 0, "unknown", "unknown", "I could walk.")],
    "refi_video_only_transcript.qdpx": [(1000, 2000, "unknown", "unknown", "I could walk.")],
    "ls_speaker_labels.json": [(1000, 2000, "client", "Client", "I could walk.")],
    "ls_task_choice.json": [(1000, 2000, "client", "Client", "")],
    "ls_text_spans.json": [(0, 0, "unknown", "unknown", "I could walk.")],
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
    transcript = registry.read(CASES / name)
    assert [
        (utterance.span.start, utterance.span.end, utterance.role, utterance.speaker, utterance.text)
        for utterance in transcript.utterances
    ] == READINGS[name]


def test_what_was_mended_or_passed_over_is_told() -> None:
    notes = {name: registry.read(CASES / name).notes for name in READINGS if name.endswith((".vtt", ".srt"))}
    assert {name: told for name, told in notes.items() if told} == {
        "bad_cue.vtt": ('Line 8 ends before it starts: "<v S00>I could walk." has no length.',),
        "whisper.srt": ('Line 10 ends before it starts: "Yes." has no length.',),
    }


@pytest.mark.parametrize(
    ("name", "codes", "words", "told"),
    [
        ("elan_child_text.eaf", ["change"], [], "as text: client; as codes: MITI."),
        ("elan_chunk.eaf", [], [], "as text: client; skipped: client chunk."),
        ("elan_code_not_cv_toplevel.eaf", ["CR"], [], "as text: client; as codes: MITI codes."),
        ("elan_code_on_code.eaf", ["change", "strong"], [], "as text: client; as codes: talk, strength."),
        ("elan_notes.eaf", [], [], "as text: client; skipped: Notes."),
        ("elan_translation.eaf", [], [], "as text: client; skipped: client-de."),
        ("elan_unaligned.eaf", [], [1000, 2000, 3000], "as text: client, therapist; as words: client-words."),
        ("coach.TextGrid", ["change"], [], "as text: client; as codes: MITI."),
        ("mfa.TextGrid", [], [1000, 1400], "as words: S1 - words; skipped: S1 - phones."),
    ],
)
def test_what_hangs_on_an_utterance_is_read_for_what_it_is(
    name: str, codes: list[str], words: list[int], told: str
) -> None:
    transcript = registry.read(CASES / name)
    assert [mark.code for mark in transcript.utterances[0].marks] == codes
    assert [word.span.start for word in transcript.utterances[0].words] == words
    assert transcript.notes == (f"Tiers read {told} --tier NAME=codes, text, words or skip changes that.",)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("cacti1_audio_filename.casaa", [("OQ", "")]),
        ("cacti_text_export.casaa", [("OQ", "")]),
        ("cacti2_real_schema.casaa", [("OQ0", ""), ("D+", ""), ("D-", "")]),
        ("refi_audio_selection.qdpx", [("change", "ana")]),
        ("refi_guid_case.qdpx", [("change", "ana")]),
        ("refi_text_only.qdpx", [("change", "ana")]),
        ("refi_video_only_transcript.qdpx", [("change", "ana")]),
        ("ls_speaker_labels.json", [("change", "1")]),
        ("ls_task_choice.json", []),
        ("ls_text_spans.json", [("change", "1")]),
    ],
)
def test_codes_are_read_with_their_coders(name: str, codes: list[tuple[str, str]]) -> None:
    transcript = registry.read(CASES / name)
    assert [(mark.code, mark.coder) for utterance in transcript.utterances for mark in utterance.marks] == codes


def test_what_is_said_of_a_whole_task_and_texts_without_times_are_told() -> None:
    whole = "Answers for the whole task are not in the table: quality: good sound; empathy: 4."
    assert registry.read(CASES / "ls_task_choice.json").notes == (whole,)
    for name in ("ls_text_spans.json", "refi_text_only.qdpx"):
        assert registry.read(CASES / name).notes == (NO_TIMES,)
    with pytest.raises(FormatError, match=r"TR-F07 .*holds 2 recordings with selections \(walk1, walk2\)"):
        registry.read(CASES / "refi_two_audio.qdpx")


def test_large_cacti_codebooks_and_panels_of_a_parent_are_read() -> None:
    large = codebook_files.read(str(CASES / "cacti_91_codes.xml"))
    assert len({code.key for code in large.codes}) == len(large.codes) == 91
    parent = codebook_files.read(str(CASES / "cacti_parent_teen.xml"))
    assert [(code.name, code.role) for code in parent.codes] == [("CT", "client"), ("GI", "interviewer")]


def test_the_marks_of_chat_are_read_by_their_meaning() -> None:
    transcript = registry.read(CASES / "chat_marks.cha")
    assert [utterance.text for utterance in transcript.utterances] == [
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
    assert [mark.code for mark in transcript.utterances[1].marks] == ["ct"]
    assert transcript.notes == ('Line 20: "mhm", said by PAR at the same time, was skipped.',)


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
    with pytest.raises(FormatError, match=f"TR-F03 file {name} is not an? "):
        uncoded.read(CASES / "code" / name)


def test_chat_without_times_can_be_coded_and_converted(tmp_path: Path) -> None:
    text = (CASES / "order_untimed.cha").read_text()
    for times in ("\x150_900\x15", "\x155000_6000\x15"):
        text = text.replace(times, "")
    (tmp_path / "talk.cha").write_text(text)
    table = uncoded.read(tmp_path / "talk.cha").table
    assert list(table["text"]) == ["hello.", "how was it?", "fine.", "you walked?", "yes."]
    assert table[["start", "end"]].isna().all(axis=None)
    transcript = registry.read(tmp_path / "talk.cha")
    assert [utterance.text for utterance in transcript.utterances] == list(table["text"])
    assert transcript.notes == (NO_TIMES,)
