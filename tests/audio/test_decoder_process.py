"""Decoding under attack: a hostile file gets its code, soon and in little memory, and nothing else is reached."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.audio import decoder
from pipeline.audio.sniff import MP4
from pipeline.errors import CODES, AudioError
from pipeline.run.progress import ignore
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
    caused = {case.code.removeprefix("TR-") for case in hostile.CASES}
    others = {"A11": "asked for by the user", "A14": "below", "A15": "below"}
    assert caused | set(others) == {code for code in CODES if code.startswith("A")}


@pytest.mark.engines
def test_messages_name_the_recording_and_never_the_canary(outcomes: Outcomes) -> None:
    for name, outcome in outcomes.items():
        assert f"recording {name} " in str(outcome["message"])
        assert hostile.CANARY not in str(outcome["message"]).replace(name, "")


CONFINED = """
import json, os, socket, sys
from pipeline.audio import decoder_process
from pipeline.audio.decoder import Request
outcome = os.dup(1)
decoder_process.confine(Request("av", "mov", 0, 1, 5, 400 << 20))
said = {}
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
        said[name] = "allowed"
    except (OSError, MemoryError, ValueError) as error:
        said[name] = type(error).__name__
os.write(outcome, json.dumps(said).encode())
"""


def test_the_decoder_can_open_no_file_and_no_socket_and_take_no_more_memory(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        command = [sys.executable, "-c", CONFINED, str(file.fileno())]
        result = subprocess.run(command, capture_output=True, check=True, pass_fds=[file.fileno()])
    said = json.loads(result.stdout)
    refused = dict.fromkeys(["file", "folder", "socket", "unix", "pipe", "copy", "write"], "OSError")
    assert said == refused | {"memory": "MemoryError"}


def _decode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str, seconds: int = 5) -> AudioError:
    """What comes of a decoder that does as ``entry`` says once it is ready."""
    monkeypatch.setattr(decoder, "_ENTRY", READY + entry)
    path = tmp_path / "sound"
    path.write_bytes(b"sound")
    request = decoder.Request(MP4.reader, MP4.key, 0, 1000, seconds, 400 << 20)
    with path.open("rb") as file, pytest.raises(AudioError) as caught:
        decoder.decode(file.fileno(), request, "recording x", ignore)
    return caught.value


READY = """
import os, time
from multiprocessing.connection import Connection
p = Connection(os.dup(1))
p.send_bytes(b'J{"ready": true}')
"""
FOUND = 'p.send_bytes(b\'J{"found": {"codec": "x", "sample_rate": 16000, "channels": 1, "declared": null}}\'); '


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("os.abort()", "TR-A15"),
        ("os.kill(os.getpid(), 11)", "TR-A15"),
        ("os._exit(0)", "TR-A15"),
        ("os.kill(os.getpid(), 24)", "TR-A14"),
        ("time.sleep(60)", "TR-A14"),
        (FOUND + "[p.send_bytes(b'S' + bytes(60_000)) for _ in range(100)]", "TR-A15"),
        ("p.send_bytes(bytes(2_000_000))", "TR-A15"),
        ("p.send_bytes(b'Jnonsense'); time.sleep(60)", "TR-A15"),
        ("p.send_bytes(b'J{}')", "TR-A15"),
        ('p.send_bytes(b\'J{"refused": ["A99", "", ""]}\')', "TR-A15"),
        ("p.send_bytes(b'J{\"refused\": 5}')", "TR-A15"),
    ],
)
def test_a_decoder_that_dies_hangs_or_raves_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str, code: str
) -> None:
    monkeypatch.setattr(decoder, "STALL_SECONDS", 1.0)
    assert _decode(monkeypatch, tmp_path, entry).code == code


def test_a_decoder_that_never_ends_is_stopped_by_the_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = FOUND + "[(p.send_bytes(b'S'), time.sleep(0.05)) for _ in range(10_000)]"
    assert _decode(monkeypatch, tmp_path, entry, seconds=1).code == "TR-A14"


def test_a_decoder_that_cannot_start_is_our_mistake_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decoder, "_ENTRY", "import no_such_module")
    request = decoder.Request(MP4.reader, MP4.key, 0, 1000, 5, 400 << 20)
    with (tmp_path / "sound").open("w+b") as file, pytest.raises(RuntimeError, match="no_such_module"):
        decoder.decode(file.fileno(), request, "recording x", ignore)


def test_the_decoder_inherits_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    entry = 'import json; p.send_bytes(b"J" + json.dumps({"refused": ["A05", " ".join(os.environ), ""]}).encode())'
    error = _decode(monkeypatch, tmp_path, entry)
    assert "SECRET" not in error.value
    assert "OMP_NUM_THREADS" in error.value


def test_the_decoder_loads_no_engine() -> None:
    code = (
        "import sys; from pipeline.audio import decoder_process; "
        "print(*{'torch', 'scipy', 'pandas', 'spacy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
