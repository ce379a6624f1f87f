"""A file's container by its bytes, and a length that contradicts its header; each file is made by hand."""

from __future__ import annotations

import pytest

from pipeline.audio import sniff
from pipeline.audio.sniff import AAC, AIFF, FLAC, MP3, MP4, OGG, RF64, WAV, WEBM, AudioContainer, ReadAt


def reader(content: bytes) -> ReadAt:
    return lambda offset, count: content[offset : offset + count]


def riff(whole: int, sound: int, length: int) -> bytes:
    """A WAV header that declares so many bytes for the whole and for the sound, in a file of ``length`` bytes."""
    head = b"RIFF" + (whole - 8).to_bytes(4, "little") + b"WAVE" + b"data" + sound.to_bytes(4, "little")
    return head + bytes(length - len(head))


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"RIFF\0\0\0\0WAVE", WAV),
        (b"RF64\xff\xff\xff\xffWAVE", RF64),
        (b"FORM\0\0\0\0AIFC", AIFF),
        (b"\0\0\0\x20ftypM4A ", MP4),
        (b"fLaC\0\0\0\x22", FLAC),
        (b"OggS\0\2", OGG),
        (b"\x1aE\xdf\xa3", WEBM),
        (b"\xff\xfb\x90\x00", MP3),
        (b"ID3\3\0\0\0\0\1\2" + bytes(130) + b"\xff\xfb\x90\x00", MP3),  # a tag of 1 * 128 + 2 bytes
        (b"\xff\xf1\x50\x80", AAC),
        (b"ffconcat version 1.0", None),
        (b"#EXTM3U", None),
        (b"PK\3\4", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"", None),
    ],
)
def test_the_first_bytes_decide_the_container(head: bytes, container: AudioContainer | None) -> None:
    assert sniff.identify(reader(head)) is container


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (riff(1020, 1000, 1020), None),
        (riff(1020, 1000, 920), "is cut off or its header is wrong: the header says 1,020 bytes, but there are 920"),
        (riff(1020, 2000, 1020), "contradicts itself: the header says 1,020 bytes for the whole and 2,020 for a part"),
        (riff(1020, 1000, 1020 + 4096), None),  # a tag behind the sound
        (riff(1020, 1000, 1020 + 4097), "goes on for 4,097 bytes after the end that its header gives"),
        (b"RIFF\x0c\0\0\0WAVE", "is cut off: its header ends before the sound begins"),
    ],
)
def test_a_wav_file_that_is_not_as_long_as_its_header_promises_is_damaged(content: bytes, damage: str | None) -> None:
    assert sniff.damage(WAV, reader(content), len(content)) == damage
