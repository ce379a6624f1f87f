"""`tape-review desktop`: an entry that desktops read, and advice where there are none."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli._shared import desktop_entry
from pipeline.cli.main import app


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["desktop", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / "applications"


def test_the_entry_opens_the_room_for_the_group_and_can_be_removed(applications: Path, tmp_path: Path) -> None:
    run("--install", "--home", str(tmp_path / "a home"))
    path = applications / "tape-review.desktop"
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(path)
    entry = read["Desktop Entry"]
    assert entry["Type"] == "Application"
    assert entry["Name"] == "Tape Review"
    program, *words = entry["Exec"].split(" ", 1)
    assert Path(program.strip('"')).is_absolute()
    assert words == [f'"serve" "--for-my-group" "--open" "--home={tmp_path}/a home"']
    assert Path(entry["Icon"]).is_file()
    assert path.stat().st_mode & 0o777 == 0o644
    run("--install")  # again is no error
    run("--remove")
    assert not path.exists()
    run("--remove")


def test_what_a_path_may_hold_is_quoted() -> None:
    text = desktop_entry.entry(['/opt/100% "sure"/$HOME`x`\\y', "serve"], Path("/i"))
    # Exec quotes first (\" \$ \` \\), then the file's own escape doubles each backslash, and %% is one percent sign.
    expected = r'Exec="/opt/100%% \\"sure\\"/\\$HOME\\`x\\`\\\\y" "serve"'
    assert expected in text.splitlines()


def test_without_an_option_nothing_is_written(applications: Path) -> None:
    assert "desktop --install" in run()
    assert not applications.exists()


@pytest.mark.parametrize(("system", "word"), [("darwin", ".command"), ("win32", "shortcut")])
def test_other_systems_get_advice(applications: Path, monkeypatch: pytest.MonkeyPatch, system: str, word: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    printed = run("--install")
    assert word in printed
    assert "serve --for-my-group --open" in printed
    assert not applications.exists()
