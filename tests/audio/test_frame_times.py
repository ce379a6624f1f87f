"""Frames on a clock: 1,000 samples a second, so that a sample is a millisecond."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.decoder import Hole
from pipeline.audio.frame_times import FrameClock, TimedBlock

TEN_HOURS = 36_000_000


def placed(*blocks: tuple[int | None, int] | tuple[int | None, int, int], kind: str = "gap") -> tuple[str, list[Hole]]:
    """The sound of blocks (start, samples, lost), each as its number from 1 on and silence as dots, and the holes.

    A character stands for 10 ms.
    """
    clock = FrameClock(1_000, kind)
    timed = [
        TimedBlock(block[0], np.full((block[1], 1), number, np.float32), *block[2:])
        for number, block in enumerate(blocks, 1)
    ]
    whole = np.concatenate([part[:, 0] for part in clock.placed(timed)])
    return "".join(str(int(value)) if value else "." for value in whole[::10]), clock.holes


@pytest.mark.parametrize(
    ("blocks", "sound", "holes"),
    [
        ([(0, 50), (50, 50)], "1111122222", []),
        ([(0, 50), (None, 50)], "1111122222", []),
        ([(0, 50), (60, 50), (110, 50)], "111112222233333", []),  # within the tolerance
        ([(0, 50), (150, 50), (200, 50)], "11111..........2222233333", [Hole("gap", 50, 150, 100)]),
        ([(200, 50), (250, 50)], "....................1111122222", [Hole("gap", 0, 200, 200)]),  # it begins late
        ([(-20, 50), (30, 50)], "11122222", []),  # what an encoder needed to begin
        ([(0, 50), (100, 50, 50)], "11111.....22222", [Hole("damage", 50, 100, 50)]),
        ([(0, 50), (None, 0, 500)], "11111", [Hole("damage", 50, 550, 500)]),  # lost at the end
        ([(0, 50), (20, 50), (70, 50)], "111112233333", [Hole("overlap", 50, 50, 30)]),
        ([(0, 90), (20, 50), (70, 50)], "111111111333", [Hole("overlap", 90, 90, 90)]),
        ([(0, 50), (500, 50), (100, 50)], "111112222233333", []),  # one wrong time alone
        ([(0, 50), (10, 50), (100, 50)], "111112222233333", []),
        ([(5_000, 50), (0, 50), (50, 50)], None, [Hole("gap", 0, 5_000, 5_000), Hole("restart", 5_050, 5_050, 0)]),
    ],
)
def test_a_frame_stands_at_its_time(blocks: list[tuple[int | None, int]], sound: str | None, holes: list[Hole]) -> None:
    result, noted = placed(*blocks)
    assert sound is None or result == sound
    assert noted == holes


def test_near_holes_of_one_kind_are_one() -> None:
    _, holes = placed((0, 50), (100, 50), (200, 50), (250, 50))
    assert holes == [Hole("gap", 50, 200, 100)]


def test_a_hole_of_ten_hours_comes_in_pieces_and_takes_no_memory() -> None:
    clock = FrameClock(1_000)
    sound = np.ones((50, 1), np.float32)
    blocks = [TimedBlock(0, sound), TimedBlock(TEN_HOURS, sound), TimedBlock(TEN_HOURS + 50, sound)]
    lengths = [len(part) for part in clock.placed(blocks)]
    assert sum(lengths) == TEN_HOURS + 100
    assert max(lengths) <= 32_768


def test_a_file_full_of_holes_tells_apart_no_more_than_can_be_sent() -> None:
    _, holes = placed(*((4_000 * number, 1_500) for number in range(1_200)))
    assert len(holes) == 1_000
    assert sum(hole.missing for hole in holes) == 1_199 * 2_500
