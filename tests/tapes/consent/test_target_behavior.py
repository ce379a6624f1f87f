"""The target behavior: sealed, and the one that was named last holds."""

from __future__ import annotations

from pipeline.tapes.consent import target_behavior
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.group import make_tape, sample_group


def test_what_was_named_last_holds_and_neither_word_nor_reason_lies_in_the_clear(home: Home) -> None:
    with home.database.writing() as session:
        tape = make_tape(session, sample_group(session, NOON), NOON)
        home.vault.create_key(tape.id)
        target_behavior.name(session, home.vault, tape.id, "drinking less", NOON)
        later = target_behavior.name(session, home.vault, tape.id, "walking more", NOON + 1, "she said walking")
        assert later.sealed_reason is not None
        assert b"walking" not in later.sealed_text + later.sealed_reason
    with home.database.reading() as session:
        assert target_behavior.read(session, home.vault, tape.id) == "walking more"
