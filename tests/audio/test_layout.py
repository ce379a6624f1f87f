"""Where a container begins and ends, and sizes that contradict the file; each file is made by hand."""

from __future__ import annotations

import struct

import pytest

from pipeline.audio import layout, sniff
from pipeline.audio.layout import Layout
from pipeline.audio.sniff import AIFF, AU, AVI, CAF, MP3, MP4, OGG, RF64, W64, WAV, AudioContainer, ReadAt
from tests.audio.devices import muxed, patched, written


def reader(content: bytes) -> ReadAt:
    return lambda offset, count: content[offset : offset + count]


def examined(container: AudioContainer, content: bytes, begin: int = 0) -> Layout:
    return layout.examine(container, begin, reader(content), len(content))


def riff(whole: int, sound: int, length: int) -> bytes:
    """A WAV header that declares so many bytes for the whole and for the sound, in a file of ``length`` bytes."""
    head = b"RIFF" + (whole - 8).to_bytes(4, "little") + b"WAVE" + b"data" + sound.to_bytes(4, "little")
    return head + bytes(length - len(head))


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
    assert examined(WAV, content).damage == damage


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF - 36])
@pytest.mark.parametrize("whole", [0, 36, 0xFFFFFFFF])
def test_a_wav_file_whose_sizes_were_never_written_goes_to_its_end(size: int, whole: int) -> None:
    content = b"RIFF" + struct.pack("<I", whole) + b"WAVEdata" + struct.pack("<I", size) + bytes(1000)
    result = examined(WAV, content)
    assert result.damage is None
    assert result.remark is not None
    assert result.repairs == ((16, struct.pack("<I", 1000)),)


def test_a_wav_file_whose_whole_was_never_written_is_read_by_the_size_of_its_sound() -> None:
    content = b"RIFF" + bytes(4) + b"WAVEdata" + struct.pack("<I", 1000) + bytes(1000)
    result = examined(WAV, content)
    assert (result.damage, result.repairs) == (None, ())
    assert result.remark is not None


def test_a_wav_file_without_samples_is_no_unfinished_one() -> None:
    assert examined(WAV, b"RIFF" + struct.pack("<I", 12) + b"WAVEdata" + bytes(4)) == Layout(0, 20)


def test_three_gigabytes_that_were_cut_off_are_no_placeholder() -> None:
    content = b"RIFF" + struct.pack("<I", 3_000_000_012) + b"WAVEdata" + struct.pack("<I", 3_000_000_000) + bytes(1000)
    assert "cut off" in str(examined(WAV, content).damage)


@pytest.mark.parametrize(
    ("container", "content", "field", "width", "order"),
    [
        (
            RF64,
            b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQQI", 28, 0, 0, 0, 0) + b"data" + b"\xff" * 4,
            28,
            8,
            "<Q",
        ),
        (AIFF, b"FORM" + bytes(4) + b"AIFFSSND" + bytes(4), 16, 4, ">I"),
    ],
)
def test_unwritten_sizes_of_other_kinds_are_repaired(
    container: AudioContainer, content: bytes, field: int, width: int, order: str
) -> None:
    result = examined(container, content + bytes(500))
    assert result.damage is None
    assert result.repairs == ((field, struct.pack(order, 500)),)
    assert len(result.repairs[0][1]) == width


def test_an_unfinished_w64_file_gets_both_of_its_sizes() -> None:
    content = muxed("w64", "pcm_s16le", 8_000)
    offset = content.index(b"data\xf3\xac")
    result = examined(W64, patched(patched(content, 16, bytes(8)), offset + 16, bytes(8)))
    assert result.repairs == (
        (16, len(content).to_bytes(8, "little")),
        (offset + 16, (len(content) - offset).to_bytes(8, "little")),
    )
    assert examined(W64, content) == Layout(0, len(content))


@pytest.mark.parametrize(
    ("container", "content"),
    [
        (W64, muxed("w64", "pcm_s16le", 8_000)),
        (AU, written("AU", "PCM_16", 8_000)),
        (CAF, muxed("caf", "pcm_s16be", 8_000)),
        (AVI, muxed("avi", "pcm_s16le", 8_000)),
        (MP4, muxed("ipod", "aac", 16_000)),
        (MP3, muxed("mp3", "libmp3lame", 16_000)),
        (sniff.ASF, muxed("asf", "pcm_s16le", 16_000)),
        (OGG, muxed("ogg", "libopus")),
        (AIFF, written("AIFF", "PCM_16", 8_000)),
    ],
    ids=lambda value: value.name if isinstance(value, AudioContainer) else "",
)
def test_a_file_that_was_cut_off_contradicts_its_header(container: AudioContainer, content: bytes) -> None:
    _, begin = sniff.locate(reader(content)) or (container, -1)
    assert examined(container, content, begin) == Layout(begin, len(content))
    assert "cut off" in str(examined(container, content[: len(content) * 2 // 3], begin).damage)


def test_junk_behind_a_whole_mp4_or_ogg_file_is_none_of_it() -> None:
    mp4, ogg = muxed("ipod", "aac", 16_000), muxed("ogg", "libopus")
    assert examined(MP4, mp4 + b"\x30\x31\x32\x33\0\1\2\3junk" * 10).damage is None
    assert examined(OGG, ogg + bytes(1234)) == Layout(0, len(ogg))


def test_a_page_of_ogg_that_is_damaged_is_passed_over() -> None:
    content = muxed("ogg", "libopus")
    pages = [offset for offset in range(len(content)) if content.startswith(b"OggS", offset)]
    assert examined(OGG, patched(content, pages[3] + 100, b"damage")) == Layout(0, len(content))


def test_tags_and_zeros_behind_an_mp3_are_none_of_it() -> None:
    content = muxed("mp3", "libmp3lame", 16_000)
    size = len(content)
    ape = b"item" * 5 + b"APETAGEX" + struct.pack("<IIII", 2000, 52, 1, 0) + bytes(8)
    for tail in (b"TAG" + bytes(125), ape, ape + b"TAG" + bytes(125), b"LYRICSBEGINla000013LYRICS200"):
        assert examined(MP3, content + tail).end == size
    assert examined(MP3, bytes(700) + content, begin=700) == Layout(700, 700 + size)


def test_a_size_beyond_all_files_is_no_offset_to_read_at() -> None:
    def read(offset: int, count: int) -> bytes:
        assert offset < 1 << 63  # the system's calls take no more
        return content[offset : offset + count]

    content = muxed("w64", "pcm_s16le", 8_000)
    content = patched(content, 40 + 16, b"\xff" * 7 + b"\x7f") + bytes(100)
    assert layout.examine(W64, 0, read, len(content)).damage is not None
