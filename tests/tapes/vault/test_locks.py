"""Locks of tapes: one destroyer at a time, and a lock whose file was removed is taken anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.home import Home
from pipeline.tapes.vault import locks
from pipeline.tapes.vault.locks import TapeLocks
from pipeline.tapes.vault.vault import Vault


def test_who_waits_for_too_long_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Vault(home.vault.folder, home.master)
    with other.locks.alone("tape1"), pytest.raises(VaultError, match="TR-V18"), home.vault.locks.alone("tape1", 0.05):
        pass
    monkeypatch.setattr(locks, "PATIENCE", 0.05)
    with other.locks.working("tape1"), home.vault.locks.working("tape1"):
        assert home.vault.locks.in_use("tape1", 0.05)
    assert not home.vault.locks.in_use("tape1")


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(home: Home) -> None:
    with home.vault.locks.alone("tape1"):
        home.vault.locks.forget("tape1")
        with Vault(home.vault.folder, home.master).locks.alone("tape1", 0):
            assert (home.vault.folder / "locks" / "tape1").exists()


def test_who_has_a_lock_has_it_and_another_thread_waits(tmp_path: Path) -> None:
    locks = TapeLocks(tmp_path / "locks")
    with locks.alone("t1"), locks.alone("t1", 0), locks.alone("t2", 0):
        with ThreadPoolExecutor(1) as pool, pytest.raises(VaultError, match="TR-V18"):
            pool.submit(lambda: locks.alone("t1", 0).__enter__()).result()
    with locks.alone("t1", 0):
        pass


def test_a_tape_is_in_use_while_anybody_has_its_plaintext(tmp_path: Path) -> None:
    locks = TapeLocks(tmp_path / "locks")
    assert not locks.in_use("t1")
    with locks.working("t1"), locks.working("t1"):
        assert locks.in_use("t1")
        assert not locks.in_use("t2")
    assert not locks.in_use("t1")


def test_what_is_forgotten_leaves_no_file(tmp_path: Path) -> None:
    locks = TapeLocks(tmp_path / "locks")
    with locks.alone("t1"), locks.working("t1"):
        pass
    locks.forget("t1")
    locks.forget("t1")
    assert list((tmp_path / "locks").iterdir()) == []
