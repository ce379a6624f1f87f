"""Hostile and broken recordings, each made here, and what happens when they are decoded.

``python -m tests.hostile FOLDER`` makes them all in FOLDER, decodes one after the other in this one process, under a
guard that refuses sockets, and prints a JSON line for each: its code, seconds, and the peak memory in MB of this
process and of the largest decoder so far. Many name a canary outside their own folder: a named pipe, at which whoever
opens it hangs until the clock runs out.
"""

from __future__ import annotations

import io
import json
import math
import os
import resource
import socket
import struct
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import soundfile

from pipeline import settings
from pipeline.audio import recording
from pipeline.errors import AudioError
from tests.memory import peak_mb
from tests.sounds import box, element, encoded, half, muxed, rebuilt, spoiled, tone, video, wav

Make = Callable[[Path], bytes | None]
"""Returns the file's bytes, or makes it at the given path itself and returns None."""

CANARY = "canary.wav"
DECODED = "decoded"
"""The code of a file whose sound is read, in spite of all."""


@dataclass(frozen=True)
class Case:
    """A file name, the code that it must get (or `DECODED`), and how it is made."""

    name: str
    code: str
    make: Make


CASES: list[Case] = []


def case(name: str, code: str) -> Callable[[Make], Make]:
    """Register the decorated maker."""

    def register(make: Make) -> Make:
        CASES.append(Case(name, _outcome(code), make))
        return make

    return register


def _outcome(code: str) -> str:
    return code if code == DECODED else f"TR-{code}"


def fixed(name: str, code: str, content: bytes) -> None:
    """Register plain bytes."""
    CASES.append(Case(name, _outcome(code), lambda path: content))


# --- text that is no sound --------------------------------------------------------------------------------------------


def naming(name: str, text: str, code: str = "A04") -> None:
    """Register a text that names the canary where it says ``{canary}``."""
    CASES.append(Case(name, f"TR-{code}", lambda path: text.format(canary=path.parent.parent / CANARY).encode()))


