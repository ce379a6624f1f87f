"""Bodies that nobody asked for: no route keeps them, and nobody who is not signed in has one read at all."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.review.auth.current_user import SESSION
from pipeline.review.middleware import body_limit
from pipeline.review.middleware.connection import READ
from tests.review.coding.server import serving
from tests.review.conftest import Room
from tests.review.routes import Call, calls

SIZE = 2_000_000
BLOCK = bytes(1 << 16)
BOUNDARY = "frontier"
KINDS = (
    f"multipart/form-data; boundary={BOUNDARY}",
    f"Multipart/Form-Data; boundary={BOUNDARY}",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/json",
    "",
)
REFUSED = {400, 401, 403, 404, 413, 422}
"""Statuses that refuse."""


class Watched:
    """Notes of each request how much of its body the application reads, and which files that leaves open."""

    def __init__(self, app: ASGIApp, spool: Path) -> None:
        self.app, self.spool, self.read, self.spooled = app, spool, 0, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.read = 0

        async def counted() -> Message:
            message = await receive()
            self.read += len(message.get("body", b""))
            return message

        async def answered(message: Message) -> None:
            self.look()
            await send(message)

        await self.app(scope, counted, answered)
        self.look()

    def look(self) -> None:
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):
                self.spooled |= os.readlink(f"/proc/self/fd/{number}").startswith(f"{self.spool}/")
        self.spooled |= any(self.spool.iterdir())


class Wire:
    """A server, watched, with Ada's draft on it."""

    def __init__(self, room: Room, watched: Watched, address: str) -> None:
        group = room.group()
        self.ada, self.watched = room.person("Ada", group), watched
        browser = room.signed_in(self.ada)
        self.token, self.cookie = browser.token("/account"), f"{SESSION}={browser.client.cookies[SESSION]}"
        self.ids = {"tape_id": room.tape(group, self.ada, state="draft"), "group_id": group, "person_id": self.ada}
        parts = urlsplit(address)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)

    def flood(
        self,
        call: Call,
        kind: str,
        chunked: bool,
        cookie: str,
        token: str,
        site: str = "same-origin",
        script: bool = False,
    ) -> int:
        """Send two megabytes, or as much as the server takes; the status of its answer."""
        head = [f"{call.method} {call.address(self.ids)} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        head += [f"Content-Type: {kind}"] if kind else []
        head += [f"Sec-Fetch-Site: {site}"]
        head += [f"Cookie: {cookie}"] if cookie else []
        head += [f"X-CSRF-Token: {token}"] if script else []
        head += ["Upload-Offset: 0", f"Upload-Length: {SIZE}"]
        head += ["Transfer-Encoding: chunked"] if chunked else [f"Content-Length: {SIZE}"]
        first = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        ).encode()
        with socket.create_connection((self.host, self.port), timeout=30) as wire:
            wire.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
            sent = 0
            with contextlib.suppress(ConnectionError):
                while sent < SIZE and not select.select([wire], [], [], 0)[0]:
                    content = (first if not sent else BLOCK)[: SIZE - sent]
                    wire.sendall(b"%x\r\n%b\r\n" % (len(content), content) if chunked else content)
                    sent += len(content)
                if sent == SIZE and chunked:
                    wire.sendall(b"0\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                answer = wire.recv(64)
                return int(answer.split()[1]) if answer else 0
        return 0  # closed with the answer on its way


@pytest.fixture
def wire(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    (spool := tmp_path / "spool").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    _, port = room.addressed()
    watched = Watched(room.app, spool)
    with serving(watched, port) as address:  # type: ignore[arg-type]
        yield Wire(room, watched, address)


def unsafe(room: Room) -> list[Call]:
    return [call for call in calls(room.app) if not call.safe]


@pytest.mark.engines
@pytest.mark.parametrize(
    "who",
    ["a stranger", "a member whom another site sends", "a member without a token", "a member", "a member's script"],
)
def test_no_route_keeps_a_body_that_nobody_asked_for(room: Room, wire: Wire, who: str) -> None:
    cookie, token, site = {
        "a stranger": ("", "", "same-origin"),
        "a member whom another site sends": (wire.cookie, wire.token, "cross-site"),
        "a member without a token": (wire.cookie, "", "same-origin"),
        "a member": (wire.cookie, wire.token, "same-origin"),
        "a member's script": (wire.cookie, wire.token, "same-origin"),
    }[who]
    wrong, asked = [], 0
    for call in unsafe(room):
        for kind in KINDS:
            for chunked in (True, False):
                asked += 1
                script = who.endswith("script")
                status = wire.flood(call, kind, chunked, cookie, token, site, script)
                if call.needs_sign_in and not cookie:
                    wrong += [f"{call.method} {call.path} {kind} {chunked}: {status}"] * (status not in {401, 0})
                unread = site == "cross-site" or (call.needs_sign_in and not cookie)
                most = 0 if unread else body_limit.LIMIT + READ
                if status not in REFUSED | {0} or wire.watched.read > most or wire.watched.spooled:
                    wrong.append(f"{call.method} {call.path} {kind} {chunked}: {status}, {wire.watched.read} bytes")
                wire.watched.spooled = False
    assert asked > 400
    assert wrong == []


def test_a_recording_that_calls_itself_a_form_is_not_written_in_the_clear(room: Room, wire: Wire) -> None:
    """The page's own request with another type: the pieces route takes bytes, whatever they are called."""
    [call] = [call for call in unsafe(room) if call.path == "/uploads/{tape_id}"]
    for token in ("", wire.token):
        assert wire.flood(call, KINDS[0], True, wire.cookie, token) in {0, 403}
        assert wire.watched.read == 0
    assert not wire.watched.spooled
