"""Sentences about who is who: what is missing or uncertain is said, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.speech import role_notes
from pipeline.speech.roles import Roles
from pipeline.timeline import Span, Turn, Word

TURNS = tuple(
    Turn(speaker, (Word(Span(start, start + 2_000), "walking", 0.9, speaker),))
    for speaker, start in (("S1", 0), ("S2", 3_000), ("S3", 6_000))
)
CERTAIN = Roles("S1", 0.97, (), ("S2",), others=("S3",))


@pytest.mark.parametrize(
    ("decided", "turns", "expected", "fragments"),
    [
        (CERTAIN, TURNS, 3, []),
        (CERTAIN, TURNS, None, []),
        (replace(CERTAIN, probability=0.75), TURNS, 3, ["not certain who is the interviewer: voice S1", "75%"]),
        (replace(CERTAIN, others=()), TURNS, 2, ["voice S3 speaks, too (0:02)", "no role"]),
        (CERTAIN, TURNS[:2], 3, ["3 people were expected, but only 2 voices were found"]),
        (Roles("", 0, (), (), undecided="there is only one voice"), TURNS[:1], 2, ["withheld", "2 people", "--roles"]),
        (Roles("", 0, (), (), undecided="there is only one voice"), TURNS[:1], 1, ["withheld", "--roles"]),
        (Roles.named({"S1": "interviewer"}), TURNS[:1], 2, ["2 people were expected, but only 1 voice was found"]),
    ],
)
def test_what_is_missing_or_uncertain_is_said(
    decided: Roles, turns: tuple[Turn, ...], expected: int | None, fragments: list[str]
) -> None:
    notes = list(role_notes.notes(decided, turns, expected))
    assert len(notes) == bool(fragments)
    assert all(fragment in notes[0] for fragment in fragments)
