"""A connection that nobody keeps open without using it; whole servers: attacks/test_second_look_connections.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from pipeline.review.middleware import connection
from pipeline.review.middleware.connection import READ, Connection


class Transport(asyncio.Transport):
    """The network's side: notes whether it was closed or cut off."""

    def __init__(self, host: str) -> None:
        super().__init__({"peername": (host, 1), "sockname": ("127.0.0.1", 2)})
        self.ended = ""

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "cut off"

    def is_closing(self) -> bool:
        return bool(self.ended)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def opened(
    loop: asyncio.AbstractEventLoop, state: ServerState, host: str, kind: type[Connection] = Connection
) -> Transport:
    config = Config(app=lambda *_: None, log_config=None)
    config.load()
    transport = Transport(host)
    kind(config, state, {}, loop).connection_made(transport)
    return transport


def test_it_reads_little_at_a_time(loop: asyncio.AbstractEventLoop) -> None:
    assert opened(loop, ServerState(), "192.0.2.1").max_size == READ  # type: ignore[attr-defined]


def test_one_address_has_so_many_and_its_neighbor_its_own(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST", 2)
    state = ServerState()
    ended = [opened(loop, state, host).ended for host in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2")]
    assert ended == ["", "", "cut off", ""]


def test_of_ipv6_a_network_is_one_sender(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST", 1)
    state = ServerState()
    hosts = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    assert [opened(loop, state, host).ended for host in hosts] == ["", "cut off", ""]


def test_a_proxy_speaks_for_many(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST", 1)
    state, kind = ServerState(), Connection.behind({"192.0.2.1"})
    assert [opened(loop, state, "192.0.2.1", kind).ended for _ in range(3)] == [""] * 3


def test_who_sends_no_request_is_let_go(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD", 0.0)
    transport = opened(loop, ServerState(), "192.0.2.1")
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0.001))
    assert transport.ended == "closed"


@pytest.mark.parametrize(
    ("more_body", "read_paused", "write_paused", "ended"),
    [
        (True, False, False, "cut off"),  # the other side sends nothing of its body
        (True, True, False, ""),  # the application has not taken what came
        (False, False, True, "cut off"),  # the other side takes nothing of the answer
        (False, False, False, ""),  # the application takes its time
    ],
)
def test_only_what_the_other_side_could_move_on_is_ended(
    loop: asyncio.AbstractEventLoop, more_body: bool, read_paused: bool, write_paused: bool, ended: str
) -> None:
    config = Config(app=lambda *_: None, log_config=None)
    config.load()
    made, transport = Connection(config, ServerState(), {}, loop), Transport("192.0.2.1")
    made.connection_made(transport)
    made.cycle = SimpleNamespace(response_complete=False, more_body=more_body, body=b"")  # type: ignore[assignment]
    made.flow.read_paused, made.flow.write_paused = read_paused, write_paused
    made._look()
    assert transport.ended == ended
