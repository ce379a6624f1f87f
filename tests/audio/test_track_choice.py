"""Which of a file's sound tracks are the recording."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio import track_choice
from pipeline.audio.decoder import AudioTrack, DecodedAudio, DecodedExtent, StreamFormat
from pipeline.audio.track_choice import Track
from pipeline.errors import AudioError
from pipeline.run.progress import ignore
from tests.audio.sessions import voices

CLIENT, INTERVIEWER = voices(60)
MIX = CLIENT + INTERVIEWER * float(np.std(CLIENT) / np.std(INTERVIEWER))
OTHER = np.roll(MIX, 20 * 16_000)
SILENCE = np.zeros_like(CLIENT)
NOISE = (1e-3 * np.random.default_rng(3).standard_normal(CLIENT.shape)).astype(np.float32)
MUSIC = (0.1 * np.sin(np.arange(len(CLIENT)) ** 1.2 / 9) * (np.arange(len(CLIENT)) % 32_000 < 20_000)).astype(
    np.float32
)


def chosen(*sounds: np.ndarray) -> track_choice.TrackChoice:
    tracks = [Track(number, "und", "", np.atleast_2d(sound)) for number, sound in enumerate(sounds, 1)]
    return track_choice.choose(tracks, "recording x.mp4")


@pytest.mark.parametrize(
    ("sounds", "tracks", "channels", "words"),
    [
        ((CLIENT, INTERVIEWER), (1, 2), 2, ["tracks 1 and 2 hold one voice each"]),
        ((0.05 * CLIENT, INTERVIEWER), (1, 2), 2, ["tracks 1 and 2 hold one voice each"]),
        ((SILENCE, MIX), (2,), 1, ["track 1 of 2 holds no voice"]),
        ((MIX, NOISE), (1,), 1, ["track 2 of 2 holds no voice"]),
        ((MIX, 0.5 * np.roll(MIX, 700)), (1,), 1, ["track 2 of 2 holds the same sound as track 1"]),
        ((MIX, -MIX), (1,), 1, ["track 2 of 2 holds the same sound as track 1"]),
        ((MIX, MUSIC), (1,), 1, ["track 2 of 2 holds no voice"]),
        ((MIX, CLIENT, INTERVIEWER), (2, 3), 2, ["tracks 2 and 3 hold", "track 1 of 3 is the mix of the others"]),
        ((SILENCE, CLIENT, INTERVIEWER), (2, 3), 2, ["tracks 2 and 3 hold", "track 1 of 3 holds no voice"]),
        ((CLIENT, CLIENT, INTERVIEWER), (1, 3), 2, ["tracks 1 and 3 hold", "track 2 of 3 holds the same sound"]),
        ((SILENCE, SILENCE), (1,), 1, ["track 2 of 2 holds no voice"]),
        ((SILENCE, np.stack([CLIENT, INTERVIEWER])), (2,), 2, ["track 1 of 2 holds no voice"]),
    ],
)
def test_the_tracks_that_are_the_recording_are_taken_and_each_other_is_named(
    sounds: tuple[np.ndarray, ...], tracks: tuple[int, ...], channels: int, words: list[str]
) -> None:
    choice = chosen(*sounds)
    assert (choice.tracks, len(choice.samples)) == (tracks, channels)
    for word in words:
        assert any(word in warning.message for warning in choice.warnings)
    assert len(choice.warnings) == len(words)
    expected = [np.atleast_2d(sounds[number - 1]) for number in tracks]
    assert np.array_equal(choice.samples, np.concatenate(expected))


@pytest.mark.parametrize("sounds", [(MIX, CLIENT), (CLIENT, MIX), (CLIENT, INTERVIEWER, OTHER)])
def test_where_more_than_one_may_be_meant_the_member_is_asked(sounds: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(AudioError, match="TR-A16") as refused:
        chosen(*sounds)
    assert "--track 1" in refused.value.remedy
    assert f"has {len(sounds)} sound tracks" in refused.value.value


def test_a_track_is_named_by_all_that_a_person_may_know_it_by() -> None:
    assert str(Track(2, "eng", "Desktop", 0.5 * np.ones((1, 65 * 16_000), np.float32))) == (
        "2 ('Desktop', eng, 1:05, silent)"  # a constant is no sound
    )
    square = np.where(np.arange(70 * 16_000) // 8_000 % 4 == 0, 0.1, 1e-4).astype(np.float32)
    assert str(Track(1, "und", "", square[None])) == "1 (1:10, -20 dBFS)"


def audio(sound: np.ndarray, of: int) -> DecodedAudio:
    tracks = (AudioTrack("aac", 48_000, 1),) * of
    samples = np.atleast_2d(sound)
    return DecodedAudio(StreamFormat("aac", 48_000, 1, None), samples, DecodedExtent(60_000, True, []), tracks)


def test_a_track_that_cannot_be_read_is_passed_over_with_its_reason() -> None:
    def decode(index: int, _: object) -> DecodedAudio:
        if index == 0:
            raise AudioError("A06", "recording x", "is compressed as dts", "export it")
        return audio(MIX, 2)

    tracks, warnings = track_choice.decoded(decode, (), "recording x", ignore)
    assert list(tracks) == [2]
    assert [warning.message for warning in warnings] == ["sound track 1 is compressed as dts and was skipped"]


def test_a_file_with_one_track_that_cannot_be_read_is_refused_for_its_own_reason() -> None:
    def decode(index: int, _: object) -> DecodedAudio:
        raise AudioError("A06", "recording x", f"is compressed as {('dts', 'truehd')[index]}", "export it")

    with pytest.raises(AudioError, match="dts"):
        track_choice.decoded(decode, (), "recording x", ignore)


def test_a_hostile_file_with_a_thousand_tracks_is_decoded_eight_times() -> None:
    tracks, _ = track_choice.decoded(lambda *_: audio(SILENCE[:16_000], 1000), (), "recording x", ignore)
    assert len(tracks) == track_choice.MOST == 8
