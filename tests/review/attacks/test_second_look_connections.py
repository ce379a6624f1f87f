"""A stranger who opens connections and does not use them, or sends a form byte by byte, holds none of them for long."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from pipeline.review import bodies, connection
from tests.review.coding.server import free_port, serving
from tests.review.conftest import Room

SHORT = 0.3
PATIENCE = 10.0
"""Seconds after which a test gives up: whoever waits so long waits for ever."""


@pytest.fixture
def port(room: Room, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for where, name in ((connection, "HEAD"), (connection, "STALLED"), (bodies, "LASTS")):
        monkeypatch.setattr(where, name, SHORT)
    _, port = room.addressed()
    with serving(room.app, port):
        yield port


def opened(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def rest(wire: socket.socket) -> bytes:
    """What comes until the server ends the connection; a test that waits too long fails."""
    came = b""
    try:
        while block := wire.recv(1 << 16):
            came += block
    except ConnectionError:
        pass
    return came


def head(port: int, line: str, *more: str) -> bytes:
    return ("\r\n".join((line, f"Host: 127.0.0.1:{port}", *more)) + "\r\n\r\n").encode()


@pytest.mark.parametrize("begun", [b"", b"GET /login HT", b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "])
def test_who_sends_no_request_is_let_go(port: int, begun: bytes) -> None:
    with opened(port) as wire:
        wire.sendall(begun)
        assert rest(wire) == b""


def test_a_second_request_that_stays_half_is_let_go_too(port: int) -> None:
    with opened(port) as wire:
        wire.sendall(head(port, "GET /login HTTP/1.1") + b"GET /login HT")
        assert rest(wire).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_of_a_stranger_that_stays_half_is_let_go(port: int, path: str) -> None:
    form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 900")
    with opened(port) as wire:
        wire.sendall(head(port, f"POST {path} HTTP/1.1", *form) + b"email=a")
        assert rest(wire)[:13] in (b"HTTP/1.1 408 ", b"")


def test_a_form_that_comes_byte_by_byte_has_a_minute(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALLED", PATIENCE)
    form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 16000")
    ended = threading.Event()

    def drip(wire: socket.socket) -> None:
        while not ended.wait(SHORT / 6):
            try:
                wire.sendall(b"a")
            except OSError:
                return

    with opened(port) as wire:
        wire.sendall(head(port, "POST /login HTTP/1.1", *form))
        sender = threading.Thread(target=drip, args=(wire,))
        sender.start()
        try:
            assert rest(wire).startswith(b"HTTP/1.1 408")
        finally:
            ended.set()
            sender.join()


def test_who_takes_nothing_of_an_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALLED", SHORT)
    ended = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        cycle = send.__self__  # type: ignore[attr-defined]
        while not cycle.disconnected:
            await send({"type": "http.response.body", "body": b"x" * (1 << 16), "more_body": True})
        ended.set()

    port = free_port()
    with serving(endless, port), opened(port) as wire:  # type: ignore[arg-type]
        wire.sendall(head(port, "GET / HTTP/1.1"))
        assert ended.wait(PATIENCE)


def test_an_application_that_takes_its_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALLED", SHORT / 3)
    monkeypatch.setattr(connection, "HEAD", SHORT / 3)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(SHORT)
        await receive()
        await asyncio.sleep(SHORT)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    port = free_port()
    with serving(slow, port), opened(port) as wire:  # type: ignore[arg-type]
        wire.sendall(head(port, "PUT / HTTP/1.1", "Content-Length: 100000") + b"x" * 100_000)
        assert wire.recv(20).startswith(b"HTTP/1.1 204")
