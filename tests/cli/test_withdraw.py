"""`tape-review withdraw`: it asks first, and closes the tape only for whom may close it."""

from __future__ import annotations

from pipeline.errors import ConsentError
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from tests.cli.calls import call, output
from tests.tapes.full_tape import FullTape


def withdrawn_at(home: Home, tape: FullTape) -> int | None:
    with home.database.reading() as session:
        return session.get_one(Tape, tape.id).withdrawn_at


def test_withdrawal_asks_first(home: Home, tape: FullTape) -> None:
    result = call(home.folder, "withdraw", tape.id, answer="n\n")
    assert result.exit_code == 1
    assert "This cannot be undone" in result.output
    assert withdrawn_at(home, tape) is None
    assert home.vault.has_key(tape.id)


def test_a_member_closes_nobody_else_s_tape(home: Home, tape: FullTape) -> None:
    result = call(home.folder, "withdraw", tape.id, "--yes", "--as", tape.sample.member.email)
    assert isinstance(result.exception, ConsentError)
    assert withdrawn_at(home, tape) is None


def test_a_withdrawn_tape_is_destroyed_and_its_certificate_named(home: Home, tape: FullTape) -> None:
    printed = output(home.folder, "withdraw", tape.id, "--yes", "--as", tape.sample.interviewer.email)
    assert f"tape {tape.id} is closed to everybody" in printed
    assert f"{tape.id}.json" in printed
    assert not home.vault.has_key(tape.id)
