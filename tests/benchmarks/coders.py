"""Coders at once on one tape: is a code lost, and how long does storing one take? ``python -m tests.benchmarks.coders``

Each coder is a thread with a connection and a session of its own, sends one code a change to a real server over HTTP,
and pauses as long as told. The load is bounded: it ends after so many codes. The server has a process of its own, so
that what the coders cost is not measured as its own; only the small run of the tests keeps it in a thread.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx
from fastapi import FastAPI
from sqlalchemy import func, select

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import CodeEvent
from pipeline.tapes.home import Home
from tests.review.coding import server, shelf
from tests.review.conftest import QUICK, Room, home_settings
from tests.tapes.conftest import FakeClock

CODES = ("question_open", "question_closed", "reflection_simple", "reflection_complex", "change", "sustain")


@dataclass
class Load:
    """What came out: every answer's time in ms, what was sent, what was stored."""

    times: list[float] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)
    folded: bool = True

    def percentile(self, share: float) -> float:
        """The time within which this share of the answers came."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def load(folder: Path, coders: int, codes: int, pause: float, utterances: int = 100, apart: bool = False) -> Load:
    """Let coders code at once in a fresh home; ``apart`` serves it from a process of its own."""
    home, port, measured = Home.create(home_settings(folder)), server.free_port(), Load()
    room = Room(home, FakeClock(now()))
    address = f"http://127.0.0.1:{port}"
    room.app = _application(home, address)
    group = room.group()
    people = [room.person(f"Coder{number}", group) for number in range(coders)]
    tape = shelf.put_tape(home, group, people[0], now(), utterances, 5)
    cookies = [room.app.state.context.sessions.start(person, now(), second_factor=True) for person in people]
    with _apart(folder, port) if apart else server.serving(room.app, port):
        gate = threading.Barrier(coders)
        work = [
            threading.Thread(
                target=_code, args=(address, tape, cookie, number, codes, pause, utterances, measured, gate)
            )
            for number, cookie in enumerate(cookies)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    with home.database.reading() as session:
        query = select(CodeEvent.pass_id, func.count()).group_by(CodeEvent.pass_id)
        measured.stored = {row[0]: row[1] for row in session.execute(query)}
    home.close()
    return measured


def _application(home: Home, address: str) -> FastAPI:
    return application.create(home, settings.load().settings, clock=now, passwords=QUICK, address=address)


@contextmanager
def _apart(folder: Path, port: int) -> Iterator[None]:
    """The server in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ready, stop = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_serve, args=(folder, port, ready, stop))
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError("the server did not start")
        yield
    finally:
        stop.set()
        process.join(10)


def _serve(folder: Path, port: int, ready: Event, stop: Event) -> None:
    home = Home.open(home_settings(folder))
    with server.serving(_application(home, f"http://127.0.0.1:{port}"), port):
        ready.set()
        stop.wait()
    home.close()


def _code(
    address: str,
    tape: str,
    cookie: str,
    number: int,
    codes: int,
    pause: float,
    utterances: int,
    measured: Load,
    gate: threading.Barrier,
) -> None:
    draw = random.Random(number)
    with httpx.Client(base_url=address, cookies={SESSION: cookie}, timeout=60) as client:
        page = client.get("/account", headers={"accept": "text/html"}).text
        token = page.partition('name="csrf" content="')[2].partition('"')[0]
        form = {"csrf": token, "task": "all", "codebook": "pretags"}
        location = client.post(f"/tapes/{tape}/coding", data=form).headers["location"]
        last: dict[str, list[str]] = {}
        times = []
        gate.wait()
        for at in range(codes):
            where = f"u{draw.randint(1, utterances):04d}"
            change = {"id": f"c{at}", "kind": "code", "utterance_id": where, "codes": [draw.choice(CODES)]}
            begun = time.perf_counter()
            answer = client.post(f"{location}/changes", json={"changes": [change]}, headers={"X-CSRF-Token": token})
            times.append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 200, answer.text
            last[where] = list(change["codes"])
            time.sleep(pause * draw.random() * 2)
        events = client.get(f"{location}/state").json()["events"]
        shown = {event["utterance_id"]: event["codes"] for event in events}
        measured.times += times
        measured.sent[location.rpartition("/")[2]] = codes
        measured.folded = measured.folded and shown == last


def main(coders: int = 15, codes: int = 30) -> None:
    """Print what came out at a coder's pace, and as fast as it goes."""
    for pause in (1.5, 0.0):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            measured = load(Path(folder) / "home", coders, codes, pause, apart=True)
        lost = sum(measured.sent.values()) - sum(measured.stored.values())
        pace = f"every {pause:g} s" if pause else "as fast as it goes"
        print(
            f"{coders} coders, {codes} codes each, one {pace}: {lost} lost, median {measured.percentile(0.5):.0f} ms, "
            f"p95 {measured.percentile(0.95):.0f} ms, p99 {measured.percentile(0.99):.0f} ms, "
            f"longest {max(measured.times):.0f} ms, {time.perf_counter() - begun:.0f} s in all"
        )


if __name__ == "__main__":
    main(*(int(value) for value in sys.argv[1:]))
