"""One contract that three diarizers meet, and what each does on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from pipeline import model_catalog, settings
from pipeline.audio.recording import Recording, Source
from pipeline.errors import ModelError, SpeechError
from pipeline.formats import rttm
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import channels, contract
from pipeline.speech.diarization.contract import Diarization, Diarizer, Voice
from pipeline.timeline import Span

SETTINGS = settings.load().settings
RECORDINGS = Path(__file__).parents[2] / "recordings"
AMI = Path(__file__).parents[3] / "../shared/data/audio"


def recorded(samples: np.ndarray, name: str = "sample.wav", start: int = 0) -> Recording:
    samples = np.atleast_2d(samples).astype(np.float32)
    length = samples.shape[1] * 1000 // 16_000
    source = Source(name, "0" * 64, "wav", "pcm_s16le", 16_000, len(samples), start + length, start + length)
    return Recording(samples, start, start + length, source, ())


def sound(name: str) -> np.ndarray:
    """One of our recordings, (channels, n) at 16 kHz."""
    samples, rate = soundfile.read(RECORDINGS / name, dtype="float32", always_2d=True)
    return soxr.resample(samples, rate, 16_000).T


def voices(*rows: tuple[int, int, str]) -> tuple[Voice, ...]:
    return tuple(Voice(Span(start, end), speaker) for start, end, speaker in rows)


@pytest.fixture(scope="session")
def telephone() -> tuple[Recording, Path]:
    """Two people on the telephone: the sample that pyannote.audio ships, with its truth."""
    import importlib.util

    package = importlib.util.find_spec("pyannote.audio")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "sample"
    return recorded(soundfile.read(folder / "sample.wav", dtype="float32")[0]), folder / "sample.rttm"


@pytest.fixture(scope="session")
def stereo(telephone) -> Recording:
    """The same call on two microphones: each speaker on one channel, 12 dB softer on the other, with room tone."""
    recording, truth = telephone
    sound = np.zeros((2, recording.mono.size), np.float32)
    for line in rttm.read(truth):
        place = slice(line.span.start * 16, line.span.end * 16)
        sound[int(line.speaker == "speaker91"), place] = recording.mono[place]
    leak = 10 ** (-12 / 20)
    tone = np.random.default_rng(0).normal(0, 0.0005, sound.shape)
    return recorded(np.array([[1, leak], [leak, 1]]) @ sound + tone)


def error_rate(found: Diarization, truth: Path, recording: str, length: float, collar: float = 0.0) -> dict[str, float]:
    """Diarization error rate in percent, and its parts. ``collar`` is that to each side of a change."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(heard):
        made = Annotation()
        for number, voice in enumerate(heard):
            made[Segment(voice.span.start / 1000, voice.span.end / 1000), number] = voice.speaker
        return made

    told = annotation(line for line in rttm.read(truth) if line.recording == recording)
    whole = Timeline([Segment(0, length)])
    parts = DiarizationErrorRate(collar=2 * collar)(told, annotation(found.voices), uem=whole, detailed=True)
    shares = {name: 100 * value / parts["total"] for name, value in parts.items() if name != "total"}
    return shares | {"rate": 100 * parts["diarization error rate"]}


