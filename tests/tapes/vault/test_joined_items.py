"""Items of the vault that are read as one."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.vault.joined_items import JoinedItems
from pipeline.tapes.vault.master_key import Ring
from pipeline.tapes.vault.vault import Vault

SPEECH = random.Random(1).randbytes(300_000)
CUTS = (0, 70_000, 70_001, 200_000, 300_000)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path / "vault", Ring.fresh())
    made.create_key("tape1")
    return made


def joined(vault: Vault) -> JoinedItems:
    pieces = pairwise(CUTS)
    return JoinedItems(vault, [vault.put("tape1", f"piece@{start}", SPEECH[start:end]) for start, end in pieces])


def test_any_part_is_read_across_the_pieces(vault: Vault) -> None:
    chance = random.Random(2)
    with joined(vault) as whole:
        assert whole.seek(0, 2) == whole.size == len(SPEECH)
        for _ in range(100):
            offset, count = chance.randrange(len(SPEECH) + 5), chance.randrange(200_000)
            whole.seek(offset)
            assert whole.read(count) == SPEECH[offset : offset + count]
        whole.seek(0)
        assert whole.readall() == SPEECH


def test_a_piece_that_is_gone_or_altered_is_told_and_never_left_out(vault: Vault) -> None:
    whole = joined(vault)
    path = next(path for path in vault.files("tape1") if path.stat().st_size > 129_000)
    content = bytearray(path.read_bytes())
    content[70_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(VaultError, match="TR-V02"):
        whole.readall()
    path.unlink()
    whole.close()
    with pytest.raises(VaultError, match="TR-V01"), JoinedItems(vault, whole._items) as anew:
        anew.readall()


def test_nothing_is_open_before_something_is_read(vault: Vault) -> None:
    whole = joined(vault)
    vault.destroy_key("tape1")
    assert whole.size == len(SPEECH)
    with pytest.raises(VaultError, match="TR-V03"):
        whole.read(1)
