"""AAC and AMR without a container: the frames of a file, and the bytes between them that are none.

Their demuxers pass over what is broken and count on, so that all words behind it would come too early. Here each
frame must be followed by another; what lies before the next such pair is lost, and takes the time of as many frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.audio import mpeg_audio
from pipeline.audio.mpeg_audio import ReadAt

Header = Callable[[bytes], tuple[int, bytes]]
"""Bytes of the frame that begins with these seven, and what stays the same in all frames; 0 where none begins."""

_BLOCK = 1 << 16  # bytes of one read while a frame's beginning is looked for
_CHAIN = 6  # frames in a row that make a beginning behind damage
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
"""Hertz by the header's index (ISO/IEC 14496-3, table 1.18)."""

_NARROW = b"#!AMR\n"
_AMR = {  # bytes of a frame by its mode, header included; RFC 4867 for the narrow band (False) and the wide one
    False: dict(enumerate((13, 14, 16, 18, 20, 21, 27, 32, 6))) | {15: 1},
    True: dict(enumerate((18, 24, 33, 37, 41, 47, 51, 59, 61, 6))) | {14: 1, 15: 1},
}


@dataclass(frozen=True)
class RawFrame:
    """A frame's bytes and its number, counted from 0 with those that are ``lost`` before it."""

    content: bytes
    number: int
    lost: int


@dataclass(frozen=True)
class RawStream:
    """``samples`` of each frame at ``rate`` Hz."""

    rate: int
    samples: int
    frames: Iterator[RawFrame]


def aac(read: ReadAt) -> RawStream:
    """The stream of a file of ADTS frames that begins with one."""
    index = read(0, 4)[2] >> 2 & 15
    return RawStream(_ADTS_RATES[min(index, 12)], 1024, _walk(read, 0, mpeg_audio.aac_header))


def amr(read: ReadAt) -> RawStream:
    """The stream of an AMR file of one channel."""
    is_narrow = read(0, 6) == _NARROW
    sizes = _AMR[not is_narrow]

    def header(head: bytes) -> tuple[int, bytes]:
        return (0, b"") if not head or head[0] & 0x83 else (sizes.get(head[0] >> 3, 0), b"")

    return RawStream(
        8_000 if is_narrow else 16_000, 160 if is_narrow else 320, _walk(read, 6 if is_narrow else 9, header)
    )


def _walk(read: ReadAt, offset: int, header: Header) -> Iterator[RawFrame]:
    number = count = size = 0  # of the next frame; frames so far, and their bytes
    stream: bytes | None = None
    while read(offset, 1):
        lost = 0
        if not _is_next(read, offset, header, stream):
            following = _next(read, offset + 1, header)
            if following is None:
                return
            lost = max(1, round((following - offset) * count / size)) if count else 1
            offset = following
        length, stream = header(read(offset, 7))
        content = read(offset, length)
        yield RawFrame(content, number + lost, lost)
        number, count, size, offset = number + lost + 1, count + 1, size + len(content), offset + len(content)


def _is_next(read: ReadAt, offset: int, header: Header, stream: bytes | None) -> bool:
    """Whether a frame begins where the last one ended: one of its stream, or one that another one follows."""
    length, other = header(read(offset, 7))
    return bool(length and other and other == stream) or _chains(read, offset, header, 2)


def _chains(read: ReadAt, offset: int, header: Header, count: int) -> bool:
    """Whether so many frames of one stream follow each other, or fewer to the end of the file."""
    length, stream = header(read(offset, 7))
    for _ in range(count - 1):
        offset += length
        head = read(offset, 7)
        if not head:
            return True
        length, other = header(head)
        if not length or other != stream:
            return False
    return bool(length)


def _next(read: ReadAt, offset: int, header: Header) -> int | None:
    while block := read(offset, _BLOCK):
        for position in range(len(block)):
            if header(block[position : position + 7])[0] and _chains(read, offset + position, header, _CHAIN):
                return offset + position
        offset += len(block)
    return None
