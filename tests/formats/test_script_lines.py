"""Lines without what is not said: marks of bold, numbers that count, clocks beside names, and a heading."""

from __future__ import annotations

import pytest
from pipeline.formats.script_lines import cleaned, heading


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
    assert cleaned(lines) == expected


def test_the_marks_of_f4_are_times_where_a_turn_ends() -> None:
    assert cleaned(["T: What next? #00:00:06-5#", "C: A walk. #00:00:08-0#"]) == [
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
    assert heading(lines) == number
