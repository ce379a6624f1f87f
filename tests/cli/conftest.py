"""Homes, a tape and a table of codes, as the verbs find them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.tapes import people
from pipeline.tapes.clock import DAY, now
from pipeline.tapes.home import Home
from tests.cli.calls import ADA, run, write_codes
from tests.coding.invented import write_annomi, write_encoder
from tests.measures.coders import group
from tests.tapes.conftest import home, tapes_settings, template  # noqa: F401 - fixtures
from tests.tapes.full_tape import FullTape, full_tape


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a home can be made; tables are wide."""
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


@pytest.fixture
def with_ada(home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """The folder of a home as `init` leaves it, with Ada as its administrator; tables are wide."""
    monkeypatch.setenv("COLUMNS", "200")
    with home.database.writing() as session:
        people.add(session, "Ada", ADA, now(), is_admin=True)
    return home.folder


@pytest.fixture
def tape(home: Home) -> FullTape:  # noqa: F811
    """A tape of yesterday in `home`."""
    return full_tape(home, now() - DAY)


@pytest.fixture(scope="session")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen tapes that two members and a coach coded; one member comes to see simple reflections as complex."""
    bias = ("reflection_simple", "reflection_complex", 0.4, 8)
    return write_codes(group(14, planted={"ann": bias}), tmp_path_factory.mktemp("codes") / "codes.csv")


def _train_briefly(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr("pipeline.coding.training.finetuning.EPOCHS", 1)
    patch.setenv("TAPE_REVIEW_ENGINES__CORES", "1")  # in this process, where the line above holds
    patch.setenv("TAPE_REVIEW_CODING__ENCODER", str(folder / "encoder"))


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented sessions and the models that one training of one epoch made of them."""
    folder = tmp_path_factory.mktemp("trained")
    write_encoder(folder / "encoder")
    write_annomi(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        _train_briefly(patch, folder)
        run("train", "--data", folder / "data", "--out", folder / "models", "--keep", folder / "keep")
    return folder


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `trained_once`, in which training is as brief."""
    folder = shutil.copytree(trained_once, tmp_path / "trained")
    _train_briefly(monkeypatch, folder)
    return folder
