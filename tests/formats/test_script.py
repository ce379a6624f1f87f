"""Running text: who speaks, what nobody says, and times beside names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FormatError
from pipeline.formats import script, uncoded
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import _cleaned, _heading_length
from tests.formats.talks import ASKS, saved


def test_lines_that_nobody_says_are_told_and_text_with_a_colon_stays_text(tmp_path: Path) -> None:
    path = saved(tmp_path, f"Site: Leeds\n\nT: {ASKS}\nC: One thing: I walk.\nAnd then: nothing.\nT: Mhm.\n", "t.txt")
    reading = uncoded.read(path)
    texts = [ASKS, "One thing: I walk. And then: nothing.", "Mhm."]
    assert list(reading.table["text"]) == texts
    assert reading.notes == ('Lines without a speaker were skipped: "Site: Leeds".',)


def speeches(text: str) -> list[tuple[str, int | None, int | None, str]]:
    read = script.read(Source("talk.txt", text.encode()), text.split("\n"))
    return [(speech.speaker, speech.start, speech.end, speech.text) for speech in read.speeches]


def test_times_of_the_day_count_from_the_first_over_midnight_is_not_guessed() -> None:
    text = "Ann (11:59:50 PM): What next?\nBo (11:59:58 PM): A walk.\nAnn (12:00:10 AM): So.\n"
    assert [start for _, start, _, _ in speeches(text)] == [0, 8000, 0]
    assert script.read(Source("t.txt", b""), text.split("\n")).notes == (script.OF_THE_DAY,)


def test_a_recording_of_two_hours_has_no_times_of_the_day() -> None:
    assert [start for _, start, _, _ in speeches("Ann (2:00:01): What next?\nBo (2:00:05): A walk.\n")] == [
        7_201_000,
        7_205_000,
    ]


def test_whispers_lines_have_times_and_no_names() -> None:
    text = "[00:00:00.000 --> 00:00:02.500]  What next?\nnoise\n[00:00:02.500 --> 00:00:04.000]  A walk.\n"
    assert speeches(text) == [("", 0, 2500, "What next?"), ("", 2500, 4000, "A walk.")]


def test_a_dash_is_no_mark_of_a_name_that_is_there_once() -> None:
    text = "T: What next?\nC: I thought - well, a walk.\nThen - so be it.\n"
    assert [text for _, _, _, text in speeches(text)] == ["What next?", "I thought - well, a walk. Then - so be it."]


def test_text_in_which_nobody_is_named_is_refused() -> None:
    with pytest.raises(FormatError, match="TR-F03 file talk.txt names no speaker"):
        speeches("We talked about walking.\n")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["**T:** What **next**?", ">> C: A walk."], ["T: What **next**?", "C: A walk."]),
        (["1 T: One.", "2 C: Two.", "3 T: Three."], ["T: One.", "C: Two.", "T: Three."]),
        (["1 T: One.", "3 C: Two."], ["1 T: One.", "3 C: Two."]),  # these do not count the lines
        (["T:What next?", "I:12 is a time"], ["T: What next?", "I:12 is a time"]),
        (["Ann: 0:03", "Bo: 0:05"], ["Ann  0:03", "Bo  0:05"]),
        (["Ann", "0:03", "So?", "Bo", "(0:05)", "Hm."], ["Ann  0:03", "So?", "Bo  0:05", "Hm."]),
        (["0:03", "Ann", "So?", "[0:05]", "Bo", "Hm."], ["Ann  0:03", "So?", "Bo  0:05", "Hm."]),
        (["T: So? Client: Hm."], ["T: So?", "Client: Hm."]),
        (["T: So? Well: hm."], ["T: So? Well: hm."]),
        (["0:0:3.2 --> 0:0:6.8", "Lee, Ann", "So?"], ["0:0:3.2 --> 0:0:6.8 Lee, Ann", "So?"]),
    ],
)
def test_what_is_not_said_is_taken_off(lines: list[str], expected: list[str]) -> None:
    assert _cleaned(lines) == expected


def test_the_marks_of_f4_are_times_where_a_turn_ends() -> None:
    assert _cleaned(["T: What next? #00:00:06-5#", "C: A walk. #00:00:08-0#"]) == [
        "[00:00:00.0 --> 00:00:06.5] T: What next?",
        "[00:00:06.5 --> 00:00:08.0] C: A walk.",
    ]


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["Date: 3 March", "Client: P07", "", "T: What next?"], 2),
        (["Session: four", "T: What would you like to talk about today?"], 1),
        (["T: What next?", "Date: 3 March"], 0),
        (["T: Hm.", "C: Hm."], 0),
    ],
)
def test_a_heading_ends_where_somebody_says_a_sentence(lines: list[str], number: int) -> None:
    assert _heading_length(lines) == number
