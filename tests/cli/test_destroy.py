"""`tape-review destroy`: one tape after a question, or all that are due."""

from __future__ import annotations

from pipeline.errors import ConsentError, VaultError
from pipeline.tapes.clock import DAY, now
from pipeline.tapes.home import Home
from tests.cli.calls import call, output
from tests.tapes.full_tape import FullTape, full_tape


def test_it_asks_first(home: Home, tape: FullTape) -> None:
    assert call(home.folder, "destroy", tape.id, answer="n\n").exit_code == 1
    assert home.vault.has_key(tape.id)
    assert f"destroyed {tape.id}, certificate" in output(home.folder, "destroy", tape.id, answer="y\n")
    assert not home.vault.has_key(tape.id)


def test_only_who_may_destroys(home: Home, tape: FullTape) -> None:
    result = call(home.folder, "destroy", tape.id, "--yes", "--as", tape.sample.member.email)
    assert isinstance(result.exception, ConsentError)
    output(home.folder, "destroy", tape.id, "--yes", "--as", tape.sample.interviewer.email)
    assert isinstance(call(home.folder, "destroy", tape.id).exception, VaultError)


def test_what_is_due_is_destroyed_by_a_timer(home: Home) -> None:
    tape = full_tape(home, now() - DAY, days=0)
    assert f"destroyed {tape.id}" in output(home.folder, "destroy", "--due")
    assert "nothing is due" in output(home.folder, "destroy", "--due")
    assert call(home.folder, "destroy").exit_code == 2
    assert call(home.folder, "destroy", tape.id, "--due").exit_code == 2
