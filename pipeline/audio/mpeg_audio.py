"""MP3 and AAC without a container: frames one after the other, found by a chain of headers, and the tags around them.

Such a file has no magic word of its own. Recorders and editors put tags, zeros or the rest of another file in front
of the first frame, so the frames themselves are looked for: each header gives the length of its frame, and the next
header must stand where it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

ReadAt = Callable[[int, int], bytes]
"""Bytes at (offset, count); fewer at the end of the file."""

JUNK = 1 << 16
"""Bytes in front of the first frame, beside tags and zeros, that are passed over."""

_CHAIN = 6  # headers in a row that make a stream: fewer come together in pictures and programs
_ZEROS = 1 << 24  # bytes of zeros in front that are passed over
_TAGS = 64  # tags in a row
_RATES = {  # kilobits per second by version 1 or later, and layer; ISO/IEC 11172-3 and 13818-3
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_FREQUENCIES = (44_100, 48_000, 32_000)  # Hz by the header's index, of MPEG-1; ISO/IEC 11172-3


def after_tags(read: ReadAt) -> int:
    """Return the offset behind the ID3v2 tags that lead a file; a tag's length has seven bits per byte."""
    offset = 0
    for _ in range(_TAGS):
        head = read(offset, 10)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        footer = 10 if head[5] & 0x10 else 0
        offset += (
            10 + footer + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        )
    return offset


def first_frame(read: ReadAt, offset: int) -> tuple[Literal["mp3", "aac"], int] | None:
    """Return the kind of the frames that begin at ``offset`` or behind zeros and junk there, and where they begin."""
    start = _after_zeros(read, offset)
    block = read(start, JUNK)
    kind = _frame(block[:7])[0]
    if kind and _is_chain(read, start, 2):
        return kind, start
    for position in _syncs(block):
        if (other := _frame(block[position : position + 7])[0]) and _is_chain(read, start + position, _CHAIN):
            return other, start + position
    return (kind, start) if kind and start == offset else None  # damaged, or a single frame


def sound_end(read: ReadAt, size: int) -> int:
    """Return where the sound ends: before the tags that stand behind it (ID3v1, APE, Lyrics3) and zeros."""
    for _ in range(_TAGS):
        end = _before_tag(read, size)
        if end == size:
            break
        size = max(0, end)
    return size


def promised(read: ReadAt, begin: int) -> int | None:
    """Return the bytes that an MP3's first frame says the stream has (Xing, Info, VBRI); None if it says nothing."""
    head = read(begin, 256)
    if (kind := head.find(b"Xing", 0, 48)) < 0 and (kind := head.find(b"Info", 0, 48)) < 0:
        return int.from_bytes(head[46:50], "big") or None if head[36:40] == b"VBRI" else None
    flags = int.from_bytes(head[kind + 4 : kind + 8], "big")
    field = kind + 8 + (4 if flags & 1 else 0)  # the number of frames comes first
    return int.from_bytes(head[field : field + 4], "big") or None if flags & 2 else None


def frame_length(head: bytes) -> int:
    """Return the bytes that a frame has by its first seven, header included; 0 where no frame begins."""
    return _frame(head)[1]


def aac_header(head: bytes) -> tuple[int, bytes]:
    """Return the bytes of the AAC frame that begins with these seven, and the bits that its whole stream shares."""
    kind, length, stream = _frame(head)
    return (length, stream) if kind == "aac" else (0, b"")


def _before_tag(read: ReadAt, size: int) -> int:
    tail = read(max(0, size - 128), 128)
    if len(tail) == 128 and tail[:3] == b"TAG":
        return size - 128
    if tail[-32:-24] == b"APETAGEX":
        header = 32 if int.from_bytes(tail[-12:-8], "little") >> 31 else 0
        return size - int.from_bytes(tail[-20:-16], "little") - header
    if tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
        return size - 15 - int(tail[-15:-9])
    stripped = len(tail.rstrip(b"\0"))
    return size - len(tail) + stripped if len(tail) - stripped > 16 else size


def _after_zeros(read: ReadAt, offset: int) -> int:
    for start in range(offset, offset + _ZEROS, JUNK):
        block = read(start, JUNK)
        if (rest := block.lstrip(b"\0")) or not block:
            return start + len(block) - len(rest)
    return offset


def _syncs(block: bytes) -> list[int]:
    result, position = [], block.find(0xFF, 1)
    while position >= 0:
        if block[position + 1 : position + 2] >= b"\xe0":
            result.append(position)
        position = block.find(0xFF, position + 1)
    return result


def _is_chain(read: ReadAt, offset: int, count: int) -> bool:
    """Whether so many frames of one stream follow each other."""
    kind, length, stream = _frame(read(offset, 7))
    for _ in range(count - 1):
        offset += length
        next_kind, length, next_stream = _frame(read(offset, 7))
        if (next_kind, next_stream) != (kind, stream):
            return False
    return True


def _frame(head: bytes) -> tuple[Literal["mp3", "aac"] | None, int, bytes]:
    """The kind of a frame, its length in bytes, and the bits that stay the same in all frames of a stream."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None, 0, b""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:  # AAC in ADTS
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        known = version >= 2 and (head[2] >> 2 & 15) < 13 and length >= 7
        return ("aac", length, bytes((head[1] & 0xFE, head[2] & 0xFD))) if known else (None, 0, b"")
    bits, frequency, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or bits in (0, 15) or frequency == 3:
        return None, 0, b""
    first, number = version == 3, 4 - layer
    rate = _RATES[first, number][bits] * 1000
    hertz = _FREQUENCIES[frequency] >> (0 if first else 1 if version == 2 else 2)
    if number == 1:
        length = (12 * rate // hertz + padding) * 4
    else:
        length = (144 if first or number == 2 else 72) * rate // hertz + padding
    return "mp3", length, bytes((head[1] & 0xFE, head[2] & 0x0C))
