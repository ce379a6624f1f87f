"""The benchmark of followers, in small: every place arrives, and all come back after a break."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.followers import FOLLOWERS, follow


def test_no_follower_loses_a_place_and_all_come_back(tmp_path: Path) -> None:
    followed = follow(tmp_path / "home", seconds=4, pause=0.1, period=1)
    assert (followed.sent, followed.lost, followed.back) == (4 * FOLLOWERS, 0, FOLLOWERS)
