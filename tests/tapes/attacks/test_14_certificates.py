"""Attack 14: a copy of a backup, or of the disk, opens a tape whose certificate says that nothing was left out."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import settings
from pipeline.cli.main import app
from pipeline.errors import VaultError
from pipeline.settings import TapesSettings
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.checks import home as doctor
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import engine_process
from pipeline.tapes.retention import certificates, destruction
from pipeline.tapes.vault import disks, key_rotation
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape, full_tape

# what is known, and what cannot be


def test_a_certificate_says_how_many_backups_were_written_and_that_copies_are_not_known(
    home: Home, tmp_path: Path
) -> None:
    tape = full_tape(home, NOON)
    for name in ("kept", "lost", "moved"):
        backup.make(home, tmp_path / f"{name}.backup", NOON)
    shutil.copy(tmp_path / "kept.backup", tmp_path / "copy.backup")  # nobody tells us of it
    (tmp_path / "lost.backup").unlink()
    notes = home.folder / "backups.txt"
    notes.write_text("".join(line for line in notes.read_text().splitlines(True) if "moved" not in line))  # by hand
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    facts = certificates.read(done.path, home.folder / "certificate-key.pub").facts
    assert facts["backups"] == {"written": 3, "key overwritten": 1, "not reached": 1}
    copies, disk, exported = facts["not known"]
    assert "3 backups were written" in copies
    assert "any other copy of a backup" in copies
    assert disk == disks.of_overwritten(home.vault.folder / "keys")
    assert "exported" in exported
    shown = CliRunner().invoke(app, ["verify-certificate", str(done.path)]).output
    assert "3 written" in shown
    assert all(f"not known: {sentence}" in shown for sentence in facts["not known"])


def test_without_a_backup_it_says_so(home: Home) -> None:
    tape = full_tape(home, NOON)
    facts = certificates.read(destruction.destroy(home, tape.id, "by hand", NOON).path).facts
    assert facts["backups"]["written"] == 0
    assert "0 backups were written" in facts["not known"][0]


def test_a_certificate_of_an_earlier_version_is_still_read(home: Home, tmp_path: Path) -> None:
    tape = full_tape(home, NOON)
    facts = certificates.read(destruction.destroy(home, tape.id, "by hand", NOON).path).facts
    del facts["not known"], facts["backups"]["written"]
    signed = certificates.Signer(home.keys_folder / "certificate.key").sign(facts)
    (tmp_path / "old.json").write_bytes(signed.file())
    assert CliRunner().invoke(app, ["verify-certificate", str(tmp_path / "old.json")]).exit_code == 0


MOUNTS = """/dev/a / {root} rw 0 0
/dev/b /srv btrfs rw 0 0
t /srv/keys tmpfs rw 0 0
/dev/c /media/a\\040stick vfat rw 0 0
"""


@pytest.mark.parametrize(
    ("path_of_key", "root", "kind", "words"),
    [
        ("/srv/x", "ext4", "btrfs", "may stay readable on the disk"),
        ("/", "zfs", "zfs", "every earlier snapshot"),
        ("/", "ext4", "ext4", "overwrites in place; an earlier snapshot or image"),
        ("/srv/keys/x", "ext4", "tmpfs", "is in memory"),
        ("/media/a stick/x", "ext4", "vfat", "overwrites in place"),
        ("/", "fuse.sshfs", "fuse.sshfs", "this program cannot check"),
    ],
)
def test_the_file_system_decides_what_is_said_of_an_overwritten_key(
    monkeypatch: pytest.MonkeyPatch, path_of_key: str, root: str, kind: str, words: str
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: MOUNTS.format(root=root))
    monkeypatch.setattr(Path, "resolve", lambda path, strict=False: path)
    assert disks.file_system(Path(path_of_key)) == kind
    assert words in disks.of_overwritten(Path(path_of_key))
    assert kind in disks.of_overwritten(Path(path_of_key))


def test_a_system_that_does_not_say_is_not_guessed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert disks.file_system(Path("/")) == ""
    assert "(unknown)" in disks.of_overwritten(Path("/"))
    assert not disks.in_memory(Path("/"))


def test_doctor_says_what_a_disk_keeps_of_keys_and_that_copies_are_not_known(home: Home) -> None:
    findings = {finding.what: finding for finding in doctor.check(home.settings, NOON)}
    assert findings["keys that were destroyed"].state == disks.of_overwritten(home.vault.folder / "keys")
    assert "copies of backups are not listed" in findings["places of backups"].state


# keys on a stick


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path / "media" / "stick" / "tape-review"


@pytest.fixture
def chosen(tmp_path: Path, stick: Path) -> TapesSettings:
    tapes = settings.load().settings.tapes
    return tapes.model_copy(update={"home": str(tmp_path / "home"), "database": "", "keys": str(stick)})


@pytest.fixture
def apart(chosen: TapesSettings) -> Iterator[tuple[Home, FullTape]]:
    """A home whose keys lie on a stick, with a tape."""
    made = Home.create(chosen)
    yield made, full_tape(made, NOON)
    made.close()


def test_with_the_keys_on_a_stick_the_home_opens_nothing(apart: tuple[Home, FullTape], stick: Path) -> None:
    home, tape = apart
    assert {path.name for path in stick.iterdir()} == {"master.key", "tapes"}
    assert sorted(path.name for path in (stick / "tapes").iterdir()) == sorted(["home", "home.id", tape.id])
    assert {path.name for path in home.keys_folder.iterdir()} == {"audit.key"}
    assert not (home.vault.folder / "keys").exists()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (stick, *stick.rglob("*")))


def test_a_stick_that_is_not_plugged_in_is_no_destroyed_key(
    apart: tuple[Home, FullTape], stick: Path, chosen: TapesSettings
) -> None:
    home, tape = apart
    stick.rename(stick.with_name("unplugged"))
    with pytest.raises(VaultError, match="TR-V19 .*connect this home's drive"):
        destruction.destroy(home, tape.id, "withdrawn", NOON)
    with pytest.raises(VaultError, match="TR-V19"):
        home.vault.has_key(tape.id)
    assert not (home.folder / "certificates").exists()
    assert not stick.exists()
    again = Home.open(chosen)  # what is begun goes on when it is there again
    stick.with_name("unplugged").rename(stick)
    assert [done.tape_id for done in destruction.resume(again, NOON)] == [tape.id]
    again.close()
    assert sorted(path.name for path in (stick / "tapes").iterdir()) == ["home", "home.id"]


def test_another_homes_stick_makes_no_tape_a_destroyed_one(
    apart: tuple[Home, FullTape], stick: Path, chosen: TapesSettings, tmp_path: Path
) -> None:
    home, tape = apart
    other = chosen.model_copy(update={"home": str(tmp_path / "other"), "keys": str(stick.with_name("other"))})
    Home.create(other).close()
    stick.rename(stick.with_name("ours"))
    stick.with_name("other").rename(stick)
    for deed in (home.vault.sweep, home.vault.leftovers, home.vault.tapes, lambda: home.vault.destroy_key(tape.id)):
        with pytest.raises(VaultError, match="TR-V19 .*belongs to another home"):
            deed()
    assert len(home.vault.files(tape.id)) == 8


def test_all_that_is_done_with_keys_is_done_on_the_stick(
    apart: tuple[Home, FullTape], stick: Path, chosen: TapesSettings, tmp_path: Path
) -> None:
    home, tape = apart
    assert key_rotation.rotate(home.vault, home.master) == 2
    assert home.vault.unseal(tape.id, home.vault.seal(tape.id, b"words", "a.b"), "a.b") == b"words"
    wrong = {finding.what for finding in doctor.check(chosen, NOON) if not finding.fine}
    assert wrong == {"backup"}
    backup.make(home, tmp_path / "one.backup", NOON)
    elsewhere = chosen.model_copy(update={"home": str(tmp_path / "again"), "keys": str(stick.with_name("other"))})
    restored = restore.restore(tmp_path / "one.backup", elsewhere, NOON, master=stick / "master.key")
    assert restored.tapes == 1
    assert {path.name for path in stick.with_name("other").iterdir()} == {"master.key", "tapes"}
    assert not (tmp_path / "again" / "vault" / "keys").exists()
    assert not (tmp_path / "again" / "keys" / "master.key").exists()
    back = Home.open(elsewhere)
    assert back.vault.has_key(tape.id)
    back.close()
    third = chosen.model_copy(update={"home": str(tmp_path / "third")})
    with pytest.raises(VaultError, match="TR-V16 folder of the keys"):
        restore.restore(tmp_path / "one.backup", third, NOON, master=stick / "master.key")


def test_a_process_of_a_worker_finds_the_keys_there(apart: tuple[Home, FullTape]) -> None:
    home, _ = apart
    hello = engine_process.Runner(home, settings.load().settings, "x:y")._hello()
    assert hello["settings"]["tapes"]["keys"] == home.settings.keys


@pytest.mark.parametrize("moment", ["unlock", "_database"])
def test_what_a_killed_restore_left_is_gone_when_the_home_is_there(home: Home, tmp_path: Path, moment: str) -> None:
    full_tape(home, NOON)
    backup.make(home, tmp_path / "one.backup", NOON)
    elsewhere = home.settings.model_copy(update={"home": str(tmp_path / "again")})
    with pytest.MonkeyPatch.context() as patch:  # as if it were killed there: nothing is tidied up
        patch.setattr(restore.shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(restore if moment == "_database" else restore._Backup, moment, _killed)
        with pytest.raises(KeyboardInterrupt):
            restore.restore(tmp_path / "one.backup", elsewhere, NOON, master=home.master.path)
    left = tmp_path / "again.restoring"
    assert left.exists()
    Home.create(elsewhere).close()
    Home.open(elsewhere).close()
    assert not left.exists()


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


# who can read what we write

WRITE = """
import sys
from pathlib import Path
from pipeline import settings
from pipeline.tapes.backup import backup
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.retention import destruction, exports
from pipeline.tapes.vault import key_rotation
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape
folder = Path(sys.argv[1])
chosen = settings.load().settings.tapes.model_copy(update={"home": str(folder / "home"), "database": ""})
home = Home.create(chosen)
kept = full_tape(home, NOON)
gone = full_tape(home, NOON, sample=kept.sample)
queue = job_state.queue_of(home)
queue.create()
queue.close()
exports.export(home, kept.id, kept.sample.interviewer, folder / "export", NOON, sound=True)
backup.make(home, folder / "one.backup", NOON)
destruction.destroy(home, gone.id, "by hand", NOON)
key_rotation.rotate(home.vault, home.master)
with home.vault.locks.working(kept.id):
    pass
