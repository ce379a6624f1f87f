"""The answer that plays a tape: its sound in pieces, for as long as the listener may hear it.

A whole tape is minutes on its way. Before each piece the consent is asked again; where it is gone, the answer stays
unfinished, and the server closes the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipeline.review.coding.sound import Part, Sound

STRIDE = 64 * 1024
"""Bytes of one piece at most: two seconds."""


def pieces(whole: Part) -> Iterator[Part]:
    """A part, piece by piece."""
    for first in range(whole.first, whole.last + 1, STRIDE):
        yield Part(first, min(first + STRIDE - 1, whole.last))


class Playing(Response):
    """A part of a tape's sound.

    Parameters
    ----------
    resources: what keeps the sound open; closed when the answer ends, however it ends.
    allowed: whether the listener may hear the next piece.
    """

    media_type = "audio/wav"

    def __init__(
        self,
        sound: Sound,
        whole: Part,
        resources: ExitStack,
        allowed: Callable[[], bool],
        status: int,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(status_code=status, headers={**headers, "Content-Length": str(whole.length)})
        self._sound, self._whole, self._resources, self._allowed = sound, whole, resources, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces."""
        with self._resources:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for piece in pieces(self._whole):
                content = await run_in_threadpool(self._read, piece)
                if content is None:
                    return
                await send({"type": "http.response.body", "body": content, "more_body": piece.last < self._whole.last})

    def _read(self, piece: Part) -> bytes | None:
        return self._sound.read(piece) if self._allowed() else None
