"""Plaintext lies in one folder, for as long as it is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.private import PrivateFolders, in_memory

MEMORY = Path("/dev/shm")  # noqa: S108

HOLD = """
import signal, sys, time
from pathlib import Path
from pipeline.tapes.private import PrivateFolders
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs behind it without
with PrivateFolders(Path(sys.argv[1])).folder() as place:
    (place / "speech").write_text("what was said")
    print(place, flush=True)
    time.sleep(600)
"""


def holding(home: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that holds a private folder with something in it."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def assert_goes(path: Path) -> None:
    """It goes as soon as the watcher sees a pipe closed; a minute is for a machine that is slow to let it run."""
    deadline = time.monotonic() + 60
    while path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def folders(tmp_path: Path):
    made = PrivateFolders(tmp_path)
    yield made
    made.close()
    assert not made.root.exists()


def test_folder_is_the_owners_alone_and_gone_afterwards(folders: PrivateFolders) -> None:
    with folders.folder() as place:
        (place / "deep").mkdir()
        (place / "deep" / "speech").write_text("what was said")
        assert all(each.stat().st_mode & 0o777 == 0o700 for each in (place, place.parent, folders.root))
    assert not place.exists()


def test_folder_is_gone_after_a_failure_even_if_its_permissions_were_taken(folders: PrivateFolders) -> None:
    with pytest.raises(RuntimeError), folders.folder() as place:
        (place / "shut").mkdir()
        (place / "shut" / "speech").write_text("what was said")
        (place / "shut").chmod(0)
        raise RuntimeError("the stage failed")
    assert not place.exists()


@pytest.mark.skipif(not in_memory(MEMORY), reason="there is no file system in memory here")
def test_folder_lies_in_memory_where_that_is_possible(folders: PrivateFolders) -> None:
    assert in_memory(folders.root.parent)


def test_folder_lies_in_the_home_where_there_is_no_memory(tmp_path: Path) -> None:
    folders = PrivateFolders(tmp_path, places=())
    with folders.folder() as place:
        assert place.is_relative_to(tmp_path / "private")
    folders.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_folder_of_a_killed_process_is_gone_at_once(tmp_path: Path, how: signal.Signals) -> None:
    process, place = holding(tmp_path)
    assert (place / "speech").exists()
    process.send_signal(how)
    assert_goes(place.parent)
    process.communicate()


def test_sweep_removes_what_the_dead_left_and_nothing_of_the_living(tmp_path: Path, folders: PrivateFolders) -> None:
    process, place = holding(tmp_path)
    with folders.folder() as mine:
        stale = folders.root / "4711-00000000"
        (stale / "work").mkdir(parents=True)
        (stale / "work" / "speech").write_text("what was said")
        assert folders.sweep() == 1
        assert not stale.exists()
        assert (place / "speech").exists()
        assert mine.exists()
    process.kill()
    process.communicate()
    assert_goes(place.parent)


@pytest.mark.parametrize(
    "spoil", [lambda root: root.chmod(0o755), lambda root: os.chown(root, 12345, -1)], ids=["open", "foreign"]
)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_root_that_is_not_ours_alone_is_refused(tmp_path: Path, spoil) -> None:
    folders = PrivateFolders(tmp_path, places=())
    folders.root.mkdir(mode=0o700)
    spoil(folders.root)
    with pytest.raises(VaultError, match="TR-V09"), folders.folder():
        pass


def test_a_link_in_the_place_of_the_root_is_refused(tmp_path: Path) -> None:
    folders = PrivateFolders(tmp_path, places=())
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folders.root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError, match="TR-V09"), folders.folder():
        pass


def test_a_fork_has_folders_of_its_own(folders: PrivateFolders) -> None:
    with folders.folder() as mine:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with folders.folder() as theirs:
                os.write(writer, str(theirs).encode())
            folders.close()
            os._exit(0)
        os.waitpid(child, 0)
        theirs = Path(os.read(reader, 1000).decode())
        os.close(reader)
        os.close(writer)
        assert theirs.parent != mine.parent
        assert_goes(theirs.parent)
        assert mine.exists()
