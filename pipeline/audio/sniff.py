"""Sniffing: a file's container by its magic bytes, and whether the file is as long as its own header promises.

The name of a file decides nothing, and no decoder is asked: decoders probe, and a probing decoder follows a playlist
that is called ``walk.wav``. Everything here reads a few bytes at given offsets and stays within the file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

ReadAt = Callable[[int, int], bytes]
"""Bytes at (offset, count); fewer at the end of the file."""

_CHUNKS = 10_000  # no recording has more top-level chunks than this
_PAGE = 65_307  # the longest Ogg page
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class AudioContainer:
    """A container that we read, the library that reads it, and what that library calls it."""

    name: str
    reader: Literal["soundfile", "av"]
    key: str


WAV = AudioContainer("WAV", "soundfile", "WAV WAVEX")
RF64 = AudioContainer("RF64", "soundfile", "RF64")
AIFF = AudioContainer("AIFF", "soundfile", "AIFF")
FLAC = AudioContainer("FLAC", "soundfile", "FLAC")
OGG = AudioContainer("Ogg", "soundfile", "OGG")
MP3 = AudioContainer("MP3", "soundfile", "MP3 MPEG")
MP4 = AudioContainer("MP4", "av", "mov")
WEBM = AudioContainer("WebM", "av", "matroska")
AAC = AudioContainer("AAC", "av", "aac")


def identify(read: ReadAt) -> AudioContainer | None:
    """Return the container that the first bytes name; None for all others: text, playlists, pictures."""
    head = read(0, 12)
    if head[8:] == b"WAVE" and head[:4] in (b"RIFF", b"RF64"):
        return WAV if head[:4] == b"RIFF" else RF64
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[4:8] == b"ftyp":
        return MP4
    for magic, container in ((b"fLaC", FLAC), (b"OggS", OGG), (b"\x1aE\xdf\xa3", WEBM)):
        if head.startswith(magic):
            return container
    if head.startswith(b"ID3"):  # a tag in front of the sound; its length has seven bits per byte
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
        head = read(10 + size, 4)
    return _mpeg(head)


def _mpeg(head: bytes) -> AudioContainer | None:
    """MP3 or AAC, which start without a magic word: eleven set bits, then version and layer."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return AAC if version >= 2 else None
    rate, frequency = head[2] >> 4, head[2] >> 2 & 3
    return MP3 if layer == 1 and version != 1 and rate not in (0, 15) and frequency != 3 else None


def damage(container: AudioContainer, read: ReadAt, size: int) -> str | None:
    """Return how the file's length contradicts its header, in words after "recording x.wav"; None if it does not.

    Parameters
    ----------
    size: length of the file in bytes.
    """
    match container:
        case c if c in (WAV, RF64):
            return _riff(read, size, "little")
        case c if c is AIFF:
            return _riff(read, size, "big")
        case c if c is MP4:
            return _atoms(read, size)
        case c if c is OGG:
            return _pages(read, size)
        case c if c is WEBM:
            return _segment(read, size)
        case _:
            return None  # left to their decoders: FLAC and MP3 declare a duration, AAC has no header


def leftover(size: int, end: int) -> str | None:
    """Bytes after the end that a header gives are sound that would be lost, unless they are few: a tag."""
    if size - end > max(4096, size // 10):
        return f"goes on for {size - end:,} bytes after the end that its header gives"
    return None


def _missing(promised: int, size: int) -> str:
    return f"is cut off or its header is wrong: the header says {promised:,} bytes, but there are {size:,}"


def _riff(read: ReadAt, size: int, order: Literal["little", "big"]) -> str | None:
    """RIFF and its kin: the size of the whole and the size of the sound must both fit what is there."""
    whole = 8 + int.from_bytes(read(4, 4), order)
    sound: int | None = None  # RF64 gives the sound's real size in a chunk before it
    offset = 12
    for _ in range(_CHUNKS):
        head = read(offset, 8)
        if len(head) < 8:
            return "is cut off: its header ends before the sound begins"
        name, length = head[:4], int.from_bytes(head[4:], order)
        if name == b"ds64":
            words = read(offset + 8, 16)
            whole, sound = 8 + int.from_bytes(words[:8], order), int.from_bytes(words[8:], order)
        if name in (b"data", b"SSND"):
            offset += 8 + (length if sound is None else sound)
            if whole + 1 < offset:
                return f"contradicts itself: the header says {whole:,} bytes for the whole and {offset:,} for a part"
            return _missing(max(whole - 1, offset), size) if size < max(whole - 1, offset) else leftover(size, offset)
        offset += 8 + length + length % 2
    return "is damaged: its header has no end"


def _atoms(read: ReadAt, size: int) -> str | None:
    offset = 0
    for _ in range(_CHUNKS):
        head = read(offset, 16)
        if len(head) < 8:
            break
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        elif length == 0:  # to the end of the file
            break
        if length < 8 or offset + length > size:
            return _missing(offset + length, size)
        offset += length
    return None


def _pages(read: ReadAt, size: int) -> str | None:
    """Ogg: every page carries a checksum and a number; decoders skip what is wrong without an error (RFC 3533)."""
    offset = 0
    numbers: dict[bytes, int] = {}
    while offset < size:
        page = read(offset, _PAGE)
        segments = page[27 : 27 + page[26]] if len(page) > 26 and page.startswith(b"OggS") else b""
        length = 27 + len(segments) + sum(segments)
        if offset + length > size:
            return _missing(offset + length, size)
        page = page[:length]
        stream, number = page[14:18], int.from_bytes(page[18:22], "little")
        if not segments or _checksum(page) != page[22:26] or number != numbers.get(stream, number):
            return f"is damaged: its bytes from {offset:,} on are not the Ogg page that belongs there"
        numbers[stream] = number + 1
        offset += length
    return None


def _checksum(page: bytes) -> bytes:
    """Ogg's CRC-32 runs from the high bit with no inversion: the common one over mirrored bytes, mirrored."""
    mirrored = (page[:22] + bytes(4) + page[26:]).translate(_MIRROR)
    return (zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF).to_bytes(4, "big").translate(_MIRROR)


def _segment(read: ReadAt, size: int) -> str | None:
    """Matroska: the second element holds everything; a live recording leaves its length open, all bits set."""
    ends = list(_elements(read, 2))
    return _missing(ends[1], size) if len(ends) == 2 and ends[1] > size else None


def _elements(read: ReadAt, count: int) -> Iterator[int]:
    offset = 0
    for _ in range(count):
        first = read(offset, 1)
        if not first:
            return
        offset += _width(first)
        width = _width(read(offset, 1))
        number = int.from_bytes(read(offset, width), "big") & ((1 << 7 * width) - 1)
        offset += width
        if number == (1 << 7 * width) - 1:
            return
        offset += number
        yield offset


def _width(first: bytes) -> int:
    """Bytes of an EBML number: one more than the zero bits that lead its first byte."""
    return 9 - first[0].bit_length() if first else 1
