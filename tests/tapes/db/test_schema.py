"""The tables' versions: in one line, from none to the newest and back; what holds for good."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, update
from sqlalchemy.exc import IntegrityError

from pipeline.tapes.clock import DAY
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db import schema
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape


def test_a_database_without_tables_has_no_version(bare: Database) -> None:
    assert bare.version() is None
    bare.migrate()
    assert bare.version() == schema.newest()
    bare.migrate()
    assert bare.version() == schema.newest()
    bare.migrate("base")
    with bare.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_steps_stand_in_one_line() -> None:
    assert list(schema.revisions()) == [f"{number:04d}" for number in range(1, len(schema.revisions()) + 1)]


def test_what_holds_for_good_survives_a_table_that_is_made_anew(home: Home) -> None:
    tape = full_tape(home, NOON - DAY)
    home.database.migrate("0008")
    home.database.migrate()
    with home.database.writing() as session:
        consent_form.withdraw(session, session.get_one(Tape, tape.id), NOON, None)
    with pytest.raises(IntegrityError, match="a withdrawal is for good"), home.database.writing() as session:
        session.execute(update(Tape).values(withdrawn_at=None))
