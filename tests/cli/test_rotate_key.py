"""`tape-review rotate-key`: a new master key, in a file or behind a passphrase."""

from __future__ import annotations

import pytest

from pipeline.tapes.home import Home
from pipeline.tapes.vault.master_key import PASSPHRASE
from tests.cli.calls import output
from tests.tapes.full_tape import FullTape


def test_the_master_key_is_changed_and_locked(home: Home, tape: FullTape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    before = home.master.load()
    assert "wrapped 2 keys" in output(home.folder, "rotate-key")
    assert home.master.load() != before
    words = "five words that nobody guesses\n"
    assert "wrapped 2 keys" in output(home.folder, "rotate-key", "--passphrase", answer=words * 2)
    assert home.master.kind() == "passphrase"
    assert "wrapped 2 keys" in output(home.folder, "rotate-key", answer=words * 2)
    assert tape.id in home.vault.tapes()