@pytest.mark.engines
@pytest.mark.parametrize("kind", ["pyannote", "channels", "manual"])
class TestContract:
    @pytest.fixture
    def recording(self, kind, telephone, stereo) -> Recording:
        return stereo if kind == "channels" else telephone[0]

    @pytest.fixture
    def made(self, kind, telephone) -> Callable[[], Diarizer]:
        return lambda: contract.load(kind, SETTINGS, rttm=telephone[1] if kind == "manual" else None)

    def test_keeps_its_promises(self, kind, recording, made, telephone):
        shown: list[float] = []
        found = made().diarize(recording, Cores(1), shown.append)

        assert {voice.speaker for voice in found.voices} == {"S1", "S2"}
        assert found.voices[0].speaker == "S1"
        assert list(found.voices) == sorted(found.voices)
        assert all(0 <= v.span.start < v.span.end <= recording.duration for v in found.voices + found.exclusive)
        for speaker in ("S1", "S2"):
            own = [voice.span for voice in found.voices if voice.speaker == speaker]
            assert all(first.end < second.start for first, second in pairwise(own))
        assert all(first.span.end <= second.span.start for first, second in pairwise(found.exclusive))
        assert all(
            any(voice.speaker == alone.speaker and alone.span in voice.span for voice in found.voices)
            for alone in found.exclusive
        )
        assert found.ghosts == ()
        assert found.engine["diarizer"] == kind
        assert shown == sorted(shown)
        assert shown[-1] == 1.0
        assert error_rate(found, telephone[1], "sample", 30.0)["confusion"] < 2.0

        assert made().diarize(recording, Cores(1), ignore) == found

    def test_takes_a_very_short_recording(self, kind, recording, made):
        short = recorded(recording.samples[:, 16_000 * 12 : 16_000 * 12 + 8_000], start=12_000)
        found = made().diarize(short, Cores(1), ignore)
        assert all(voice.span in Span(0, 500) for voice in found.voices + found.exclusive)
        assert len(found.voices) <= 2


@pytest.mark.engines
@pytest.mark.parametrize(("kind", "channels"), [("pyannote", 1), ("channels", 2)])
@pytest.mark.parametrize("level", [0.0, 0.001, 0.05])
def test_nobody_is_heard_where_nobody_speaks(kind, channels, level):
    """Digital silence, room tone, and loud noise, for six seconds."""
    sound = np.random.default_rng(0).normal(0, 1, (channels, 96_000)) * level
    found = contract.load(kind, SETTINGS).diarize(recorded(sound), Cores(1), ignore)
    assert (found.voices, found.exclusive, found.ghosts) == ((), (), ())


class TestManual:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        told = voices((1000, 5000, "zoe"), (4000, 6000, "adam"), (9000, 9500, "zoe"))
        rttm.write(tmp_path / "told.rttm", "my tape.wav", told)
        return tmp_path / "told.rttm"

    def diarize(self, file: Path, start: int, seconds: int, name: str = "my tape.wav") -> Diarization:
        recording = recorded(np.zeros(16_000 * seconds), name, start)
        return contract.load("manual", SETTINGS, rttm=file).diarize(recording, Cores(1), ignore)

    def test_times_count_from_the_start_of_the_recording(self, file):
        found = self.diarize(file, start=4500, seconds=5)
        assert found.voices == voices((0, 500, "S1"), (0, 1500, "S2"), (4500, 5000, "S1"))
        assert found.exclusive == voices((0, 1500, "S2"), (4500, 5000, "S1"))
        assert found.ghosts == ("S1",)  # one second

    def test_names_are_not_carried_on(self, file):
        assert "zoe" not in repr(self.diarize(file, start=0, seconds=10))

    def test_another_recordings_file_is_refused(self, file):
        with pytest.raises(SpeechError, match=r"TR-P12 file told.rttm speaks of my_tape, not of other"):
            self.diarize(file, 0, 10, "other.wav")

    @pytest.mark.parametrize("uri", ["tape-7", "sample", "anything"])
    def test_what_a_cut_tape_wrote_gives_the_same_voices(self, uri, tmp_path):
        """Its times count from the segment's start, here 4.5 s, whatever the name in it was changed to."""
        told = voices((0, 800, "S2"), (500, 3000, "S1"), (4000, 5000, "S2"))
        rttm.write(tmp_path / "turns.rttm", uri, told, 4500, "0" * 64)
        assert self.diarize(tmp_path / "turns.rttm", 4500, 5).voices == told
        later = self.diarize(tmp_path / "turns.rttm", 5500, 4)  # another segment of the same recording
        assert later.voices == voices((0, 2000, "S1"), (3000, 4000, "S2"))

    @pytest.mark.parametrize("tape_id", ["tape-7", "Ann's tape 2.1"])
    def test_what_an_older_version_wrote_counts_from_the_segment(self, tape_id, tmp_path):
        told = voices((0, 800, "S2"), (500, 3000, "S1"))
        rttm.write(tmp_path / "turns.rttm", tape_id, told)
        recording = recorded(np.zeros(16_000 * 5), "my tape.wav", 4500)
        manual = contract.load("manual", SETTINGS, rttm=tmp_path / "turns.rttm", tape_id=tape_id)
        assert manual.diarize(recording, Cores(1), ignore).voices == told

    def test_what_another_recording_s_tape_wrote_is_refused(self, tmp_path):
        rttm.write(tmp_path / "turns.rttm", "my tape.wav", voices((0, 800, "S2")), 0, "1" * 64)
        with pytest.raises(SpeechError, match=r"TR-P12 file turns.rttm was made of another recording"):
            self.diarize(tmp_path / "turns.rttm", 0, 5)

    def test_where_nobody_speaks_the_zero_is_named(self, tmp_path):
        rttm.write(tmp_path / "turns.rttm", "tape-7", voices((0, 800, "S2")), 4500, "0" * 64)
        with pytest.raises(SpeechError, match=r"TR-P13 .* its times count from 4.500 s of the recording"):
            self.diarize(tmp_path / "turns.rttm", 9000, 5)

    def test_a_segment_without_voices_is_refused(self, file):
        with pytest.raises(SpeechError, match=r"TR-P13 .* from 20.0 s to 30.0 s; check --start"):
            self.diarize(file, 20_000, 10)

    def test_a_file_is_needed(self):
        with pytest.raises(ValueError, match="needs an RTTM file"):
            contract.load("manual", SETTINGS)


