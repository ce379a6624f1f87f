"""`tape-review audit`: what it lists, and which edits it finds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.calls import ADA, call, output


def test_verify_names_the_row_that_was_edited(with_ada: Path) -> None:
    with closing(sqlite3.connect(with_ada / "tapes.sqlite3")) as connection, connection:
        connection.execute("DROP TRIGGER audit_refuses_update")
        connection.execute("UPDATE audit SET action = 'person.enable'")
    result = call(with_ada, "audit", "verify")
    assert result.exit_code == 1
    assert "row 1: was edited" in result.output


def test_the_latest_rows_are_listed_newest_last(with_ada: Path) -> None:
    for name in ("First", "Second", "Third"):
        output(with_ada, "group", "add", name, "--as", ADA)
    rows = [line for line in output(with_ada, "audit", "list", "--last", "2").splitlines() if "group.add" in line]
    assert [row.split()[1] for row in rows] == ["3", "4"]


def test_an_audit_that_was_accepted_says_so_in_a_row(with_ada: Path) -> None:
    output(with_ada, "audit", "accept", "--as", ADA)
    assert "audit.accept" in output(with_ada, "audit", "list", "--last", "1")
    assert "2 rows" in output(with_ada, "audit", "verify")
