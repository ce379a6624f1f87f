"""Names before colons: which are names, and which are words of a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.formats import speaker_prefix
from tests.formats.talks import ASKS, rows


def test_a_sentence_about_a_therapist_is_nobody_s_name(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text(
        f"T: {ASKS}\nC: I went there.\nMy therapist said: stop.\nThe patient said\nno.\n"
    )
    expected = "I went there. My therapist said: stop. The patient said no."
    assert [(role, text) for role, _, _, text in rows(tmp_path / "talk.txt")] == [
        ("interviewer", ASKS),
        ("client", expected),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Lee, Bo (she/her)", True),
        ("Therapist A.", True),
        ("Yes. I said so", False),
        ("What next?", False),
        ("Monday", False),
        ("In May 2024", False),
        ("one two three four five six", False),
    ],
)
def test_a_name_is_short_and_no_sentence(text: str, name: bool) -> None:
    assert speaker_prefix.is_name(text) is name


@pytest.mark.parametrize(
    ("name", "certain"),
    [("Speaker 1", True), ("S2", True), ("Therapist", True), ("My therapist said", False), ("Ann", False)],
)
def test_a_role_or_a_label_can_be_nothing_but_a_name(name: str, certain: bool) -> None:
    assert speaker_prefix.is_certain(name) is certain


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Ann: What next?", ("Ann", "What next?")),
        ("- [SPEAKER_00]: A walk.", ("SPEAKER_00", "A walk.")),
        ("T:So", ("T", "So")),
        ("Ann:So", None),
        ("at 10:30 we", None),
        ("see http://example.org", None),
        ("Okay: so", None),
    ],
)
def test_a_line_is_parted_behind_what_could_be_a_name(line: str, expected: tuple[str, str] | None) -> None:
    assert speaker_prefix.split(line) == expected


def test_what_stands_before_several_lines_or_beside_a_sure_name_is_a_name() -> None:
    assert speaker_prefix.names(["Ann: So?", "Ann: Hm.", "thing: one", "more", "less"]) == {"Ann"}
    assert speaker_prefix.names(["Therapist: So?", "Bo: Hm.", "more", "less", "else"]) == {"Therapist"}
    assert speaker_prefix.names(["Therapist: So?", "Bo: Hm.", "more", "less", "else"], captions=True) == {
        "Therapist",
        "Bo",
    }
    assert speaker_prefix.names(["Ann: So?", "Bo: Hm."]) == {"Ann", "Bo"}


def test_a_caption_of_two_voices_is_two_pieces() -> None:
    known = frozenset({"Ann"})
    assert speaker_prefix.pieces("Ann: So\nyou walk?\nClient: Yes.", known, "") == [
        ("Ann", "So\nyou walk?"),
        ("Client", "Yes."),
    ]
    assert speaker_prefix.pieces("and so on", known, "Ann") == [("Ann", "and so on")]
    assert speaker_prefix.pieces("and so on", frozenset(), "Ann") == [("unknown", "and so on")]
