"""Whether a home can be worked with, where the room's own tests do not reach: a passphrase, and both databases."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import TimeoutError as NoneFreeError

from pipeline.settings import TapesSettings
from pipeline.tapes.checks import readiness
from pipeline.tapes.db.database import Database
from pipeline.tapes.home import Home
from pipeline.tapes.vault.master_key import PASSPHRASE

WORDS = "six words that nobody else knows"


def test_a_whole_home_is_ready_on_both_databases(any_home: Home) -> None:
    assert readiness.problems(any_home, 0) == ()


def test_nobody_is_asked_for_a_passphrase(tapes_settings: TapesSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    Home.create(tapes_settings, "passphrase", lambda: WORDS).close()

    def ask() -> str:
        raise AssertionError("somebody was asked")

    locked = Home.open(tapes_settings, ask)
    assert readiness.problems(locked, 0) == ("TR-V06",)
    locked.close()
    opened = Home.open(tapes_settings, lambda: WORDS)
    assert opened.vault.ring
    assert readiness.problems(opened, 0) == ()
    opened.close()


def test_a_pool_without_a_free_connection_is_no_ready_database(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_free(self: Database) -> None:
        raise NoneFreeError("QueuePool limit")

    monkeypatch.setattr(Database, "require_newest", none_free)
    assert readiness.problems(home, 0) == ("TR-K03",)


def test_everything_that_is_wrong_is_named_at_once(home: Home) -> None:
    home.master.path.unlink()
    assert readiness.problems(home, 1 << 62) == ("TR-V04", "TR-V20")
