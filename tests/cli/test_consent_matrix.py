"""Who may do what with a tape, at the command line: what the verbs allow is what the table says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline import settings
from pipeline.cli.main import app
from pipeline.errors import ConsentError, VaultError
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from tests.tapes.conftest import template
from tests.tapes.scene import EXPECTED, ROWS, STATES, Scene

__all__ = ["template"]

ROLES = [row[0] for row in ROWS]


@pytest.fixture(scope="module")
def home_and_scene(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Scene]]:
    """A home with everyone of the table, as of now."""
    folder = tmp_path_factory.mktemp("matrix") / "home"
    shutil.copytree(template, folder)
    home = Home.open(settings.load().settings.tapes.model_copy(update={"home": str(folder)}))
    with home.database.writing() as session:
        scene = Scene(session, now())
    yield home, scene
    home.close()


def call(
    home_and_scene: tuple[Home, Scene], role: str, state: str, verb: str, *options: str, answer: str = ""
) -> Result:
    home, scene = home_and_scene
    person = scene.people[role]
    asks = ["--as", person.id] if person else []
    command = [verb, scene.tape(role, state).id, *options, *asks, "--home", str(home.folder)]
    return CliRunner().invoke(app, command, input=answer)


def test_the_matrix_is_large() -> None:
    refused = sum("w" not in cell for cell in EXPECTED.values())
    assert 2 * len(EXPECTED) + refused > 500


@pytest.mark.parametrize("role", [role for role in ROLES if role != "program"])
def test_who_may_export(home_and_scene: tuple[Home, Scene], tmp_path: Path, role: str) -> None:
    for state in STATES[1:]:
        error = call(home_and_scene, role, state, "export", "--out", str(tmp_path / "out")).exception
        if "x" in EXPECTED[role, state]:
            assert isinstance(error, VaultError), state
            assert "has no results yet" in str(error), state
        else:
            assert isinstance(error, ConsentError), state
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("role", ROLES)
def test_who_may_destroy(home_and_scene: tuple[Home, Scene], role: str) -> None:
    for state in STATES[1:]:
        result = call(home_and_scene, role, state, "destroy", answer="n\n")
        if "d" in EXPECTED[role, state]:
            assert "Nobody can bring it back" in result.output, state
        else:
            assert isinstance(result.exception, ConsentError), state


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not_withdraw(home_and_scene: tuple[Home, Scene], role: str) -> None:
    home, scene = home_and_scene
    for state in [state for state in STATES[1:] if "w" not in EXPECTED[role, state]]:
        with home.database.reading() as session:
            before = session.get_one(Tape, scene.tape(role, state).id).withdrawn_at
        assert isinstance(call(home_and_scene, role, state, "withdraw", "--yes").exception, ConsentError), state
        with home.database.reading() as session:
            assert session.get_one(Tape, scene.tape(role, state).id).withdrawn_at == before, state
