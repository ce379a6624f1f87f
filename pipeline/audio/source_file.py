"""The file of a recording: opened once, known by its bytes, and asked for as the decoder needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.audio import layout, sniff, source_bytes
from pipeline.audio.decoder import DecodeRequest
from pipeline.audio.layout import Layout
from pipeline.audio.sniff import AudioContainer
from pipeline.audio.source_bytes import SoundSource, SourceBytes
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings

RENEW = "copy it again from the recorder"
CUT = "cut the segment out with an audio editor"


def printable(source: SoundSource) -> str:
    """A file's name, of characters that can be printed."""
    if not isinstance(source, Path):
        return "recording"
    return "".join(character if character.isprintable() else "?" for character in source.name)


@contextmanager
def opened(source: SoundSource, settings: AudioSettings, thing: str) -> Iterator[SourceBytes]:
    """The bytes of a recording, of a size that we read.

    Raises
    ------
    AudioError: A01 to A03, A12.
    """
    with ExitStack() as stack:
        try:
            content = stack.enter_context(source_bytes.opened(source))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise AudioError(
                "A01", thing, f"cannot be opened ({reason})", "check its name and your permission to read it"
            ) from error
        if content is None:
            raise AudioError("A03", thing, "is a folder, a pipe or a device", "give the sound file itself")
        if content.size == 0:
            raise AudioError("A02", thing, "is empty", RENEW)
        if content.size > settings.source_limit_mb * 1_000_000:
            raise AudioError("A12", thing, f"is larger than {settings.source_limit_mb:,.0f} MB", CUT)
        yield content


def identified(content: SourceBytes, thing: str) -> tuple[AudioContainer, Layout]:
    """The container, and where and how it lies in the file."""
    location = sniff.locate(content.read_at)
    if location is None:
        raise sniff.refusal(content.read_at, thing)
    return location[0], layout.examine(*location, content.read_at, content.size)


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
