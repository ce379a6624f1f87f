"""A file's container by its bytes; each head is made by hand."""

from __future__ import annotations

import pytest

from pipeline.audio import sniff
from pipeline.audio.sniff import (
    AAC,
    AIFF,
    AMR,
    ASF,
    AU,
    AVI,
    CAF,
    FLAC,
    MP3,
    MP4,
    MPEG_PS,
    MPEG_TS,
    OGG,
    RF64,
    W64,
    WAV,
    WEBM,
    AudioContainer,
    ReadAt,
)


def reader(content: bytes) -> ReadAt:
    return lambda offset, count: content[offset : offset + count]


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
        (b"BW64\xff\xff\xff\xffWAVE", RF64),
        (bytes.fromhex("726966662e91cf11a5d628db04c10000"), W64),
        (b".snd\0\0\0\x18", AU),
        (b"caff\0\1\0\0", CAF),
        (b"#!AMR\n\x3c", AMR),
        (b"#!AMR-WB\n\x44", AMR),
        (b"\0\0\0\x08wide\0\0\0\0mdat", MP4),
        (b"\0\1\0\0moov", MP4),
        (b"\0\0\0\x10skip", MP4),
        (b"The free land", None),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), ASF),
        (b"RIFF\0\0\0\0AVI LIST", AVI),
        (b"\0\0\1\xba\x44", MPEG_PS),
        ((b"G" + bytes(187)) * 5, MPEG_TS),
        ((bytes(4) + b"G" + bytes(187)) * 5, MPEG_TS),
        (bytes(100) + (b"G" + bytes(187)) * 5, MPEG_TS),
        ((b"G" + bytes(187)) * 4 + b"g", None),
        (b"\xff\xfb\x90\x00" + bytes(500), MP3),
        (b"ID3\3\0\0\0\0\1\2" + bytes(130) + b"\xff\xfb\x90\x00" + bytes(9), MP3),  # a tag of 1 * 128 + 2 bytes
        (b"\xff\xf1\x50\x80\x02\x1f\xfc", AAC),
        (b"ffconcat version 1.0", None),
        (b"#EXTM3U", None),
        (b"PK\3\4", None),
        (b"", None),
    ],
)
def test_the_first_bytes_decide_the_container(head: bytes, container: AudioContainer | None) -> None:
    assert sniff.identify(reader(head)) is container


@pytest.mark.parametrize("container", sniff.CONTAINERS, ids=lambda container: container.name)
def test_the_file_picker_offers_every_container_by_type_and_by_ending(container: AudioContainer) -> None:
    offered = sniff.picker().split(",")
    assert set(container.kinds) | set(container.endings) <= set(offered)
    assert len(offered) == len(set(offered))
    assert not any(item.endswith("/*") for item in offered)


@pytest.mark.parametrize("head", [b"\x02dss", b"\x03dss", b"\x03ds2", b"\x03enc"])
def test_a_dictation_file_names_the_converter_of_its_maker(head: bytes) -> None:
    error = sniff.refusal(reader(head + bytes(100)), "recording x")
    assert error.code == "TR-A19"
    assert "ODMS" in error.remedy
    assert "SpeechExec" in error.remedy
