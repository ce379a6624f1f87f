"""The base of all records: opaque ids, no readable form, choices that the database enforces."""

from __future__ import annotations

from typing import Literal

import pytest
from sqlalchemy import Enum, create_engine
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import Correction, Person, Record, Tape
from pipeline.tapes.db.records.base import new_id, one_of


def test_a_row_has_no_readable_form() -> None:
    person = Person(name="Ada", email="ada@example.org", created_at=1)
    assert "Ada" not in repr(person) + str(person)


def test_ids_tell_nothing_and_differ() -> None:
    ids = {new_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(len(name) == 16 and set(name) <= set("0123456789abcdef") for name in ids)
    assert len(Person(name="Ada", email="a@example.org", created_at=1).id) == 16


def test_a_choice_holds_the_words_of_its_literal_and_no_others() -> None:
    kind = one_of(Literal["first", "second"], "orders").column.type
    assert isinstance(kind, Enum)
    assert (kind.enums, kind.name, kind.create_constraint) == (["first", "second"], "orders", True)
    engine = create_engine("sqlite://")
    Record.metadata.create_all(engine)
    with Session(engine) as session, pytest.raises((IntegrityError, StatementError)):
        session.add(Tape(group_id="g", interviewer_id="p", created_at=1, state="lost"))  # type: ignore[arg-type]
        session.flush()


def test_what_belongs_to_a_tape_dies_with_it() -> None:
    (key,) = Correction.__table__.c.tape_id.foreign_keys
    assert (key.target_fullname, key.ondelete) == ("tapes.id", "CASCADE")
