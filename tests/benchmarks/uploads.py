"""A recording of nearly two gigabytes, sent to a served room and cut: how long it takes, and how much memory and disk.

``python -m tests.benchmarks.uploads [MB]``. The sound is made while it is sent, in pieces of 4 MB as the page sends
them; the server has a process of its own. Memory is that of the server with its decoder, disk that of the home.
"""

from __future__ import annotations

import multiprocessing
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
import soxr
from sqlalchemy import select

from pipeline import settings
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.review.auth.current_user import SESSION
from pipeline.review.upload.chunked_uploads import PIECE
from pipeline.run.engines import Engines
from pipeline.run.progress import ignore
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Job
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, steps
from tests.audio.sessions import leaking, voices
from tests.benchmarks import coders
from tests.review.coding import server
from tests.review.conftest import Room, home_settings
from tests.review.upload.test_chunked_uploads import FORM
from tests.tapes.conftest import FakeClock

MB = 1_000_000
RATE = 48_000
_BYTES_A_SECOND = RATE * 4


@dataclass
class Watched:
    """Seconds that a part of the walk took, and the most memory and disk in use meanwhile, in MB."""

    seconds: float = 0.0
    memory: float = 0.0
    disk: float = 0.0

    def __str__(self) -> str:
        """The figures, in one line."""
        return f"{self.seconds:6.1f} s  memory {self.memory:6.0f} MB  disk {self.disk:6.0f} MB"


@contextmanager
def watched(what: str, folder: Path, process: psutil.Process) -> Iterator[None]:
    """Watch the home's folder, and a process with its children, several times a second; print the most of both."""
    peak, stop, begun = Watched(), threading.Event(), time.perf_counter()

    def look() -> None:
        while not stop.wait(0.1):
            peak.memory = max(peak.memory, _memory(process) / MB)
            peak.disk = max(peak.disk, _disk(folder) / MB)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        peak.seconds = time.perf_counter() - begun
        print(f"{what:10} {peak}", flush=True)


def _memory(process: psutil.Process) -> int:
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def _disk(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:
            continue
    return total


def pieces(size: int) -> Iterator[bytes]:
    """A WAV file of ``size`` bytes: two people with a microphone each, the same minute again and again."""
    minute = soxr.resample(leaking(voices(60), -20).T, SAMPLE_RATE, RATE)
    sound = (np.clip(minute, -1, 1) * 32_767).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, RATE, _BYTES_A_SECOND, 4, 16)
    head = struct.pack("<4sI4s", b"RIFF", size - 8, b"WAVE") + form + struct.pack("<4sI", b"data", size - 44)
    waiting = bytearray(head)
    left = size
    while left:
        while len(waiting) < min(PIECE, left):
            waiting += sound
        piece = bytes(waiting[: min(PIECE, left)])
        del waiting[: len(piece)]
        left -= len(piece)
        yield piece


def walk(folder: Path, megabytes: int) -> None:
    """Send a recording, look at it, choose twenty minutes near its end, and cut them out."""
    size = megabytes * MB // 4 * 4
    home, port = Home.create(home_settings(folder)), server.free_port()
    room = Room(home, FakeClock(now()))
    address = f"http://127.0.0.1:{port}"
    room.app = coders._application(home, address)
    group = room.group()
    cookie = room.app.state.context.sessions.start(room.person("Ada", group), now(), second_factor=True)
    with coders._apart(folder, port), httpx.Client(base_url=address, cookies={SESSION: cookie}, timeout=600) as client:
        process = psutil.Process(multiprocessing.active_children()[0].pid)
        page = client.get("/account", headers={"accept": "text/html"}).text
        token = page.partition('name="csrf" content="')[2].partition('"')[0]
        form = FORM | {"csrf": token, "group_id": group, "group_ids": [group], "destroy_by": "2099-12-31"}
        tape = client.post("/tapes", data=form).headers["location"].split("/")[2]
        at = 0
        content = pieces(size)
        with watched("send", folder, process):
            for piece in content:
                if at + len(piece) == size:
                    break
                _put(client, token, tape, at, piece, size)
                at += len(piece)
        with watched("look over", folder, process):
            answer = _put(client, token, tape, at, piece, size)
        assert answer["done"], answer
        last = size // _BYTES_A_SECOND
        part = {"csrf": token, "start": _clock(max(0, last - 1200)), "end": _clock(last), "speakers": "2"}
        assert client.post(f"/tapes/{tape}/part", data=part).status_code == 303
    home.close()
    worker = multiprocessing.get_context("spawn").Process(target=_cut, args=(folder,))
    worker.start()
    with watched("cut", folder, psutil.Process(worker.pid)):
        worker.join()
    assert worker.exitcode == 0
    print(f"{'afterward':10} {Watched(disk=_disk(folder) / MB)}")


def _put(client: httpx.Client, token: str, tape: str, at: int, piece: bytes, size: int) -> dict[str, object]:
    headers = {"X-CSRF-Token": token, "Upload-Offset": str(at), "Upload-Length": str(size)}
    answer = client.put(f"/uploads/{tape}", content=piece, headers=headers)
    assert answer.status_code == 200, answer.text
    result: dict[str, object] = answer.json()
    return result


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _cut(folder: Path) -> None:
    """The first step of the job, as a worker does it."""
    home = Home.open(home_settings(folder))
    with home.database.reading() as session:
        job_id = session.scalars(select(Job.id)).one()
    with home.database.writing() as session:
        job_state.begin(session, job_id, "decode", now(), 9)
    steps.perform(home, settings.load().settings, Engines, job_id, "decode", ignore, now)
    home.close()


def main() -> None:
    """Print a line for each part of the walk."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1990
    with tempfile.TemporaryDirectory() as folder:
        walk(Path(folder) / "home", megabytes)


if __name__ == "__main__":
    main()
