"""The options that say how the files of a recording belong together."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline.audio.file_layout import FileLayout
from pipeline.cli._shared.recording_files import interviewer_channel, layout
from pipeline.cli.main import app
from pipeline.errors import AudioError


def test_times_are_typed_as_elsewhere_and_an_offset_may_be_negative() -> None:
    assert layout(2, None, False, None, "-3.5") == FileLayout(offset=-3_500)
    assert layout(2, None, False, None, "1:02") == FileLayout(offset=62_000)
    assert layout(3, None, True, ["1:30", "0.5"], None) == FileLayout(join=True, gaps=(90_000, 500))
    assert layout(1, [3, 1], False, None, None) == FileLayout(tracks=(3, 1))


@pytest.mark.parametrize("tracks", [[1, 1], [1, 2, 3]])
def test_one_track_or_two_are_taken(tracks: list[int]) -> None:
    with pytest.raises(typer.BadParameter, match="one track, or two"):
        layout(1, tracks, False, None, None)


def test_what_concerns_files_needs_one() -> None:
    with pytest.raises(typer.BadParameter, match="need a recording"):
        layout(0, None, True, None, None)


@pytest.mark.parametrize(
    ("names", "voice"), [("interviewer,client", "S1"), ("Client, Interviewer", "S2"), (None, None)]
)
def test_the_interviewer_is_the_voice_of_the_file_that_is_named_so(names: str | None, voice: str | None) -> None:
    assert interviewer_channel(names, 2, False, 0) == voice


@pytest.mark.parametrize(
    ("names", "files", "join"),
    [
        ("interviewer", 2, False),
        ("Ann,Bo", 2, False),
        ("interviewer,client", 2, True),
        ("interviewer,client", 0, False),
    ],
)
def test_names_that_fit_no_files_are_refused(names: str, files: int, join: bool) -> None:
    with pytest.raises(typer.BadParameter):
        interviewer_channel(names, files, join, 0)


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--join", "--offset", "1"], "TR-A18"), (["--gap", "3"], "TR-A18"), (["--track", "1"], "TR-A18")],
)
def test_options_that_do_not_go_together_end_before_any_work(tmp_path: Path, options: list[str], code: str) -> None:
    files = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
    done = CliRunner().invoke(
        app, ["process", *files, *options, "--target-behavior", "walking", "--out", str(tmp_path / "out")]
    )
    assert isinstance(done.exception, AudioError)
    assert done.exception.code == code
    assert not (tmp_path / "out").exists()
