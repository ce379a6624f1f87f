"""Layout: where a container begins and ends in its file, and what its header says about that.

Sizes in a header may be lies or placeholders. A recorder that stopped badly never wrote them: the sound goes to the
end of the file. A copy that broke off is shorter than they say: that is refused, unless a part is asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.audio import mpeg_audio, sniff
from pipeline.audio.mpeg_audio import ReadAt
from pipeline.audio.sniff import AudioContainer

_CHUNKS = 10_000  # no recording has more top-level chunks than this
_PAGE = 65_307  # the longest Ogg page
_BAD_PAGES = 1_000  # places at which an Ogg file may be damaged
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ENDLESS = (1 << 31, 1 << 32, 1 << 63, 1 << 64)
"""Near these are the sizes that programs write before they know: sox 0x7FFFF000, arecord 0x7FFFFFFF, many all bits."""

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # an object of ASF
_UNWRITTEN = "its recorder stopped before it wrote how long the sound is, which was read to the end of the file"


@dataclass(frozen=True)
class Layout:
    """Bytes ``begin`` to ``end`` of a file are the container's.

    ``repairs`` are bytes to read in place of others, at offsets from ``begin``: sizes that were never written.
    ``remark`` says so in words after "the file x.wav: "; ``damage`` says how the file's length contradicts its header,
    in words after "recording x.wav".
    """

    begin: int
    end: int
    repairs: tuple[tuple[int, bytes], ...] = ()
    remark: str | None = None
    damage: str | None = None


@dataclass(frozen=True)
class _Sizes:
    """The outcome of a check of a header's sizes; ``end`` is where the sound and its container end."""

    damage: str | None = None
    repairs: tuple[tuple[int, bytes], ...] = ()
    unwritten: bool = False
    end: int | None = None


def examine(container: AudioContainer, begin: int, read: ReadAt, size: int) -> Layout:
    """Return the layout of a file of ``size`` bytes whose container begins at ``begin``."""

    def inside(offset: int, count: int) -> bytes:
        return read(begin + offset, count) if offset < size else b""  # a header may name any offset

    check = _CHECKS.get(container)
    sizes = check(inside, size - begin) if check else _Sizes()
    end = size if sizes.end is None else begin + sizes.end
    return Layout(begin, end, sizes.repairs, _UNWRITTEN if sizes.unwritten else None, sizes.damage)


