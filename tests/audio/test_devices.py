"""What devices and programs write: each file gives the same sound, at the same time and level, or a named refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import settings
from pipeline.audio import recording as audio
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from tests.audio.devices import DEVICES, SECONDS, speech

MILLISECONDS, DECIBELS = 10, 1


@pytest.fixture(scope="module")
def limits() -> AudioSettings:
    return settings.load().settings.audio


def compared(sound: np.ndarray) -> tuple[float, float]:
    """How many ms later, and how many dB louder, a sound at 16 kHz is than the speech, between 200 and 3,000 Hz."""
    length = 1 << (len(sound) + len(speech(16_000))).bit_length()
    hertz = np.fft.rfftfreq(length, 1 / 16_000)
    band = (hertz > 200) & (hertz < 3_000)
    reference, other = (np.fft.rfft(samples, length) * band for samples in (speech(16_000), sound))
    correlation = np.fft.irfft(other * np.conj(reference), length)
    late = int(np.argmax(correlation))
    late -= length if late > length // 2 else 0
    louder = 10 * np.log10(np.sum(np.abs(other) ** 2) / np.sum(np.abs(reference) ** 2))
    return late / 16, float(louder)


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_s_file_gives_the_same_sound_at_its_time(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    path = tmp_path / "recording"
    path.write_bytes(DEVICES[name]())
    recording = audio.decode(path, limits)
    late, louder = compared(recording.samples[0])
    assert abs(late) <= MILLISECONDS
    assert abs(louder) <= DECIBELS
    assert recording.duration == pytest.approx(SECONDS * 1000, abs=100)
    expected = {code for code, word in (("unfinished", "stopped"), ("channels", "5.1")) if word in name}
    assert {warning.code for warning in recording.warnings} - {"narrow_band"} == expected


REFUSALS = {
    "Olympus, DSS": (b"\x02dss" + bytes(2000), "TR-A19", "ODMS"),
    "Olympus, DS2": (b"\x03ds2" + bytes(2000), "TR-A19", "SpeechExec"),
    "Philips, encrypted DS2": (b"\x03enc" + bytes(2000), "TR-A19", "SpeechExec"),
    "music program, MIDI": (b"MThd\0\0\0\6\0\1" + bytes(2000), "TR-A04", "export it as"),
    "camera, photo": (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(2000), "TR-A04", "export it as"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_no_program_of_ours_reads_is_refused_by_name(name: str, tmp_path: Path, limits: AudioSettings) -> None:
    content, code, says = REFUSALS[name]
    (tmp_path / "recording").write_bytes(content)
    with pytest.raises(AudioError, match=says) as caught:
        audio.decode(tmp_path / "recording", limits)
    assert caught.value.code == code


def test_the_table_has_45_rows() -> None:
    assert len(DEVICES) + len(REFUSALS) >= 45
