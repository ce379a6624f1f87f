"""The command line as a whole: how it ends, what it prints of a mistake, and who can read what it writes."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from pipeline import __version__
from pipeline.cli import main
from pipeline.errors import TapesError
from tests.cli.calls import run


def ending(monkeypatch: pytest.MonkeyPatch, raised: BaseException) -> object:
    """The exit status of the program whose verb raises this."""

    def verb() -> NoReturn:
        raise raised

    monkeypatch.setattr(main, "app", verb)
    with pytest.raises(SystemExit) as end:
        main.main()
    return end.value.code


def test_a_mistake_ends_with_its_message_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = TapesError("K01", "home /none", "does not exist", "make one with `tape-review init`")
    assert ending(monkeypatch, error) == 1
    assert capsys.readouterr().err == f"{error}\n"


def test_a_fault_of_ours_ends_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, ZeroDivisionError("ours")) == 1
    assert "ZeroDivisionError: ours" in capsys.readouterr().err


@pytest.mark.parametrize("status", [0, 2, 130])
def test_a_verb_that_ends_itself_keeps_its_status(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    assert ending(monkeypatch, SystemExit(status)) == status


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == f"tape-review {__version__}\n"


@pytest.mark.parametrize(("verb", "mask"), [("config", 0o077), ("models", 0o022)])
def test_what_a_verb_writes_is_for_its_owner_and_models_are_for_all(
    verb: str, mask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks: list[int] = []
    monkeypatch.setattr(os, "umask", masks.append)
    run(verb)
    assert masks == [mask]
