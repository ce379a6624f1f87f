"""A small stand-in of a model hub on this machine: repositories of one revision, ranges, tokens, faults on demand."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """A folder per repository (``org/name``) below ``root``; every file is at `REVISION` only.

    ``token``: what a request must bring; ``break_after``: bytes after which a connection ends, ``breaks`` times.
    ``requests``: file and range of each request that was answered with a file.
    """

    root: Path
    token: str = ""
    break_after: int = 0
    breaks: int = 0
    address: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve the hub at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            match = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([0-9a-f]+)/([\w./-]+)", self.path)
            if not match:
                return self._refuse(404, "RepoNotFound")
            repository, revision, name = match.groups()
            if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
                return self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
            if revision != REVISION:
                return self._refuse(404, "RevisionNotFound")
            path = hub.root / repository / name
            if not path.is_file():
                return self._refuse(404, "EntryNotFound")
            return self._send(name, path.read_bytes())

        def _send(self, name: str, whole: bytes) -> None:
            wanted = self.headers.get("Range", "")
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            hub.requests.append((name, wanted))
            part = whole[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if hub.breaks and len(part) > hub.break_after:
                hub.breaks -= 1
                self.wfile.write(part[: hub.break_after])
                self.close_connection = True
            else:
                self.wfile.write(part)

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        hub.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
