"""Uploads over a real socket: a body without a length is cut off at the limit, and a cut upload goes on."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from tests.review.coding.server import free_port, serving
from tests.review.conftest import QUICK, Room
from tests.review.upload.test_chunked_uploads import MB, Sender, sound

BLOCK = 1 << 14
BEYOND = 1 << 16
"""Bytes beyond the limit that may be read."""


class Counted:
    """Counts what the application reads of bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.read, self.begun, self.ended = app, 0, 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted() -> Message:
            message = await receive()
            self.read += len(message.get("body", b""))
            return message

        self.begun += 1
        try:
            await self.app(scope, counted, send)
        finally:
            self.ended += 1


class Wire:
    """Ada's tape at a server whose limit is one megabyte, and the bare connection to it."""

    def __init__(self, room: Room, address: str, counted: Counted) -> None:
        self.sender, self.counted = Sender(room), counted
        self.open = contextlib.ExitStack()
        self.tape = self.sender.draft()
        parts = urlsplit(address)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        cookie = f"{SESSION}={self.sender.browser.client.cookies[SESSION]}"
        self.headers = {"Cookie": cookie, "X-CSRF-Token": self.sender.token, "Accept": "application/json"}

    def opened(self, at: int, length: int, path: str = "", **other: str) -> http.client.HTTPConnection:
        """A connection on which the head of an upload has been sent."""
        connection = self.open.enter_context(contextlib.closing(self._connection()))
        connection.putrequest("POST" if path else "PUT", f"/uploads/{self.tape}{path}")
        head = self.headers | {"Upload-Offset": str(at), "Upload-Length": str(length)} | other
        for name, value in head.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection

    def offset(self) -> int:
        with contextlib.closing(self._connection()) as connection:
            connection.request("GET", f"/uploads/{self.tape}", headers=self.headers | {"Connection": "close"})
            with connection.getresponse() as answer:
                return int(json.load(answer)["offset"])

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def wait(self, read: int) -> bool:
        """Until the application has read so much; False where it answers before, and reads no further."""
        until = time.monotonic() + 60
        while self.counted.read < read:
            if self.counted.begun and self.counted.begun == self.counted.ended:
                return False
            assert time.monotonic() < until
            time.sleep(0.001)
        return True


@pytest.fixture
def wire(room: Room) -> Iterator[Wire]:
    loaded, port = settings.load().settings, free_port()
    review = loaded.review.model_copy(update={"port": port, "upload_limit_mb": 1})
    changed = loaded.model_copy(update={"review": review})
    room.app = application.create(room.home, changed, clock=room.clock, passwords=QUICK)
    counted = Counted(room.app)
    with serving(counted, port) as address:  # type: ignore[arg-type]
        wire = Wire(room, address, counted)
        with wire.open:
            yield wire


def chunks(first: bytes) -> Iterator[bytes]:
    """Ten times what the server takes."""
    yield first
    for _ in range(10 * MB // BLOCK):
        yield bytes(BLOCK)


def pushed(wire: Wire, connection: http.client.HTTPConnection, first: bytes, patient: bool) -> int:
    """Send chunks until the server closes the connection, each after the last was read or as fast as it goes."""
    sent = 0
    for content in chunks(first):
        try:
            connection.send(b"%x\r\n%b\r\n" % (len(content), content))
        except OSError:
            break
        sent += len(content)
        if patient and not wire.wait(sent):
            break
    connection.close()
    return sent


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("way", ["pieces", "form"])
def test_a_body_without_a_length_is_cut_off_at_the_limit(wire: Wire, way: str, patient: bool) -> None:
    first = sound()[:BLOCK]
    if way == "pieces":
        connection = wire.opened(0, MB, Transfer_Encoding="chunked")
    else:
        kind = "multipart/form-data; boundary=x"
        connection = wire.opened(0, MB, "/form", Transfer_Encoding="chunked", Content_Type=kind)
        first = (
            b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + wire.sender.token.encode() + b"\r\n"
            b'--x\r\nContent-Disposition: form-data; name="recording"; filename="a.wav"\r\n\r\n' + first
        )
    assert pushed(wire, connection, first, patient) < 10 * MB
    assert MB < wire.counted.read <= MB + BEYOND
    assert (0 < wire.offset() <= MB) if way == "pieces" else wire.offset() == 0  # a form goes on nowhere


def test_an_upload_that_is_cut_goes_on_where_it_was(wire: Wire) -> None:
    whole = sound()
    connection = wire.opened(0, len(whole), Content_Length=str(len(whole)))
    connection.send(whole[:30_000])
    assert wire.wait(30_000)
    connection.close()
    until = time.monotonic() + 60
    while (at := wire.offset()) == 0 and time.monotonic() < until:
        time.sleep(0.02)
    assert at == 30_000
    connection = wire.opened(at, len(whole), Content_Length=str(len(whole) - at))
    connection.send(whole[at:])
    with connection.getresponse() as told:
        answer = json.load(told)
    assert (answer["offset"], answer["done"]) == (len(whole), True)
