"""One encrypted file: frames of 64 KiB that can be read from anywhere, and that nobody can rearrange.

::

    file    = header, frame 0, frame 1, ... frame n - 1
    header  = "TAPE", version, length of a frame, file id (16 random bytes), tape, kind
    frame   = AES-256-GCM of 65536 bytes of the plaintext (the last one: what is left), and its tag of 16 bytes

What each frame is bound to (as associated data): the whole header, the frame's number, whether it is the last, and, in
the last one, the length of the plaintext. So a frame that is swapped, within a file or between files, tapes or kinds,
repeated, dropped or appended does not open. A reader opens the last frame first: from then on the length is known to be
the writer's, and a file that was cut at any place is refused before the first byte is played.

Why no nonce is ever used twice under one key: a file has a key of its own, derived (HKDF-SHA256) from the tape's data
key, the file's random id of 128 bits and the header, and within a file the nonce is the frame's number. A file is
written once, front to back, by one writer, and never changed: what changes gets a new id and so a new key.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.files import SizedReader

FRAME = 1 << 16
"""Bytes that are sealed together: a player that skips reads little, and the tags take 0.02 %."""
TAG = 16
"""Bytes of an authentication tag of AES-GCM (NIST SP 800-38D)."""
ID_BYTES = 16
"""Random bytes of a file's id, from which its key follows: two never meet."""

_MAGIC = b"TAPE"
_VERSION = 1  # of the layout
_START = struct.Struct(">4sHI16s")
_PLACE = struct.Struct(">Q?Q")
_PURPOSE = b"tape-review frames 1"


class DamagedError(Exception):
    """The file is not what was written; the text says what is wrong, and names no content."""


class ByteStream(Protocol):
    """Anything that can be read: an open file, a network stream."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


@dataclass(frozen=True)
class FileLabel:
    """The identity of a file: it stands in the header, readable without the key, and every frame is bound to it."""

    tape_id: str
    kind: str
    file_id: bytes

    def header(self) -> bytes:
        """The file's first bytes."""
        tape, kind = self.tape_id.encode(), self.kind.encode()
        if len(self.file_id) != ID_BYTES or not 0 < len(tape) < 256 or not 0 < len(kind) < 256:
            raise ValueError("a label needs an id of 16 bytes, a tape and a kind of 1 to 255 bytes")
        start = _START.pack(_MAGIC, _VERSION, FRAME, self.file_id)
        return start + bytes([len(tape)]) + tape + bytes([len(kind)]) + kind


@dataclass(frozen=True)
class Written:
    """``size`` of the plaintext; ``sha256`` of the encrypted file as it lies on the disk."""

    size: int
    sha256: str


def write(source: ByteStream, target: BinaryIO, key: bytes, label: FileLabel) -> Written:
    """Encrypt a source to its end into a fresh file."""
    header = label.header()
    cipher = _cipher(key, header, label.file_id)
    digest = hashlib.sha256()

    def put(data: bytes) -> None:
        digest.update(data)
        target.write(data)

    put(header)
    number, size, frame = 0, 0, _full(source)
    while len(frame) == FRAME and (following := _full(source)):
        put(cipher.encrypt(_nonce(number), frame, _bound(header, number)))
        number, size, frame = number + 1, size + FRAME, following
    size += len(frame)
    put(cipher.encrypt(_nonce(number), frame, _bound(header, number, size)))
    return Written(size, digest.hexdigest())


class DecryptingReader(SizedReader):
    """The plaintext of an encrypted file, from any place; one frame at a time is in memory.

    Parameters
    ----------
    file: an open file; the reader closes it.
    key: the tape's data key.
    label: what the file must be.
    refuse: makes the error to raise from what is wrong.
    """

    def __init__(self, file: BinaryIO, key: bytes, label: FileLabel, refuse: Callable[[str], Exception]) -> None:
        self._file, self._refuse = file, refuse
        self._header = label.header()
        self._cipher = _cipher(key, self._header, label.file_id)
        self._held: tuple[int, bytes] | None = None
        body = os.fstat(file.fileno()).st_size - len(self._header)
        self._last = max(0, -(-body // (FRAME + TAG)) - 1)
        super().__init__(body - TAG * (self._last + 1))
        try:
            if os.pread(file.fileno(), len(self._header), 0) != self._header:
                raise DamagedError("is not the file that is expected here")
            if self.size < 0:
                raise DamagedError("was cut")
            self._frame(self._last)
        except DamagedError as error:
            raise refuse(str(error)) from None

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer as far as the plaintext goes."""
        if self.closed:
            raise ValueError("the file is closed")
        into = memoryview(buffer).cast("B")
        done = 0
        while done < len(into) and self._position < self.size:
            number, within = divmod(self._position, FRAME)
            try:
                piece = self._frame(number)[within : within + len(into) - done]
            except DamagedError as error:
                raise self._refuse(str(error)) from None
            into[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return done

    def close(self) -> None:
        """Forget the frame in memory and close the file."""
        self._held = None
        self._file.close()
        super().close()

    def _frame(self, number: int) -> bytes:
        handle = self._file.fileno()
        if os.fstat(handle).st_nlink == 0:
            raise DamagedError("was destroyed while it was being read")
        if self._held and self._held[0] == number:
            return self._held[1]
        sealed = os.pread(handle, FRAME + TAG, len(self._header) + number * (FRAME + TAG))
        bound = _bound(self._header, number, self.size if number == self._last else None)
        try:
            frame = self._cipher.decrypt(_nonce(number), sealed, bound)
        except InvalidTag:
            raise DamagedError("was altered, cut or encrypted with another key") from None
        self._held = (number, frame)
        return frame


def derived(key: bytes, salt: bytes, purpose: bytes) -> AESGCM:
    """A cipher for one message or one file: its key is used for nothing else."""
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(key))


def _cipher(key: bytes, header: bytes, file_id: bytes) -> AESGCM:
    return derived(key, file_id, _PURPOSE + header)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(header: bytes, number: int, size: int | None = None) -> bytes:
    """A frame's associated data; only the last frame knows the size."""
    return header + _PLACE.pack(number, size is not None, size or 0)


def _full(source: ByteStream) -> bytes:
    """The next frame; short only at the end, however small the pieces are in which the source hands it over."""
    pieces, missing = [], FRAME
    while missing and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
