"""Every step of the tables' history, there and back, with data in the tables; on both kinds of database."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Enum, MetaData, Table, delete, insert, select

from pipeline.tapes.db import schema
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import Record

Rows = dict[str, list[dict[str, Any]]]

EMPTIED = {"0010": {"sessions"}}
"""Tables that a step empties on purpose: everybody signs in anew."""


KNOWN: dict[tuple[str, str | None], list[Table]] = {}
"""The tables of a version, as the first database that came to it has them: to ask takes longer than to migrate."""


def tables(connection: Connection) -> list[Table]:
    """The tables as a database of this version has them, those referred to first."""
    version = (connection.dialect.name, schema.version(connection))
    if version not in KNOWN:
        metadata = MetaData()
        metadata.reflect(connection)
        KNOWN[version] = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
    return KNOWN[version]


def row(table: Table) -> dict[str, Any]:
    """A row with something in every column; each table's id is its own name, so that references hold."""
    values: dict[str, Any] = {}
    for column in table.columns:
        references = [key.column.table.name for key in column.foreign_keys]
        known = (
            Record.metadata.tables[table.name].columns.get(column.name)
            if table.name in Record.metadata.tables
            else None
        )
        kind = column.type.python_type
        if references:
            values[column.name] = references[0]
        elif column.primary_key:
            values[column.name] = table.name if kind is str else 1
        elif known is not None and isinstance(known.type, Enum):
            values[column.name] = known.type.enums[0]
        else:
            values[column.name] = {str: "words", int: 7_000_000_000, bool: True, float: 0.5, bytes: b"\x00\xff"}.get(
                kind, ["word"]
            )
    return values


def fill(connection: Connection, known: Rows) -> None:
    """A row in every table that has none yet: a step may have filled one that it made."""
    for table in tables(connection):
        if table.name not in known and connection.execute(select(table)).first() is None:
            connection.execute(insert(table).values(row(table)))


def rows(connection: Connection) -> Rows:
    return {
        table.name: [dict(each) for each in connection.execute(select(table)).mappings()]
        for table in tables(connection)
    }


def same(before: Rows, after: Rows) -> bool:
    """Whether every row that was there is there, with what it held in the columns that both versions have."""
    return all(
        [{name: row[name] for name in row if name in kept[0]} for row in held]
        == [{name: row[name] for name in row if name in held[0]} for row in kept]
        for table, held in before.items()
        for kept in [after[table]]
    )


def test_the_steps_lead_to_the_records(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Record.metadata) == []


def test_every_step_keeps_the_data_there_and_back(bare: Database) -> None:
    before: Rows = {}
    for number, revision in enumerate(schema.revisions()):
        previous = ("base", *schema.revisions())[number]
        bare.migrate(revision)
        for table in EMPTIED.get(revision, ()):
            before.pop(table)
        with bare._writer.begin() as connection:
            after = rows(connection)
            assert same(before, after), revision
            assert not any(after[table] for table in EMPTIED.get(revision, ()))
            fill(connection, before)
        bare.migrate(previous)
        with bare._writer.begin() as connection:
            assert same(before, rows(connection)), f"down from {revision}"
        bare.migrate(revision)
        with bare._writer.begin() as connection:
            after = rows(connection)
            assert same(before, after), f"up to {revision} again"
            fill(connection, before)
            before = rows(connection)
        assert bare.version() == revision
    assert all(table_rows for table_rows in before.values())
    assert len(before) == len(Record.metadata.tables)


def test_whose_turn_it_was_is_taken_from_the_tapes_that_were_handed_in(bare: Database) -> None:
    bare.migrate("0007")
    with bare._writer.begin() as connection:
        fill(connection, {})  # with a tape that is a draft
        tapes = next(table for table in tables(connection) if table.name == "tapes")
        for at, state in enumerate(("ready", "destroyed", "failed")):
            connection.execute(insert(tapes).values(row(tapes) | {"id": state, "state": state, "created_at": at}))
    bare.migrate("0008")
    with bare._writer.begin() as connection:
        turns = rows(connection)["tape_turns"]
    assert sorted((turn["group_id"], turn["person_id"], turn["at"]) for turn in turns) == [
        ("groups", "people", 0),
        ("groups", "people", 2),
    ]
    assert len({turn["id"] for turn in turns}) == 2


def test_a_withdrawal_that_a_later_consent_had_hidden_holds_again_and_consents_keep_their_order(bare: Database) -> None:
    bare.migrate("0008")
    with bare._writer.begin() as connection:
        fill(connection, {})
        known = {table.name: table for table in tables(connection)}
        connection.execute(delete(known["consents"]))
        for tape_id in ("hidden", "kept"):
            connection.execute(insert(known["tapes"]).values(row(known["tapes"]) | {"id": tape_id}))
        for consent_id, tape_id, at, withdrawn in (
            *(("b", "hidden", 5, None), ("a", "hidden", 5, 7), ("c", "hidden", 3, 9)),
            *(("e", "kept", 2, None), ("d", "kept", 1, None)),
        ):
            values = {"id": consent_id, "tape_id": tape_id, "given_at": at, "withdrawn_at": withdrawn}
            connection.execute(insert(known["consents"]).values(row(known["consents"]) | values))
    bare.migrate("0009")
    with bare._writer.begin() as connection:
        tables_after = rows(connection)
    assert {tape["id"]: tape["withdrawn_at"] for tape in tables_after["tapes"]} == {
        "tapes": None,
        "hidden": 7,
        "kept": None,
    }
    order = {consent["id"]: consent["number"] for consent in tables_after["consents"]}
    assert order == {"c": 1, "a": 2, "b": 3, "d": 1, "e": 2}


def test_who_has_used_an_account_is_taken_from_passwords_and_the_audit(bare: Database) -> None:
    bare.migrate("0009")
    with bare._writer.begin() as connection:
        people, audit = (
            next(table for table in tables(connection) if table.name == name) for name in ("people", "audit")
        )
        plain = {"password_hash": None, "totp_secret": None, "created_at": 5}
        for name in ("password", "authenticator", "acted", "never"):
            secrets = {"password": {"password_hash": "x"}, "authenticator": {"totp_secret": "x"}}.get(name, {})
            connection.execute(insert(people).values(row(people) | plain | secrets | {"id": name, "email": name}))
        connection.execute(insert(audit).values(row(audit) | {"actor_id": "acted"}))
    bare.migrate("0010")
    with bare._writer.begin() as connection:
        used = {each["id"]: each["first_signed_in_at"] for each in rows(connection)["people"]}
    assert used == {"password": 5, "authenticator": 5, "acted": 5, "never": None}
