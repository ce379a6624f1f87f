"""Recordings as devices and programs write them, imitated by encoders: each holds the same seconds of a role-play.

None of these files comes from the device that it is named after. What only a device writes (AMR-WB, WMA Voice, AAC of
Apple's encoder, the dictation formats) has no free encoder and is not here.
"""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

RATE = 48_000
SECONDS = 6
_ROLE_PLAY = Path(__file__).parents[1] / "recordings" / "roleplay-swapped.flac"

Make = Callable[[], bytes]


@cache
def speech(rate: int = RATE) -> np.ndarray:
    """Six seconds of a role-play, with half a second of silence in front: float32, shape (n,)."""
    whole, rate_of_file = soundfile.read(_ROLE_PLAY, dtype="float32", stop=60 * 48_000)
    mono = whole if whole.ndim == 1 else whole.mean(axis=1)
    part = np.concatenate(
        [np.zeros(rate_of_file // 2, np.float32), mono[2 * rate_of_file : int((SECONDS + 1.5) * rate_of_file)]]
    )
    resampled: np.ndarray = soxr.resample(part, rate_of_file, rate).astype(np.float32)
    return resampled * np.float32(0.5 / np.abs(resampled).max())


def muxed(
    kind: str,
    codec: str,
    rate: int = RATE,
    layout: str = "mono",
    *,
    picture: str | None = None,
    picture_seconds: float = SECONDS,
    delay: float = 0.0,
    bit_rate: int | None = None,
    options: Mapping[str, str] | None = None,
    channels: np.ndarray | None = None,
    edit: Callable[[list[av.Packet]], list[av.Packet]] = list,
) -> bytes:
    """A file that FFmpeg writes: the speech, ``delay`` seconds late, and a black ``picture`` in front of it.

    ``channels`` of shape (channels, n) take the speech's place; ``edit`` changes the packets of sound.
    """
    file = io.BytesIO()
    sound = np.repeat(speech(rate)[None], _count(layout), axis=0) if channels is None else channels
    with av.open(file, "w", format=kind, options=dict(options or {})) as container:
        video = None
        if picture:
            video = container.add_stream(picture, rate=25)
            video.width, video.height = 176, 144
            video.pix_fmt = "yuvj420p" if picture == "mjpeg" else "yuv420p"
            video.codec_context.thread_count = 1  # VP8's threads wait for each other in a circle, at full speed
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        packets = list(_pictures(video, picture_seconds)) if video is not None else []
        packets += edit(_sounds(stream, sound, rate, layout, delay))
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return file.getvalue()


def _count(layout: str) -> int:
    return int(av.AudioLayout(layout).nb_channels)


def _pictures(stream: av.VideoStream, seconds: float) -> list[av.Packet]:
    packets = []
    for number in range(int(25 * seconds)):
        frame = av.VideoFrame(176, 144, stream.pix_fmt)
        frame.pts = number
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _sounds(stream: av.AudioStream, sound: np.ndarray, rate: int, layout: str, delay: float) -> list[av.Packet]:
    packets = []
    convert = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
    position = round(delay * rate)
    for part in np.array_split(sound, 200, axis=1):
        interleaved = np.ascontiguousarray(part.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate, position
        position += part.shape[1]
        packets += itertools.chain.from_iterable(stream.encode(ready) for ready in convert.resample(frame))
    packets += itertools.chain.from_iterable(stream.encode(ready) for ready in convert.resample(None))
    return packets + stream.encode(None)


def written(kind: str, subtype: str, rate: int = RATE, channels: int = 1, endian: str | None = None) -> bytes:
    """A file that libsndfile writes."""
    file = io.BytesIO()
    sound = np.repeat(speech(rate)[:, None], channels, axis=1)
    soundfile.write(file, sound, rate, format=kind, subtype=subtype, endian=endian)
    return file.getvalue()


def tag(size: int) -> bytes:
    """An ID3v2 tag of zeros."""
    return b"ID3\3\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def patched(content: bytes, offset: int, replacement: bytes) -> bytes:
    """The same file with other bytes at ``offset``."""
    return content[:offset] + replacement + content[offset + len(replacement) :]


def _unfinished_wav(size: int) -> bytes:
    content = written("WAV", "PCM_16")
    field = struct.pack("<I", size)
    return patched(patched(content, 4, field), content.index(b"data") + 4, field)


def _unfinished_rf64() -> bytes:
    content = written("RF64", "PCM_16")
    return patched(content, content.index(b"ds64") + 8, bytes(24))


def _unfinished_w64() -> bytes:
    content = muxed("w64", "pcm_s16le")
    return patched(patched(content, 16, bytes(8)), content.index(b"data\xf3\xac") + 16, bytes(8))


def _ape_behind() -> bytes:
    items = struct.pack("<II", 4, 0) + b"Artist\0" + b"Anna"
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, 1, 0) + bytes(8)
    return muxed("mp3", "libmp3lame", 44_100) + items + footer + b"TAG" + bytes(125)


def _two_microphones(count: int, chosen: tuple[int, int]) -> np.ndarray:
    """``count`` channels, of which two hold turns of one person each, and the others a faint room."""
    sound = speech()
    room = 0.02 * np.random.default_rng(4).standard_normal((count, len(sound))).astype(np.float32) * 0.01
    turn = np.arange(len(sound)) // RATE % 2 == 0
    room[chosen[0]] += sound * turn
    room[chosen[1]] += sound * ~turn
    return room


def _center() -> np.ndarray:
    """5.1: the voices in the third channel."""
    channels = np.zeros((6, len(speech())), np.float32)
    channels[2] = speech()
    return channels


DEVICES: dict[str, Make] = {
    "recorder, WAV 16 bit": lambda: written("WAV", "PCM_16", 44_100),
    "recorder, WAV 24 bit stereo": lambda: written("WAV", "PCM_24", 48_000, 2),
    "recorder, WAV 24 bit, 96 kHz": lambda: written("WAV", "PCM_24", 96_000),
    "recorder, WAV 24 bit, 192 kHz": lambda: written("WAV", "PCM_24", 192_000),
    "recorder, WAV float": lambda: written("WAV", "FLOAT"),
    "editor, WAV double": lambda: written("WAV", "DOUBLE"),
    "editor, WAV 32 bit": lambda: written("WAVEX", "PCM_32"),
    "editor, WAV 8 bit": lambda: written("WAV", "PCM_U8", 22_050),
    "telephone system, WAV mu-law": lambda: written("WAV", "ULAW", 8_000),
    "telephone system, WAV A-law": lambda: written("WAV", "ALAW", 8_000),
    "telephone system, WAV GSM": lambda: written("WAV", "GSM610", 8_000),
    "telephone system, WAV G.726": lambda: muxed("wav", "g726", 8_000),
    "dictation, WAV IMA ADPCM": lambda: written("WAV", "IMA_ADPCM", 16_000),
    "dictation, WAV MS ADPCM": lambda: written("WAV", "MS_ADPCM", 22_050),
    "dictation, WAV with MP3 inside": lambda: muxed("wav", "libmp3lame", 44_100),
    "recorder that stopped, WAV sizes 0": lambda: _unfinished_wav(0),
    "recorder that stopped, WAV sizes FFFFFFFF": lambda: _unfinished_wav(0xFFFFFFFF),
    "recorder that stopped, WAV sizes of sox": lambda: _unfinished_wav(0x7FFFF000),
    "field recorder, RF64": lambda: written("RF64", "PCM_24"),
    "field recorder that stopped, RF64 sizes 0": _unfinished_rf64,
    "studio, W64": lambda: muxed("w64", "pcm_s24le"),
    "studio that stopped, W64 sizes 0": _unfinished_w64,
    "Macintosh, AIFF": lambda: written("AIFF", "PCM_16", 44_100),
    "Macintosh, AIFF 24 bit": lambda: written("AIFF", "PCM_24", 96_000),
    "Macintosh, AIFF-C little endian": lambda: written("AIFF", "PCM_16", 44_100, endian="LITTLE"),
    "Macintosh, AIFF-C float": lambda: written("AIFF", "FLOAT", 48_000),
    "Unix, AU": lambda: written("AU", "PCM_16"),
    "Unix, AU mu-law": lambda: written("AU", "ULAW", 8_000),
    "iPhone app, CAF": lambda: muxed("caf", "pcm_s16be", 44_100),
    "iPhone app, CAF ALAC": lambda: muxed("caf", "alac", 44_100),
    "iPhone app, CAF IMA4": lambda: muxed("caf", "adpcm_ima_qt", 44_100),
    "iPhone voice memo, M4A": lambda: muxed("ipod", "aac", 48_000),
    "iPhone voice memo, lossless M4A": lambda: muxed("ipod", "alac", 48_000),
    "iPhone video, MOV": lambda: muxed("mov", "aac", 44_100, picture="mpeg4"),
    "camera, MOV with PCM": lambda: muxed("mov", "pcm_s16le", 48_000, "stereo", picture="mjpeg"),
    "Android video, MP4": lambda: muxed("mp4", "aac", 48_000, "stereo", picture="mpeg4"),
    "Android recorder, 3GP AMR": lambda: muxed("3gp", "libopencore_amrnb", 8_000, bit_rate=12_200),
    "Android recorder, 3GP AAC": lambda: muxed("3gp", "aac", 16_000),
    "Android recorder, AMR": lambda: muxed("amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
    "Android recorder, AAC": lambda: muxed("adts", "aac", 44_100),
    "Android recorder, AAC 16 kHz": lambda: muxed("adts", "aac", 16_000),
    "Zoom, M4A 32 kHz": lambda: muxed("ipod", "aac", 32_000),
    "Zoom, picture longer than sound": lambda: muxed("mp4", "aac", picture="mpeg4", picture_seconds=SECONDS + 9),
    "Teams, fragmented MP4": lambda: muxed("mp4", "aac", options={"movflags": "frag_keyframe+empty_moov"}),
    "streaming server, MP4 without edit list": lambda: muxed("mp4", "aac", 44_100, options={"use_editlist": "0"}),
    "camcorder, MP4 AC-3": lambda: muxed("mp4", "ac3", 48_000, "stereo", picture="mpeg4"),
    "television, MP4 E-AC-3": lambda: muxed("mp4", "eac3", 48_000, "stereo"),
    "browser, WebM": lambda: muxed("webm", "libopus"),
    "browser, live WebM": lambda: muxed("webm", "libopus", options={"live": "1"}),
    "browser, WebM with picture": lambda: muxed("webm", "libopus", picture="libvpx"),
    "browser, MP4 Opus": lambda: muxed("mp4", "libopus"),
    "OBS, MKV": lambda: muxed("matroska", "aac", 48_000, "stereo", picture="mpeg4"),
    "OBS, MKV AC-3": lambda: muxed("matroska", "ac3", 48_000, "stereo", picture="mpeg4"),
    "OBS, MKV PCM": lambda: muxed("matroska", "pcm_s24le"),
    "OBS, MKV FLAC": lambda: muxed("matroska", "flac"),
    "WhatsApp, Ogg Opus": lambda: muxed("ogg", "libopus"),
    "WhatsApp, Ogg Opus with zeros behind": lambda: muxed("ogg", "libopus") + bytes(1234),
    "Telegram, Ogg Opus 16 kHz": lambda: written("OGG", "OPUS", 16_000),
    "player, Ogg Vorbis": lambda: written("OGG", "VORBIS", 44_100),
    "player, FLAC in Ogg": lambda: muxed("ogg", "flac"),
    "recorder, FLAC": lambda: written("FLAC", "PCM_16", 44_100),
    "recorder, FLAC 24 bit, 192 kHz": lambda: muxed("flac", "flac", 192_000),
    "recorder, MP3": lambda: muxed("mp3", "libmp3lame", 44_100),
    "recorder, MP3 16 kHz": lambda: muxed("mp3", "libmp3lame", 16_000),
    "recorder, MP3 without header": lambda: muxed("mp3", "libmp3lame", 44_100, options={"write_xing": "0"}),
    "player, MP3 with two tags": lambda: tag(500) + tag(90_000) + muxed("mp3", "libmp3lame", 44_100),
    "player, MP3 with zeros in front": lambda: bytes(5_000) + muxed("mp3", "libmp3lame", 22_050),
    "player, MP3 with junk in front": lambda: b"\xff\xe3junk" * 700 + muxed("mp3", "libmp3lame", 44_100),
    "player, MP3 with APE and ID3v1 tags": _ape_behind,
    "radio, MP2": lambda: muxed("mp2", "mp2"),
    "Olympus, WMA": lambda: muxed("asf", "wmav2", 44_100, bit_rate=64_000),
    "Olympus, WMA 16 kHz": lambda: muxed("asf", "wmav2", 16_000, bit_rate=32_000),
    "Windows Sound Recorder, WMA 1": lambda: muxed("asf", "wmav1", 44_100, bit_rate=64_000),
    "Windows camera, WMV": lambda: muxed("asf", "wmav2", 44_100, bit_rate=64_000, picture="wmv2"),
    "camera, AVI PCM": lambda: muxed("avi", "pcm_s16le", 44_100, picture="mjpeg"),
    "camera, AVI MP3": lambda: muxed("avi", "libmp3lame", 44_100, picture="mpeg4"),
    "camera, AVI AC-3": lambda: muxed("avi", "ac3", 48_000, "stereo", picture="mpeg4"),
    "camcorder, MPEG-TS": lambda: muxed("mpegts", "aac", picture="mpeg2video"),
    "camcorder, MPEG-TS MP2": lambda: muxed("mpegts", "mp2"),
    "camcorder, MTS AC-3": lambda: muxed(
        "mpegts", "ac3", 48_000, "stereo", picture="mpeg2video", options={"mpegts_m2ts_mode": "1"}
    ),
    "camcorder, MPG": lambda: muxed("mpeg", "mp2", picture="mpeg1video"),
    "DVD recorder, VOB AC-3": lambda: muxed("vob", "ac3", 48_000, "stereo", picture="mpeg2video"),
    "video camera, 5.1 in MKV": lambda: muxed("matroska", "pcm_s16le", 48_000, "5.1", channels=_center()),
}
