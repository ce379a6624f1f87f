"""A stranger who opens connections and does not use them, or sends a form byte by byte, holds none of them for long."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from pipeline import settings
from pipeline.review.app import proxies
from pipeline.review.middleware import body_limit, connection
from pipeline.tapes import logs
from tests.review.coding.server import free_port, serving
from tests.review.conftest import Room

SHORT = 0.3
PATIENCE = 10.0
"""Seconds after which a test gives up: whoever waits so long waits for ever."""


@pytest.fixture
def port(room: Room, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for where, name in ((connection, "HEAD"), (connection, "STALLED"), (body_limit, "LASTS")):
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


def is_answered(port: int, sender: str) -> bool:
    """Whether a fresh connection from an address of this machine gets an answer."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, (sender, 0)) as wire:
        try:
            wire.sendall(head(port, "GET /login HTTP/1.1", "Connection: close"))
            return rest(wire).startswith(b"HTTP/1.1 200")
        except ConnectionError:
            return False


def test_one_address_has_only_so_many_connections_at_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST", 3)
    _, port = room.addressed()
    with serving(room.app, port):
        held = [opened(port) for _ in range(3)]
        assert not is_answered(port, "127.0.0.1")
        assert is_answered(port, "127.0.0.2")
        held.pop().close()
        deadline = time.monotonic() + PATIENCE
        while not is_answered(port, "127.0.0.1"):
            assert time.monotonic() < deadline
        for wire in held:
            wire.close()


@pytest.mark.parametrize(
    ("named", "is_spared"), [(["127.0.0.1"], True), (["127.0.0.0/8"], True), (["127.0.0.9"], False)]
)
def test_a_proxy_that_the_settings_name_speaks_for_many(
    room: Room, monkeypatch: pytest.MonkeyPatch, named: list[str], is_spared: bool
) -> None:
    monkeypatch.setattr(connection, "MOST", 1)
    loaded = settings.load().settings
    review = loaded.review.model_copy(update={"trusted_proxies": tuple(named)})
    kind = connection.Connection.behind(proxies(loaded.model_copy(update={"review": review})))
    _, port = room.addressed()
    with serving(room.app, port, kind), opened(port):
        assert is_answered(port, "127.0.0.1") == is_spared


def test_a_body_with_two_lengths_is_the_last_of_its_connection(port: int) -> None:
    form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 5", "Transfer-Encoding: chunked")
    second = head(port, "GET /login HTTP/1.1", "Connection: close")
    with opened(port) as wire:
        wire.sendall(head(port, "POST /login HTTP/1.1", *form) + b"0\r\n\r\n" + second)
        assert rest(wire).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_who_hangs_up_in_the_middle_of_a_form_writes_no_error_into_the_log(
    room: Room, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logs._out, "stream", written)
    _, port = room.addressed()
    with serving(room.app, port):
        with opened(port) as wire:
            form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 900")
            wire.sendall(head(port, f"POST {path} HTTP/1.1", *form) + b"email=a")
            wire.shutdown(socket.SHUT_WR)
            rest(wire)
    assert written.getvalue() == ""
