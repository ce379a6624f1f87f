"""`tape-review export`: results leave the vault for whom the consent allows."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConsentError
from pipeline.tapes.home import Home
from tests.cli.calls import call, output
from tests.tapes.full_tape import FullTape


def test_results_are_exported(home: Home, tape: FullTape, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert call(home.folder, "export", tape.id, "--out", out).exit_code == 2
    assert isinstance(
        call(home.folder, "export", tape.id, "--out", out, "--as", tape.sample.coach.email).exception, ConsentError
    )
    assert "report.html" in output(home.folder, "export", tape.id, "--out", out, "--as", tape.sample.interviewer.email)
