"""The main job as it is typed, without any engine: what a command that cannot work is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.errors import TableError


def run(folder: Path, *arguments: str):
    return CliRunner().invoke(
        app, ["process", *arguments, "--target-behavior", "walking", "--out", str(folder / "out")]
    )


def test_it_needs_a_recording_or_a_transcript(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.exit_code, "name a recording, a --transcript, or both" in done.output) == (2, True)


@pytest.mark.parametrize("option", [["--start", "0:10"], ["--end", "1:00"], ["--diarizer", "channels"]])
def test_what_concerns_the_sound_needs_a_recording(tmp_path: Path, option: list[str]) -> None:
    (tmp_path / "talk.txt").write_text("Ann: Hello.\nRobin: Hi.\n")
    done = run(tmp_path, "--transcript", str(tmp_path / "talk.txt"), *option)
    assert (done.exit_code, "need a recording" in done.output) == (2, True)


def test_a_name_that_the_transcript_lacks_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("Ann: Hello.\nRobin: Hi.\n")
    done = run(tmp_path, "--transcript", str(tmp_path / "talk.txt"), "--interviewer", "Bo")
    assert isinstance(done.exception, TableError)
    assert not (tmp_path / "out").exists()
