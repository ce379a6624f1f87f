"""What many tests share: the demo tape, made once a process as a user would, where only this machine can be reached."""

from __future__ import annotations

import fcntl
import functools
import gc
import importlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import typer.testing
from sqlalchemy import Engine, event

from tests.guard import guarded
from tests.warm_children import WarmEntry

os.environ["TZ"] = "UTC"  # days end when they end where the machine is; tests say so where they mean another zone
time.tzset()

TESTS = Path(__file__).parent
EXAMPLES = int(os.environ.get("TAPE_REVIEW_EXAMPLES", "40"))
"""How many examples are drawn for a property that does not say; CI draws more."""

hypothesis.settings.register_profile("here", deadline=None, max_examples=EXAMPLES)  # a busy machine is no bug
hypothesis.settings.load_profile("here")


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled code beside its source, as Python does unless told otherwise: to compile all tests and modules anew
    takes each process ten seconds, and each child its share. Where pytest may keep no cache, Python may not either."""
    if config.pluginmanager.has_plugin("cacheprovider"):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """Look for cycles seldom, and never among what was imported: to go through millions of such objects again and again
    takes a third of the time of a test of the review room."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of minutes that test the whole job, so that none of them is left over for one core alone."""
    whole = {item.path for item in items if item.path.parent == TESTS and item.get_closest_marker("engines")}
    items.sort(key=lambda item: item.path not in whole)


@event.listens_for(Engine, "connect")
def _no_power_cut(connection: object, _: object) -> None:
    """Wait for no disk: what a test writes in this process need not be there after a power cut."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session", autouse=True)
def _no_power_cut_for_files() -> Iterator[None]:
    """As above for the files that a test writes: what is forced to the disk is tested where `os.fsync` is replaced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _commands_built_once() -> Iterator[None]:
    """Typer reads the signature of every verb anew for each call, which takes longer than most calls do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", functools.cache(typer.main.get_command))
        yield


WARM = (
    ("pipeline.audio.decoder", "from pipeline.audio import decoder_process; decoder_process._import_all()"),
    ("pipeline.formats.transcript_process", "from pipeline.formats import transcript_process"),
    ("pipeline.formats.parquet", "from pipeline.formats import parquet; import pyarrow.parquet"),
)
"""Modules that start a child, and what it imports."""


@pytest.fixture(scope="session", autouse=True)
def _warm_children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Children that read a stranger's file need not import everything anew each time; see `tests.warm_children`."""
    entries = []
    with pytest.MonkeyPatch.context() as patch:
        for name, imports in WARM if hasattr(os, "pidfd_open") else ():
            module = importlib.import_module(name)
            entries.append(WarmEntry(module._ENTRY, imports, tmp_path_factory.mktemp("warm")))
            patch.setattr(module, "_ENTRY", entries[-1])
        yield
    for entry in entries:
        entry.close()


@pytest.fixture
def cold_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children start as the program starts them."""
    for name, _ in WARM:
        module = importlib.import_module(name)
        if isinstance(module._ENTRY, WarmEntry):
            monkeypatch.setattr(module, "_ENTRY", module._ENTRY.entry)


RECORDINGS = TESTS / "recordings"


def recording(name: str) -> Path:
    """The sound file of one of our recordings."""
    return next(path for path in RECORDINGS.glob(f"{name}.*") if path.suffix in {".ogg", ".flac", ".wav"})


def tape_review(*arguments: str) -> list[str]:
    """The command line of `tape-review` with the interpreter that runs the tests."""
    return [sys.executable, "-m", "pipeline.cli.main", *arguments]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the processed demo recording; fails where the run tried to leave the machine.

    Processes that share the tests share it: whoever comes second waits for it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "tape").exists():
            _process_demo(folder)
    return folder / "tape"


def _process_demo(folder: Path) -> None:
    command = tape_review("process", str(recording("roleplay-alcohol")), "--out", str(folder / "tape"))
    attempts = folder / "attempts"
    done = guarded([*command, "--target-behavior", "drinking less alcohol"], attempts)
    assert done.returncode == 0, done.stderr
    assert attempts.read_text() == ""
    assert done.stdout.rstrip().endswith("report.html")
