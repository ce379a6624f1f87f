"""Followers of one who leads: ``python -m tests.benchmarks.followers --minutes 20``, as long as a session.

Six members follow over HTTP on streams of their own, while one moves on every two seconds. It measures the time from
the moment at which the place is sent until each follower has it. Halfway the server is gone for ten seconds, and begins
anew with an empty memory: all must come back to the place. The load is bounded, by time.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from pipeline.review.auth.current_user import SESSION
from pipeline.review.consensus.live_routes import STREAM
from pipeline.review.middleware.connection import Connection
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from tests.review.coding import shelf
from tests.review.conftest import Room, created, home_settings
from tests.tapes.conftest import FakeClock

FOLLOWERS = 6
PERIOD = 2.0
"""Seconds between two places."""
BREAK = 10.0
"""Seconds for which the server is gone."""
FLOOR_MS = 300.0


@dataclass
class Followed:
    """What came out: each arrival's time in ms, how many were lost, and who came back after the break."""

    times: list[float] = field(default_factory=list)
    sent: int = 0
    lost: int = 0
    back: int = 0

    def percentile(self, share: float) -> float:
        """The time within which this share of the places arrived."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Page:
    """A page that follows in a thread, and opens its stream again whenever it is lost."""

    def __init__(self, address: str, cookie: str) -> None:
        self.arrived: dict[int, float] = {}
        self.is_over = False
        self._address, self._cookie = address, cookie
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        headers = {"Accept": STREAM, "X-Unattended": "1"}
        while not self.is_over:
            try:
                with httpx.stream(
                    "GET", self._address, headers=headers, cookies={SESSION: self._cookie}, timeout=10
                ) as answer:
                    for line in answer.iter_lines():
                        if line.startswith("data: "):
                            self.arrived.setdefault(json.loads(line[6:])["time"], time.monotonic())
            except httpx.HTTPError:
                pass
            time.sleep(0.25)  # as the page waits


@contextmanager
def serving(home: Home, address: str, port: int) -> Iterator[None]:
    """A server that begins with an empty memory, and ends its streams."""
    app = created(home, FakeClock(now()), address=address)
    config = uvicorn.Config(
        *(app,), port=port, http=Connection, loop="asyncio", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join(20)


def follow(folder: Path, seconds: float, pause: float = BREAK, period: float = PERIOD) -> Followed:
    """Let members follow for so long, with a break of the server in the middle."""
    home, followed = Home.create(home_settings(folder)), Followed()
    room = Room(home, FakeClock(now()))
    address, port = room.addressed()
    group = room.group()
    people = [room.person(f"P{number}", group) for number in range(FOLLOWERS + 1)]
    tape = shelf.put_tape(home, group, people[0], room.clock(), 60, 20.0)
    for person in people:  # each has locked a pass, so that nobody is blind
        browser = room.signed_in(person)
        began = browser.post(f"/tapes/{tape}/coding", {"task": "all", "codebook": "pretags"}).headers["location"]
        browser.post(f"{began}/lock")
    cookies = [room.signed_in(person).client.cookies[SESSION] for person in people]
    url = f"{address}/tapes/{tape}/together/live"
    places = max(2, int(seconds / period))

    def places_of(client: httpx.Client, numbers: range) -> None:
        for number in numbers:
            body = {"codebook": "pretags", "action": "place", "utterance_id": "u0001", "time": number + 1}
            started = time.monotonic()
            answer = client.post(url, json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            time.sleep(max(0.0, period - (time.monotonic() - started)))
            for page in pages:
                arrived = page.arrived.get(number + 1)
                followed.sent += 1
                if arrived is None:
                    followed.lost += 1
                else:
                    followed.times.append(1000 * (arrived - started))

    leader: dict[str, Any] = {"cookies": {SESSION: cookies[0]}, "timeout": 10}
    headers = {"X-CSRF-Token": room.app.state.context.sessions.find(cookies[0], room.clock()).csrf}
    with serving(home, address, port), httpx.Client(**leader) as client:
        pages = [Page(f"{url}?codebook=pretags", cookie) for cookie in cookies[1:]]
        while client.get(url, params={"codebook": "pretags"}).json()["here"] < FOLLOWERS:
            time.sleep(0.05)
        places_of(client, range(places // 2))
    time.sleep(pause)
    for page in pages:
        page.arrived.pop(places // 2, None)
    with serving(home, address, port), httpx.Client(**leader) as client:
        # The page of whoever led sends its place again as soon as its own stream is back.
        body = {"codebook": "pretags", "action": "place", "utterance_id": "u0001", "time": places // 2}
        client.post(url, json=body, headers=headers)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not all(places // 2 in page.arrived for page in pages):
            time.sleep(0.05)
        followed.back = sum(places // 2 in page.arrived for page in pages)
        places_of(client, range(places // 2, places))
        for page in pages:
            page.is_over = True
    home.close()
    return followed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.followers")
    parser.add_argument("--minutes", type=float, default=2.0, help="of following, besides the break; a session has 20")
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())  # it reports each stream that the break ends
    with tempfile.TemporaryDirectory() as temporary:
        result = follow(Path(temporary) / "home", 60 * parser.parse_args().minutes)
    print(
        f"{result.sent} places at {FOLLOWERS} followers: {result.lost} lost, p50 {result.percentile(0.5):.0f} ms, "
        f"p99 {result.percentile(0.99):.0f} ms (floor {FLOOR_MS:.0f}), "
        f"{result.back} of {FOLLOWERS} back after the break"
    )
    sys.exit(result.lost > 0 or result.percentile(0.99) > FLOOR_MS or result.back < FOLLOWERS)
