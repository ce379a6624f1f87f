"""Frames of MP3 and AAC found behind tags, zeros and junk; each is made by hand."""

from __future__ import annotations

import pytest

from pipeline.audio import mpeg_audio
from pipeline.audio.mpeg_audio import ReadAt

# MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128,000 / 44,100 = 417 bytes
MP3 = b"\xff\xfb\x90\x00" + bytes(413)
# ADTS, 16 bytes: 00 and 0000 0000 010 000 across bytes 3 to 5
AAC = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)


def reader(content: bytes) -> ReadAt:
    return lambda offset, count: content[offset : offset + count]


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (MP3, 417),
        (b"\xff\xfb\x92\x00", 418),  # padded
        (b"\xff\xf3\x48\xc4", 144),  # MPEG-2 layer III, 32 kbit/s, 16 kHz: 72 * 32,000 / 16,000
        (b"\xff\xfd\xa4\x00", 576),  # MPEG-1 layer II, 192 kbit/s, 48 kHz: 144 * 192,000 / 48,000
        (AAC, 16),
        (b"\xff\xfb\xf0\x00", 0),
        (b"\xff\x1b\x90\x00", 0),
    ],
)
def test_a_header_gives_the_length_of_its_frame(head: bytes, length: int) -> None:
    assert mpeg_audio.frame_length((head + bytes(7))[:7]) == length


@pytest.mark.parametrize("front", [b"", bytes(10_000), b"\xff\xfbjunk" * 900, bytes(70_000) + b"junk"])
@pytest.mark.parametrize(("kind", "frame"), [("mp3", MP3), ("aac", AAC)])
def test_a_stream_is_found_behind_zeros_and_junk(front: bytes, kind: str, frame: bytes) -> None:
    assert mpeg_audio.first_frame(reader(front + frame * 8), 0) == (kind, len(front))


def test_frames_that_do_not_follow_each_other_are_none() -> None:
    assert mpeg_audio.first_frame(reader(b"junk" + (MP3 + b"x") * 8), 0) is None
    assert mpeg_audio.first_frame(reader(b"junk" + MP3 * 5), 0) is None
    assert mpeg_audio.first_frame(reader(bytes(1 << 17)), 0) is None


def test_all_tags_in_front_are_passed_over() -> None:
    tag = b"ID3\3\0\0\0\0\1\2" + bytes(130)  # 1 * 128 + 2 bytes
    assert mpeg_audio.after_tags(reader(tag * 3 + MP3)) == 420
    assert mpeg_audio.after_tags(reader(MP3)) == 0
