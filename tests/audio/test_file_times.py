"""What files say of when they were recorded: read as it was written, and never more than a suggestion."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.audio import recording as audio
from pipeline.audio.file_times import FileTimes, OrderSuggestion, suggested
from tests.audio.sessions import voices, wav
from tests.sounds import muxed, rebuilt


def at(clock: str, minutes: float = 10.0) -> FileTimes:
    return FileTimes(round(minutes * 60_000), f"2026-11-30T{clock}")


def test_parts_that_follow_each_other_suggest_order_and_gaps() -> None:
    """14:00:00 and ten minutes, then 14:10:35, then 14:20:35 and no gap."""
    files = [at("14:10:35Z"), at("14:00:00Z"), at("14:20:35Z")]
    assert suggested(files) == OrderSuggestion((2, 1, 3), (35, 0))


def test_files_that_overlap_or_are_of_another_day_suggest_an_order_alone() -> None:
    assert suggested([at("14:00:00"), at("14:00:04")]) == OrderSuggestion((1, 2), ())
    assert suggested([at("09:00:00"), at("19:00:00")]) == OrderSuggestion((1, 2), ())


@pytest.mark.parametrize(
    "files",
    [
        [at("14:00:00Z")],
        [at("14:00:00Z"), None],
        [at("14:00:00Z"), FileTimes(600_000)],
        [at("14:00:00Z"), at("15:00:00")],  # of one the zone is unknown
        [at("14:00:00Z"), at("14:00:00Z")],
        [at("14:00:00Z"), FileTimes(600_000, "1904-01-01T00:00:00Z")],
        [at("14:00:00Z"), FileTimes(600_000, "yesterday, about three")],
    ],
)
def test_where_times_are_missing_or_differ_in_kind_nothing_is_suggested(files: list[FileTimes | None]) -> None:
    assert suggested(files) is None


def test_a_zone_of_its_own_is_obeyed() -> None:
    files = [FileTimes(600_000, "2026-11-30T14:10:05-0500"), at("19:00:05Z")]
    assert suggested(files) == OrderSuggestion((2, 1), (0,))


@pytest.fixture(scope="module")
def limits() -> settings.AudioSettings:
    return settings.load().settings.audio


def test_a_broadcast_wav_says_when_it_began(limits: settings.AudioSettings, tmp_path: Path) -> None:
    """Its chunk `bext`: 256 bytes of description, 32 and 32 of the originator, then day and time."""
    content = wav(tmp_path / "x.wav", voices(2)[0]).read_bytes()
    chunk = bytes(320) + b"2026-11-30" + b"14:02:05" + bytes(602 - 338)
    body = content[12:36] + b"bext" + struct.pack("<I", len(chunk)) + chunk + content[36:]
    (tmp_path / "x.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    times = audio.times(tmp_path / "x.wav", limits)
    assert times.duration == 2000
    assert times.began is not None
    assert times.began.isoformat() == "2026-11-30T14:02:05"


def test_a_phone_s_file_says_when_it_began(limits: settings.AudioSettings, tmp_path: Path) -> None:
    """Seconds since 1904 stand in `mvhd`: 3,862,828,925 are 2026-05-28 16:02:05."""
    content = muxed("mp4", "aac")

    def dated(header: bytes) -> bytes:
        return header[:4] + struct.pack(">I", 3_862_828_925) + header[8:]

    (tmp_path / "x.m4a").write_bytes(rebuilt(content, (b"moov", b"mvhd"), dated))
    times = audio.times(tmp_path / "x.m4a", limits)
    assert times.began is not None
    assert times.began.isoformat() == "2026-05-28T16:02:05+00:00"


def test_a_file_without_a_date_has_none(limits: settings.AudioSettings, tmp_path: Path) -> None:
    assert audio.times(wav(tmp_path / "x.wav", voices(2)[0]), limits) == FileTimes(2000)
