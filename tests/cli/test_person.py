"""`tape-review person`: who is here, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calls import ADA, output, refused

BEN = "ben@example.org"


def test_a_person_comes_is_disabled_and_comes_back(with_ada: Path) -> None:
    output(with_ada, "person", "add", BEN, "--name", "Ben", "--as", ADA)
    assert output(with_ada, "audit", "list", "--person", ADA).count("person.add") == 1
    output(with_ada, "person", "disable", BEN)
    assert "disabled" in output(with_ada, "person", "list")
    output(with_ada, "person", "enable", BEN)
    assert "disabled" not in output(with_ada, "person", "list")
    assert "person.enable" in output(with_ada, "audit", "list", "--last", "1")


def test_a_link_and_a_lifted_second_step_by_command(with_ada: Path) -> None:
    path = output(with_ada, "person", "link", ADA, "--as", ADA).strip()
    assert path.startswith("http://127.0.0.1:8787/invitation/")
    assert "link.make" in output(with_ada, "audit", "list", "--last", "1")
    assert "has no second step" in refused(with_ada, "person", "lift-second-step", ADA)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("disable", ADA), "TR-K09"),
        (("disable", "zoe@example.org"), "TR-K07"),
        (("add", ADA, "--name", "Ada"), "TR-K08"),
        (("add", "eve@example.org", "--name", "Eve", "--as", "zoe@example.org"), "TR-K07"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(with_ada: Path, arguments: tuple[str, ...], code: str) -> None:
    assert refused(with_ada, "person", *arguments).startswith(code)
    assert "1 rows" in output(with_ada, "audit", "verify")
