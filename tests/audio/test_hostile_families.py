"""Forty hostile files of each family of containers: each ends soon, in little memory, with sound or a code of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import CODES
from tests import hostile, hostile_families


@pytest.mark.parametrize("family", hostile_families.FAMILIES)
def test_a_family_has_forty_hostile_files(family: str) -> None:
    cases = hostile_families.cases(family)
    assert len({case.name for case in cases}) == len(cases) >= 40


@pytest.mark.engines
@pytest.mark.parametrize("family", hostile_families.FAMILIES)
def test_hostile_files_of_a_family_end_soon_and_reach_nothing(family: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile_families", str(tmp_path), family]
    result = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(outcomes) == len(hostile_families.cases(family))
    for outcome in outcomes:
        code = str(outcome["code"])
        assert code == hostile.DECODED or code.removeprefix("TR-") in CODES, outcome
        assert code != "TR-A15", outcome
        assert outcome["seconds"] < 20, outcome
        assert outcome["own"] + outcome["child"] < 700, outcome
        assert hostile.CANARY not in str(outcome["message"])
