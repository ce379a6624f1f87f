"""`tape-review group`: who learns with whom, in which role."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calls import ADA, output, refused


def test_somebody_joins_coordinates_and_leaves(with_ada: Path) -> None:
    output(with_ada, "group", "add", "Thursday group")
    assert "1 member; 7 to 15 work best" in output(with_ada, "group", "join", "Thursday group", ADA)
    assert ADA in output(with_ada, "group", "list")
    output(with_ada, "group", "role", "Thursday group", ADA, "coordinator")
    assert "Thursday group (coordinator)" in output(with_ada, "person", "list")
    output(with_ada, "group", "leave", "Thursday group", ADA)
    assert ADA not in output(with_ada, "group", "list")
    assert "6 rows, none was edited, dropped or swapped" in output(with_ada, "audit", "verify")


def test_a_group_that_is_not_there_is_named(with_ada: Path) -> None:
    assert refused(with_ada, "group", "join", "Friday group", ADA).startswith("TR-K07")
    assert "1 rows" in output(with_ada, "audit", "verify")
