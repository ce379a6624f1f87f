"""Reading a recording with FFmpeg: the demuxer is given, never probed for, and only codecs on a list may run.

This runs in the decoder's own process (`pipeline.audio.decoder_process`).
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.container import InputContainer

from pipeline.audio import byte_server, raw_frames
from pipeline.audio.av_frames import Frames, RefusalError, damaged
from pipeline.audio.decoder import AudioTrack, DecodeRequest, StreamFormat
from pipeline.audio.frame_times import FrameClock
from pipeline.files import SizedReader

_BLOCK = 32_768  # frames, at least, that are passed on at once
_VALUES = 1 << 16  # at most, of all channels: a message may hold eight times as many bytes, as 8 kHz becomes 16
_TITLE = 80  # characters of a track's title that are kept
_RAW = ("mp3", "aac", "flac", "amr")  # no container: only damage can make a hole
_RAW_STREAMS = {"aac": raw_frames.aac, "amr": raw_frames.amr}
_OFFSET, _LIVE = 0.1, 600.0  # seconds: an MP4's clock that begins later means it; much later, it is a broadcast's

_CODECS = (
    "aac,aac_latm,ac3,eac3,alac,flac,mp1,mp1float,mp2,mp2float,mp3,mp3float,mp3on4,mp3on4float,opus,libopus,vorbis,"
    "speex,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,wmav1,wmav2,wmapro,wmavoice,wmalossless,"
    "adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_yamaha,g722,g726,g726le,g723_1,g729,gsm,gsm_ms,ilbc,qcelp,evrc,"
    "truespeech,pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_u16le,pcm_u16be,pcm_s24le,pcm_s24be,pcm_u24le,pcm_u24be,"
    "pcm_s32le,pcm_s32be,pcm_u32le,pcm_u32be,pcm_s64le,pcm_s64be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd"
)
_PRIMING = {"aac": 1024, "mp3": 1105, "mp3float": 1105, "mp2": 481, "mp2float": 481, "ac3": 256, "eac3": 256}
"""Samples that come out of a decoder before the first one that went into the encoder, where the file does not say."""


@dataclass(frozen=True)
class Stream:
    """Decoded sound in blocks: float32 of shape (frames, channels). ``clock`` holds what is missing in it.

    ``recorded`` is when, in the container's words.
    """

    tracks: list[AudioTrack]
    format: StreamFormat
    blocks: Iterator[np.ndarray]
    clock: FrameClock
    recorded: str | None = None


class _Window(SizedReader):
    """A part of the file, with repairs; see `pipeline.audio.layout.Layout`."""

    def __init__(self, file: io.BufferedReader, request: DecodeRequest) -> None:
        super().__init__(request.end - request.begin)
        self._file, self._begin = file, request.begin
        self._repairs = [(offset, bytes.fromhex(content)) for offset, content in request.repairs]

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere; a damaged file may send a demuxer to before its beginning, which is the beginning."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        return super().seek(max(0, start + offset))

    def at(self, offset: int, count: int) -> bytes:
        """The bytes at an offset, fewer at the end."""
        self.seek(offset)
        return self.read(count)

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._position)
        self._file.seek(self._begin + self._position)
        content = self._file.read(left if size < 0 else min(size, left)) or b""
        for offset, repair in self._repairs:
            first = max(offset, self._position)
            last = min(offset + len(repair), self._position + len(content))
            if first < last:
                mended = bytearray(content)
                mended[first - self._position : last - self._position] = repair[first - offset : last - offset]
                content = bytes(mended)
        self._position += len(content)
        return content


def open_stream(request: DecodeRequest, requests: int) -> Stream:
    """Open the file that is served through standard input as requested; ``requests`` is the pipe to ask through.

    Raises
    ------
    RefusalError: there is no sound, or none that we read.
    """
    key = request.key
    options = {"format_whitelist": key, "codec_whitelist": _CODECS, "protocol_whitelist": "none"}
    if key in ("wav", "w64"):
        options["max_size"] = str(1 << 16)  # bytes to a packet
    try:
        window = _Window(byte_server.served(0, requests, request.end), request)
        file = av.open(window, format=key, metadata_errors="ignore", container_options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise damaged() from error
    if not isinstance(file, InputContainer) or not file.streams.audio:
        raise RefusalError("A02", "holds no audio stream", "choose the file that holds the sound")
    audio = file.streams.audio
    if request.track >= len(audio):
        raise RefusalError("A02", f"has no sound track {request.track + 1}", "choose another track")
    stream = audio[request.track]
    codec = stream.codec_context
    if codec is None or codec.codec.name not in _CODECS.split(","):
        name = f"as {codec.name}" if codec is not None else "in a way that nobody knows"
        raise RefusalError("A06", f"is compressed {name}", "export the sound as WAV or FLAC")
    raw = _RAW_STREAMS[key](window.at) if key in _RAW_STREAMS else None
    frames = Frames(key, file, stream, raw)
    first = next(frames, None)  # the decoder's rate and channels are right where the container's are not
    if first is None:
        if frames.failed:
            raise damaged()
        raise RefusalError("A02", "holds no sound", "check the settings of the recorder")
    origin = _origin(key, file, stream, frames, len(first))
    declared = _declared(key, file, stream, origin)
    clock = FrameClock(frames.rate, "damage" if key in _RAW else "gap")
    blocks = _joined(clock.placed(frames.blocks(first, origin)))
    format_ = StreamFormat(codec.codec.canonical_name, frames.rate, first.shape[1], declared)
    return Stream([_track(track) for track in audio], format_, blocks, clock, _recorded(file, stream))


def _track(stream: av.AudioStream) -> AudioTrack:
    codec = stream.codec_context
    title, language = stream.metadata.get("title", ""), stream.metadata.get("language", "")
    return AudioTrack(codec.codec.canonical_name, codec.sample_rate, codec.channels, title[:_TITLE], language[:_TITLE])


def _recorded(file: InputContainer, stream: av.AudioStream) -> str | None:
    """When the recording began: a phone's own time, the container's, or the day and the time of a broadcast WAV."""
    metadata = {**stream.metadata, **file.metadata}
    created, day = metadata.get("creation_time", ""), metadata.get("date", "")
    written = metadata.get("com.apple.quicktime.creationdate") or (created if len(created) > 9 else f"{day} {created}")
    return written[:_TITLE] if len(written) > 9 else None


def _seconds(stream: Any, ticks: int) -> float:
    return float(ticks * stream.time_base)


def _origin(key: str, file: InputContainer, stream: av.AudioStream, frames: Frames, first: int) -> float:
    """The second at which a player's clock stands when it begins to play: where the first sound or picture begins.

    The clock of most containers begins anywhere. That of MP4 begins at zero, from where an edit list may delay all.
    ``first`` is the number of samples in the first frame.
    """
    start = frames.start or 0.0 if stream.start_time is None else _seconds(stream, stream.start_time)
    packet, head = frames.first or (start, b"")
    priming = _priming(stream, head) if start < packet + 1e-4 else 0.0  # of what comes later, the file says why
    if stream.codec_context.name in ("wmav1", "wmav2"):
        priming = first / frames.rate  # one frame, whose length goes by the rate
    begins = [start + priming]
    for other in file.streams:
        is_picture = "attached_pic" in str(other.disposition)
        if other is stream or other.type not in ("audio", "video") or is_picture or other.start_time is None:
            continue
        late = priming if key == "avi" else _priming(other)  # AVI cannot say that sound begins before the picture
        begins.append(_seconds(other, other.start_time) + late)
    earliest = min(begins)
    return 0.0 if key == "mov" and _OFFSET <= earliest < _LIVE else earliest


def _priming(stream: Any, head: bytes = b"") -> float:
    """Seconds; ``head`` are the first bytes of a packet, as MPEG-TS calls both layers of MPEG by one name."""
    codec = stream.codec_context
    if stream.type != "audio" or codec is None or not codec.sample_rate:
        return 0.0
    name = "mp2" if codec.name.startswith("mp3") and len(head) == 2 and head[1] >> 1 & 3 == 2 else codec.name
    return _PRIMING.get(name, 0) / float(codec.sample_rate)


def _declared(key: str, file: InputContainer, stream: av.AudioStream, origin: float) -> int | None:
    """The sound's own duration in ms, as the header gives it; others are guesses, or those of the picture."""
    if key in ("mov", "flac", "ogg", "aiff", "caf", "au", "w64", "wav"):
        compressed = key == "wav" and not stream.codec_context.name.startswith("pcm_")
        if not stream.duration or stream.duration > 1 << 60 or compressed:
            return None
        start = _seconds(stream, stream.start_time or 0)
        if key == "mov" and start >= _OFFSET:  # of fragments it counts from zero, else from the start
            return None
        return int(1000 * (start + _seconds(stream, stream.duration) - origin))
    if key in ("matroska", "asf") and file.duration and not file.streams.video and origin < _OFFSET:
        return int(file.duration * 1000 / av.time_base)
    return None


def _joined(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Many frames to a block, as every block costs and a frame of AAC has 23 ms; but no more than a message holds."""
    waiting: list[np.ndarray] = []
    for block in itertools.chain(blocks, [None]):
        if block is not None:
            waiting.append(block)
        if waiting and (block is None or sum(map(len, waiting)) >= _BLOCK):
            joined, waiting = np.concatenate(waiting), []
            step = max(1, _VALUES // joined.shape[1])
            yield from (joined[first : first + step] for first in range(0, len(joined), step))