class TestChannels:
    def test_one_channel_is_refused(self):
        with pytest.raises(SpeechError, match=r"TR-P15 recording sample.wav has one channel"):
            contract.load("channels", SETTINGS).diarize(recorded(np.zeros(16_000)), Cores(1), ignore)

    @pytest.mark.engines
    def test_leaked_speech_does_not_count(self, stereo, telephone):
        found = contract.load("channels", SETTINGS).diarize(stereo, Cores(1), ignore)
        errors = error_rate(found, telephone[1], "sample", 30.0, collar=0.25)
        assert errors["confusion"] < 0.5
        assert errors["rate"] < 3.0

    @pytest.mark.engines
    def test_leaked_speech_does_not_count_where_noise_drowns_it(self, stereo, telephone):
        """Louder room tone: between the other's words, one channel is as loud as the other."""
        tone = np.random.default_rng(1).normal(0, 0.004, stereo.samples.shape)
        noisy = replace(stereo, samples=(stereo.samples + tone).astype(np.float32))
        found = contract.load("channels", SETTINGS).diarize(noisy, Cores(1), ignore)
        assert error_rate(found, telephone[1], "sample", 30.0, collar=0.25)["rate"] < 5.0

    def test_of_a_channel_only_its_own_voice_is_left(self):
        """100 ms around a voice stay, 20 ms before and after them it comes and goes."""
        heard = channels.only(np.ones(16_000, np.float32), [Span(300, 500), Span(900, 1000)])
        at = {ms: float(heard[ms * 16]) for ms in (0, 170, 190, 210, 400, 590, 610, 630, 770, 790, 850)}
        assert [at[ms] for ms in (0, 170, 630, 770)] == [0, 0, 0, 0]
        assert [at[ms] for ms in (210, 400, 590, 850)] == [1, 1, 1, 1]
        assert [at[ms] for ms in (190, 610, 790)] == [pytest.approx(0.5, abs=0.01)] * 3

    @pytest.mark.engines
    def test_a_gain_that_differs_by_20_db_does_not_matter(self, stereo, telephone):
        unequal = replace(stereo, samples=stereo.samples * np.array([[1.0], [0.1]], np.float32))
        found = contract.load("channels", SETTINGS).diarize(unequal, Cores(1), ignore)
        assert error_rate(found, telephone[1], "sample", 30.0, collar=0.25)["rate"] < 3.0

    @pytest.mark.engines
    def test_a_telephone_line_with_one_speaker_a_channel(self):
        recording = recorded(sound("roleplay-swapped-stereo.flac"))
        found = contract.load("channels", SETTINGS).diarize(recording, Cores(1), ignore)
        truth, length = RECORDINGS / "roleplay-swapped.rttm", recording.duration / 1000
        assert error_rate(found, truth, "roleplay-swapped", length, collar=0.25)["rate"] < 3.0

    @pytest.mark.engines
    def test_a_hum_under_the_other_s_words_is_heard(self):
        recording = recorded(sound("roleplay-swapped-stereo.flac"))
        found = contract.load("channels", SETTINGS).diarize(recording, Cores(1), ignore)
        told = rttm.read(RECORDINGS / "roleplay-swapped.rttm")
        brief = [line for line in told if line.span.start in (28_169, 87_178, 161_160)]
        assert len(brief) == 3
        for line in brief:
            (own,) = [v for v in found.voices if v.speaker == line.speaker and v.span.overlap(line.span)]
            assert own.span.overlap(line.span) > 0.7 * line.span.duration

    @pytest.mark.engines
    @pytest.mark.parametrize("kind", ["hiss", "knock", "rumble"])
    def test_noises_as_loud_as_speech_are_no_hums(self, kind):
        """One every three seconds at the listener's microphone, in the first minute."""
        samples = sound("roleplay-swapped-stereo.flac")[:, : 60 * 16_000]
        before = contract.load("channels", SETTINGS).diarize(recorded(samples), Cores(1), ignore)
        generator = np.random.default_rng(0)
        burst = generator.normal(0, 1, 16_000 // 3)
        loud = {
            "hiss": 0.06 * burst,
            "knock": 0.3 * burst * np.exp(-np.arange(len(burst)) / 480),
            "rumble": 0.01 * (np.cumsum(burst) - np.cumsum(burst).mean()),
        }
        for second in range(2, 58, 3):
            samples[1, second * 16_000 :][: len(burst)] += loud[kind]
        after = contract.load("channels", SETTINGS).diarize(recorded(samples), Cores(1), ignore)
        own = [[voice.span for voice in found.voices if voice.speaker == "S2"] for found in (before, after)]
        assert not [span for span in own[1] if not any(span.overlap(other) for other in own[0])]

    @pytest.mark.engines
    def test_the_first_channel_is_s1_whoever_speaks_first(self, stereo):
        swapped = replace(stereo, samples=stereo.samples[::-1])
        found = contract.load("channels", SETTINGS).diarize(swapped, Cores(1), ignore)
        assert found.voices[0].speaker == "S2"


@pytest.mark.engines
class TestPyannote:
    def test_a_telephone_call_whose_voices_nobody_counted(self, telephone):
        found = contract.load("pyannote", SETTINGS, speakers=None).diarize(telephone[0], Cores(1), ignore)
        assert {voice.speaker for voice in found.voices} == {"S1", "S2"}
        assert error_rate(found, telephone[1], "sample", 30.0)["rate"] <= 6.0

    def test_alike_voices_in_phone_band(self, tmp_path):
        """The first minute of the swapped role-play: segmentation alone leaves far more speech with the wrong voice."""
        samples = sound("roleplay-swapped.flac")[0, : 60 * 16_000]
        told = rttm.read(RECORDINGS / "roleplay-swapped.rttm")
        minute = contract.clipped((Voice(line.span, line.speaker) for line in told), Span(0, 60_000))
        rttm.write(tmp_path / "minute.rttm", "minute", minute)
        found = contract.load("pyannote", SETTINGS).diarize(recorded(samples), Cores(1), ignore)
        assert error_rate(found, tmp_path / "minute.rttm", "minute", 60.0, collar=0.25)["rate"] <= 10.0

    def test_the_second_voice_of_a_monologue_is_a_ghost(self):
        samples = sound("roleplay-swapped-stereo.flac")[0]
        own = [line.span for line in rttm.read(RECORDINGS / "roleplay-swapped.rttm") if line.speaker == "S1"]
        monologue = np.concatenate([samples[span.start * 16 : span.end * 16] for span in own])
        found = contract.load("pyannote", SETTINGS).diarize(recorded(monologue[: 20 * 16_000]), Cores(1), ignore)
        speakers = {voice.speaker for voice in found.voices}
        assert len(speakers) == 1 + len(found.ghosts)

    @pytest.mark.skipif(not AMI.is_dir(), reason="the AMI clips are not here")
    def test_two_people_at_a_table_with_a_distant_microphone(self):
        samples, _ = soundfile.read(AMI / "dev00.wav", dtype="float32")
        found = contract.load("pyannote", SETTINGS).diarize(recorded(samples), Cores(1), ignore)
        assert error_rate(found, AMI / "debug.rttm", "dev00", 30.0)["rate"] <= 28.0

    def test_a_file_that_is_another_model_is_refused(self, tmp_path):
        import torch

        for name, held in (("campplus.pt", {"one": torch.zeros(1)}), ("segmentation.pt", {"state_dict": {}})):
            torch.save(held, tmp_path / name)
        from pipeline.speech.diarization import pyannote_pipeline

        with pytest.raises(ModelError, match=r"TR-M07 .* has no valid segmentation.pt"):
            pyannote_pipeline.segmentation_model(tmp_path)
        with pytest.raises(ModelError, match=r"TR-M07 .* has no valid campplus.pt"):
            pyannote_pipeline.embedding_model(tmp_path)

    def test_stock_pyannote_takes_the_embedding_too(self, telephone):
        """The model class alone, in pyannote's own hands, hears what our cheaper way hears."""
        import torch

        from pipeline.speech.diarization import pyannote_pipeline

        model = pyannote_pipeline.embedding_model(model_catalog.folder("campplus", SETTINGS.models))
        samples = torch.from_numpy(telephone[0].mono)[None]
        spoken = [samples[:, 16_000 * first : 16_000 * last] for first, last in ((11, 14), (19, 21), (22, 25))]
        with torch.inference_mode():
            ana, again, other = (model(part[None])[0] for part in spoken)
            nothing = model(spoken[0][None], torch.zeros(1, 100))
        alike, unlike = (torch.cosine_similarity(ana, one, dim=0).item() for one in (again, other))
        assert alike > unlike + 0.2
        assert nothing.isnan().all()


def published(folder: Path, segmentation: object = None) -> Path:
    """A folder as pyannote publishes whole pipelines, with weights at random."""
    import torch
    from pyannote.audio import __version__
    from pyannote.audio.models.embedding import XVectorSincNet
    from pyannote.audio.models.segmentation import PyanNet

    from pipeline.speech.diarization import pyannote_pipeline

    torch.manual_seed(0)
    lstm = {"hidden_size": 8, "num_layers": 1, "bidirectional": True, "monolithic": True}
    ear, voice = PyanNet(lstm=lstm), XVectorSincNet(dimension=16)
    ear.specifications = pyannote_pipeline.specifications()
    ear.build()
    for name, model in (("segmentation", ear), ("embedding", voice)):
        (folder / name).mkdir(parents=True)
        about = {
            "versions": {"pyannote.audio": __version__},
            "architecture": {"module": type(model).__module__, "class": type(model).__name__},
            "specifications": pyannote_pipeline.specifications(),
        }
        held = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams), "pyannote.audio": about}
        torch.save({"pytorch-lightning_version": "2.6.0", **held}, folder / name / "pytorch_model.bin")
    if segmentation:
        torch.save(segmentation, folder / "segmentation/pytorch_model.bin")
    (folder / "plda").mkdir()
    np.savez(folder / "plda/xvec_transform.npz", mean1=np.zeros(16), mean2=np.zeros(8), lda=np.eye(16, 8))
    np.savez(folder / "plda/plda.npz", mu=np.zeros(8), tr=np.eye(8), psi=np.arange(1.0, 9.0))
    (folder / "config.yaml").write_text(
        "pipeline:\n  name: pyannote.audio.pipelines.SpeakerDiarization\n  params:\n    clustering: VBxClustering\n"
        "    segmentation: $model/segmentation\n    embedding: $model/embedding\n    plda: $model/plda\n"
        "params:\n  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}\n  segmentation: {min_duration_off: 0.0}\n"
    )
    return folder


