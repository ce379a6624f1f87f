"""The room in which workers are tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tapes.fakes import two_voices
from tests.tapes.jobs.worker_room import Room


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_voices(tmp_path_factory.mktemp("recording") / "recording.wav")


@pytest.fixture
def room(template: Path, recording: Path, quick_folder: Path) -> Iterator[Room]:
    """A home that only processes of their own have open."""
    shutil.copytree(template, quick_folder / "home")
    made = Room(quick_folder / "home", recording)
    yield made
    made.clear()
