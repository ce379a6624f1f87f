"""The bytes of a recording for the decoder's process, which holds no file: it asks for them through a pipe.

::

    decoder's process ──where, how many──> thread here ──> the file, or the vault
                      <──that many bytes, or fewer──

So a recording that lies encrypted is decoded as it is read, a block at a time: nowhere is a copy of it in the clear. A
decoder that a crafted file has taken over can ask for the bytes of its own recording, and for nothing else.
"""

from __future__ import annotations

import io
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pipeline.audio.source_bytes import SourceBytes
from pipeline.files import SizedReader

_REQUEST = struct.Struct(">QI")  # offset and count
_REPLY = struct.Struct(">I")  # count of the bytes that follow
_MOST = 1 << 20  # bytes of one answer
_PATIENCE = 5.0  # seconds; a process that was forked meanwhile may hold the pipes open
_BUFFER = 1 << 18  # bytes that are read at once: fewer questions, and little is read in vain


@dataclass
class ServedEnds:
    """The process's ends of the two pipes: where the bytes come from, and where it asks for them."""

    content: int
    requests: int
    is_closed: bool = False

    def close(self) -> None:
        """Leave both to the process that has them."""
        if not self.is_closed:
            self.is_closed = True
            os.close(self.content)
            os.close(self.requests)


class ByteServer:
    """Serves one recording to one process; ``error`` is why it stopped, where the recording could not be read."""

    def __init__(self, source: SourceBytes) -> None:
        self._source = source
        self.error: Exception | None = None

    @contextmanager
    def serving(self) -> Iterator[ServedEnds]:
        """Serve whoever has these ends, which the caller hands to a process and closes; ends when that has ended."""
        content, answers = os.pipe()
        questions, requests = os.pipe()
        ends = ServedEnds(content, requests)
        thread = threading.Thread(target=self._serve, args=(questions, answers), name="recording", daemon=True)
        thread.start()
        try:
            yield ends
        finally:
            ends.close()
            thread.join(_PATIENCE)

    def _serve(self, questions: int, answers: int) -> None:
        with open(questions, "rb", buffering=0) as incoming, open(answers, "wb", buffering=0) as into:
            while request := _received(incoming.read, _REQUEST.size):
                try:
                    offset, count = _REQUEST.unpack(request)
                    content = self._source.read_at(offset, min(count, _MOST))
                except Exception as error:  # whatever it is: the decoder must not take it for the end of the file
                    self.error = error
                    return
                left = memoryview(_REPLY.pack(len(content)) + content)
                try:
                    while left:
                        left = left[into.write(left) or 0 :]
                except OSError:  # the process has ended
                    return


class _ServedFile(SizedReader):
    """The recording as the process sees it."""

    def __init__(self, content: int, requests: int, size: int) -> None:
        super().__init__(size)
        self._content, self._requests = content, requests

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        into = memoryview(buffer).cast("B")
        os.write(self._requests, _REQUEST.pack(self._position, min(len(into), _MOST)))
        (count,) = _REPLY.unpack(self._read(_REPLY.size))
        into[:count] = self._read(count)
        self._position += count
        return int(count)

    def _read(self, count: int) -> bytes:
        content = _received(lambda size: os.read(self._content, size), count)
        if len(content) < count:
            raise OSError("the recording is not served any more")
        return content


def served(content: int, requests: int, size: int) -> io.BufferedReader:
    """Open the recording of ``size`` bytes that a `ByteServer` serves through these ends of two pipes."""
    return io.BufferedReader(_ServedFile(content, requests, size), _BUFFER)


def _received(receive: Callable[[int], bytes | None], count: int) -> bytes:
    """So many bytes; fewer at the end, none where the other end is closed."""
    content = bytearray()
    with suppress(ConnectionError):
        while len(content) < count and (piece := receive(count - len(content))):
            content += piece
    return bytes(content)
