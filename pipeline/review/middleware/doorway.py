"""One port for encrypted and plain connections: TLS for everybody near, plain HTTP for this computer alone.

The first byte tells which it is. Whoever comes from elsewhere without TLS is led to the encrypted address before
anything else is read, so that no page that asks for a password is ever sent in the clear.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from asyncio.sslproto import SSLProtocol
from collections import Counter
from collections.abc import Callable, Container, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from pipeline.review.auth.request_origin import told_apart
from pipeline.review.middleware import connection
from pipeline.review.middleware.connection import HEAD, READ, Connection
from pipeline.review.network.reach import is_loopback
from pipeline.review.network.server_certificate import ServerCertificate

_HANDSHAKE = 0x16
"""The first byte of a TLS connection."""

_TARGET = re.compile(rb"(?:GET|HEAD) (/[!-~]*) HTTP/1\.[01]\r?\n")


@dataclass
class Doors:
    """Makes the protocol of each new connection; stands where uvicorn has its protocol's class.

    ``admits`` says whether an address may come at all, ``address`` where plain HTTP from elsewhere is led.
    """

    certificate: ServerCertificate
    admits: Callable[[str], bool]
    address: Callable[[], str]
    proxies: Container[str] = ()
    at_once: Counter[str] = field(default_factory=Counter)

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        """The protocol of a connection that was just made."""
        loop = _loop or asyncio.get_running_loop()
        kind = Connection.behind(self.proxies)
        return _Doorway(self, loop, lambda: kind(config, server_state, app_state, loop))


class _Doorway(asyncio.Protocol):
    """Waits for the first bytes, and hands the connection to who speaks that language."""

    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle | None = None
    _sender = ""
    _host = ""

    def __init__(self, doors: Doors, loop: asyncio.AbstractEventLoop, make: Callable[[], Connection]) -> None:
        self._doors, self._loop, self._make = doors, loop, make

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._host = peer[0] if peer else ""
        sender = told_apart(self._host)
        busy = self._doors.at_once[sender] >= connection.MOST and self._host not in self._doors.proxies
        if busy or not self._doors.admits(self._host):
            transport.abort()
            return
        self._sender = sender
        self._doors.at_once[sender] += 1
        transport.max_size = READ  # type: ignore[attr-defined]
        self._timer = self._loop.call_later(HEAD, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()

    def data_received(self, data: bytes) -> None:
        if not self._sender:
            return  # refused already
        if data[0] == _HANDSHAKE:
            context = self._doors.certificate.context
            self._hand_over(_Tls.of(self._loop, self._make(), context), data)
        elif is_loopback(self._host):
            self._hand_over(self._make(), data)
        else:
            match = _TARGET.match(data)
            target = match[1].decode("ascii") if match else "/"
            self._transport.write(
                f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {self._doors.address()}{target}\r\n"
                "Content-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
            )
            self._transport.close()

    def _hand_over(self, protocol: Connection | _Tls, data: bytes) -> None:
        if isinstance(protocol, _Tls):
            self._stop_waiting()
            protocol.ended = self._arrived  # `Connection` counts from the handshake on only
        else:
            self._arrived()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if isinstance(protocol, Connection):
            protocol.data_received(data)
            return
        while data:
            room = protocol.get_buffer(len(data))
            read = min(len(room), len(data))
            room[:read] = data[:read]
            protocol.buffer_updated(read)
            data = data[read:]

    def _arrived(self) -> None:
        """From here on nothing is counted and waited for here."""
        self._stop_waiting()
        if self._sender:
            self._doors.at_once[self._sender] -= 1
            if not self._doors.at_once[self._sender]:
                del self._doors.at_once[self._sender]
            self._sender = ""

    def _stop_waiting(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class _Tls(SSLProtocol):
    """asyncio's TLS, which reads no more at a time than `Connection` does without it."""

    max_size = READ
    ended: Callable[[], None]

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count this connection no more."""
        super().connection_lost(exc)
        self.ended()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop, protocol: Connection, context: ssl.SSLContext) -> _Tls:
        """The server's side; a handshake may take as long as the head of a request."""
        return cls(loop, protocol, context, None, server_side=True, ssl_handshake_timeout=int(HEAD))  # type: ignore[arg-type]


class ByScheme:
    """One application for what came encrypted, another one for this computer's own plain connections."""

    def __init__(self, encrypted: ASGIApp, plain: ASGIApp) -> None:
        self._apps: MutableMapping[str, ASGIApp] = {"https": encrypted, "http": plain}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on. Both are told of the server's start and end by whoever runs it."""
        await self._apps[scope["scheme"]](scope, receive, send)
