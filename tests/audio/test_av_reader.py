"""Holes, offsets and damage: what is there is read in its place, and what is missing is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline import settings
from pipeline.audio import recording as audio
from pipeline.audio.recording import Recording
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from tests.audio.devices import DEVICES, SECONDS, muxed, patched, speech
from tests.audio.test_devices import compared
from tests.sounds import tone

CASES = Path(__file__).parent / "cases"
Packets = list[av.Packet]


@pytest.fixture(scope="module")
def limits() -> AudioSettings:
    return settings.load().settings.audio


@pytest.fixture
def decoded(tmp_path: Path, limits: AudioSettings) -> Callable[..., Recording]:
    def decode(content: bytes, start: int | None = None, end: int | None = None) -> Recording:
        (tmp_path / "recording").write_bytes(content)
        return audio.decode(tmp_path / "recording", limits, start, end)

    return decode


def codes(recording: Recording) -> set[str]:
    return {warning.code for warning in recording.warnings} - {"narrow_band"}


def without(start: float, end: float) -> Callable[[Packets], Packets]:
    """Leave out the packets between two seconds."""
    return lambda packets: [packet for packet in packets if not start <= packet.pts * packet.time_base < end]


def later(after: float, seconds: float) -> Callable[[Packets], Packets]:
    """Move the packets from one second on by others, which may be negative."""

    def edit(packets: Packets) -> Packets:
        for packet in packets:
            if packet.pts * packet.time_base >= after:
                packet.pts += round(seconds / packet.time_base)
                packet.dts = packet.pts
        return packets

    return edit


@pytest.mark.parametrize(
    ("kind", "codec", "picture"),
    [
        ("mp4", "aac", "mpeg4"),
        ("mov", "pcm_s16le", "mjpeg"),
        ("matroska", "aac", "mpeg4"),
        ("webm", "libopus", "libvpx"),
        ("mpegts", "ac3", "mpeg2video"),
        ("vob", "mp2", "mpeg2video"),
        ("mp4", "aac", None),  # an edit list alone
    ],
)
def test_sound_that_begins_after_the_picture_stands_where_a_player_plays_it(
    kind: str, codec: str, picture: str | None, decoded: Callable[..., Recording]
) -> None:
    recording = decoded(muxed(kind, codec, picture=picture, delay=2.0))
    assert abs(compared(recording.samples[0])[0] - 2_000) <= 10
    assert recording.duration == pytest.approx(SECONDS * 1000 + 2_000, abs=100)
    assert codes(recording) == {"gap"}
    assert "no sound from 0:00 to 0:02 (2.0 s)" in recording.warnings[0].message


@pytest.mark.parametrize("kind", ["matroska", "webm", "mpegts", "mp4"])
def test_a_hole_is_silence_of_its_length_with_a_warning(kind: str, decoded: Callable[..., Recording]) -> None:
    codec = {"webm": "libopus", "mp4": "aac"}.get(kind, "ac3")
    recording = decoded(muxed(kind, codec, layout="stereo", edit=without(2, 4)))
    assert recording.duration == pytest.approx(SECONDS * 1000, abs=100)
    reference, sound = speech(16_000), recording.samples[0]
    assert np.abs(sound[2_100 * 16 : 3_900 * 16]).max() < 1e-3
    behind = slice(4_100 * 16, 5_900 * 16)
    shifts = range(-160, 161)
    fits = [float(np.dot(sound[behind], reference[behind.start - shift : behind.stop - shift])) for shift in shifts]
    assert abs(shifts[int(np.argmax(fits))]) <= 160
    assert (
        np.corrcoef(sound[behind], reference[behind.start - shifts[int(np.argmax(fits))] :][: 1_800 * 16])[0, 1] > 0.8
    )
    assert codes(recording) == {"gap"}
    assert "from 0:02 to 0:04 (2.0 s)" in recording.warnings[0].message


def test_a_segment_behind_a_hole_is_the_same_stretch_of_the_whole(decoded: Callable[..., Recording]) -> None:
    content = muxed("matroska", "pcm_s16le", 16_000, edit=without(2, 4))
    whole, part = decoded(content), decoded(content, 4_500, 5_500)
    assert np.array_equal(part.samples, whole.samples[:, 72_000:88_000])
    assert "gap" not in codes(part)


def test_times_of_ten_hours_are_held_to_the_limits(decoded: Callable[..., Recording]) -> None:
    content = muxed("matroska", "pcm_s16le", 16_000, edit=later(3, 36_000), options={"live": "1"})
    with pytest.raises(AudioError, match="TR-A10"):
        decoded(content)
    assert decoded(content, 0, 2_500).duration == 2_500


@pytest.mark.parametrize(("seconds", "late"), [(3_600, 0), (5, 5_000)])
def test_a_piece_of_a_broadcast_begins_where_it_begins(
    seconds: int, late: int, decoded: Callable[..., Recording]
) -> None:
    content = muxed("mp4", "aac", options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "1000000"})
    offset = content.find(b"tfdt")
    while offset >= 0:  # the time at which each fragment begins, in eight bytes behind the box's version
        ticks = int.from_bytes(content[offset + 8 : offset + 16], "big") + seconds * 48_000
        content = patched(content, offset + 8, ticks.to_bytes(8, "big"))
        offset = content.find(b"tfdt", offset + 4)
    recording = decoded(content)
    assert abs(compared(recording.samples[0])[0] - late) <= 30  # the file does not say what its encoder put in front
    assert recording.duration == pytest.approx(SECONDS * 1000 + late, abs=100)


def test_one_wrong_time_moves_nothing(decoded: Callable[..., Recording]) -> None:
    def edit(packets: Packets) -> Packets:
        packets[len(packets) // 2].pts += round(1 / packets[0].time_base)
        return packets

    recording = decoded(muxed("matroska", "libopus", edit=edit))
    assert compared(recording.samples[0])[0] == 0
    assert codes(recording) == set()


def test_a_clock_that_starts_again_loses_no_sound(decoded: Callable[..., Recording]) -> None:
    content = muxed("mpegts", "ac3", layout="stereo")
    recording = decoded(content + content)
    assert recording.duration == pytest.approx(2 * SECONDS * 1000, abs=200)
    assert abs(compared(recording.samples[0][: SECONDS * 16_000])[0]) <= 10
    assert abs(compared(recording.samples[0][SECONDS * 16_000 :])[0]) <= 20


# what one damaged stretch of 60 bytes in the middle costs; codecs without checks decode it as noise
DAMAGED = [
    "iPhone voice memo, M4A",
    "Teams, fragmented MP4",
    "Zoom, M4A 32 kHz",
    "television, MP4 E-AC-3",
    "OBS, MKV FLAC",
    "WhatsApp, Ogg Opus",
    "player, Ogg Vorbis",
    "player, FLAC in Ogg",
    "recorder, FLAC",
    "recorder, MP3",
    "recorder, MP3 16 kHz",
    "recorder, MP3 without header",
    "Android recorder, AAC",
    "Android recorder, AMR",
    "Olympus, WMA",
    "camera, AVI MP3",
    "camcorder, MPEG-TS",
]


UNCHECKED = ["Olympus, WMA", "camera, AVI MP3", "camcorder, MPEG-TS"]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_bad_packet_loses_that_packet_and_not_the_recording(name: str, decoded: Callable[..., Recording]) -> None:
    content = DEVICES[name]()
    recording = decoded(patched(content, len(content) * 3 // 5, np.random.default_rng(8).bytes(60)))
    assert recording.duration == pytest.approx(SECONDS * 1000, abs=100)
    behind = slice(5_100 * 16, 5_900 * 16)
    reference, sound = decoded(content).samples[0], recording.samples[0]
    fits = [
        float(np.dot(sound[behind], reference[behind.start - late : behind.stop - late])) for late in range(-800, 801)
    ]
    assert abs(int(np.argmax(fits)) - 800) <= 160  # words behind the damage are where they were


@pytest.mark.parametrize("name", [name for name in DAMAGED if name not in UNCHECKED])
def test_damage_is_named_with_its_time(name: str, decoded: Callable[..., Recording]) -> None:
    content = DEVICES[name]()
    recording = decoded(patched(content, len(content) * 3 // 5, np.random.default_rng(8).bytes(300)))
    assert codes(recording) & {"damage", "gap"}
    message = next(warning.message for warning in recording.warnings if warning.code in ("damage", "gap"))
    assert any(f"0:0{second}" in message for second in (3, 4))


def test_a_recording_that_is_damaged_throughout_is_refused(decoded: Callable[..., Recording]) -> None:
    content = bytearray(DEVICES["recorder, FLAC"]())
    for offset in range(2_000, len(content), 3_000):
        content[offset : offset + 300] = np.random.default_rng(offset).bytes(300)
    with pytest.raises(AudioError, match=r"TR-A05 .* cannot be decoded"):
        decoded(bytes(content))


@pytest.mark.parametrize("name", ["android.amr", "android.3gp"])
def test_frames_of_a_telephone_that_say_that_nobody_speaks_are_no_damage(
    name: str, decoded: Callable[..., Recording]
) -> None:
    recording = decoded((CASES / name).read_bytes())
    assert recording.duration == pytest.approx(70_000, abs=30)
    assert codes(recording) == set()


def test_junk_behind_a_voice_message_is_none_of_it(decoded: Callable[..., Recording]) -> None:
    recording = decoded((CASES / "wa_trail.opus").read_bytes())
    assert recording.duration == pytest.approx(70_000, abs=30)
    assert codes(recording) == set()


def test_many_channels_become_two_with_a_word(decoded: Callable[..., Recording]) -> None:
    sound = tone(30)
    turn = np.arange(len(sound)) // 48_000 % 2 == 0
    channels = np.zeros((8, len(sound)), np.float32)
    channels[3], channels[6] = sound * turn, sound * ~turn
    channels += np.random.default_rng(1).standard_normal(channels.shape).astype(np.float32) / 5_000
    recording = decoded(muxed("matroska", "pcm_s16le", 16_000, "7.1", channels=channels))
    assert recording.samples.shape == (2, 480_000)
    assert recording.source.channels == 8
    assert recording.two_voices
    assert "4 and 7, which hold one voice each" in recording.warnings[0].message
