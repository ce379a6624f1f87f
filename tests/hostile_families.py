"""Hostile files of each family of containers: forty made from a good one, by cutting, lying and naming another file.

``python -m tests.hostile_families FOLDER FAMILY`` decodes those of one family as `tests.hostile` does.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tests import hostile
from tests.audio.devices import muxed, written
from tests.hostile import CANARY, Case
from tests.sounds import tone

ANY = "any"
"""The code of a file of which only is asked that it ends soon, in little memory, and reaches nothing."""


def _short(kind: str, codec: str, rate: int, **options: object) -> bytes:
    channels = tone(3, rate)[None]
    return muxed(kind, codec, rate, channels=channels, **options)  # type: ignore[arg-type]


FAMILIES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "amr": (".amr", lambda: _short("amr", "libopencore_amrnb", 8_000)),
    "amr-wb": (".awb", lambda: b"#!AMR-WB\n" + (b"\x44" + np.random.default_rng(6).bytes(60)) * 150),
    "3gp": (".3gp", lambda: _short("3gp", "libopencore_amrnb", 8_000)),
    "mov": (".mov", lambda: _short("mov", "pcm_s16le", 16_000, picture="mjpeg", picture_seconds=2)),
    "mkv": (".mkv", lambda: _short("matroska", "aac", 16_000, picture="mpeg4", picture_seconds=2)),
    "wma": (".wma", lambda: _short("asf", "wmav2", 16_000, bit_rate=32_000)),
    "avi": (".avi", lambda: _short("avi", "libmp3lame", 16_000, picture="mpeg4", picture_seconds=2)),
    "ts": (".ts", lambda: _short("mpegts", "aac", 16_000)),
    "ps": (".mpg", lambda: _short("vob", "mp2", 48_000)),
    "caf": (".caf", lambda: _short("caf", "alac", 16_000)),
    "w64": (".w64", lambda: _short("w64", "pcm_s16le", 16_000)),
    "au": (".au", lambda: written("AU", "PCM_16", 8_000)),
    "ogg-flac": (".oga", lambda: _short("ogg", "flac", 16_000)),
    "ac3": (".mp4", lambda: muxed("mp4", "ac3", 48_000, "stereo")),
}


def cases(family: str) -> list[Case]:
    """The forty files of a family."""
    ending, make = FAMILIES[family]
    good = make()
    extra = [Case("script.wma", ANY, partial(_scripted, good))] if family == "wma" else []
    return [Case(f"{name}{ending}", ANY, partial(_filled, content)) for name, content in _variants(good)] + extra


def _filled(content: bytes, path: Path) -> bytes:
    """The file with the path of the canary where it says so."""
    return content.replace(b"{canary}", str(path.parent.parent / CANARY).encode())


def _scripted(good: bytes, path: Path) -> bytes:
    """ASF with a script command that has a player open another file."""
    name = f"file://{path.parent.parent / CANARY}".encode("utf-16-le")
    body = bytes(16) + struct.pack("<HHH", 1, 1, 3) + "URL".encode("utf-16-le")
    body += struct.pack("<IHH", 0, 0, len(name) // 2) + name
    script = bytes.fromhex("301afb1e620bd011a39b00a0c90348f6") + struct.pack("<Q", 24 + len(body)) + body
    size, count = struct.unpack("<QI", good[16:28])
    return good[:16] + struct.pack("<QI", size + len(script), count + 1) + good[28:30] + script + good[30:]


def _variants(good: bytes) -> Iterator[tuple[str, bytes]]:
    size = len(good)
    random = np.random.default_rng(size)
    for part in (0.001, 0.01, 0.1, 0.3, 0.5, 0.9):
        yield f"cut-{part}", good[: max(16, int(size * part))]
    for length in (16, 64, 512):
        yield f"noise-behind-{length}", good[:length] + random.bytes(40_000)
        yield f"zeros-behind-{length}", good[:length] + bytes(40_000)
    for start in (16, 64, 256, size // 2):
        yield f"ones-at-{start}", good[:start] + b"\xff" * 32 + good[start + 32 :]
        yield f"zeros-at-{start}", good[:start] + bytes(32) + good[start + 32 :]
    for count in (20, 200, 2_000):  # bytes anywhere
        content = bytearray(good)
        for offset in random.integers(16, size, count):
            content[offset] = random.integers(256)
        yield f"spoiled-{count}", bytes(content)
    for offset in (17, 24, 32, 40, 48, 80):  # sizes in the header
        yield f"size-at-{offset}", good[:offset] + struct.pack(">I", 0x7FFFFFFF) + good[offset + 4 :]
    head = bytearray(good)
    head[12:2_000] = random.bytes(len(head[12:2_000]))
    yield "header-of-noise", bytes(head)
    yield "twice", good * 2
    yield "backwards", good[:64] + good[64:][::-1]
    yield "thousand-heads", good[:256] * 1_000
    yield "concat-behind", good[:64] + b"ffconcat version 1.0\nfile '{canary}'\n" * 50
    yield "playlist-behind", good[:32] + b"#EXTM3U\n#EXTINF:5,\n{canary}\n" * 50
    yield "names-inside", good.replace(b"Lavf", b"file:{canary}\0", 1) + b"file:{canary}\0" * 10
    yield "playlist-in-front", b"#EXTM3U\n#EXTINF:5,\n{canary}\n" + good
    yield "concat-in-front", b"ffconcat version 1.0\nfile '{canary}'\n" + good
    yield "shifted", good[:16] + b"{canary}" * 4 + good[16:]
    yield "blocks-in-disorder", b"".join(good[k : k + 1_000] for k in random.permutation(range(0, size, 1_000)))


if __name__ == "__main__":
    hostile.main(Path(sys.argv[1]), cases(sys.argv[2]))
