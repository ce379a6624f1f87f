"""Reading recordings: formats, segments, limits, and what a stored recording gives back."""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import settings
from pipeline.audio import recording as audio
from pipeline.audio.recording import SAMPLE_RATE, Recording
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from tests.hostile import CANARY, referring
from tests.sounds import box, encoded, muxed, tone, wav


@pytest.fixture(scope="module")
def limits() -> AudioSettings:
    return settings.load().settings.audio


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def tagged(content: bytes) -> bytes:
    """An MP3 with a title and a cover picture in front, as a music player writes them."""
    frames = b""
    for name, body in ((b"TIT2", b"\3Session"), (b"APIC", b"\0image/png\0\3\0" + b"\x89PNG\r\n\x1a\n" + bytes(30_000))):
        frames += name + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frames + content


def stereo(rate: int = 16_000) -> np.ndarray:
    return np.stack([tone(rate=rate), 0.5 * tone(rate=rate)], axis=1)


FORMATS = {
    "16-bit.wav": lambda: encoded("WAV", "PCM_16"),
    "8-bit.wav": lambda: encoded("WAV", "PCM_U8"),
    "24-bit.wav": lambda: encoded("WAV", "PCM_24"),
    "32-bit.wav": lambda: encoded("WAV", "PCM_32"),
    "float.wav": lambda: encoded("WAV", "FLOAT"),
    "double.wav": lambda: encoded("WAV", "DOUBLE"),
    "u-law.wav": lambda: encoded("WAV", "ULAW", 8_000),
    "a-law.wav": lambda: encoded("WAV", "ALAW", 8_000),
    "adpcm.wav": lambda: encoded("WAV", "IMA_ADPCM"),
    "extensible.wav": lambda: encoded("WAVEX", "PCM_24", 48_000),
    "rf64.wav": lambda: encoded("RF64", "PCM_16", 44_100),
    "96-khz.wav": lambda: encoded("WAV", "PCM_24", 96_000),
    "11-khz.wav": lambda: encoded("WAV", "PCM_16", 11_025),
    "stereo.wav": lambda: encoded("WAV", "PCM_16", 44_100, stereo(44_100)),
    "junk-chunk.wav": lambda: b"RIFF" + struct.pack("<I", 160_048) + b"WAVEjunk\3\0\0\0abc\0" + wav()[12:],
    "tail.wav": lambda: wav() + b"TAG" + bytes(125),
    "sound.aiff": lambda: encoded("AIFF", "PCM_16", 22_050),
    "sound.flac": lambda: encoded("FLAC", "PCM_24", 48_000),
    "opus.ogg": lambda: encoded("OGG", "OPUS", 48_000),
    "vorbis.ogg": lambda: encoded("OGG", "VORBIS", 32_000),
    "sound.mp3": lambda: encoded("MP3", rate=44_100),
    "8-khz.mp3": lambda: encoded("MP3", rate=8_000),
    "tagged.mp3": lambda: tagged(encoded("MP3", rate=44_100)),
    "no-length.mp3": lambda: muxed("mp3", "libmp3lame", 44_100, options={"write_xing": "0"}),
    "sound.m4a": lambda: muxed("ipod", "aac", 44_100),
    "stereo.m4a": lambda: muxed("ipod", "aac", 48_000, "stereo"),
    "lossless.m4a": lambda: muxed("ipod", "alac", 44_100),
    "fragments.mp4": lambda: muxed("mp4", "aac", options={"movflags": "frag_keyframe+empty_moov"}),
    "sound.aac": lambda: muxed("adts", "aac", 44_100),
    "sound.webm": lambda: muxed("webm", "libopus"),
    "live.webm": lambda: muxed("webm", "libopus", options={"live": "1"}),
    "sound.mka": lambda: muxed("matroska", "flac"),
    "wrong-name.wav": lambda: encoded("FLAC", "PCM_16"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_that_we_promise_is_read(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    content = FORMATS[name]()
    recording = audio.decode(written(tmp_path / name, content), limits)
    assert recording.source.sha256 == hashlib.sha256(content).hexdigest()
    assert recording.samples.dtype == np.float32
    assert recording.samples.shape == (recording.source.channels, len(recording.mono))
    assert recording.source.channels == (2 if name.startswith("stereo") else 1)
    assert recording.duration == pytest.approx(5_000, abs=100)
    assert recording.source.duration == pytest.approx(5_000, abs=100)
    spectrum = np.abs(np.fft.rfft(recording.samples[0]))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(recording.mono) == pytest.approx(440, abs=1)
    bursts = np.abs(recording.samples[0])
    assert np.mean(bursts[4_000:8_000]) > 10 * np.mean(bursts[11_500:15_000])  # the first burst is where it was
    assert {warning.code for warning in recording.warnings} <= {"narrow_band"}


def test_16_bits_at_16_khz_arrive_unchanged(tmp_path: Path, limits: AudioSettings) -> None:
    whole = np.random.default_rng(1).integers(-32_768, 32_768, (40_000, 2), np.int16)
    soundfile.write(tmp_path / "x.wav", whole, SAMPLE_RATE)
    recording = audio.decode(tmp_path / "x.wav", limits)
    assert np.array_equal(recording.samples, whole.T.astype(np.float32) / 32_768)
    assert np.array_equal(recording.mono, recording.samples.mean(axis=0))


def test_the_source_is_described(tmp_path: Path, limits: AudioSettings) -> None:
    path = written(tmp_path / "a\nb.wav", encoded("WAV", "PCM_24", 48_000, stereo(48_000)))
    source = audio.decode(path, limits).source
    assert (source.name, source.container, source.codec) == ("a?b.wav", "WAV", "pcm_s24le")
    assert (source.sample_rate, source.channels, source.duration, source.declared) == (48_000, 2, 5_000, 5_000)


@pytest.mark.parametrize("name", ["96-khz.wav", "stereo.m4a", "opus.ogg"])
def test_decoding_twice_gives_the_same_samples(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    path = written(tmp_path / name, FORMATS[name]())
    assert np.array_equal(audio.decode(path, limits).samples, audio.decode(path, limits).samples)


@pytest.mark.parametrize("name", ["16-bit.wav", "stereo.wav", "sound.flac", "sound.mp3", "sound.m4a", "live.webm"])
def test_a_segment_is_the_same_stretch_of_the_whole(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    path = written(tmp_path / name, FORMATS[name]())
    whole, part = audio.decode(path, limits), audio.decode(path, limits, 1_200, 3_700)
    assert (part.start, part.end, part.duration) == (1_200, 3_700, 2_500)
    expected = whole.samples[:, 19_200:59_200]
    assert part.samples.shape == expected.shape
    # resampling begins at the cut, and the cut falls between two samples at 44.1 kHz
    assert np.abs(part.samples - expected)[:, 400:-400].max() < 0.03


def test_a_segment_without_an_end_goes_to_the_end(tmp_path: Path, limits: AudioSettings) -> None:
    recording = audio.decode(written(tmp_path / "x.wav", wav()), limits, start=2_000)
    assert (recording.start, recording.end) == (2_000, 5_000)


def test_an_end_that_is_typed_a_little_late_is_forgiven(tmp_path: Path, limits: AudioSettings) -> None:
    assert audio.decode(written(tmp_path / "x.wav", wav()), limits, end=5_900).end == 5_000


@pytest.mark.parametrize(
    ("start", "end", "code", "says"),
    [
        (3_000, 3_000, "TR-A11", "before it begins"),
        (-1, 3_000, "TR-A11", "before it begins"),
        (7_000, 9_000, "TR-A11", "ends at 0:05, before the segment begins; choose an earlier --start"),
        (7_000, None, "TR-A11", "ends at 0:05"),
        (2_000, 8_000, "TR-A11", "ends at 0:05, before the segment does; choose an earlier --end"),
        (4_500, None, "TR-A02", "less than a second"),
        (0, 1_202_000, "TR-A10", "--start 0:00 --end 20:00"),
        (3_600_000, 7_200_000, "TR-A10", "--start 1:00:00 --end 1:20:00"),
        (14_400_001, None, "TR-A12", "4:00:00"),
        (14_000_000, 14_500_000, "TR-A12", "4:00:00"),
    ],
)
def test_a_segment_that_cannot_be_is_refused(
    start: int, end: int | None, code: str, says: str, tmp_path: Path, limits: AudioSettings
) -> None:
    with pytest.raises(AudioError) as caught:
        audio.decode(written(tmp_path / "x.wav", wav()), limits, start, end)
    assert caught.value.code == code
    assert says in str(caught.value)


def long(path: Path, minutes: float) -> Path:
    """Noise that ticks, at 8 kHz and 8 bits, as long as asked."""
    second = (tone(1, 8_000) * 127 + 128).astype(np.uint8).tobytes()
    return written(path, wav(data=second * int(minutes * 60), rate=8_000, bits=8))


def test_a_recording_over_the_limit_is_refused_and_a_part_of_it_is_read(tmp_path: Path, limits: AudioSettings) -> None:
    path = long(tmp_path / "x.wav", 2.2)
    short = limits.model_copy(update={"segment_limit_minutes": 2.0})
    with pytest.raises(AudioError, match=r"TR-A10 .* lasts at least 2:12, more than 2:00; .* --start 0:00 --end 2:00"):
        audio.decode(path, short)
    assert audio.decode(path, short, 5_000, 125_000).duration == 120_000
    assert audio.decode(path, limits).duration == 132_000


def test_a_recording_that_pads_the_limit_by_less_than_a_second_is_read(tmp_path: Path, limits: AudioSettings) -> None:
    short = limits.model_copy(update={"segment_limit_minutes": 4.5 / 60})
    assert audio.decode(written(tmp_path / "x.wav", wav()), short).duration == 5_000


def test_no_setting_raises_the_hard_limit(tmp_path: Path, limits: AudioSettings) -> None:
    high = limits.model_copy(update={"segment_limit_minutes": 60.0, "hard_limit_minutes": 2.0})
    with pytest.raises(AudioError, match="TR-A10"):
        audio.decode(long(tmp_path / "x.wav", 2.2), high)


def test_a_recording_over_the_source_limit_is_refused(tmp_path: Path, limits: AudioSettings) -> None:
    short = limits.model_copy(update={"source_limit_minutes": 2.0})
    with pytest.raises(AudioError, match="TR-A12 .* lasts 2:12, longer than 2:00"):
        audio.decode(long(tmp_path / "x.wav", 2.2), short, 0, 60_000)


def test_a_part_of_a_file_that_was_cut_off_is_read_with_a_warning(tmp_path: Path, limits: AudioSettings) -> None:
    path = written(tmp_path / "x.wav", wav()[:100_044])
    with pytest.raises(AudioError, match="TR-A13 .*--end"):
        audio.decode(path, limits)
    recording = audio.decode(path, limits, end=3_000)
    assert recording.duration == 3_000
    assert [warning.code for warning in recording.warnings] == ["duration_mismatch"]
    assert "0:03" in recording.warnings[0].message


def test_a_file_that_says_its_sound_lies_elsewhere_gives_its_own(tmp_path: Path, limits: AudioSettings) -> None:
    (tmp_path / "inner").mkdir()
    soundfile.write(tmp_path / CANARY, np.zeros(80_000), 16_000)
    path = written(tmp_path / "inner" / "x.mov", referring(tmp_path / CANARY))
    whole = written(tmp_path / "own.mov", muxed("mov", "aac"))
    assert np.array_equal(audio.decode(path, limits).samples, audio.decode(whole, limits).samples)


def test_sound_beside_a_box_of_another_kind_is_read(tmp_path: Path, limits: AudioSettings) -> None:
    path = written(tmp_path / "x.m4a", muxed("ipod", "aac") + box(b"free", bytes(1000)))
    assert audio.decode(path, limits).source.codec == "aac"


def test_clipped_sound_is_counted_where_it_is(tmp_path: Path, limits: AudioSettings) -> None:
    sound = tone(20, 44_100)
    sound[44_100 * 12 : 44_100 * 14] *= 20
    soundfile.write(tmp_path / "x.wav", np.clip(sound, -1, 1), 44_100)
    (warning,) = audio.decode(tmp_path / "x.wav", limits, start=2_000).warnings
    assert warning.code == "clipping"
    assert warning.span is not None
    assert (warning.span.start, warning.span.end) == (10_000, 12_000)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize(("decibels", "code"), [(-60, "quiet"), (24, "over_full_scale")])
def test_float_sound_far_from_full_scale_keeps_its_shape_and_a_warning_names_its_level(
    decibels: int, code: str, subtype: str, tmp_path: Path, limits: AudioSettings
) -> None:
    sound = tone(20) * 10 ** (decibels / 20) / np.abs(tone(20)).max()  # a peak of so many dBFS
    recording = audio.decode(written(tmp_path / "x.wav", encoded("WAV", subtype, sound=sound)), limits)
    (warning,) = recording.warnings
    assert warning.code == code
    level = 10 * np.log10(np.mean(sound[: SAMPLE_RATE // 2] ** 2))  # of a burst
    assert f"{decibels if code == 'over_full_scale' else level:.0f} dB" in warning.message
    scaled = recording.mono / np.abs(recording.mono).max()
    assert np.abs(scaled - sound / np.abs(sound).max()).max() < 5e-4  # 11 bits of it at least; at -60 dBFS they were 6
    assert -30 < 20 * np.log10(np.abs(recording.mono).max()) <= 0


def test_float_sound_that_was_clipped_before_is_reported(tmp_path: Path, limits: AudioSettings) -> None:
    sound = np.clip(10 * tone(20), -1, 1)
    recording = audio.decode(written(tmp_path / "x.wav", encoded("WAV", "FLOAT", sound=sound)), limits)
    assert [warning.code for warning in recording.warnings] == ["clipping"]


def test_stored_recording_of_loud_floats_equals_the_fresh_one(tmp_path: Path, limits: AudioSettings) -> None:
    recording = audio.decode(written(tmp_path / "x.wav", encoded("WAV", "FLOAT", sound=30 * tone())), limits)
    assert np.array_equal(audio.load(audio.save(recording)).samples, recording.samples)


def test_a_value_that_is_no_number_outside_the_segment_does_no_harm(tmp_path: Path, limits: AudioSettings) -> None:
    sound = tone().astype("<f4")
    sound[70_000] = math.nan
    path = written(tmp_path / "x.wav", wav(data=sound.tobytes(), kind=3, bits=32))
    assert audio.decode(path, limits, end=4_000).duration == 4_000
    with pytest.raises(AudioError, match="TR-A09 .* at 4.375 s"):
        audio.decode(path, limits)


@pytest.mark.parametrize("name", ["96-khz.wav", "stereo.m4a", "live.webm"])
def test_progress_rises_to_one(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    seen: list[float] = []
    audio.decode(written(tmp_path / name, FORMATS[name]()), limits, end=5_000, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] >= 0
    assert seen[-1] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", ["16-bit.wav", "stereo.m4a", "11-khz.wav"])
def test_a_stored_recording_is_the_same(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    recording = audio.decode(written(tmp_path / name, FORMATS[name]()), limits, 500, 4_000)
    again = audio.load(audio.save(recording))
    assert isinstance(again, Recording)
    assert np.array_equal(again.samples, recording.samples)
    assert again.samples.dtype == np.float32
    for field in ("start", "end", "source", "warnings", "two_voices"):
        assert getattr(again, field) == getattr(recording, field)


def test_a_stored_warning_keeps_its_place(tmp_path: Path, limits: AudioSettings) -> None:
    sound = np.clip(20 * tone(), -1, 1)
    recording = audio.decode(written(tmp_path / "x.wav", encoded("WAV", "PCM_16", sound=sound)), limits)
    files = audio.save(recording)
    assert audio.load(files).warnings == recording.warnings
    assert recording.warnings[0].span is not None
    facts = json.loads(files["recording.json"])
    assert facts["source"]["name"] == "x.wav"


def test_two_voices_are_seen_through_decoding(tmp_path: Path, limits: AudioSettings) -> None:
    sound, silence = tone(30), np.random.default_rng(2).standard_normal(480_000) / 1000
    turns = np.arange(480_000) // 48_000 % 2 == 0
    file = io.BytesIO()
    soundfile.write(file, np.stack([sound * turns + silence, sound * ~turns + silence], axis=1), 16_000, format="FLAC")
    assert audio.decode(written(tmp_path / "x.flac", file.getvalue()), limits).two_voices


def test_a_path_that_cannot_be_is_an_error_like_any_other(limits: AudioSettings) -> None:
    for name in ("x\0.wav", "x" * 300 + ".wav"):
        with pytest.raises(AudioError, match="TR-A01"):
            audio.decode(Path(name), limits)
