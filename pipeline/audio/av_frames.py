"""The frames of a stream: decoded packet by packet, so that a bad one costs no more than itself.

This runs in the decoder's own process (`pipeline.audio.decoder_process`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import CodecContext
from av.container import InputContainer

from pipeline.audio import mpeg_audio
from pipeline.audio.frame_times import TimedBlock
from pipeline.audio.raw_frames import RawStream

_STUBBORN = 200  # errors of the demuxer in a row that end the sound
_CHANGED = 50  # frames in a row of another format that are no damage any more
_BETTER = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}
"""FFmpeg's own decoders of AMR refuse the frames that say that nobody speaks, which every telephone writes."""


class RefusalError(Exception):
    """The recording cannot be decoded: an error code of `pipeline.errors`, what is wrong, what to do."""


def damaged(detail: str = "its contents do not match its format") -> RefusalError:
    """The libraries' own messages about a broken file mislead more than they help ("file does not exist")."""
    return RefusalError("A05", f"is damaged: {detail}", "copy it again from the recorder, or export it as WAV or FLAC")


class Frames(Iterator[np.ndarray]):
    """The frames of a stream; a packet that cannot be decoded is counted and left out."""

    def __init__(self, key: str, file: InputContainer, stream: av.AudioStream, raw: RawStream | None) -> None:
        """Decode ``raw`` frames in place of the demuxer's packets, where there are such."""
        self.rate = 0
        self.failed = 0.0  # seconds that could not be decoded since the last frame
        self.start: float | None = None  # seconds, of the last frame
        self.first: tuple[float, bytes] | None = None  # seconds and first bytes of the first packet
        self._raw, self._file, self._stream = raw, file, stream
        self._is_transport = key == "mpegts"
        self._is_chained = key == "mp3" or (key == "wav" and stream.codec_context.name.startswith("mp"))
        self._codec = _codec(stream)
        self._convert = av.AudioResampler(format="flt")  # the rate and the channels stay
        self._channels = 0
        self._changed = 0
        self._passed = _Passed()
        self._frames = self._decoded()

    def __next__(self) -> np.ndarray:
        return next(self._frames)

    def blocks(self, first: np.ndarray, origin: float) -> Iterator[TimedBlock]:
        """Yield every frame with its place on a clock whose zero is ``origin``, and what is lost at the end."""
        for samples in itertools.chain([first], self):
            start = None if self.start is None else round((self.start - origin) * self.rate)
            lost, self.failed = math.ceil(self.failed * self.rate), 0.0
            yield TimedBlock(start, samples, lost)
        if self.failed:
            yield TimedBlock(None, first[:0], math.ceil(self.failed * self.rate))

    def _decoded(self) -> Iterator[np.ndarray]:
        for packet in self._packets() if self._raw is None else self._raw_packets(self._raw):
            if self.first is None and packet.size:
                self.first = float((packet.pts or 0) * packet.time_base), bytes(packet)[:2]
            length = float((packet.duration or 0) * packet.time_base)
            head = bytes(packet)[:7] if self._is_chained else b""
            try:
                frames: list[Any] = self._codec.decode(packet)
            except (av.FFmpegError, ValueError):
                if packet.size:
                    self.failed += max(length, 1e-3) + (self._passed.beside(packet, length, 0) if head else 0.0)
                continue
            if packet.is_corrupt and self._is_transport:  # what is left of it is taken
                self.failed += 1e-3
            if head and frames:
                self.failed += self._passed.beside(packet, length, mpeg_audio.frame_length(head))
            for frame in frames:
                if frame.samples and self._is_same(frame):
                    self.start = None if frame.time is None else frame.time + self._passed.seconds
                    yield self._samples(frame)

    def _packets(self) -> Iterator[Any]:
        """All packets: an error of the demuxer is passed over unless it stays."""
        for _ in range(_STUBBORN):
            try:
                yield from self._file.demux(self._stream)
                return
            except (av.FFmpegError, ValueError):
                self.failed += 1e-3

    def _raw_packets(self, raw: RawStream) -> Iterator[Any]:
        for frame in raw.frames:
            packet: Any = av.Packet(frame.content)
            packet.time_base, packet.duration = Fraction(1, raw.rate), raw.samples
            packet.pts = packet.dts = frame.number * raw.samples
            self.failed += frame.lost * raw.samples / raw.rate
            yield packet

    def _is_same(self, frame: av.AudioFrame) -> bool:
        """Whether a frame has the rate and the channels of the first; a single other one is damage."""
        form = (frame.sample_rate, frame.layout.nb_channels)
        if not self.rate:
            self.rate, self._channels = form
        if form == (self.rate, self._channels):
            self._changed = 0
            return True
        self._changed += 1
        if self._changed >= _CHANGED:
            raise damaged("its sample rate or its number of channels changes within the file")
        self.failed += frame.samples / max(1, frame.sample_rate)
        return False

    def _samples(self, frame: av.AudioFrame) -> np.ndarray:
        parts = [part.to_ndarray().reshape(-1, self._channels) for part in self._convert.resample(frame)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, self._channels), np.float32), *parts])


class _Passed:
    """Bytes that are no sound in a stream without a container, where a frame's time is only how many came before.

    A packet reaches to the next frame that looks like one, so what is broken lies within it.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        """The time of all that was passed over."""
        self._bytes = self._frames = 0

    def beside(self, packet: Any, length: float, sound: int) -> float:
        """The seconds that a packet's bytes would have beside ``length`` seconds, of which ``sound`` bytes are good."""
        if sound and packet.size <= sound + 1:
            self._bytes += packet.size
            self._frames += 1
            return 0.0
        mean: float = self._bytes / self._frames if self._frames else float(packet.size)
        broken = packet.size - sound if sound else packet.size - mean
        seconds: float = max(0, round(broken / mean)) * length
        self.seconds += seconds
        return seconds


def _codec(stream: av.AudioStream) -> Any:
    codec = stream.codec_context
    if codec.name in ("flac", "ac3", "eac3"):  # checksums are passed over by default, and damage becomes noise
        codec.options = {"err_detect": "crccheck+explode"}
    if codec.name not in _BETTER:
        return codec
    better: Any = CodecContext.create(_BETTER[codec.name], "r")
    better.sample_rate, better.layout = codec.sample_rate, "mono"
    return better
