"""The master key opens what it wrapped, only that, and only for those who may hold it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.vault import master_key
from pipeline.tapes.vault.master_key import PASSPHRASE, VARIABLE, MasterKey, Ring, UnsealableError, seal, unseal

WORDS = "a passphrase of several words"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(master_key, "_ARGON", master_key._ARGON | {"memory_kib": 1 << 14, "iterations": 1})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


def test_a_sealed_message_opens_for_its_purpose_and_key_only() -> None:
    sealed = seal(bytes(32), b"this", b"a secret")
    assert unseal(bytes(32), b"this", sealed) == b"a secret"
    assert b"secret" not in sealed
    assert seal(bytes(32), b"this", b"a secret") != sealed
    for key, purpose, message in [
        (bytes(32), b"that", sealed),
        (b"x" * 32, b"this", sealed),
        (bytes(32), b"this", sealed[:-1]),
        (bytes(32), b"this", b""),
        (bytes(32), b"this", sealed + b"x"),
    ]:
        with pytest.raises(UnsealableError):
            unseal(key, purpose, message)


@pytest.mark.parametrize("offset", [0, 1, 16, 17, 24, -1])
def test_a_flipped_bit_in_a_sealed_message_is_noticed(offset: int) -> None:
    sealed = bytearray(seal(bytes(32), b"this", b"a secret"))
    sealed[offset] ^= 1
    with pytest.raises(UnsealableError):
        unseal(bytes(32), b"this", bytes(sealed))


def test_a_data_key_is_wrapped_for_one_tape() -> None:
    ring = Ring.fresh()
    wrapped = ring.wrap("tape1", b"k" * 32)
    assert ring.unwrap("tape1", wrapped) == b"k" * 32
    assert b"k" * 8 not in wrapped
    with pytest.raises(VaultError, match="TR-V02 key of tape tape2"):
        ring.unwrap("tape2", wrapped)
    with pytest.raises(VaultError, match="TR-V07"):
        Ring.fresh().unwrap("tape1", wrapped)


def test_during_a_change_both_master_keys_unwrap_and_the_new_one_wraps() -> None:
    old, new = Ring.fresh(), Ring.fresh()
    both = old.followed_by(new)
    wrapped = old.wrap("tape1", b"k" * 32)
    assert both.unwrap("tape1", wrapped) == b"k" * 32
    assert not both.wrapped_by_current(wrapped)
    assert new.unwrap("tape1", both.wrap("tape1", b"k" * 32)) == b"k" * 32
    assert both.settled() == new


def test_a_ring_does_not_show_its_keys() -> None:
    ring = Ring((b"\x41" * 32,))
    assert "A" * 8 not in repr(ring)
    assert Ring.parsed(ring.text()) == ring


def test_key_file_is_the_owners_alone_and_loads(path: Path) -> None:
    ring = MasterKey(path).create("file")
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey(path).load() == ring


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o755])
def test_key_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    MasterKey(path).create("file")
    path.chmod(mode)
    with pytest.raises(VaultError, match=f"TR-V05.*mode {mode:04o}.*chmod 600"):
        MasterKey(path).load()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_key_file_of_somebody_else_is_refused(path: Path) -> None:
    MasterKey(path).create("file")
    os.chown(path, 12345, -1)
    with pytest.raises(VaultError, match="TR-V05.*owner 12345"):
        MasterKey(path).load()


def test_a_master_key_is_never_overwritten(path: Path) -> None:
    ring = MasterKey(path).create("file")
    with pytest.raises(VaultError, match="TR-V04.*exists already"):
        MasterKey(path).create("file")
    assert MasterKey(path).load() == ring


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"kind": "file"}', '{"kind": "file", "ring": "QUJD"}', '{"kind": "tape"}']
)
def test_damaged_key_file_is_told(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(VaultError, match="TR-V04.*is damaged"):
        MasterKey(path).load()


def test_missing_key_file_is_told(path: Path) -> None:
    with pytest.raises(VaultError, match="TR-V04.*cannot be read.*tape-review init"):
        MasterKey(path).load()


def test_passphrase_opens_the_ring_and_a_wrong_one_does_not(path: Path) -> None:
    ring = MasterKey(path, lambda: WORDS).create("passphrase")
    assert MasterKey(path, lambda: WORDS).load() == ring
    with pytest.raises(VaultError, match="TR-V06 passphrase does not open"):
        MasterKey(path, lambda: WORDS + "!").load()
    with pytest.raises(VaultError, match="TR-V06 passphrase is missing"):
        MasterKey(path).load()
    assert ring.text() not in path.read_text()


def test_passphrase_from_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, WORDS)
    assert MasterKey(path).create("passphrase") == MasterKey(path).load()


def test_a_passphrase_costs_memory_and_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    MasterKey(path, lambda: WORDS).create("passphrase")
    kept = json.loads(path.read_text())["argon2id"]
    assert (kept["memory_kib"], kept["iterations"], kept["lanes"]) == (65_536, 3, 4)  # RFC 9106, second choice


def test_a_new_passphrase_keeps_the_ring(path: Path) -> None:
    ring = MasterKey(path, lambda: WORDS).create("passphrase")
    MasterKey(path, lambda: "another passphrase").keep(ring)
    assert MasterKey(path, lambda: "another passphrase").load() == ring


def test_short_passphrase_is_refused(path: Path) -> None:
    with pytest.raises(VaultError, match="TR-V06 passphrase is shorter than 12"):
        MasterKey(path, lambda: "short").create("passphrase")
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("memory_kib", 1 << 30), ("iterations", 0), ("lanes", "many"), ("salt", "?")]
)
def test_stored_parameters_out_of_bounds_are_refused(path: Path, name: str, value: object) -> None:
    MasterKey(path, lambda: WORDS).create("passphrase")
    kept = json.loads(path.read_text())
    kept["argon2id"][name] = value
    path.write_text(json.dumps(kept))
    with pytest.raises(VaultError, match="TR-V04.*is damaged"):
        MasterKey(path, lambda: WORDS).load()


def test_master_key_from_a_key_service(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VaultError, match="TR-V04.*is missing"):
        MasterKey(path).create("environment")
    ring = Ring.fresh()
    monkeypatch.setenv(VARIABLE, ring.text())
    assert MasterKey(path).create("environment") == ring == MasterKey(path).load()
    assert ring.text() not in path.read_text()
    with pytest.raises(VaultError, match="TR-V04.*this program cannot change"):
        MasterKey(path).keep(Ring.fresh())
    monkeypatch.setenv(VARIABLE, "QUJD")
    with pytest.raises(VaultError, match="TR-V04.*is damaged"):
        MasterKey(path).load()


def test_a_process_that_holds_keys_dumps_no_core(path: Path) -> None:
    MasterKey(path).create("file")
    program = (
        "import ctypes, resource, sys; from pathlib import Path; from pipeline.tapes.vault.master_key import MasterKey;"
        "MasterKey(Path(sys.argv[1])).load();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split(") ")[0] == "(0, 0"
    if sys.platform == "linux":
        assert done.stdout.split(") ")[1].strip() == "0"
