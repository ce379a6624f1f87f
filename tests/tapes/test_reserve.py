"""Room for the end of a tape: spent once, and on nothing but a full disk."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import TapesError
from pipeline.tapes import reserve

FULL = OSError(errno.ENOSPC, "no space left on device")


def failing(*causes: BaseException | None) -> Callable[[], str]:
    """A deed that fails with one cause after the other, and then is done."""
    left = list(causes)

    def deed() -> str:
        if left:
            raise TapesError("K03", "database", "is full", "") from left.pop(0)
        return "done"

    return deed


def test_a_deed_is_done_again_with_the_reserve_and_once_only(tmp_path: Path) -> None:
    reserve.keep(tmp_path)
    assert reserve.spent_on(tmp_path, failing(FULL)) == "done"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TapesError):
        reserve.spent_on(tmp_path, failing(FULL))
    reserve.keep(tmp_path)
    with pytest.raises(TapesError):
        reserve.spent_on(tmp_path, failing(FULL, FULL))


def test_another_failure_leaves_the_reserve(tmp_path: Path) -> None:
    reserve.keep(tmp_path)
    with pytest.raises(TapesError):
        reserve.spent_on(tmp_path, failing(OSError(errno.EACCES, "refused")))
    assert (tmp_path / reserve.NAME).stat().st_size == reserve.SIZE


def test_a_reserve_that_is_there_stays(tmp_path: Path) -> None:
    reserve.keep(tmp_path)
    before = (tmp_path / reserve.NAME).read_bytes()
    reserve.keep(tmp_path)
    assert (tmp_path / reserve.NAME).read_bytes() == before


def test_a_full_disk_is_known_through_whatever_it_led_to() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    wrapped = RuntimeError()
    wrapped.orig = full  # type: ignore[attr-defined]
    server = RuntimeError()
    server.sqlstate = "53100"  # type: ignore[attr-defined]
    circle = ValueError()
    circle.__context__ = circle
    assert [reserve.disk_full(each) for each in (FULL, full, wrapped, server)] == [True] * 4
    assert [reserve.disk_full(each) for each in (circle, OSError(errno.EIO, ""), sqlite3.OperationalError())] == [
        False
    ] * 3
