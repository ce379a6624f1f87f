"""Destroying, certifying, exporting, backing up and restoring: from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.main import app
from pipeline.errors import ConsentError, VaultError
from pipeline.tapes.checks import installation
from pipeline.tapes.clock import DAY, now
from pipeline.tapes.home import Home
from pipeline.tapes.vault.master_key import PASSPHRASE
from tests.tapes.conftest import home, tapes_settings, template  # noqa: F401 - fixtures
from tests.tapes.full_tape import FullTape, full_tape


@pytest.fixture
def tape(home: Home) -> FullTape:  # noqa: F811
    return full_tape(home, now() - DAY)


def call(folder: Path, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(folder)], input=answer)


def output(folder: Path, *arguments: str, answer: str | None = None) -> str:
    result = call(folder, *arguments, answer=answer)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_tape_is_destroyed_and_its_certificate_checked(home: Home, tape: FullTape, tmp_path: Path) -> None:  # noqa: F811
    assert call(home.folder, "destroy", tape.id, answer="n\n").exit_code == 1
    assert home.vault.has_key(tape.id)
    assert f"destroyed {tape.id}, certificate" in output(home.folder, "destroy", tape.id, answer="y\n")
    assert not home.vault.has_key(tape.id)
    certificate = shutil.copy(home.folder / "certificates" / f"{tape.id}.json", tmp_path)
    key = shutil.copy(home.folder / "certificate-key.pub", tmp_path)
    shutil.rmtree(home.folder)
    checked = CliRunner().invoke(app, ["verify-certificate", str(certificate), "--key", str(key)])
    assert f"tape {tape.id} was destroyed on" in checked.output
    assert "8 files and" in checked.output
    assert "signed with the key that was given; unaltered" in checked.output
    assert "ask the group" in CliRunner().invoke(app, ["verify-certificate", str(certificate)]).output
    Path(certificate).write_text(Path(certificate).read_text().replace("by hand", "due"))
    refused = CliRunner().invoke(app, ["verify-certificate", str(certificate)])
    assert isinstance(refused.exception, VaultError)
    assert refused.exception.code == "TR-V11"


def test_only_who_may_destroys(home: Home, tape: FullTape) -> None:  # noqa: F811
    result = call(home.folder, "destroy", tape.id, "--yes", "--as", tape.sample.member.email)
    assert isinstance(result.exception, ConsentError)
    output(home.folder, "destroy", tape.id, "--yes", "--as", tape.sample.interviewer.email)
    assert isinstance(call(home.folder, "destroy", tape.id).exception, VaultError)


def test_what_is_due_is_destroyed_by_a_timer(home: Home) -> None:  # noqa: F811
    tape = full_tape(home, now() - DAY, days=0)
    assert f"destroyed {tape.id}" in output(home.folder, "destroy", "--due")
    assert "nothing is due" in output(home.folder, "destroy", "--due")
    assert call(home.folder, "destroy").exit_code == 2
    assert call(home.folder, "destroy", tape.id, "--due").exit_code == 2


def test_status_and_doctor_tell_of_what_is_due(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("COLUMNS", "200")
    soon = full_tape(home, now() - DAY, days=3)
    monkeypatch.setattr(installation, "check", lambda _: ())  # the engines are checked elsewhere
    assert f"Tape {soon.id} will be destroyed after" in call(home.folder, "status").output
    told = call(home.folder, "doctor")
    assert told.exit_code == 1
    assert "run `tape-review backup`" in told.output
    late = full_tape(home, now() - 2 * DAY, days=1, sample=soon.sample)
    assert f"Tape {late.id} should be gone (due): run `tape-review destroy --due`" in call(home.folder, "status").output
    output(home.folder, "destroy", "--due")
    output(home.folder, "backup", str(home.folder.with_name("one.backup")))
    assert "WRONG" not in output(home.folder, "doctor")


def test_results_are_exported(home: Home, tape: FullTape, tmp_path: Path) -> None:  # noqa: F811
    out = str(tmp_path / "out")
    assert call(home.folder, "export", tape.id, "--out", out).exit_code == 2
    assert isinstance(
        call(home.folder, "export", tape.id, "--out", out, "--as", tape.sample.coach.email).exception, ConsentError
    )
    assert "report.html" in output(home.folder, "export", tape.id, "--out", out, "--as", tape.sample.interviewer.email)


def test_a_backup_is_restored_with_the_copy_of_the_master_key(home: Home, tape: FullTape, tmp_path: Path) -> None:  # noqa: F811
    file, elsewhere = str(tmp_path / "one.backup"), tmp_path / "elsewhere"
    told = output(home.folder, "backup", file)
    assert "1 tapes, 8 files" in told
    assert "keep a copy of" in told
    output(home.folder, "destroy", tape.id, "--yes")
    stones = str(home.folder / "tape-review-tombstones.txt")
    key = str(home.master.path)
    told = output(elsewhere, "restore", file, "--master-key", key, "--tombstones", stones)
    assert f"0 tapes in {elsewhere}; 1 stay destroyed" in told
    assert "none was edited" in output(elsewhere, "audit", "verify")


def test_the_master_key_is_changed_and_locked(home: Home, tape: FullTape, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.delenv(PASSPHRASE, raising=False)
    before = home.master.load()
    assert "wrapped 2 keys" in output(home.folder, "rotate-key")
    assert home.master.load() != before
    words = "five words that nobody guesses\n"
    assert "wrapped 2 keys" in output(home.folder, "rotate-key", "--passphrase", answer=words * 2)
    assert home.master.kind() == "passphrase"
    assert "wrapped 2 keys" in output(home.folder, "rotate-key", answer=words * 2)
    assert tape.id in home.vault.tapes()
