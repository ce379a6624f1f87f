"""The bytes of a recording for the decoder's process, which holds no file: it asks for them through a socket.

::

    decoder's process ──where, how many──> thread here ──> the file, or the vault
                      <──that many bytes, or fewer──

So a recording that lies encrypted is decoded as it is read, a block at a time: nowhere is a copy of it in the clear. A
decoder that a crafted file has taken over can ask for the bytes of its own recording, and for nothing else.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pipeline.audio.source_bytes import SourceBytes
from pipeline.files import SizedReader

_REQUEST = struct.Struct(">QI")  # offset and count
_REPLY = struct.Struct(">I")  # count of the bytes that follow
_MOST = 1 << 20  # bytes of one answer
_BUFFER = 1 << 18  # bytes that are read at once: fewer questions, and little is read in vain


class ByteServer:
    """Serves one recording to one process; ``error`` is why it stopped, where the recording could not be read."""

    def __init__(self, source: SourceBytes) -> None:
        self._source = source
        self._ours, self._theirs = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="recording", daemon=True)
        self.error: Exception | None = None

    @contextmanager
    def serving(self) -> Iterator[socket.socket]:
        """Serve whoever has the socket, which the caller hands to a process and closes; ends with the block."""
        self._thread.start()
        try:
            yield self._theirs
        finally:
            self._theirs.close()
            with suppress(OSError):
                self._ours.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def _serve(self) -> None:
        with self._ours:
            while request := _received(self._ours.recv, _REQUEST.size):
                offset, count = _REQUEST.unpack(request)
                try:
                    content = self._source.read_at(offset, min(count, _MOST))
                except Exception as error:  # whatever it is: the decoder must not take it for the end of the file
                    self.error = error
                    return
                try:
                    self._ours.sendall(_REPLY.pack(len(content)) + content)
                except OSError:  # the process has ended
                    return


class _ServedFile(SizedReader):
    """The recording as the process sees it."""

    def __init__(self, handle: int, size: int) -> None:
        super().__init__(size)
        self._handle = handle

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        into = memoryview(buffer).cast("B")
        os.write(self._handle, _REQUEST.pack(self._position, min(len(into), _MOST)))
        (count,) = _REPLY.unpack(self._read(_REPLY.size))
        into[:count] = self._read(count)
        self._position += count
        return int(count)

    def _read(self, count: int) -> bytes:
        content = _received(lambda size: os.read(self._handle, size), count)
        if len(content) < count:
            raise OSError("the recording is not served any more")
        return content


def served(handle: int, size: int) -> io.BufferedReader:
    """Open the recording of ``size`` bytes that a `ByteServer` serves at the other end of a socket."""
    return io.BufferedReader(_ServedFile(handle, size), _BUFFER)


def _received(receive: Callable[[int], bytes], count: int) -> bytes:
    """So many bytes; fewer at the end, none where the other end is closed."""
    content = bytearray()
    with suppress(ConnectionError):
        while len(content) < count and (piece := receive(count - len(content))):
            content += piece
    return bytes(content)
