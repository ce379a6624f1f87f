"""The file of a recording: opened once, known by its bytes, and asked for as the decoder needs it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.audio import layout, sniff
from pipeline.audio.decoder import DecodeRequest
from pipeline.audio.layout import Layout
from pipeline.audio.sniff import AudioContainer
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings

RENEW = "copy it again from the recorder"
CUT = "cut the segment out with an audio editor"


def printable(path: Path) -> str:
    """A file's name, of characters that can be printed."""
    if path.parent == Path("/dev/fd"):  # an open file without a name; its number means nothing
        return "recording"
    return "".join(character if character.isprintable() else "?" for character in path.name)


@contextmanager
def opened(path: Path, settings: AudioSettings, thing: str) -> Iterator[int]:
    """The open file: a regular one, of a size that we read. Opening does not wait for a pipe's other end."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AudioError(
            "A01", thing, f"cannot be opened ({reason})", "check its name and your permission to read it"
        ) from error
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise AudioError("A03", thing, "is a folder, a pipe or a device", "give the sound file itself")
        if status.st_size == 0:
            raise AudioError("A02", thing, "is empty", RENEW)
        if status.st_size > settings.source_limit_mb * 1_000_000:
            raise AudioError("A12", thing, f"is larger than {settings.source_limit_mb:,.0f} MB", CUT)
        yield file
    finally:
        os.close(file)


def identified(file: int, thing: str) -> tuple[AudioContainer, Layout]:
    """The container, and where and how it lies in the file."""

    def read(offset: int, count: int) -> bytes:
        return os.pread(file, count, offset)

    location = sniff.locate(read)
    if location is None:
        raise sniff.refusal(read, thing)
    return location[0], layout.examine(*location, read, os.fstat(file).st_size)


def request(
    container: AudioContainer, file_layout: Layout, start: int, stop: int, settings: AudioSettings
) -> DecodeRequest:
    """The decoder's request for the sound from ``start`` to ``stop`` (milliseconds)."""
    return DecodeRequest(
        key=container.key,
        begin=file_layout.begin,
        end=file_layout.end,
        repairs=tuple((offset, content.hex()) for offset, content in file_layout.repairs),
        start=start,
        stop=stop,
        seconds=settings.decoder_seconds,
        memory=settings.decoder_memory_mb << 20,
    )
