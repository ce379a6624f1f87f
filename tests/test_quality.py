"""What the role-plays must show of the whole job; `make bench` prints the figures themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.__main__ import score
from tests.benchmarks.recordings import role_play
from tests.benchmarks.ways import found_in
from tests.conftest import recording, tape_review

pytestmark = pytest.mark.engines

STEREO = "roleplay-swapped-stereo"


def share(figures: dict[str, Any], family: str) -> float:
    matched, scripted, _ = figures[family]
    return matched / scripted


@pytest.fixture(scope="module")
def demo_figures(demo: Path) -> dict[str, Any]:
    return score(role_play("roleplay-alcohol"), found_in(demo))


@pytest.fixture(scope="module", params=["roleplay-swapped", STEREO])
def swapped_figures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The other role-play: voices and roles swapped, over the telephone; once mixed, once one speaker a channel."""
    play = role_play(request.param)
    out = tmp_path_factory.mktemp("swapped") / "tape"
    command = tape_review("process", str(recording(play.name)), "--out", str(out))
    subprocess.run([*command, "--target-behavior", play.target_behavior], check=True, capture_output=True)
    return score(play, found_in(out))


def test_demo_tells_who_is_who_and_who_speaks_when(demo_figures: dict[str, Any]) -> None:
    assert demo_figures["role"] >= 0.9
    assert demo_figures["der_collar"] <= 0.10


def test_demo_is_written_down(demo_figures: dict[str, Any]) -> None:
    assert demo_figures["cpwer"] <= 0.15


def test_demo_questions_and_reflections_are_found(demo_figures: dict[str, Any]) -> None:
    assert share(demo_figures, "question") >= 0.8
    assert share(demo_figures, "reflection") >= 0.7


def test_swapped_voices_over_the_telephone(swapped_figures: dict[str, Any]) -> None:
    assert swapped_figures["role"] >= 0.9
    assert swapped_figures["der_collar"] <= 0.10
    assert swapped_figures["cpwer"] <= 0.15
    assert share(swapped_figures, "question") >= 0.8
    assert share(swapped_figures, "reflection") >= 0.7


@pytest.mark.parametrize("swapped_figures", [STEREO], indirect=True)
def test_one_speaker_a_channel_keeps_the_listening_noises(swapped_figures: dict[str, Any]) -> None:
    """In one channel for both, one of these eight is written down, as the other's words lie over them."""
    noises, spoken = swapped_figures["fillers"][1], swapped_figures["fillers_spoken"][1]
    assert spoken == 8
    assert noises >= 5
    assert swapped_figures["cpwer"] <= 0.05
