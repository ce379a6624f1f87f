"""A new master key: everything opens with it, and it can be interrupted and repeated."""

from __future__ import annotations

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.home import Home
from pipeline.tapes.vault.key_rotation import rotate
from pipeline.tapes.vault.master_key import VARIABLE, Ring
from pipeline.tapes.vault.vault import Vault


def test_a_key_service_has_to_bring_the_new_key(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, home.vault.ring.text())
    home.master.keep(home.vault.ring, "environment")
    with pytest.raises(VaultError, match=f"TR-V04.*have the key service set {VARIABLE}"):
        rotate(home.vault, home.master)


def test_a_rotation_that_was_cut_off_is_finished_by_the_next(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.vault.create_key("tape-1")
    real, wrapped = Vault.rewrap, []

    def cut(vault: Vault, ring: Ring) -> int:
        wrapped.append(real(vault, ring))
        raise KeyboardInterrupt

    before = home.master.load()
    monkeypatch.setattr(Vault, "rewrap", cut)
    with pytest.raises(KeyboardInterrupt):
        rotate(home.vault, home.master)
    assert len(home.master.load().masters) == 2  # both are kept, so that nothing is lost
    monkeypatch.setattr(Vault, "rewrap", real)
    again = Home.open(home.settings)
    assert rotate(again.vault, again.master) == 0
    assert wrapped == [2]  # the tape's and the home's
    assert len(again.master.load().masters) == 1
    assert again.master.load().masters[0] != before.masters[0]
    item = again.vault.put("tape-1", "mono", b"sound")
    assert again.vault.read(item) == b"sound"
    again.close()
