"""Decoding under attack: a hostile file gets its code, soon and in little memory, and nothing else is reached."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import CODES
from tests import hostile

Outcomes = dict[str, dict[str, str | float]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """One process that decodes them all: it lives to the end, and its memory is that of nothing else."""
    folder = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "tests.hostile", str(folder)]
    result = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {line["name"]: line for line in lines}


def test_there_are_enough_hostile_files() -> None:
    assert len({case.name for case in hostile.CASES}) == len(hostile.CASES) >= 40


@pytest.mark.engines
@pytest.mark.parametrize("case", hostile.CASES, ids=lambda case: case.name)
def test_a_hostile_file_gets_its_code_soon_and_in_little_memory(case: hostile.Case, outcomes: Outcomes) -> None:
    outcome = outcomes[case.name]
    assert outcome["code"] == case.code, outcome["message"]
    assert outcome["seconds"] < 10
    assert outcome["own"] + outcome["child"] < 600


def test_the_set_meets_every_code_that_a_file_can_cause() -> None:
    caused = {case.code.removeprefix("TR-") for case in hostile.CASES} - {hostile.DECODED}
    others = {
        "A16": "in test_track_choice",
        "A17": "in test_assembly",
        "A18": "in test_assembly",
        "A19": "in test_devices",
        "A11": "asked for by the user",
        "A14": "in test_decoder",
        "A15": "in test_decoder",
    }
    assert caused | set(others) == {code for code in CODES if code.startswith("A")}


@pytest.mark.engines
def test_messages_name_the_recording_and_never_the_canary(outcomes: Outcomes) -> None:
    for name, outcome in outcomes.items():
        assert outcome["code"] == hostile.DECODED or f"recording {name} " in str(outcome["message"])
        assert hostile.CANARY not in str(outcome["message"]).replace(name, "")


CONFINED = """
import json, os, socket, sys
from pipeline.audio import decoder_process
from pipeline.audio.decoder import DecodeRequest
outcome = os.dup(1)
decoder_process.confine(DecodeRequest("mov", 0, 1, (), 0, 1, 5, 400 << 20))
outcomes = {}
for name, attempt in {
    "file": lambda: open("/dev/null"),
    "folder": lambda: os.listdir("/"),
    "socket": lambda: socket.socket(),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "pipe": lambda: os.pipe(),
    "copy": lambda: os.dup(0),
    "memory": lambda: bytearray(500 << 20),
    "write": lambda: os.write(int(sys.argv[1]), b"x" * 10),
}.items():
    try:
        attempt()
        outcomes[name] = "allowed"
    except (OSError, MemoryError, ValueError) as error:
        outcomes[name] = type(error).__name__
os.write(outcome, json.dumps(outcomes).encode())
"""


def test_the_decoder_can_open_no_file_and_no_socket_and_take_no_more_memory(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        command = [sys.executable, "-c", CONFINED, str(file.fileno())]
        result = subprocess.run(command, capture_output=True, check=True, pass_fds=[file.fileno()])
    outcomes = json.loads(result.stdout)
    refused = dict.fromkeys(["file", "folder", "socket", "unix", "pipe", "copy", "write"], "OSError")
    assert outcomes == refused | {"memory": "MemoryError"}


def test_the_decoder_loads_no_engine() -> None:
    code = (
        "import sys; from pipeline.audio import decoder_process; "
        "print(*{'torch', 'scipy', 'pandas', 'spacy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
