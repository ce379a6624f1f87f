"""An empty machine, the copy of a master key, and a tape to bring back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.settings import TapesSettings
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape, full_tape


@pytest.fixture
def tape(home: Home) -> FullTape:
    return full_tape(home, NOON)


@pytest.fixture
def elsewhere(tapes_settings: TapesSettings, tmp_path: Path) -> TapesSettings:
    """An empty machine."""
    return tapes_settings.model_copy(update={"home": str(tmp_path / "elsewhere" / "home")})


@pytest.fixture
def copy(home: Home, tmp_path: Path) -> Path:
    """A copy of the master key, kept in another place."""
    return Path(shutil.copy2(home.master.path, tmp_path / "copy of the master key"))