@pytest.mark.engines
class TestPublishedPipeline:
    def with_pipeline(self, name: str) -> settings.Settings:
        return SETTINGS.model_copy(update={"diarization": SETTINGS.diarization.model_copy(update={"pipeline": name})})

    def test_a_local_folder_needs_no_network(self, tmp_path, telephone):
        folder = published(tmp_path / "community")
        recording = recorded(telephone[0].samples[:, :160_000])
        found = contract.load("pyannote", self.with_pipeline(str(folder))).diarize(recording, Cores(1), ignore)
        assert found.engine["models"][0]["model"] == "community"
        assert all(voice.span.end <= 10_000 for voice in found.voices)

    def test_a_checkpoint_that_runs_code_is_refused(self, tmp_path, telephone):
        class Canary:
            def __reduce__(self):
                return Path.touch, (tmp_path / "canary",)

        folder = published(tmp_path / "evil", segmentation={"state_dict": Canary()})
        with pytest.raises(SpeechError, match=r"TR-P14 diarization pipeline .*evil cannot be loaded"):
            contract.load("pyannote", self.with_pipeline(str(folder))).diarize(telephone[0], Cores(1), ignore)
        assert not (tmp_path / "canary").exists()

    def test_a_hub_name_is_handed_to_pyannote_as_it_is(self, monkeypatch, telephone):
        from pipeline.speech.diarization import pyannote_pipeline

        asked = []
        monkeypatch.setattr(pyannote_pipeline.Pipeline, "from_pretrained", lambda name: asked.append(name))
        with pytest.raises(SpeechError, match=r"TR-P14 .* is not available; accept its conditions on the hub"):
            gpu = settings.load(["gpu"]).settings.diarization.pipeline
            contract.load("pyannote", self.with_pipeline(gpu)).diarize(telephone[0], Cores(1), ignore)
        assert asked == ["pyannote/speaker-diarization-community-1"]


