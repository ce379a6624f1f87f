"""The audit refuses changes, and finds those made around its back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pipeline.tapes import audit_log
from pipeline.tapes.audit_log import Audit, Fault, LogHead
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import AuditHead, AuditRow

KEY = b"k" * 32


@pytest.fixture
def chained(database: Database) -> Database:
    """A database whose audit has ten rows, from five transactions."""
    database._before_commit = Audit(KEY).add_pending
    for number in range(5):
        with database.writing() as session:
            audit_log.record(session, number, "ada", "tape.play", "tape", span=(number, number + 1000), why="review")
            audit_log.record(session, number, None, "person.add", thing="ben")
    return database


def faults(database: Database, key: bytes = KEY) -> list[Fault]:
    with database.reading() as session:
        return list(Audit(key).verify(session))


def tamper(database: Database, *statements: str) -> None:
    """Change rows as someone would who may do anything to the database."""
    with database.writing() as session:
        if database.is_sqlite:
            triggers = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _ in triggers:
                session.execute(text(f"DROP TRIGGER {name}"))
        else:
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement))
        if database.is_sqlite:
            for _, sql in triggers:
                session.execute(text(sql.replace(":", r"\:")))
        else:
            session.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))


def test_rows_are_numbered_and_chained(chained: Database) -> None:
    with chained.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
        assert [row.seq for row in rows] == list(range(1, 11))
        assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
        assert (rows[0].span_start, rows[0].span_end, rows[1].span_start) == (0, 1000, None)
    assert faults(chained) == []


def test_an_empty_audit_is_whole(database: Database) -> None:
    assert faults(database) == []


def test_what_is_rolled_back_leaves_no_row(chained: Database) -> None:
    with pytest.raises(RuntimeError), chained.writing() as session:
        audit_log.record(session, 9, "ada", "tape.play")
        raise RuntimeError
    with chained.reading() as session:
        assert len(session.scalars(select(AuditRow)).all()) == 10


@pytest.mark.parametrize("deed", ["UPDATE audit SET why = 'x'", "DELETE FROM audit", "DELETE FROM audit WHERE seq = 3"])
def test_rows_cannot_be_changed_or_deleted(chained: Database, deed: str) -> None:
    with pytest.raises(DBAPIError, match="audit rows are never changed or deleted"), chained.writing() as session:
        session.execute(text(deed))
    assert faults(chained) == []


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE audit SET actor_id = 'eve' WHERE seq = 4"], [(4, "was edited")]),
        (["UPDATE audit SET span_end = 5 WHERE seq = 3"], [(3, "was edited")]),
        (["DELETE FROM audit WHERE seq = 4"], [(5, "rows 4 to 4 are missing")]),
        (["DELETE FROM audit WHERE seq BETWEEN 1 AND 3"], [(4, "rows 1 to 3 are missing")]),
        (["DELETE FROM audit WHERE seq > 8"], [(10, "rows 9 to 10 are missing at the end")]),
        (["DELETE FROM audit"], [(10, "rows 1 to 10 are missing at the end")]),
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 5",
                "UPDATE audit SET seq = 5 WHERE seq = 99",
            ],
            [
                (4, "does not follow the row before"),
                (4, "was edited"),
                (5, "does not follow the row before"),
                (5, "was edited"),
                (6, "does not follow the row before"),
            ],
        ),
        (["DELETE FROM audit_head"], [(10, "the head is missing")]),
        (["UPDATE audit_head SET seq = 8"], [(8, "the head is not signed with this home's key")]),
    ],
)
def test_changes_behind_its_back_are_found(
    chained: Database, statements: list[str], expected: list[tuple[int, str]]
) -> None:
    tamper(chained, *statements)
    assert [(fault.seq, fault.what) for fault in faults(chained)] == expected


def test_a_chain_cut_at_its_end_with_a_new_head_is_found(chained: Database) -> None:
    with chained.reading() as session:
        eighth = session.get_one(AuditRow, 8)
    tamper(chained, "DELETE FROM audit WHERE seq > 8", f"UPDATE audit_head SET seq = 8, hash = '{eighth.hash}'")
    assert [fault.what for fault in faults(chained)] == ["the head is not signed with this home's key"]


def test_a_chain_written_anew_without_the_key_is_found(chained: Database, database: Database) -> None:
    tamper(chained, "DELETE FROM audit", "DELETE FROM audit_head")
    with Session(chained._writer) as session:
        audit_log.record(session, 1, "eve", "tape.play")
        Audit(b"another").add_pending(session)
        session.commit()
    assert [fault.what for fault in faults(chained)] == ["the head is not signed with this home's key"]


def test_rows_added_around_the_audit_are_found(chained: Database) -> None:
    with chained.reading() as session:
        head = session.get_one(AuditHead, 1)
    values = f"11, 1, 'tape.play', '', '', '{head.hash}', '{'0' * 64}'"
    tamper(chained, f"INSERT INTO audit (seq, at, action, thing, why, previous_hash, hash) VALUES ({values})")
    assert [fault.what for fault in faults(chained)] == [
        "was edited",
        "the last row is not the one that the head names",
    ]


@pytest.fixture
def witness(chained: Database, tmp_path: Path) -> Path:
    """The copy of the head after two more rows, of which the database was made to know nothing."""
    path = tmp_path / "audit.head"
    with chained.reading() as session:
        head = session.get_one(AuditHead, 1)
    chained._before_commit = Audit(KEY, path).add_pending
    for number in range(2):
        with chained.writing() as session:
            audit_log.record(session, number, "eve", "tape.play", "tape")
    with chained.reading() as session:
        assert Audit(KEY, path).verify(session) == ()
    back = f"UPDATE audit_head SET seq = {head.seq}, hash = '{head.hash}', mac = '{head.mac}'"
    tamper(chained, f"DELETE FROM audit WHERE seq > {head.seq}", back)
    return path


def test_a_database_that_was_set_back_with_its_head_is_found(chained: Database, witness: Path) -> None:
    assert faults(chained) == []
    with chained.reading() as session:
        later_faults = Audit(KEY, witness).verify(session)
    assert later_faults == (Fault(12, "is not the row that was here: the database was set back to an earlier state"),)


def test_a_copy_that_lags_is_no_fault(chained: Database, witness: Path) -> None:
    copy = witness.read_text()
    chained._before_commit = Audit(KEY, witness).add_pending
    with chained.writing() as session:
        audit_log.record(session, 1, "ada", "tape.play", "tape")
    early = witness.read_text()
    with chained.writing() as session:
        audit_log.record(session, 2, "ada", "tape.play", "tape")
    witness.write_text(early)
    with chained.reading() as session:
        assert Audit(KEY, witness).verify(session) == ()
    assert len(copy) == len(early) == 151


@pytest.mark.parametrize("content", ["", "7", "x y z", "\u00e9" * 151, f"{12:020d} {'0' * 64} {'0' * 64}"])
def test_a_copy_that_was_changed_is_found(chained: Database, witness: Path, content: str) -> None:
    witness.write_text(content, encoding="utf-8")
    with chained.reading() as session:
        faults = Audit(KEY, witness).verify(session)
    assert faults == (Fault(10, "the copy of the head in the home was changed"),)


def test_a_home_that_cannot_be_written_keeps_its_audit_all_the_same(chained: Database, tmp_path: Path) -> None:
    nowhere = Audit(KEY, tmp_path / "lost" / "audit.head")
    chained._before_commit = nowhere.add_pending
    with chained.writing() as session:
        audit_log.record(session, 1, "ada", "tape.play", "tape")
    with chained.reading() as session:
        assert nowhere.verify(session) == ()


def test_a_copy_that_is_missing_is_a_fault(chained: Database, witness: Path) -> None:
    witness.unlink()
    with chained.reading() as session:
        assert Audit(KEY, witness).verify(session) == (Fault(10, "the copy of the head in the home is missing"),)


def test_a_fresh_home_has_its_copy_from_the_start(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "audit.head"
    fresh = Audit(KEY, path, watches=True)
    with database.reading() as session:
        assert fresh.verify(session) == ()
        fresh.write_witness(session)
        assert path.read_text().startswith("0" * 20)
        assert fresh.verify(session) == ()
    database._before_commit = fresh.add_pending
    with database.writing() as session:
        audit_log.record(session, 1, "ada", "tape.play")
    with database.reading() as session:
        assert fresh.verify(session) == ()
        assert [row.action for row in audit_log.latest(session, 9)] == ["tape.play"]


@pytest.mark.parametrize(
    ("way", "what"),
    [
        ("missing", "the copy of the head in the home was missing when this row was written"),
        ("changed", "the copy of the head in the home had been changed when this row was written"),
        ("set back", "the database had been set back to an earlier state when this row was written"),
    ],
)
def test_the_next_row_hides_nothing(chained: Database, witness: Path, way: str, what: str) -> None:
    """Else whoever sets the audit back waits for the next row, which writes the copy anew."""
    if way == "missing":
        witness.unlink()
    elif way == "changed":
        witness.write_text("7")
    home = Audit(KEY, witness, watches=True)
    chained._before_commit = home.add_pending
    for number in range(2):
        with chained.writing() as session:
            audit_log.record(session, number, "ada", "tape.play", "tape")
    with chained.reading() as session:
        assert home.verify(session) == (Fault(11, what),)
        assert [row.action for row in audit_log.latest(session, 3)] == [audit_log.GAP, "tape.play", "tape.play"]
    with chained.writing() as session:
        audit_log.record(session, 3, "ada", audit_log.ACCEPTED)
    with chained.reading() as session:
        assert home.verify(session) == ()


def test_an_audit_that_was_set_back_with_its_copy_is_found_by_a_head_from_elsewhere(
    chained: Database, tmp_path: Path
) -> None:
    path = tmp_path / "audit.head"
    home = Audit(KEY, path)
    with chained.reading() as session:
        early, before = home.head(session), session.get_one(AuditHead, 1)
        home.write_witness(session)
    copy = path.read_text()
    chained._before_commit = home.add_pending
    with chained.writing() as session:
        audit_log.record(session, 50, "eve", "tape.play", "tape")
    with chained.reading() as session:
        late = home.head(session)
        assert (late.seq, late.at) == (11, 50)
        assert home.verify(session, [("a", early), ("b", late)]) == ()
    back = f"UPDATE audit_head SET seq = 10, hash = '{before.hash}', mac = '{before.mac}'"
    tamper(chained, "DELETE FROM audit WHERE seq > 10", back)
    path.write_text(copy)
    with chained.reading() as session:
        assert home.verify(session) == ()
        assert home.verify(session, [("a", early), ("b", late)]) == (
            Fault(11, "is not the row that b names: the audit was set back to an earlier state"),
        )
    with chained.writing() as session:
        audit_log.record(session, 60, "eve", "tape.play", "another")  # the number is taken again, by another row
    with chained.reading() as session:
        assert [fault.seq for fault in home.verify(session, [("b", late)])] == [11]


@pytest.mark.parametrize(("at", "count"), [(49, 1), (50, 0), (51, 0)])
@pytest.mark.parametrize("action", [audit_log.ACCEPTED, audit_log.RESTORED])
def test_heads_from_before_a_restore_are_no_fault(chained: Database, at: int, count: int, action: str) -> None:
    home = Audit(KEY)
    chained._before_commit = home.add_pending
    with chained.writing() as session:
        audit_log.record(session, at, None, action)
    lost = LogHead(99, "0" * 64, 50, home._mac(99, f"{'0' * 64} 50"))
    with chained.reading() as session:
        assert len(home.verify(session, [("b", lost)])) == count


def test_a_head_that_was_made_up_is_a_fault(chained: Database) -> None:
    home = Audit(KEY)
    with chained.reading() as session:
        head = home.head(session)
        for wrong in (replace(head, seq=9), replace(head, at=0), replace(head, hash="0" * 64), replace(head, mac="")):
            assert [fault.what for fault in home.verify(session, [("b", wrong)])] == [
                "b names a head that this home did not sign"
            ]


@pytest.mark.parametrize(
    "facts", [None, 1, [], {}, {"seq": "1", "hash": "", "at": 1, "mac": ""}, {"seq": 1, "hash": ""}]
)
def test_what_is_no_head_is_none(facts: object) -> None:
    assert LogHead.of(facts) is None


def test_a_head_comes_back_from_json(chained: Database) -> None:
    with chained.reading() as session:
        head = Audit(KEY).head(session)
    assert LogHead.of(json.loads(json.dumps(head.facts()))) == head


@pytest.mark.parametrize("change", ["source = NULL", "source = '192.0.2.9'", "times = NULL", "times = 4"])
def test_where_a_request_came_from_and_counts_are_part_of_the_chain(chained: Database, change: str) -> None:
    with chained.writing() as session:
        audit_log.record(session, 1, "ada", "refuse", source="192.0.2.1", times=3)
    with chained.reading() as session:
        assert Audit(KEY).verify(session) == ()
    tamper(chained, f"UPDATE audit SET {change} WHERE seq = 11")
    assert [fault.what for fault in faults(chained)] == ["was edited"]
    tamper(
        chained,
        "UPDATE audit SET source = '192.0.2.1', times = 3 WHERE seq = 11",
        f"UPDATE audit SET {change.replace('NULL', '0')} WHERE seq = 3",
    )
    assert Fault(3, "was edited") in faults(chained)
