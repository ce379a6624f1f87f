"""`tape-review verify-certificate`: a certificate is checked without a home, and one that was edited is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.errors import VaultError
from pipeline.tapes.home import Home
from tests.cli.calls import output, run
from tests.tapes.full_tape import FullTape


def test_a_certificate_is_checked_far_from_the_home_it_comes_from(home: Home, tape: FullTape, tmp_path: Path) -> None:
    output(home.folder, "destroy", tape.id, "--yes")
    certificate = shutil.copy(home.folder / "certificates" / f"{tape.id}.json", tmp_path)
    key = shutil.copy(home.folder / "certificate-key.pub", tmp_path)
    shutil.rmtree(home.folder)
    checked = run("verify-certificate", str(certificate), "--key", str(key))
    assert f"tape {tape.id} was destroyed on" in checked.output
    assert "8 files and" in checked.output
    assert "signed with the key that was given; unaltered" in checked.output
    assert "ask the group" in run("verify-certificate", str(certificate)).output
    Path(certificate).write_text(Path(certificate).read_text().replace("by hand", "due"))
    refused = CliRunner().invoke(app, ["verify-certificate", str(certificate)])
    assert isinstance(refused.exception, VaultError)
    assert refused.exception.code == "TR-V11"
