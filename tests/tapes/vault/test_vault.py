"""What the vault keeps comes back, only whole, only in its place, and never again once its key is destroyed."""

from __future__ import annotations

import errno
import io
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.files import PARTIAL
from pipeline.settings import TapesSettings
from pipeline.tapes.home import Home
from pipeline.tapes.vault.encrypted_file import FRAME
from pipeline.tapes.vault.key_rotation import rotate
from pipeline.tapes.vault.master_key import PASSPHRASE, VARIABLE, MasterKey, Ring
from pipeline.tapes.vault.vault import HOME, Vault

SPEECH = b"what was said, word by word. " * 10_000


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path / "vault", Ring.fresh())
    for tape in ("tape1", "tape2", HOME):
        made.create_key(tape)
    return made


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("kind_of_source", ["bytes", "file", "path"])
def test_what_is_put_in_comes_back(vault: Vault, tmp_path: Path, kind_of_source: str) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(SPEECH)
    with plain.open("rb") as file:
        source = {"bytes": SPEECH, "file": file, "path": plain}[kind_of_source]
        item = vault.put("tape1", "recording", source)
    assert (item.tape_id, item.kind, item.size) == ("tape1", "recording", len(SPEECH))
    assert vault.read(item) == SPEECH
    with vault.open(item) as reader:
        reader.seek(FRAME - 3)
        assert reader.read(10) == SPEECH[FRAME - 3 : FRAME + 7]
    assert b"word by word" not in everything(vault.folder)


