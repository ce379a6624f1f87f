"""The application in a thread, for tests that need a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from pipeline.review.middleware.connection import Connection


@contextmanager
def serving(app: FastAPI, port: int, connection: type[Connection] = Connection) -> Iterator[str]:
    """The address of a running server."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http=connection, loop="asyncio", log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
