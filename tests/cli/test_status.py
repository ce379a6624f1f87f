"""`tape-review status`: tapes that are due, and options that contradict each other; the work itself is in test_submit
and, with workers, in tests/tapes/jobs."""

from __future__ import annotations

import pytest

from pipeline.errors import JobError
from pipeline.tapes.clock import DAY, now
from pipeline.tapes.home import Home
from tests.cli.calls import call, output
from tests.tapes.full_tape import full_tape


def test_tapes_that_end_soon_and_tapes_that_should_be_gone_are_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    soon = full_tape(home, now() - DAY, days=3)
    assert f"Tape {soon.id} will be destroyed after" in output(home.folder, "status")
    late = full_tape(home, now() - 2 * DAY, days=1, sample=soon.sample)
    assert f"Tape {late.id} should be gone (due): run `tape-review destroy --due`" in output(home.folder, "status")
    output(home.folder, "destroy", "--due")
    assert late.id not in output(home.folder, "status")


@pytest.mark.parametrize("arguments", [["--cancel"], ["0", "--cancel", "--retry"]])
def test_what_makes_no_sense_is_a_usage_error(home: Home, arguments: list[str]) -> None:
    assert call(home.folder, "status", *arguments).exit_code == 2


def test_a_tape_that_is_not_there_is_named(home: Home) -> None:
    result = call(home.folder, "status", "0" * 16)
    assert isinstance(result.exception, JobError)
    assert "0" * 16 in str(result.exception)