with home.database.writing(), home.database.reading():  # while its log and shared memory are there
    again = chosen.model_copy(update={"home": str(folder / "again")})
    wide = [str(path) for path in folder.rglob("*") if path.lstat().st_mode & 0o077]
print(wide)
home.close()
"""


def wide(folder: Path) -> list[str]:
    """What others than the owner could open, by its own mode."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command under a umask of 0."""
    return subprocess.run(
        ["sh", "-c", 'umask 0 && exec "$@"', "sh", *command], capture_output=True, text=True, cwd=cwd, check=False
    )


@pytest.mark.engines
def test_all_that_a_home_writes_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", WRITE, str(tmp_path), cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "export", "one.backup", "tape-review-tombstones.txt"}
    assert wide(tmp_path) == []


VERBS = """
init --sample --home home
person add zoe@example.org --name Zoe --home home
backup one.backup --home home
export-key
rotate-key --home home
restore one.backup --master-key master.key --home again
code talk.csv --out coded.csv
"""

CALL = """
import os, shutil, sys
from pathlib import Path
from typer.testing import CliRunner
from pipeline.cli.main import app
for line in sys.argv[1].strip().splitlines():
    os.umask(0)  # as if each verb were a process of its own
    if line == "export-key":
        shutil.copy2("home/keys/master.key", "master.key")
        continue
    done = CliRunner().invoke(app, line.split())
    wide = [str(path) for path in Path(".").rglob("*") if path.lstat().st_mode & 0o077]
    if done.exit_code or wide:
        print(line, done.output, done.exception, wide)
"""


@pytest.mark.engines
def test_all_that_the_verbs_write_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "talk.csv").write_text(
        "tape_id,utterance_id,role,text\nt1,u1,interviewer,What brings you here?\nt1,u2,client,I want to drink less.\n"
    )
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    root = str(Path(__file__).parents[3])
    done = run("env", f"PYTHONPATH={root}", sys.executable, "-c", CALL, VERBS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert wide(tmp_path) == []


def test_doctor_tells_of_any_file_that_others_can_open(home: Home) -> None:
    full_tape(home, NOON)
    (home.folder / "tapes.sqlite3").chmod(0o644)
    findings = {finding.what: finding for finding in doctor.check(home.settings, NOON)}
    assert findings["closed to others"].fine  # closed when it was opened
    (home.vault.folder / "tapes").chmod(0o755)
    findings = {finding.what: finding for finding in doctor.check(home.settings, NOON)}
    assert not findings["closed to others"].fine
    assert "chmod -R go=" in findings["closed to others"].remedy
