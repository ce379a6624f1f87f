"""One recording from its files: a file per person, the parts of a session, a file with several tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import settings
from pipeline.audio import assembly, file_layout, recording
from pipeline.audio.file_layout import FileLayout
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.audio.recording import Recording
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from tests.audio.sessions import leaking, on_clock, voices, wav, with_tracks

JOINED = FileLayout(join=True)
SHORT = (slice(None), slice(0, 60 * SAMPLE_RATE))


@pytest.fixture(scope="module")
def limits() -> AudioSettings:
    return settings.load().settings.audio


@pytest.fixture(scope="module")
def session() -> np.ndarray:
    """Two minutes of client and interviewer, a microphone each, with the other 30 dB softer."""
    return leaking(voices(120), -30)


def codes(result: Recording) -> list[str]:
    return [warning.code for warning in result.warnings]


def warned(result: Recording, code: str) -> str:
    return " ".join(warning.message for warning in result.warnings if warning.code == code)


def later(channel: np.ndarray, expected: np.ndarray, at: float) -> float:
    """By how many milliseconds ten seconds of a channel come too late."""
    start, width, reach = int(at * SAMPLE_RATE), 10 * SAMPLE_RATE, 1600
    around = channel[start - reach : start + width + reach]
    likely = np.correlate(around[::4], expected[start : start + width : 4], "valid")
    return float((np.abs(likely).argmax() * 4 - reach) * 1000 / SAMPLE_RATE)


@pytest.mark.parametrize("begins", [7.25, -7.25])
def test_a_file_per_person_becomes_two_channels_on_one_clock(
    begins: float, session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    """Time 0 is that of the file that begins first; the other's clock is 80 millionths faster: 9.6 ms in 2 minutes."""
    cut = round(abs(begins) * SAMPLE_RATE)
    first, second = session[0], on_clock(session[1], 80)
    first, second = (first, second[cut:]) if begins > 0 else (first[cut:], second)
    files = (wav(tmp_path / "client.wav", first, 44_100), wav(tmp_path / "interviewer.wav", second, 16_000))
    result = assembly.decode(files, FileLayout(), limits)
    assert result.two_voices
    assert result.samples.shape == pytest.approx((2, session.shape[1]), abs=200)
    for channel in (0, 1):
        for at in (20.0, 100.0):
            assert abs(later(result.samples[channel], session[channel], at)) <= 5
    assert [part.begins for part in result.parts] == pytest.approx(
        [max(0, -begins * 1000), max(0, begins * 1000)], abs=4
    )
    assert result.parts[1].drift == pytest.approx(80, abs=40)
    assert [part.source.sha256 for part in result.parts] == [recording.fingerprint(file, limits) for file in files]
    side = "after" if begins > 0 else "before"
    assert f"s {side} the beginning of the first" in warned(result, "file_offset")
    assert "millionths faster" in warned(result, "clock_drift")
    assert recording.load(recording.save(result)).parts == result.parts
    assert np.array_equal(recording.load(recording.save(result)).samples, result.samples)


