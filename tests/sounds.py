"""Sounds for tests, in every container that we read, and the parts to build broken ones from."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import av
import numpy as np
import soundfile


def tone(seconds: float = 5.0, rate: int = 16_000) -> np.ndarray:
    """Bursts of a tone with a little noise: float32, shape (n,)."""
    time_ = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(7).standard_normal(len(time_))
    return (0.3 * np.sin(2 * np.pi * 440 * time_) * (time_ % 1 < 0.6) + 0.01 * noise).astype(np.float32)


def encoded(kind: str, subtype: str | None = None, rate: int = 16_000, sound: np.ndarray | None = None) -> bytes:
    """A file that libsndfile writes."""
    file = io.BytesIO()
    soundfile.write(file, tone(rate=rate) if sound is None else sound, rate, format=kind, subtype=subtype)
    return file.getvalue()


def muxed(
    kind: str, codec: str, rate: int = 48_000, layout: str = "mono", options: dict[str, str] | None = None
) -> bytes:
    """A file that FFmpeg writes: five seconds of the tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        convert = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        for start, part in enumerate(np.array_split(tone(rate=rate), 250)):
            frame = av.AudioFrame.from_ndarray(part[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts = rate, start * len(part)
            for ready in convert.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return file.getvalue()


def wav(
    *,
    data: bytes = tone().__mul__(32_767).astype("<i2").tobytes(),
    kind: int = 1,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    align: int | None = None,
    riff: int | None = None,
    length: int | None = None,
) -> bytes:
    """A WAV file in which every field can lie."""
    align = channels * bits // 8 if align is None else align
    form = struct.pack("<HHIIHH", kind, channels, rate, (rate * align) & 0xFFFFFFFF, align & 0xFFFF, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data"
    chunks += struct.pack("<I", len(data) if length is None else length) + data
    return b"RIFF" + struct.pack("<I", len(chunks) if riff is None else riff) + chunks


def box(kind: bytes, *parts: bytes) -> bytes:
    """An MP4 box."""
    payload = b"".join(parts)
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def rebuilt(content: bytes, path: tuple[bytes, ...], change: Callable[[bytes], bytes]) -> bytes:
    """The same boxes with the payload at ``path`` changed and every size on the way mended."""
    result, offset = b"", 0
    while offset < len(content):
        size, kind = struct.unpack(">I4s", content[offset : offset + 8])
        payload = content[offset + 8 : offset + size]
        if kind == path[0]:
            payload = rebuilt(payload, path[1:], change) if len(path) > 1 else change(payload)
        result += box(kind, payload)
        offset += size
    return result


def element(kind: int, *parts: bytes) -> bytes:
    """A Matroska element; its size takes eight bytes."""
    payload = b"".join(parts)
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (1 << 56 | len(payload)).to_bytes(8, "big") + payload


def half(content: bytes) -> bytes:
    """The first half, cut where no encoder would cut."""
    return content[: len(content) // 2 + 1]


def spoiled(content: bytes, count: int = 3000) -> bytes:
    """The same file with random bytes in its middle."""
    middle = len(content) // 2
    return content[:middle] + np.random.default_rng(3).bytes(count) + content[middle + count :]


def video(kind: str, codec: str) -> bytes:
    """Two seconds of a picture without a sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()
