"""Frames of AAC and AMR one after the other, and what lies between them; each file is made by hand."""

from __future__ import annotations

import pytest

from pipeline.audio import raw_frames
from pipeline.audio.mpeg_audio import ReadAt
from pipeline.audio.raw_frames import RawStream

AAC = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)  # 16 bytes at 44.1 kHz
SPEECH = b"\x3c" + b"\xff" * 31  # AMR in mode 7: 32 bytes
SILENCE = b"\x44" + bytes(5)  # mode 8: 6 bytes


def reader(content: bytes) -> ReadAt:
    return lambda offset, count: content[offset : offset + count]


def numbers(stream: RawStream) -> list[tuple[int, int]]:
    return [(frame.number, frame.lost) for frame in stream.frames]


def test_every_frame_has_its_number() -> None:
    stream = raw_frames.aac(reader(AAC * 4))
    assert (stream.rate, stream.samples) == (44_100, 1024)
    assert numbers(stream) == [(0, 0), (1, 0), (2, 0), (3, 0)]


@pytest.mark.parametrize(("broken", "lost"), [(b"x" * 48, 3), (b"x" * 5, 1), (b"x" * 39, 2)])
def test_what_is_broken_takes_the_time_of_as_many_frames(broken: bytes, lost: int) -> None:
    frames = numbers(raw_frames.aac(reader(AAC * 2 + broken + AAC * 6)))
    assert frames[:4] == [(0, 0), (1, 0), (2 + lost, lost), (3 + lost, 0)]
    assert len(frames) == 8


def test_speech_and_silence_of_a_telephone_follow_each_other() -> None:
    stream = raw_frames.amr(reader(b"#!AMR\n" + SPEECH * 2 + SILENCE + b"\x7c" * 3 + SPEECH))
    assert (stream.rate, stream.samples) == (8_000, 160)
    assert numbers(stream) == [(number, 0) for number in range(7)]


def test_a_wide_band_has_frames_of_other_sizes() -> None:
    stream = raw_frames.amr(reader(b"#!AMR-WB\n" + (b"\x44" + b"\xff" * 60) * 3))
    assert (stream.rate, stream.samples) == (16_000, 320)
    assert len(numbers(stream)) == 3


def test_junk_at_the_end_is_no_frame() -> None:
    assert len(numbers(raw_frames.amr(reader(b"#!AMR\n" + SPEECH * 4 + b"\xff" * 40)))) in (3, 4)