def test_a_segment_of_two_files_is_that_of_the_whole(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    files = (wav(tmp_path / "a.wav", session[0]), wav(tmp_path / "b.wav", session[1, 5 * SAMPLE_RATE :]))
    whole = assembly.decode(files, FileLayout(), limits)
    part = assembly.decode(files, FileLayout(), limits, 30_000, 90_000)
    assert (part.start, part.end, part.samples.shape) == (30_000, 90_000, (2, 60 * SAMPLE_RATE))
    assert np.abs(part.samples - whole.samples[:, 30 * SAMPLE_RATE : 90 * SAMPLE_RATE]).max() < 1e-3


def test_files_that_share_nothing_are_not_placed_by_guess(tmp_path: Path, limits: AudioSettings) -> None:
    silent_rooms = voices(60)
    files = (wav(tmp_path / "a.wav", silent_rooms[0]), wav(tmp_path / "b.wav", silent_rooms[1, 3 * SAMPLE_RATE :]))
    with pytest.raises(AudioError, match="TR-A17") as refused:
        assembly.decode(files, FileLayout(), limits)
    assert "--offset" in refused.value.remedy
    result = assembly.decode(files, FileLayout(offset=3_000), limits)
    assert result.two_voices
    assert (
        np.abs(
            result.samples[:, 4 * SAMPLE_RATE : 50 * SAMPLE_RATE] - silent_rooms[:, 4 * SAMPLE_RATE : 50 * SAMPLE_RATE]
        ).max()
        < 1e-4
    )
    assert "drift of the two files' clocks could not be checked" in warned(result, "file_offset")


def test_an_offset_that_the_sound_contradicts_is_taken_with_a_word(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    files = (wav(tmp_path / "a.wav", session[0]), wav(tmp_path / "b.wav", session[1, 5 * SAMPLE_RATE :]))
    result = assembly.decode(files, FileLayout(offset=9_000), limits)
    assert [part.begins for part in result.parts] == [0, 9_000]
    assert "9.000 s after the beginning of the first, as given (--offset)" in warned(result, "file_offset")
    assert "says 5.00" in warned(result, "file_offset")


def test_an_offset_by_which_both_talk_at_once_is_doubted(tmp_path: Path, limits: AudioSettings) -> None:
    silent_rooms = voices(120)
    files = (wav(tmp_path / "a.wav", silent_rooms[0]), wav(tmp_path / "b.wav", silent_rooms[1]))
    assert "talk at the same time" not in warned(assembly.decode(files, FileLayout(offset=0), limits), "file_offset")
    assert "talk at the same time" in warned(assembly.decode(files, FileLayout(offset=6_000), limits), "file_offset")


@pytest.mark.parametrize("fault", ["the same file", "the same sound"])
def test_one_persons_sound_twice_is_refused(
    fault: str, session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    first = wav(tmp_path / "a.wav", session[SHORT][0])
    second = first if fault == "the same file" else wav(tmp_path / "b.wav", 0.5 * session[SHORT][0], 48_000)
    with pytest.raises(AudioError, match=f"TR-A18 .*{'are' if fault == 'the same file' else 'hold'} {fault}"):
        assembly.decode((first, second), FileLayout(), limits)


def test_two_recorders_on_one_table_are_not_called_a_person_each(tmp_path: Path, limits: AudioSettings) -> None:
    rng, sounds = np.random.default_rng(8), np.zeros_like(voices(60))
    for recorder in sounds:  # a room of its own from each mouth to each recorder
        for voice in voices(60):
            echoes = rng.standard_normal(1600) * np.exp(-np.arange(1600) / 200)
            recorder += 0.1 * np.convolve(voice, echoes)[: len(voice)].astype(np.float32)
    result = assembly.decode(
        (wav(tmp_path / "a.wav", sounds[0]), wav(tmp_path / "b.wav", sounds[1])), FileLayout(), limits
    )
    assert not result.two_voices
    assert "not_one_voice_each" in codes(result)


def test_a_file_that_ends_early_is_named_with_its_time(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    files = (wav(tmp_path / "a.wav", session[0]), wav(tmp_path / "b.wav", session[1, : 70 * SAMPLE_RATE]))
    assert "the second file ends at 1:10" in warned(assembly.decode(files, FileLayout(), limits), "file_ends")


@pytest.mark.parametrize(("gaps", "second"), [((), 40_000), ((2_500,), 42_500)])
def test_parts_of_a_session_follow_one_another_with_their_gap(
    gaps: tuple[int, ...], second: int, session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    half = 40 * SAMPLE_RATE
    files = (
        wav(tmp_path / "1.wav", session[:, :half]),
        wav(tmp_path / "2.wav", session[:, half : half + 30 * SAMPLE_RATE]),
    )
    result = assembly.decode(files, FileLayout(join=True, gaps=gaps), limits)
    assert [part.begins for part in result.parts] == [0, second]
    assert result.duration == second + 30_000
    assert np.abs(result.samples[:, :half] - session[:, :half]).max() < 1e-4
    assert not result.samples[:, half : second * 16].any()
    assert np.abs(result.samples[:, second * 16 :] - session[:, half : half + 30 * SAMPLE_RATE]).max() < 1e-4
    word = "after a gap of 2.500 s" if gaps else "without a gap"
    assert f"file 1 ends at 0:40 of the recording, and file 2 was joined to it {word}" in warned(result, "joined")


@pytest.mark.parametrize(("start", "end"), [(35_000, 65_000), (39_500, 60_000), (45_000, 60_000), (5_000, 20_000)])
def test_a_segment_of_joined_parts_is_that_of_the_whole(
    start: int, end: int, session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    cuts = (0, 40 * SAMPLE_RATE, 70 * SAMPLE_RATE)
    files = [wav(tmp_path / f"{number}.wav", session[:, cuts[number] : cuts[number + 1]]) for number in (0, 1)]
    part = assembly.decode(files, JOINED, limits, start, end)
    assert (part.start, part.end) == (start, end)
    assert np.abs(part.samples - session[:, start * 16 : end * 16]).max() < 1e-4


def test_three_parts_of_different_kinds_are_one_channel(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    parts = np.split(session[:, : 60 * SAMPLE_RATE], 3, axis=1)
    files = [
        wav(tmp_path / "1.wav", parts[0]),
        wav(tmp_path / "2.wav", parts[1][0], 44_100),
        wav(tmp_path / "3.wav", parts[2]),
    ]
    result = assembly.decode(files, FileLayout(join=True, gaps=(1000, 3000)), limits)
    assert [part.begins for part in result.parts] == [0, 21_000, 44_000]
    assert result.samples.shape == (1, 64 * SAMPLE_RATE)


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (1, JOINED),
        (1, FileLayout(offset=0)),
        (2, FileLayout(tracks=(1,))),
        (3, FileLayout()),
        (2, FileLayout(gaps=(0,))),
        (2, FileLayout(join=True, offset=0)),
        (4, FileLayout(join=True, gaps=(0, 0))),
        (9, JOINED),
    ],
)
def test_options_that_do_not_go_together_are_refused(files: int, layout: FileLayout) -> None:
    with pytest.raises(AudioError, match="TR-A18"):
        file_layout.require_layout(files, layout)


@pytest.mark.parametrize(("start", "end", "code"), [(0, 200_000, "A11"), (90_000, None, "A11"), (None, None, "A10")])
def test_a_segment_that_the_whole_does_not_hold_is_refused(
    start: int | None, end: int | None, code: str, session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    files = [wav(tmp_path / f"{number}.wav", session[SHORT][:, : 40 * SAMPLE_RATE]) for number in (1, 2)]
    if code == "A10":
        limits = limits.model_copy(update={"segment_limit_minutes": 1.0})
    with pytest.raises(AudioError, match=f"TR-{code}"):
        assembly.decode(files, JOINED, limits, start, end)


def test_the_two_tracks_of_a_screen_recorder_are_two_channels(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    path = with_tracks(tmp_path / "obs.mkv", [session[SHORT][0], session[SHORT][1]], ["Mic", "Desktop"])
    result = recording.decode(path, limits)
    assert result.two_voices
    assert "sound tracks 1 and 2 hold one voice each" in warned(result, "tracks")
    alone = recording.decode(path, limits, tracks=(2,))
    assert len(alone.samples) == 1
    assert abs(later(alone.samples[0], session[SHORT][1], 20)) <= 10
    assert abs(later(result.samples[1], session[SHORT][1], 20)) <= 10


def test_tracks_that_may_both_be_meant_are_named_and_taken_by_number(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    talk = session[SHORT].sum(axis=0)
    path = with_tracks(tmp_path / "two.mkv", [talk, np.roll(talk, 20 * SAMPLE_RATE)], ["Room", "Dubbed"])
    with pytest.raises(AudioError, match="TR-A16") as refused:
        recording.decode(path, limits)
    assert "1 ('Room', eng, 1:00, -" in refused.value.value
    assert "2 ('Dubbed', eng, 1:00, -" in refused.value.value
    assert codes(recording.decode(path, limits, tracks=(1,))) == []
    assert len(recording.decode(path, limits, tracks=(1, 2)).samples) == 2


def test_a_silent_track_beside_a_full_one_is_passed_over_with_a_word(
    session: np.ndarray, tmp_path: Path, limits: AudioSettings
) -> None:
    talk = session[SHORT].sum(axis=0)
    result = recording.decode(with_tracks(tmp_path / "obs.mp4", [np.zeros_like(talk), talk]), limits)
    assert "sound track 1 of 2 holds no voice and was skipped" in warned(result, "track")
    assert abs(later(result.samples[0], talk, 20)) <= 10
    assert "no_speech" not in codes(result)