fixed("empty.wav", "A02", b"")
fixed("one-byte.wav", "A04", b"R")
fixed("text.wav", "A04", b"This is no sound.\n")
fixed("page.mp3", "A04", b"<!doctype html><title>Not found</title>\n")
fixed("picture.flac", "A04", b"\x89PNG\r\n\x1a\n" + bytes(100))
fixed("program.ogg", "A04", b"\x7fELF" + bytes(100))
naming("concat.wav", "ffconcat version 1.0\nfile '{canary}'\n")
naming("concat-url.flac", "ffconcat version 1.0\nfile 'file:{canary}'\nfile 'http://127.0.0.1:9/x.wav'\n")
naming("concat-plain.m4a", "file '{canary}'\n")
naming("playlist.wav", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{canary}\n#EXT-X-ENDLIST\n")
naming("playlist-url.m4a", "#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/canary.ts\n#EXT-X-ENDLIST\n")
naming("playlist.mp3", "{canary}\n")
naming("playlist.webm", "[playlist]\nFile1=file://{canary}\nNumberOfEntries=1\nVersion=2\n")
naming("session.ogg", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n")
naming("dash.m4a", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{canary}</BaseURL></MPD>')
naming("smil.wav", '<smil><body><audio src="{canary}"/></body></smil>')


@case("bomb.mp3", "A04")
def _(path: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sound.wav", bytes(50_000_000))
    return file.getvalue()


# --- magic words and nothing behind them ------------------------------------------------------------------------------

_NOISE = np.random.default_rng(5).bytes(40_000)
fixed("noise.wav", "A13", b"RIFF" + struct.pack("<I", 40_004) + b"WAVE" + _NOISE)
fixed("noise-rf64.wav", "A13", b"RF64\xff\xff\xff\xffWAVE" + _NOISE)
fixed("noise.aiff", "A13", b"FORM" + struct.pack(">I", 40_004) + b"AIFF" + _NOISE)
fixed("noise.flac", "A05", b"fLaC" + _NOISE)
fixed("noise.ogg", "A13", b"OggS" + _NOISE)
fixed("noise.mp3", "A05", b"\xff\xfb\x90\x64" + _NOISE)
fixed("noise.aac", "A05", b"\xff\xf1\x50\x80" + _NOISE)
fixed("noise.m4a", "A13", struct.pack(">I", 16) + b"ftypM4A " + bytes(4) + _NOISE)
fixed("noise.webm", "A05", b"\x1aE\xdf\xa3" + _NOISE)
fixed("tagged.mp3", "A04", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + _NOISE)
fixed("tagged-text.mp3", "A04", b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + b"ffconcat version 1.0\n")
fixed("magic-only.wav", "A04", b"RIFF")
fixed("header-only.wav", "A13", wav()[:12])

# --- cut off, spoiled -------------------------------------------------------------------------------------------------

case("cut.wav", "A13")(lambda path: half(encoded("WAV")))
case("cut-in-header.wav", "A13")(lambda path: encoded("WAV")[:30])
case("cut.aiff", "A13")(lambda path: half(encoded("AIFF")))
case("cut.flac", "A13")(lambda path: half(encoded("FLAC")))
case("cut-vorbis.ogg", "A13")(lambda path: half(encoded("OGG", "VORBIS")))
case("cut-opus.ogg", "A13")(lambda path: half(encoded("OGG", "OPUS")))
case("cut.mp3", "A13")(lambda path: half(encoded("MP3")))
case("cut.m4a", "A13")(lambda path: half(muxed("ipod", "aac")))
case("cut.webm", "A13")(lambda path: half(muxed("webm", "libopus")))
case("cut.aac", "decoded")(lambda path: half(muxed("adts", "aac")))
case("spoiled.flac", "decoded")(lambda path: spoiled(encoded("FLAC")))
case("spoiled.ogg", "A13")(lambda path: spoiled(encoded("OGG", "OPUS")))
case("spoiled.m4a", "decoded")(lambda path: spoiled(muxed("ipod", "aac")))
case("spoiled.mp3", "decoded")(lambda path: spoiled(encoded("MP3")))


@case("rates.aac", "A05")
def _(path: Path) -> bytes:
    return muxed("adts", "aac", 44_100) + muxed("adts", "aac", 16_000)


# --- lies in WAV ------------------------------------------------------------------------------------------------------

fixed("riff-too-big.wav", "A13", wav(riff=10_000_000))
fixed("riff-too-small.wav", "A13", wav(riff=36))
fixed("riff-zero.wav", "decoded", wav(riff=0))
fixed("data-too-big.wav", "A13", wav(length=10_000_000))
fixed("data-too-small.wav", "A13", wav(length=100))
fixed("data-zero.wav", "decoded", wav(length=0))
fixed("data-endless.wav", "decoded", wav(length=0xFFFFFFFF, riff=0xFFFFFFFF))
fixed("no-samples.wav", "A02", wav(data=b""))
fixed("one-sample.wav", "A02", wav(data=b"\1\1"))
fixed("rate-zero.wav", "A05", wav(rate=0))
fixed("rate-one.wav", "A07", wav(rate=1))
fixed("rate-8-mhz.wav", "A07", wav(rate=8_000_000))
fixed("rate-384-khz.wav", "A07", wav(rate=384_000))
fixed("channels-zero.wav", "A05", wav(channels=0, align=2))
fixed("channels-9.wav", "A08", wav(channels=9))
fixed("channels-64.wav", "A08", wav(channels=64))
fixed("channels-65535.wav", "A05", wav(channels=65_535))
fixed("bits-zero.wav", "A06", wav(bits=0, align=2))
fixed("bits-64.wav", "decoded", wav(bits=64))
fixed("codec-unknown.wav", "A06", wav(kind=0x7777))
fixed("adpcm-no-block.wav", "A13", wav(kind=2, bits=4, align=0))
fixed(
    "no-format.wav",
    "A05",
    b"RIFF" + struct.pack("<I", 32_012) + b"WAVEdata" + struct.pack("<I", 32_000) + bytes(32_000),
)
fixed("chunks.wav", "A13", b"RIFF" + struct.pack("<I", 800_004) + b"WAVE" + b"junk\0\0\0\0" * 100_000)


def _floats(value: float, kind: str = "<f4") -> bytes:
    sound = tone().astype(kind)
    sound[20_000] = value
    return wav(data=sound.tobytes(), kind=3, bits=8 * sound.itemsize)


fixed("nan.wav", "A09", _floats(math.nan))
fixed("infinite.wav", "A09", _floats(math.inf))
fixed("enormous.wav", "A09", _floats(1e300, "<f8"))
fixed("only-nan.wav", "A09", wav(data=np.full(80_000, np.nan, "<f4").tobytes(), kind=3, bits=32))


@case("rf64.wav", "A13")
def _(path: Path) -> bytes:
    content = bytearray(encoded("RF64"))
    offset = content.index(b"ds64") + 8
    content[offset : offset + 16] = struct.pack("<QQ", 1 << 62, 1 << 61)
    return bytes(content)


# --- too long, too large ----------------------------------------------------------------------------------------------


@case("ten-hours.flac", "A12")
def _(path: Path) -> None:
    silence = np.zeros(8000 * 600, np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16", format="FLAC", compression_level=0) as file:
        for _ in range(60):
            file.write(silence)


@case("half-an-hour.wav", "A10")
def _(path: Path) -> None:
    soundfile.write(path, np.zeros(8000 * 1800, np.int16), 8000, subtype="PCM_U8")


def _sparse(path: Path, content: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.truncate(size)


case("five-gigabytes.wav", "A12")(lambda path: _sparse(path, wav(), 5 * 10**9))
case("four-days.wav", "A12")(
    lambda path: _sparse(
        path, wav(data=b"", rate=8000, bits=8, length=2_900_000_000, riff=2_900_000_036), 2_900_000_044
    )
)


def _streaminfo(total: int, rate: int | None = None) -> bytes:
    content = bytearray(encoded("FLAC"))
    field = int.from_bytes(content[18:26], "big")
    field = field >> 36 << 36 | total
    if rate is not None:
        field = field & (1 << 44) - 1 | rate << 44
    content[18:26] = field.to_bytes(8, "big")
    return bytes(content)


case("total-too-big.flac", "A12")(lambda path: _streaminfo(1 << 35))
case("total-too-small.flac", "A13")(lambda path: _streaminfo(20_000))
case("rate-zero.flac", "decoded")(lambda path: _streaminfo(80_000, rate=0))

# --- MP4 --------------------------------------------------------------------------------------------------------------


_DREF = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")


def referring(canary: Path) -> bytes:
    """Sound that says it lies in another file, once as a URL and once as a Macintosh alias."""
    name = str(canary).encode()
    alias = bytes(6) + struct.pack(">HH", 150, 2) + bytes(140)
    alias += struct.pack(">HH", 18, len(name)) + name + bytes(len(name) % 2) + struct.pack(">hH", -1, 0)
    entries = box(b"alis", bytes(4), alias) + box(b"url ", bytes(4), b"file://" + name + b"\0")
    return rebuilt(muxed("mov", "aac"), _DREF, lambda payload: bytes(4) + struct.pack(">I", 2) + entries)


@case("reference-only.mov", "A05")
def _(path: Path) -> bytes:
    return rebuilt(referring(path.parent.parent / CANARY), (b"mdat",), lambda payload: bytes(len(payload)))


@case("times-lie.m4a", "A02")
def _(path: Path) -> bytes:
    table = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")
    return rebuilt(muxed("ipod", "aac"), table, lambda payload: bytes(4) + struct.pack(">III", 1, 236, 100_000_000))


@case("many-samples.m4a", "A02")
def _(path: Path) -> bytes:
    table = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz")
    return rebuilt(muxed("ipod", "aac"), table, lambda payload: bytes(4) + struct.pack(">II", 1, 0xFFFFFFFF))


@case("nested.m4a", "A05")
def _(path: Path) -> bytes:
    content = b""
    for _ in range(2000):
        content = box(b"moov", content)
    return box(b"ftyp", b"M4A ", bytes(4)) + content


fixed("no-moov.m4a", "A05", box(b"ftyp", b"M4A ", bytes(4)) + box(b"mdat", bytes(5000)))


case("video.mp4", "A02")(lambda path: video("mp4", "mpeg4"))
case("video.mkv", "A02")(lambda path: video("matroska", "mpeg4"))

# --- Matroska ---------------------------------------------------------------------------------------------------------


_EBML = element(0x1A45DFA3, element(0x4282, b"matroska"), element(0x4287, b"\4"), element(0x4285, b"\2"))


def _track(kind: int, codec: bytes) -> bytes:
    number = element(0xD7, b"\1") + element(0x73C5, b"\1")
    return element(0x1654AE6B, element(0xAE, number, element(0x83, bytes([kind])), element(0x86, codec)))


def _matroska(*parts: bytes) -> bytes:
    scale = element(0x2AD7B1, (1_000_000).to_bytes(3, "big"))
    cluster = element(0x1F43B675, element(0xE7, b"\0"), element(0xA3, b"\x81\0\0\x80" + bytes(100)))
    return _EBML + element(0x18538067, element(0x1549A966, scale, parts[0]), *parts[1:], cluster)


def _linked(path: Path) -> bytes:
    name = str(path.parent.parent / CANARY).encode()
    links = (
        element(0x3CB923, bytes(16)) + element(0x3C83AB, name) + element(0x3EB923, bytes(16)) + element(0x3E83BB, name)
    )
    return _matroska(links, _track(2, b"A_OPUS"))


def _attached(path: Path) -> bytes:
    file = element(0x466E, str(path.parent.parent / CANARY).encode()) + element(0x4660, b"audio/wav")
    sound = element(0x61A7, file, element(0x465C, wav()), element(0x46AE, b"\1"))
    return _matroska(b"", _track(0x11, b"S_TEXT/UTF8"), element(0x1941A469, sound))


case("subtitles.mkv", "A02")(lambda path: _matroska(b"", _track(0x11, b"S_TEXT/UTF8")))
case("attachment.mkv", "A02")(_attached)
case("linked.mkv", "A02")(_linked)
case("codec.mkv", "A06")(lambda path: muxed("matroska", "wavpack"))
fixed("nothing.mkv", "A05", _EBML)
fixed("size-lies.mkv", "A13", _EBML + b"\x18\x53\x80\x67" + (1 << 56 | 1 << 40).to_bytes(8, "big") + bytes(100))


def _declaring(milliseconds: float) -> bytes:
    content = muxed("webm", "libopus")
    offset = content.index(b"\x44\x89\x88") + 3
    return content[:offset] + struct.pack(">d", milliseconds) + content[offset + 8 :]


case("declares-days.webm", "A12")(lambda path: _declaring(1e9))
case("declares-more.webm", "A13")(lambda path: _declaring(60_000))
case("declares-less.webm", "A13")(lambda path: _declaring(1_000))

# --- Ogg --------------------------------------------------------------------------------------------------------------


@case("pages-missing.ogg", "decoded")
def _(path: Path) -> bytes:
    content = encoded("OGG", "OPUS", sound=tone(60))
    pages = [offset for offset in range(len(content)) if content.startswith(b"OggS", offset)]
    return content[: pages[4]] + content[pages[6] :]


# --- no file at all ---------------------------------------------------------------------------------------------------

case("folder.wav", "A03")(lambda path: path.mkdir())
case("pipe.wav", "A03")(lambda path: os.mkfifo(path))
case("zero.wav", "A03")(lambda path: path.symlink_to("/dev/zero"))
case("terminal.wav", "A03")(lambda path: path.symlink_to("/dev/null"))
case("to-canary.wav", "A03")(lambda path: path.symlink_to(path.parent.parent / CANARY))
case("dangling.wav", "A01")(lambda path: path.symlink_to("nowhere.wav"))
case("loop.wav", "A01")(lambda path: path.symlink_to(path.name))
case("missing.wav", "A01")(lambda path: None)


@case("socket.wav", "A01")
def _(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket is at most 107 bytes long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


# --- decoding them ----------------------------------------------------------------------------------------------------


def main(folder: Path, cases: Sequence[Case]) -> None:
    """Make every file in a folder of its own, then decode each; print a JSON line for each."""
    os.mkfifo(folder / CANARY)
    paths: dict[str, Path] = {}
    for number, hostile in enumerate(cases):
        home = folder / f"{number:02d}"
        home.mkdir()
        paths[hostile.name] = home / hostile.name
        content = hostile.make(paths[hostile.name])
        if content is not None:
            paths[hostile.name].write_bytes(content)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("somebody opens a socket")

    socket.socket = refuse  # type: ignore[assignment,misc]
    audio_settings = settings.load().settings.audio
    for name, path in paths.items():
        start, code, message = time.monotonic(), DECODED, ""
        try:
            recording.decode(path, audio_settings)
        except AudioError as error:
            code, message = error.code, str(error)
        parent, child = peak_mb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        seconds = time.monotonic() - start
        outcome = {"name": name, "code": code, "message": message, "seconds": seconds, "own": parent, "child": child}
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), CASES)
