"""A connection that reads little at a time: of a body, no more than the application asked for and one read.

Without this a server holds what came while the application was busy, some hundred KiB, and an endless body is noticed
so much later.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

READ = 1 << 15
"""Bytes of one read from the network."""


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1, which reads on only when the application has taken what came. Runs on asyncio's own loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Read in small pieces."""
        super().connection_made(transport)
        transport.max_size = READ  # type: ignore[attr-defined]  # asyncio's own limit of one read, 256 KiB

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait where it is the body of a request."""
        super().data_received(data)
        if self.cycle is not None and self.cycle.body and not self.cycle.response_complete:
            self.flow.pause_reading()
