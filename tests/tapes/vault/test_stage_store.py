"""Finished stages of a tape in the vault: read back, kept as the first brought them, never in the clear."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Item
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.vault.stage_store import VaultStageStore, keep, packed, unpacked
from tests.tapes.fakes import PHRASE
from tests.tapes.submitted import everything


@pytest.fixture
def store(home: Home, tape_id: str) -> VaultStageStore:
    return VaultStageStore(home, tape_id, now)


def test_a_result_is_read_back_and_leaves_nothing_unencrypted(store: VaultStageStore, home: Home) -> None:
    assert not store.has("tag", "key")
    store.write("tag", "key", {"utterances.csv": PHRASE.encode()})
    assert store.has("tag", "key")
    assert store.read("tag", "key") == {"utterances.csv": PHRASE.encode()}
    assert not store.has("tag", "other")
    assert PHRASE.encode() not in everything(home.folder)


def test_what_another_worker_stored_meanwhile_stays(store: VaultStageStore, home: Home, tape_id: str) -> None:
    store.write("tag", "key", {"utterances.csv": b"first"})
    before = home.vault.files(tape_id)
    store.write("tag", "key", {"utterances.csv": b"second"})
    assert store.read("tag", "key") == {"utterances.csv": b"first"}
    assert home.vault.files(tape_id) == before


def test_what_is_not_finished_cannot_be_read(store: VaultStageStore) -> None:
    with pytest.raises(KeyError, match="tag"):
        store.read("tag", "key")


def test_an_archive_gives_the_same_bytes_and_comes_back() -> None:
    assert packed({"b": b"1", "a": b"2"}) == packed({"a": b"2", "b": b"1"})
    assert unpacked(packed({"b": b"1", "a": b""})) == {"b": b"1", "a": b""}


def test_what_two_workers_bring_is_kept_once(home: Home, tape_id: str) -> None:
    first, second = (keep(home, tape_id, "stage:tag:0", content, 5) for content in (b"first", b"late"))
    assert second.id == first.id
    assert home.vault.read(second) == b"first"
    assert home.vault.leftovers() == []
    with home.database.reading() as session:
        assert len(session.scalars(select(Item).where(Item.kind == "stage:tag:0")).all()) == 1
    assert submission.rowless(home, -1) == []