class TestParts:
    def test_the_longest_stretch_keeps_the_floor(self):
        """S1 talks on while S2 says "mm-hm", and S2 begins before S1 ends: S1's stretch is the longest each time."""
        heard = voices((0, 5000, "S1"), (2000, 2400, "S2"), (4500, 8000, "S2"))
        assert contract.exclusive(heard) == voices((0, 5000, "S1"), (5000, 8000, "S2"))

    def test_a_voice_goes_on_through_a_short_pause(self):
        heard = voices((0, 1000, "S1"), (1299, 2000, "S1"), (2300, 3000, "S1"))
        assert contract.bridged(heard) == voices((0, 2000, "S1"), (2300, 3000, "S1"))

    def test_a_pause_in_which_another_speaks_is_one(self):
        heard = voices((0, 1000, "S1"), (900, 1100, "S2"), (1300, 2000, "S1"), (1450, 1800, "S2"))
        assert contract.bridged(heard) == heard

    def test_nobody_has_no_floor(self):
        assert contract.exclusive(()) == ()

    def test_clipping_joins_what_touches_and_drops_what_lies_outside(self):
        heard = voices((0, 900, "a"), (900, 1500, "a"), (1200, 1300, "b"), (1400, 3000, "a"), (5000, 6000, "b"))
        assert contract.clipped(heard, Span(1000, 2000)) == voices((0, 1000, "a"), (200, 300, "b"))

    @pytest.mark.parametrize(
        ("heard", "ghosts"),
        [
            ([(0, 60_000, "S1"), (60_000, 61_900, "S2")], ("S2",)),  # 1.9 s: under 2 s
            ([(0, 60_000, "S1"), (60_000, 62_100, "S2")], ()),  # 2.1 s and 3.4 %
            ([(0, 200_000, "S1"), (200_000, 206_000, "S2")], ("S2",)),  # 6 s, but 2.9 %
            ([(0, 60_000, "S1"), (60_000, 90_000, "S2"), (90_000, 91_000, "S3")], ("S3",)),
            ([(0, 500, "S1")], ()),  # alone
            ([], ()),
        ],
    )
    def test_a_voice_with_little_speech_is_a_ghost(self, heard, ghosts):
        assert contract.ghosts(voices(*heard), SETTINGS.diarization) == ghosts