def leftover(size: int, end: int) -> str | None:
    """Bytes after the end that a header gives are sound that would be lost, unless they are few: a tag."""
    if size - end > max(4096, size // 10):
        return f"goes on for {size - end:,} bytes after the end that its header gives"
    return None


def _missing(promised: int, size: int) -> str:
    return f"is cut off or its header is wrong: the header says {promised:,} bytes, but there are {size:,}"


def _unwritten(promised: int, there: int, nothing: int = 0) -> bool:
    """Whether a size is a placeholder: nothing where there is something, or endless and more than there is."""
    endless = any(abs(promised - limit) <= 4096 for limit in _ENDLESS)
    return promised <= nothing < there or (endless and promised > there)


def _riff(read: ReadAt, size: int, order: Literal["little", "big"]) -> _Sizes:
    """RIFF and its kin: the size of the whole and the size of the sound must both fit what is there."""
    whole = 8 + int.from_bytes(read(4, 4), order)
    field, width = 0, 4  # where the size of the sound stands; RF64 gives it in a chunk before
    offset = 12
    for _ in range(_CHUNKS):
        head = read(offset, 8)
        if len(head) < 8:
            return _Sizes("is cut off: its header ends before the sound begins")
        name, length = head[:4], int.from_bytes(head[4:], order)
        if name == b"fmt " and not any(read(offset + 20, 2)):
            return _Sizes("contradicts itself: its header says that a block of sound has no bytes")
        if name == b"ds64":
            whole, field, width = 8 + int.from_bytes(read(offset + 8, 8), order), offset + 16, 8
        if name in (b"data", b"SSND"):
            field = field or offset + 4
            return _sound(read, size, order, (whole, field, width, offset + 8), 8 if name == b"SSND" else 0)
        offset += 8 + length + length % 2
    return _Sizes("is damaged: its header has no end")


def _sound(
    read: ReadAt, size: int, order: Literal["little", "big"], fields: tuple[int, int, int, int], nothing: int
) -> _Sizes:
    """The sizes of a RIFF file whose sound begins at the last of ``fields``; ``nothing`` is that of an empty one."""
    whole, field, width, start = fields
    length, there = int.from_bytes(read(field, width), order), size - start
    if _unwritten(length, there, nothing):
        return _Sizes(repairs=((field, there.to_bytes(width, order)),), unwritten=True)
    end = start + length
    if _unwritten(whole - 8, size - 8) and end <= size:
        return _Sizes(leftover(size, end), unwritten=True)
    if whole + 1 < end:
        return _Sizes(f"contradicts itself: the header says {whole:,} bytes for the whole and {end:,} for a part")
    return _Sizes(_missing(max(whole - 1, end), size) if size < max(whole - 1, end) else leftover(size, end))


def _wave64(read: ReadAt, size: int) -> _Sizes:
    """Sony's RIFF: names and sizes are longer, a size counts its own 24 bytes, and chunks begin at multiples of 8."""
    offset = 40
    for _ in range(_CHUNKS):
        head = read(offset, 24)
        if len(head) < 24:
            return _Sizes("is cut off: its header ends before the sound begins")
        length, there = int.from_bytes(head[16:], "little"), size - offset
        if head.startswith(b"data"):
            if _unwritten(length, there, nothing=24):
                repairs = ((16, size.to_bytes(8, "little")), (offset + 16, there.to_bytes(8, "little")))
                return _Sizes(repairs=repairs, unwritten=True)
            return _Sizes(_missing(offset + length, size) if length > there else leftover(size, offset + length))
        if length < 24:
            break
        offset += (length + 7) & ~7
    return _Sizes("is damaged: its header has no end")


def _next_audio(read: ReadAt, size: int) -> _Sizes:
    """Sun's header: all bits set are a size that nobody knows, which the format allows."""
    start, length = int.from_bytes(read(4, 4), "big"), int.from_bytes(read(8, 4), "big")
    if length == 0xFFFFFFFF:
        return _Sizes()
    if _unwritten(length, size - start):
        return _Sizes(repairs=((8, b"\xff" * 4),), unwritten=True)
    return _Sizes(_missing(start + length, size) if start + length > size else leftover(size, start + length))


def _core_audio(read: ReadAt, size: int) -> _Sizes:
    """Apple's chunks; the size of the last may be -1, to the end of the file."""
    offset = 8
    for _ in range(_CHUNKS):
        head = read(offset, 12)
        if len(head) < 12:
            break
        length, there = int.from_bytes(head[4:], "big", signed=True), size - offset - 12
        if length < 0:
            break
        if head[:4] == b"data" and _unwritten(length, there, nothing=4):
            return _Sizes(repairs=((offset + 4, b"\xff" * 8),), unwritten=True)
        if length > there:
            return _Sizes(_missing(offset + 12 + length, size))
        offset += 12 + length
    return _Sizes()


def _video_riff(read: ReadAt, size: int) -> _Sizes:
    whole = 8 + int.from_bytes(read(4, 4), "little")
    if _unwritten(whole - 8, size - 8):
        return _Sizes(unwritten=True)
    return _Sizes(_missing(whole, size) if whole - 1 > size else None)


def _windows_media(read: ReadAt, size: int) -> _Sizes:
    header = read(0, 1 << 16)
    offset = header.find(_FILE_PROPERTIES)
    if offset < 0:
        return _Sizes()
    promised, live = int.from_bytes(header[offset + 40 : offset + 48], "little"), header[offset + 88 : offset + 89]
    if not live or live[0] & 1:
        return _Sizes()
    if _unwritten(promised, size):
        return _Sizes(unwritten=True)
    return _Sizes(_missing(promised, size) if promised > size else None)


def _atoms(read: ReadAt, size: int) -> _Sizes:
    offset = 0
    kinds: set[bytes] = set()
    for _ in range(_CHUNKS):
        head = read(offset, 16)
        if len(head) < 8:
            break
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        elif length == 0:  # to the end of the file
            break
        if length < 8 or offset + length > size:
            if {b"moov", b"mdat"} <= kinds and not kind.isalnum():
                break  # all that is needed is there; what follows is none of it
            return _Sizes(_missing(offset + length, size))
        kinds.add(kind)
        offset += length
    return _Sizes()


def _frames(read: ReadAt, size: int) -> _Sizes:
    """MP3, AAC, FLAC: tags may stand behind the sound; an MP3 may say how many bytes it has."""
    end = mpeg_audio.sound_end(read, size)
    promised = mpeg_audio.promised(read, 0)
    if promised is not None and promised - end > max(4096, promised // 100):
        return _Sizes(_missing(promised, end), end=end)
    return _Sizes(end=end)


def _pages(read: ReadAt, size: int) -> _Sizes:
    """Ogg: every page carries a checksum (RFC 3533). A bad one is lost, and its time with it; a last one that is cut
    contradicts its header; anything else behind the last is none of the file."""
    offset, end, bad = 0, 0, 0
    while offset < size:
        page = read(offset, _PAGE)
        segments = page[27 : 27 + page[26]] if len(page) > 26 and page.startswith(b"OggS") else b""
        length = 27 + len(segments) + sum(segments)
        if segments and offset + length <= size and _checksum(page[:length]) == page[22:26]:
            offset = end = offset + length
            continue
        following = _next_page(read, offset + 1, size)
        bad += 1
        if not end or bad > _BAD_PAGES:
            return _Sizes(f"is damaged: its bytes from {offset:,} on are not the Ogg page that belongs there")
        if following is None:
            cut = page.startswith(b"OggS") and offset + length > size
            return _Sizes(_missing(offset + length, size) if cut else None, end=end)
        offset = following
    return _Sizes()


def _next_page(read: ReadAt, offset: int, size: int) -> int | None:
    for start in range(offset, size, _PAGE):
        if (position := read(start, _PAGE + 3).find(b"OggS")) >= 0:
            return start + position
    return None


def _checksum(page: bytes) -> bytes:
    """Ogg's CRC-32 runs from the high bit with no inversion: the common one over mirrored bytes, mirrored."""
    mirrored = (page[:22] + bytes(4) + page[26:]).translate(_MIRROR)
    return (zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF).to_bytes(4, "big").translate(_MIRROR)


def _segment(read: ReadAt, size: int) -> _Sizes:
    """Matroska: the second element holds everything; a live recording leaves its length open, all bits set."""
    ends = list(_elements(read, 2))
    return _Sizes(_missing(ends[1], size) if len(ends) == 2 and ends[1] > size else None)


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


_CHECKS: dict[AudioContainer, Callable[[ReadAt, int], _Sizes]] = {
    sniff.WAV: lambda read, size: _riff(read, size, "little"),
    sniff.RF64: lambda read, size: _riff(read, size, "little"),
    sniff.AIFF: lambda read, size: _riff(read, size, "big"),
    sniff.W64: _wave64,
    sniff.AU: _next_audio,
    sniff.CAF: _core_audio,
    sniff.MP4: _atoms,
    sniff.OGG: _pages,
    sniff.WEBM: _segment,
    sniff.AVI: _video_riff,
    sniff.ASF: _windows_media,
    sniff.MP3: _frames,
    sniff.AAC: _frames,
    sniff.FLAC: _frames,
}
