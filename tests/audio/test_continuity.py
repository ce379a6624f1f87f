"""What is missing within a segment, in words."""

from __future__ import annotations

import pytest

from pipeline.audio import continuity
from pipeline.audio.decoder import Hole


def test_the_holes_of_a_segment_are_cut_to_it() -> None:
    holes = [Hole("gap", 0, 5_000, 5_000), Hole("damage", 9_000, 12_000, 3_000), Hole("overlap", 8_000, 8_000, 200)]
    assert continuity.within(holes, 4_000, 10_000) == [
        Hole("gap", 0, 1_000, 1_000),
        Hole("damage", 5_000, 6_000, 1_000),
        Hole("overlap", 4_000, 4_000, 200),
    ]
    assert continuity.within(holes, 5_000, 8_000) == []


@pytest.mark.parametrize(
    ("hole", "code", "says"),
    [
        (Hole("gap", 20_000, 30_000, 10_000), "gap", "no sound from 0:20 to 0:30 (10.0 s)"),
        (Hole("damage", 35_800, 35_840, 40), "damage", "damaged at 0:36 (less than 0.1 s)"),
        (Hole("overlap", 61_000, 61_000, 300), "overlap", "at one time at 1:01 (0.3 s)"),
        (Hole("restart", 61_000, 61_000, 0), "restart", "starts again at 1:01:"),
    ],
)
def test_a_hole_is_named_with_its_place_and_length(hole: Hole, code: str, says: str) -> None:
    (warning,) = continuity.warnings([hole], None)
    assert warning.code == code
    assert says in warning.message
    assert warning.span is not None
    assert warning.span.start == hole.start


def test_the_rounding_of_a_recorder_is_no_gap_and_all_damage_is_damage() -> None:
    assert continuity.warnings([Hole("gap", 0, 99, 99)], None) == ()
    assert len(continuity.warnings([Hole("damage", 0, 1, 1)], None)) == 1


def test_of_many_holes_the_three_longest_are_named() -> None:
    holes = [Hole("gap", 10_000 * n, 10_000 * n + 1_000 * n, 1_000 * n) for n in range(1, 6)]
    (warning,) = continuity.warnings(holes, None)
    assert (
        "0:30 to 0:33 (3.0 s), from 0:40 to 0:44 (4.0 s), from 0:50 to 0:55 (5.0 s) and at 2 other" in warning.message
    )
    assert "15.0 s in all" in warning.message


@pytest.mark.parametrize(
    ("lost", "duration", "refused"),
    [
        (6_000, 60_000, False),
        (6_001, 60_000, True),
        (5_000, 10_000, False),
        (5_001, 10_000, True),
        (1_500, 3_000, False),
    ],
)
def test_more_than_a_tenth_lost_is_too_much(lost: int, duration: int, refused: bool) -> None:
    assert continuity.is_too_damaged([Hole("damage", 0, lost, lost)], duration) is refused
    assert not continuity.is_too_damaged([Hole("gap", 0, lost, lost)], duration)
