"""The doctor's look at a home: there is none, it cannot be opened, or each of its parts has its findings."""

from __future__ import annotations

import pytest

from pipeline.errors import JobError
from pipeline.settings import TapesSettings
from pipeline.tapes.checks import home as doctor
from pipeline.tapes.checks import jobs
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON


def test_no_home_is_no_fault_and_says_how_to_make_one(tapes_settings: TapesSettings) -> None:
    (finding,) = doctor.check(tapes_settings, NOON)
    assert (finding.what, finding.fine) == ("home", True)
    assert "tape-review init" in finding.state


def test_a_home_that_cannot_be_opened_is_the_only_finding(home: Home) -> None:
    (home.keys_folder / "audit.key").write_bytes(b"cut")
    (finding,) = doctor.check(home.settings, NOON)
    assert not finding.fine
    assert finding.state.startswith("TR-K")
    assert finding.remedy


def test_a_queue_that_cannot_be_used_leaves_the_other_findings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise JobError("J05", "queue", "cannot be used (locked)", "try again")

    whole = doctor.check(home.settings, NOON)
    monkeypatch.setattr(jobs, "check", unreachable)
    findings = doctor.check(home.settings, NOON)
    assert [finding.what for finding in findings[:-1]] == [finding.what for finding in whole[: len(findings) - 1]]
    assert (findings[-1].what, findings[-1].fine, findings[-1].remedy) == ("jobs", False, "try again")