def test_all_that_lies_in_the_vault_is_the_owners_alone(vault: Vault) -> None:
    vault.put("tape1", "mono", b"sound")
    for path in [vault.folder, *vault.folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_goes_in_without_a_key(vault: Vault) -> None:
    with pytest.raises(VaultError, match="TR-V03 tape unknown"):
        vault.put("unknown", "mono", b"sound")
    with pytest.raises(VaultError, match="TR-V03"):
        vault.seal("unknown", b"text", "forms.answers")
    assert "unknown" not in vault.tapes()


def test_a_key_is_never_replaced(vault: Vault) -> None:
    item = vault.put("tape1", "mono", b"sound")
    with pytest.raises(FileExistsError):
        vault.create_key("tape1")
    assert vault.read(item) == b"sound"


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 65, "a.partial", "a\n"])
def test_a_name_that_could_leave_the_folder_is_no_id(vault: Vault, name: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        vault.put(name, "mono", b"sound")


def test_destroying_the_key_kills_files_and_texts_for_every_handle(vault: Vault) -> None:
    other = Vault(vault.folder, vault.ring)
    item, text = vault.put("tape1", "mono", SPEECH), vault.seal("tape1", b"a note", "forms.answers")
    survivor = vault.put("tape2", "mono", b"stays")
    assert other.read(item) == SPEECH
    assert vault.destroy_key("tape1")
    assert not vault.destroy_key("tape1")
    for each in (vault, other):
        with pytest.raises(VaultError, match="TR-V03"):
            each.read(item)
        with pytest.raises(VaultError, match="TR-V03"):
            each.unseal("tape1", text, "forms.answers")
    assert vault.destroy_files("tape1") == 1
    assert vault.destroy_files("tape1") == 0
    assert vault.read(survivor) == b"stays"
    assert vault.tapes() == ["tape2"]


def test_destruction_needs_no_master_key(vault: Vault, tmp_path: Path) -> None:
    vault.put("tape1", "mono", SPEECH)
    locked = Vault(vault.folder, MasterKey(tmp_path / "lost.key"))
    assert locked.destroy_key("tape1")
    assert locked.destroy_files("tape1") == 1
    with pytest.raises(VaultError, match="TR-V04"):
        locked.put("tape2", "mono", b"sound")


def test_a_file_in_the_place_of_another_is_noticed(vault: Vault) -> None:
    first, second = vault.put("tape1", "mono", b"first"), vault.put("tape1", "mono", b"other")
    path = vault.folder / "tapes" / "tape1"
    (path / first.id).write_bytes((path / second.id).read_bytes())
    with pytest.raises(VaultError, match="TR-V02.*is not the file that is expected"):
        vault.read(first)


def test_an_older_record_of_an_item_is_noticed(vault: Vault) -> None:
    item = vault.put("tape1", "mono", SPEECH)
    for wrong, message in [
        (replace(item, kind="peaks"), "is not the file"),
        (replace(item, size=3), "not have the length"),
        (replace(item, id="0" * 32), "TR-V01"),
    ]:
        with pytest.raises(VaultError, match=message):
            vault.read(wrong)


def test_keys_that_are_swapped_open_nothing(vault: Vault) -> None:
    item = vault.put("tape1", "mono", SPEECH)
    keys = vault.folder / "keys"
    (keys / "tape1").write_bytes((keys / "tape2").read_bytes())
    with pytest.raises(VaultError, match="TR-V02 key of tape tape1"):
        vault.read(item)


def test_a_text_opens_in_its_place_only(vault: Vault) -> None:
    sealed = vault.seal("tape1", b"a note", "forms.answers")
    assert vault.unseal("tape1", sealed, "forms.answers") == b"a note"
    assert vault.unseal(HOME, vault.seal(HOME, b"minutes", "meetings.notes"), "meetings.notes") == b"minutes"
    for tape, column in [("tape1", "feedback.text"), ("tape2", "forms.answers")]:
        with pytest.raises(VaultError, match="TR-V02 text in"):
            vault.unseal(tape, sealed, column)


def test_the_master_key_can_be_changed_and_the_change_interrupted(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = vault.put("tape1", "mono", SPEECH)
    old, new = vault.ring, Ring.fresh()
    both = old.followed_by(new)
    rename = os.rename
    monkeypatch.setattr(os, "rename", failing_after(2, rename))
    with pytest.raises(VaultError, match="TR-V08"):
        vault.rewrap(both)
    monkeypatch.setattr(os, "rename", rename)
    assert Vault(vault.folder, both).read(item) == SPEECH
    assert Vault(vault.folder, both).rewrap(both) == 1
    assert Vault(vault.folder, new).read(item) == SPEECH
    with pytest.raises(VaultError, match="TR-V07"):
        Vault(vault.folder, old).read(item)


def test_a_running_process_follows_a_change_of_the_master_key(tmp_path: Path) -> None:
    kept = MasterKey(tmp_path / "master.key")
    kept.create("file")
    running, changing = Vault(tmp_path / "vault", kept), Vault(tmp_path / "vault", kept)
    running.create_key("tape1")
    item = running.put("tape1", "mono", SPEECH)
    both = changing.ring.followed_by(Ring.fresh())
    kept.keep(both)
    changing.rewrap(both)
    kept.keep(both.settled())
    assert running.read(item) == SPEECH


def rotated_elsewhere(home: Home) -> None:
    """Another process changes the master key."""
    other = Home.open(home.settings)
    rotate(other.vault, other.master)
    other.close()


def assert_read_elsewhere(home: Home, tape_id: str) -> None:
    """What is put into a tape now, another process can read."""
    item = home.vault.put(tape_id, "mono", SPEECH)
    again = Home.open(home.settings)
    assert again.vault.read(item) == SPEECH
    again.close()


def test_a_tape_that_comes_in_after_a_change_of_the_master_key_can_be_read(home: Home) -> None:
    home.vault.create_key("before")  # from here on this process knows the master key
    rotated_elsewhere(home)
    home.vault.create_key("after")
    assert_read_elsewhere(home, "after")


def test_a_tape_that_comes_in_during_a_change_of_the_master_key_can_be_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ring.wrap

    def changing(ring: Ring, tape_id: str, data_key: bytes) -> bytes:
        wrapped = real(ring, tape_id, data_key)
        if tape_id == "during" and not home.vault.has_key("during"):
            monkeypatch.setattr(Ring, "wrap", real)
            rotated_elsewhere(home)
        return wrapped

    monkeypatch.setattr(Ring, "wrap", changing)
    home.vault.create_key("during")
    assert_read_elsewhere(home, "during")


def test_a_key_that_an_older_process_wraps_during_the_change_is_wrapped_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, rewrap = home.vault.ring, Vault.rewrap

    def late(vault: Vault, ring: Ring) -> int:
        changed = rewrap(vault, ring)
        if not vault.has_key("late"):
            (vault.folder / "keys" / "late").write_bytes(old.wrap("late", bytes(32)))
        return changed

    monkeypatch.setattr(Vault, "rewrap", late)
    assert rotate(home.vault, home.master) == 2
    again = Home.open(home.settings)
    again.vault.seal("late", b"a note", "forms.answers")
    again.close()


def test_no_tape_comes_in_where_nobody_can_be_asked_for_the_new_passphrase(
    tapes_settings: TapesSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    asked: list[int] = []
    running = Home.create(tapes_settings, "passphrase", lambda: asked.append(1) or "a passphrase of several words")
    running.vault.create_key("before")
    count = len(asked)
    other = Home.open(tapes_settings, lambda: "a passphrase of several words")
    rotate(other.vault, other.master)
    with pytest.raises(VaultError, match="TR-V07 master key was changed after .* start it again"):
        running.vault.create_key("after")
    assert len(asked) == count
    assert not running.vault.has_key("after")
    other.close()
    running.close()


def test_a_key_service_that_was_not_asked_again_lets_no_tape_in(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = home.vault.ring, Ring.fresh()
    monkeypatch.setenv(VARIABLE, old.text())
    home.master.keep(old, "environment")
    running = Home.open(home.settings)
    running.vault.create_key("before")
    monkeypatch.setenv(VARIABLE, old.followed_by(new).text())
    rotated_elsewhere(home)
    monkeypatch.setenv(VARIABLE, old.text())  # as the running process still has it
    with pytest.raises(VaultError, match="TR-V07 key of tape home"):
        running.vault.create_key("after")
    assert not running.vault.has_key("after")
    running.close()


def failing_after(good: int, call, number: int = errno.ENOSPC):
    """A call that works so often and then fails as a full disk does."""
    left = [good]

    def instead(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(number, os.strerror(number))
        return call(*arguments, **options)

    return instead


WRITES = ["open", "fsync", "link", "mkdir"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", WRITES)
def test_a_write_that_fails_leaves_nothing_and_says_so(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    before = everything(vault.folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing_after(0, getattr(os, call), number))
        with pytest.raises(VaultError, match=f"TR-V08 .*{os.strerror(number)}.*and try again"):
            vault.put("tape1", "mono", SPEECH)
    assert everything(vault.folder) == before
    assert vault.read(vault.put("tape1", "mono", SPEECH)) == SPEECH


@pytest.mark.parametrize("good", [0, 1, 3])
def test_a_disk_that_fills_up_while_we_write(vault: Vault, monkeypatch: pytest.MonkeyPatch, good: int) -> None:
    before = everything(vault.folder)
    real = os.fdopen

    class Full:
        def __init__(self, file):
            self.write = failing_after(good, file.write)
            self.flush, self.fileno, self.close = file.flush, file.fileno, file.close

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.close()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", lambda *arguments, **options: Full(real(*arguments, **options)))
        with pytest.raises(VaultError, match="TR-V08.*No space left"):
            vault.put("tape1", "mono", SPEECH)
    assert everything(vault.folder) == before


def test_what_a_dead_process_left_is_found_and_swept(vault: Vault) -> None:
    kept = vault.put("tape1", "mono", b"sound")
    vault.put("tape2", "mono", b"sound")
    (vault.folder / "keys" / "tape2").unlink()
    partial = vault.folder / "tapes" / "tape1" / f"abc{PARTIAL}"
    partial.write_bytes(b"half a")
    assert len(vault.leftovers()) == 1  # it may have been made this moment
    os.utime(partial, (1, 1))
    assert len(vault.leftovers()) == 2
    assert vault.sweep() == 2
    assert vault.leftovers() == []
    assert vault.tapes() == ["tape1"]
    assert vault.read(kept) == b"sound"


def test_what_is_being_written_is_no_leftover(vault: Vault) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int = -1, /) -> bytes:
            for path in vault.folder.rglob(f"*{PARTIAL}"):
                os.utime(path, (1, 1))
            seen.append(vault.leftovers())
            return super().read(size)

    seen: list[list[Path]] = []
    vault.put("tape1", "mono", Slow(SPEECH))
    assert seen
    assert seen == [[]] * len(seen)


def test_a_tape_that_is_destroyed_while_something_is_put_in(vault: Vault) -> None:
    class Destroying(io.BytesIO):
        def read(self, size: int = -1, /) -> bytes:
            if self.tell() > FRAME:
                vault.destroy_key("tape1")
                vault.destroy_files("tape1")
            return super().read(size)

    with pytest.raises(VaultError, match="TR-V03"):
        vault.put("tape1", "mono", Destroying(SPEECH))
    assert vault.tapes() == ["tape2"]
    assert vault.leftovers() == []


def test_many_threads_put_and_read_side_by_side(vault: Vault) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round_ in range(5):
                data = bytes([number, round_]) * FRAME
                assert vault.read(vault.put("tape1", "stage", data)) == data
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(vault.files("tape1")) == 20
