"""Files as other programs write them, in ``cases/programs``, each with what it says; each was misread or refused once.

A reading is (start, end, role, speaker, text): times in ms, I the interviewer, C the client, empty where names leave it
open.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.formats import registry, uncoded
from pipeline.formats.transcript import NO_TIMES

PROGRAMS = Path(__file__).parent / "cases" / "programs"
LETTERS = {"interviewer": "I", "client": "C", "unknown": ""}

READINGS: dict[str, list[tuple[int, int, str, str, str]]] = {
    "audio_and_names.qdpx": [
        (0, 2000, "I", "Therapist", "What brings you here?"),
        (2000, 4000, "C", "Client", "I want less."),
    ],
    "taxonomy.json": [
        (0, 2000, "", "Speaker 1", "What brings you here?"),
        (2000, 4000, "", "Speaker 2", "I want less."),
    ],
    "teams_new.vtt": [
        (3210, 6800, "", "Ann Lee", "What brings you\nhere today?"),
        (6800, 7700, "", "Ann Lee", "And what next?"),
        (8000, 10700, "", "Oh, Bo (Guest)", "I want to drink less."),
    ],
    "yt_roll.srt": [
        (160, 4000, "", "unknown", "what brings you here"),
        (2010, 6000, "", "unknown", "I want to drink"),
        (4010, 8000, "", "unknown", "less yeah"),
        (6010, 10000, "", "unknown", "for my kids"),
    ],
    "webex.vtt": [
        (3210, 6800, "", "Ann Lee", "What brings you here?"),
        (7000, 9000, "", "Bo Oh", "I want to drink less."),
    ],
    "trint.srt": [
        (3210, 6800, "I", "INTERVIEWER", "What brings you here?"),
        (7000, 9000, "C", "CLIENT", "I want to drink less."),
    ],
    "dash_dialog.srt": [
        (210, 2800, "I", "Therapist", "What brings you here?"),
        (210, 2800, "C", "Client", "I want to drink less."),
        (3000, 5000, "I", "Therapist", "So you want less."),
    ],
    "cue_settings_note.vtt": [
        (1000, 2500, "I", "Therapist", "What brings you\xa0here? 2 < 3"),
        (3000, 4000, "C", "Client", "I want less."),
    ],
    "srt_dots_bom.srt": [(1500, 2000, "I", "Therapist", "Hello."), (3500, 4000, "C", "Client", "Yes.")],
    "srt_cp1252.srt": [(1500, 2000, "I", "Therapist", "Café?"), (3000, 4000, "C", "Client", "Sí.")],
    "three_digit_hours.vtt": [
        (1500, 2000, "", "Speaker 1", "Hello there."),
        (3000, 4000, "", "Speaker 2", "Hi, I drink."),
    ],
    "two_voices_cue.vtt": [
        (1000, 4000, "I", "Therapist", "How was it?"),
        (1000, 4000, "C", "Client", "Fine."),
        (4000, 5000, "I", "Therapist", "So fine."),
        (4000, 5000, "C", "Client", "Yes."),
    ],
    "exmaralda.eaf": [(0, 2000, "", "ANN", "What brings you here?"), (2500, 4000, "", "BO", "I want less.")],
    "comments_tier.eaf": [
        (0, 2000, "I", "Therapist", "What brings you here?"),
        (2500, 4000, "C", "Client", "I want less."),
    ],
    "deep.eaf": [(0, 2000, "I", "Interviewer", "What brings you here?"), (2500, 4000, "C", "Client", "I want less.")],
    "latin1.TextGrid": [
        (0, 2000, "I", "Therapist", 'What "brings" you here?'),
        (2500, 4000, "C", "Client", "I want café."),
        (4000, 4500, "C", "Client", "xxx"),
    ],
    "silences.TextGrid": [(0, 2000, "", "Ann", "What brings you here?"), (2500, 4000, "", "Bo", "I want less.")],
    "webmaus.TextGrid": [
        (0, 2000, "", "unknown", "What brings you here?"),
        (2000, 4000, "", "unknown", "I want less."),
    ],
    "old_clan.cha": [
        (0, 0, "I", "THE", "what uh brings you here?"),
        (0, 0, "C", "CLI", "I want want less."),
        (0, 0, "C", "CLI", "I um because."),
        (0, 0, "I", "THE", "so you want less."),
        (0, 0, "C", "CLI", "yes that's it."),
        (0, 0, "I", "THE", ""),
    ],
    "ca.cha": [
        (0, 0, "I", "Ann", "what brings you here?"),
        (0, 0, "C", "Bo", "I wa- I want less hyeah"),
        (0, 0, "I", "Ann", "so so you want it ok."),
    ],
    "otter.txt": [
        (3000, 7000, "", "Ann Lee", "What brings you here? Anything else?"),
        (7000, 3723000, "", "Bo Oh", "I want less. One thing: it rains."),
        (3723000, 3723000, "", "Ann Lee", "So less."),
    ],
    "rev.txt": [
        (3000, 7000, "", "Ann", "What brings you here?"),
        (7000, 9000, "", "Bo", "I want less."),
        (9000, 9000, "", "Ann", "So less."),
    ],
    "rev_times_behind_colons.txt": [
        (3000, 7000, "", "Ann", "What brings you here?"),
        (7000, 9000, "", "Bo", "I want less."),
        (9000, 9000, "", "Ann", "So less."),
    ],
    "meet.txt": [
        (0, 0, "", "Ann Lee", "What brings you here?"),
        (0, 0, "", "Bo Oh", "I want less."),
        (300000, 300000, "", "Ann Lee", "So less."),
        (300000, 300000, "", "Bo Oh", "Yes."),
    ],
    "zoom.txt": [(0, 7000, "", "Ann Lee", "What brings you here?"), (7000, 7000, "", "Bo Oh", "I want less.")],
    "teams_copy.txt": [
        (3000, 7000, "", "Ann Lee", "What brings you here?"),
        (7000, 9000, "", "Bo Oh", "I want less."),
        (9000, 9000, "", "Ann Lee", "So less."),
    ],
    "cap.txt": [
        (0, 0, "I", "THERAPIST", "What brings you here?"),
        (0, 0, "C", "CLIENT", "I want less."),
        (0, 0, "", "BOTH", "[laugh]"),
        (0, 0, "I", "THERAPIST", "So less."),
    ],
    "angle.txt": [
        (0, 0, "I", "T", "What brings you here?"),
        (0, 0, "C", "C", "I want less."),
        (0, 0, "I", "T", "So less."),
    ],
    "hash.txt": [(3100, 6500, "I", "T", "What brings you here?"), (6900, 9000, "C", "C", "I want less.")],
    "f4.txt": [
        (0, 6500, "I", "T", "What brings you here?"),
        (6500, 9000, "C", "C", "I want less."),
        (9000, 11000, "I", "T", "So less."),
    ],
    "whisper.txt": [(0, 2000, "", "unknown", "What brings you here?"), (2000, 4000, "", "unknown", "I want less.")],
    "nospace.txt": [
        (0, 0, "I", "T", "What brings you here?"),
        (0, 0, "C", "C", "I want less."),
        (0, 0, "I", "T", "So?"),
        (0, 0, "C", "C", "Yes."),
    ],
    "whisperx.json": [
        (0, 2000, "", "SPEAKER_00", "What brings 2 here?"),
        (2100, 4000, "", "SPEAKER_01", "I want less."),
    ],
    "rev.json": [(100, 900, "", "Speaker 0", "What now?"), (1100, 1400, "", "Speaker 1", "Less.")],
    "tab_utf16.txt": [(3000, 7000, "I", "T", "What brings you here?"), (7000, 7000, "C", "C", "I want less.")],
    "sep.csv": [(0, 0, "I", "T", "What brings you here?"), (0, 0, "C", "C", "I want less.")],
    "title_rows.csv": [(0, 0, "I", "T", "What brings you here?"), (0, 0, "C", "C", "I want less.")],
    "clock_ms.csv": [(3500, 5250, "I", "T", "What brings you here?"), (7000, 9000, "C", "C", "I want less.")],
    "happyscribe.csv": [
        (500, 2000, "", "Speaker 1", "What brings you here?"),
        (2500, 4000, "", "Speaker 2", "I want less."),
    ],
    "text_prefix.csv": [(3000, 7000, "I", "T", "What brings you here?"), (7000, 7000, "C", "C", "I want less.")],
    "whisperx.tsv": [
        (500, 2000, "", "SPEAKER_00", "What brings you here?"),
        (2500, 4000, "", "SPEAKER_01", "I want less."),
    ],
    "changes_and_headings.docx": [
        (0, 0, "I", "Therapist", "What brings you here?"),
        (0, 0, "C", "Client", "I want less."),
        (0, 0, "I", "Therapist", "So less."),
    ],
    "table.docx": [
        (3000, 7000, "I", "T", "What brings you here?"),
        (7000, 9000, "C", "C", "I want less."),
        (9000, 9000, "I", "T", "So\nless?"),
    ],
    "colon_table.docx": [
        (0, 0, "I", "T", "What brings you here?"),
        (0, 0, "C", "C", "I want less."),
        (0, 0, "I", "T", "So less?"),
    ],
    "clock_above.docx": [
        (3000, 7000, "", "Ann Lee", "What brings you here?"),
        (7000, 9000, "", "Bo Oh", "I want less."),
        (9000, 9000, "", "Ann Lee", "So less."),
    ],
    "second_sheet.xlsx": [
        (3000, 7500, "I", "Therapist", "What brings you here?"),
        (7500, 9000, "C", "Client", "I want less."),
        (9000, 9000, "I", "Therapist", ""),
    ],
}


@pytest.mark.parametrize("name", READINGS)
def test_a_program_s_file_says_what_it_says(name: str) -> None:
    utterances = registry.read(PROGRAMS / name).utterances
    read = [
        (utterance.span.start, utterance.span.end, LETTERS[utterance.role], utterance.speaker, utterance.text)
        for utterance in utterances
    ]
    assert read == READINGS[name]


@pytest.mark.parametrize("name", READINGS)
def test_what_is_coded_is_what_is_converted(name: str) -> None:
    table = uncoded.read(PROGRAMS / name).table
    coded = [(speaker or "unknown", text) for speaker, text in zip(table["speaker"], table["text"], strict=True)]
    assert coded == [(speaker, text) for _, _, _, speaker, text in READINGS[name]]


def test_every_file_of_a_program_is_tried() -> None:
    assert {path.name for path in PROGRAMS.iterdir()} == set(READINGS)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("title_rows.csv", ["OQ"]),
        ("audio_and_names.qdpx", ["OQ"]),
        ("taxonomy.json", ["Change", "Need"]),
        ("deep.eaf", ["Q", "open"]),
        ("old_clan.cha", ["ct"]),
        ("latin1.TextGrid", ["OQ", "C+"]),
        ("cue_settings_note.vtt", []),
    ],
)
def test_codes_are_those_of_the_coder_and_no_styles(name: str, codes: list[str]) -> None:
    utterances = registry.read(PROGRAMS / name).utterances
    assert [mark.code for utterance in utterances for mark in utterance.marks] == codes


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("srt_cp1252.srt", "srt_cp1252.srt is not UTF-8 and was read as Windows-1252. Check the accented letters."),
        ("three_digit_hours.vtt", 'Line 9 has no readable times: "Speaker 1: Lost?" was skipped.'),
        ("title_rows.csv", 'Codes were taken from the column "MITI code".'),
        ("clock_ms.csv", "The frames behind the seconds of start were left out: how long one is, nobody says."),
        ("changes_and_headings.docx", 'Headings were skipped: "Session 4"; "Part two".'),
        ("table.docx", 'Remarks without a speaker were skipped: "[pause]".'),
        ("cap.txt", NO_TIMES),
    ],
)
def test_what_was_guessed_or_passed_over_is_told(name: str, note: str) -> None:
    assert note in registry.read(PROGRAMS / name).notes
