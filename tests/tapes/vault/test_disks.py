"""Real disks that are full, or that cannot be written: a clear error, nothing half there, and later it works."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import TapeReviewError, VaultError
from pipeline.files import PARTIAL
from pipeline.settings import TapesSettings
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction, exports
from pipeline.tapes.vault.master_key import MasterKey, Ring
from pipeline.tapes.vault.vault import Vault
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape


def mount(folder: Path, options: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KiB."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root mounts a disk")
    mount(mounted, "size=512k,mode=700")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def remounted(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob(f"*{PARTIAL}"))


def test_a_vault_on_a_full_disk(small: Path) -> None:
    vault = Vault(small / "vault", Ring.fresh())
    vault.create_key("tape1")
    kept = vault.put("tape1", "peaks", b"small")
    with pytest.raises(VaultError, match="TR-V08 .*No space left on device.*free some space there"):
        vault.put("tape1", "recording", bytes(1_000_000))
    assert partials(small) == []
    assert len(vault.files("tape1")) == 1
    assert vault.read(kept) == b"small"
    assert vault.read(vault.put("tape1", "mono", bytes(100_000))) == bytes(100_000)
    vault.put("tape1", "mono", bytes(230_000))
    assert vault.destroy_key("tape1")  # destroying needs no room
    assert vault.destroy_files("tape1") == 3


def test_a_vault_on_a_disk_that_is_read_only(small: Path) -> None:
    vault = Vault(small / "vault", Ring.fresh())
    vault.create_key("tape1")
    kept = vault.put("tape1", "peaks", b"small")
    remounted(small, "ro")
    for deed in (
        lambda: vault.put("tape1", "mono", b"sound"),
        lambda: vault.create_key("tape2"),
        lambda: vault.destroy_key("tape1"),
        lambda: vault.destroy_files("tape1"),
        lambda: vault.remove(kept),
        lambda: MasterKey(small / "master.key").create("file"),
    ):
        with pytest.raises(VaultError, match="TR-V08 .*Read-only file system"):
            deed()
    assert vault.read(kept) == b"small"
    remounted(small, "rw")
    assert vault.destroy_key("tape1")


def test_copies_and_backups_on_a_full_disk(
    home: Home, small: Path, tapes_settings: TapesSettings, tmp_path: Path
) -> None:
    tape = full_tape(home, NOON)
    (small / "filler").write_bytes(bytes(400_000))
    with pytest.raises(VaultError, match="TR-V08 .*No space left"):
        exports.export(home, tape.id, tape.sample.interviewer, small / "out", NOON, sound=True)
    with pytest.raises(VaultError, match="TR-V08 .*No space left"):
        backup.make(home, small / "one.backup", NOON)
    assert [path.name for path in small.iterdir()] == ["filler"]
    made = backup.make(home, tmp_path / "one.backup", NOON)
    elsewhere = tapes_settings.model_copy(update={"home": str(small / "home")})
    with pytest.raises(TapeReviewError, match="TR-(V08|K03)"):
        restore.restore(made.path, elsewhere, NOON, master=home.master.path)
    assert [path.name for path in small.iterdir()] == ["filler"]


@pytest.fixture
def small_home(small: Path, template: Path, tapes_settings: TapesSettings) -> Iterator[Home]:
    """A home on a disk of its own."""
    subprocess.run(["mount", "-o", "remount,size=8m", str(small)], check=True)
    shutil.copytree(template, small / "home")
    opened = Home.open(tapes_settings.model_copy(update={"home": str(small / "home")}))
    yield opened
    opened.close()


def test_destruction_on_a_full_or_read_only_disk(small_home: Home, small: Path) -> None:
    tape = full_tape(small_home, NOON)
    destruction.begin(small_home, tape.id, "due", NOON)
    small_home.database.close()  # a disk with a file that is open for writing cannot be made read-only
    remounted(small, "ro")
    with pytest.raises(TapeReviewError, match="TR-(V08|K03)"):
        destruction.resume(small_home, NOON)
    small_home.database.close()
    remounted(small, "rw")
    filler = small / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(TapeReviewError, match="TR-(V08|K03)"):
        destruction.resume(small_home, NOON)
    filler.unlink()
    assert [destroyed.tape_id for destroyed in destruction.resume(small_home, NOON)] == [tape.id]
    assert destruction.survivors(small_home, tape.id) == []
