"""A connection that reads little at a time, and that nobody keeps open without using it.

Of a body there is no more here than the application asked for and one read. Without this a server holds what came while
the application was busy, some hundred KiB, and an endless body is noticed so much later.

A process has a thousand connections or so. A stranger who opens as many and says nothing, or half a request, or takes
nothing of an answer, would keep everybody else out for as long as it pleases. So no connection waits for long, and one
address has only so many at once: those that are let go could be opened again at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container

from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.review.auth.request_origin import told_apart

READ = 1 << 15
"""Bytes of one read from the network."""

HEAD = 20.0
"""Seconds in which the head of a request comes whole."""

STALLED = 60.0
"""Seconds for which the other side may send nothing of a body, or take nothing of an answer."""

MOST = 200
"""Connections that one address has at once: the browsers of a whole group that sits behind one address have half."""


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1, which reads on only when the application has taken what came. Runs on asyncio's own loop."""

    _head: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _sender = ""
    _speaks_for_others: Container[str] = ()

    @classmethod
    def behind(cls, proxies: Container[str], admits: Callable[[str], bool] | None = None) -> type[Connection]:
        """The same, with as many connections as they like for the proxies that others come through.

        ``admits`` says whether an address may come at all.
        """
        admitting = {} if admits is None else {"_admits": staticmethod(admits)}
        return type("Connection", (cls,), {"_speaks_for_others": proxies, **admitting})

    @staticmethod
    def _admits(host: str) -> bool:
        return True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Read in small pieces, and wait for a request."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._sender = told_apart(host)
        alike = sum(getattr(connection, "_sender", None) == self._sender for connection in self.connections)
        if (alike > MOST and host not in self._speaks_for_others) or not self._admits(host):
            transport.abort()
            return
        transport.max_size = READ  # type: ignore[attr-defined]  # asyncio's own limit of one read, 256 KiB
        self._head = self.loop.call_later(HEAD, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        _cancel(self._head)
        _cancel(self._stall)

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait where it is the body of a request."""
        super().data_received(data)
        if self.cycle is not None and self.cycle.body and not self.cycle.response_complete:
            self.flow.pause_reading()
        if self._is_answering():
            _cancel(self._head)
            self._head = None
        elif self._head is None:
            self._head = self.loop.call_later(HEAD, self.transport.close)
        self._wait()

    def pause_writing(self) -> None:
        """The other side takes less than there is."""
        super().pause_writing()
        self._wait()

    def timeout_keep_alive_handler(self) -> None:
        """Close; what is on its way is waited for, but not for ever."""
        super().timeout_keep_alive_handler()
        self._wait()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        _cancel(self._stall)
        self._stall = self.loop.call_later(STALLED, self._look)

    def _look(self) -> None:
        """End what only the other side could move on; look again later where it is the application."""
        sends_nothing = self._is_answering() and self.cycle.more_body and not self.flow.read_paused
        if sends_nothing or self.flow.write_paused or self.transport.is_closing():
            self.transport.abort()
        elif self._is_answering():
            self._wait()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
