"""From sound to words: the contract of a transcriber, what becomes of invented text, the real engine on short clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import model_catalog, settings
from pipeline.errors import ModelError
from pipeline.settings import ModelsSettings, TranscriptionSettings
from pipeline.speech import transcriber
from pipeline.speech.chunking import PER_MS, Samples
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import DecodingOptions
from pipeline.speech.transcriber import (
    Suppressed,
    Transcript,
    WhisperTranscriber,
    gate,
    merge_channels,
    narrow,
    newly_recognized,
    without_words,
)
from pipeline.timeline import Span, Word
from tests.speech.parrot import OPTIONS, loud, parrot, silence, sound

DEFAULT = settings.load().settings
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "audio"


@pytest.fixture(scope="module")
def whisper() -> WhisperTranscriber:
    try:
        return transcriber.load(settings.load().settings)
    except ModelError as error:
        pytest.skip(str(error))


class Contract:
    """What every transcriber keeps to."""

    def test_empty_sound_has_no_words(self, engine: WhisperTranscriber) -> None:
        transcript = engine.transcribe(silence(0), Cores(1))
        assert (transcript.words, transcript.suppressed, transcript.vocalizations) == ((), (), ())

    def test_silence_has_no_words(self, engine: WhisperTranscriber) -> None:
        transcript = engine.transcribe(silence(60), Cores(1))
        assert (transcript.words, transcript.suppressed, transcript.vocalizations) == ((), (), ())

    def test_words_are_ordered_and_lie_in_the_sound(self, engine: WhisperTranscriber, clip: Samples) -> None:
        words = engine.transcribe(clip, Cores(1)).words
        assert words
        assert [word.span.start for word in words] == sorted(word.span.start for word in words)
        assert all(word.span in Span(0, clip.size // PER_MS) for word in words)
        assert all(0 <= word.probability <= 1 for word in words)
        assert all(word.text == word.text.strip() != "" for word in words)

    def test_is_the_same_on_one_core_as_on_two(self, engine: WhisperTranscriber, clip: Samples) -> None:
        assert engine.transcribe(clip, Cores(1)) == engine.transcribe(clip, Cores(2))

    def test_where_speech_is_given_only_there_words_are_recognized(
        self, engine: WhisperTranscriber, clip: Samples
    ) -> None:
        half = clip.size // PER_MS // 2
        words = engine.transcribe(clip, Cores(1), spoken=[Span(0, half)]).words
        assert words
        assert all(word.span.gap(Span(0, half)) <= OPTIONS.outside_ms for word in words)
        assert engine.transcribe(clip, Cores(1), spoken=[]).words == ()

    def test_progress_grows_to_one(self, engine: WhisperTranscriber, clip: Samples) -> None:
        seen: list[float] = []
        engine.transcribe(clip, Cores(2), seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == 1.0

    def test_gives_its_cores_back(self, engine: WhisperTranscriber, clip: Samples) -> None:
        cores = Cores(1)
        engine.transcribe(clip, cores)
        with cores.hold_one():
            pass

    def test_every_option_is_echoed(self, engine: WhisperTranscriber, clip: Samples) -> None:
        provenance = engine.transcribe(clip, Cores(1)).engine
        assert set(TranscriptionSettings.model_fields) <= set(provenance)
        assert {"model", "engine"} <= set(provenance)


class TestParrot(Contract):
    @pytest.fixture
    def engine(self) -> WhisperTranscriber:
        return parrot(batch=1)

    @pytest.fixture
    def clip(self) -> Samples:
        return sound((1000, 21_000), (24_000, 44_000), (60_000, 61_000), length=70_000)


@pytest.mark.engines
class TestWhisper(Contract):
    @pytest.fixture
    def engine(self, whisper: WhisperTranscriber) -> WhisperTranscriber:
        return whisper

    @pytest.fixture
    def clip(self, talk: Samples) -> Samples:
        return talk

    def test_transcribes_verbatim_with_fillers(self, whisper: WhisperTranscriber, talk: Samples) -> None:
        text = " ".join(word.text for word in whisper.transcribe(talk, Cores(1)).words).lower()
        assert "um" in text
        assert "making the time today" in text

    def test_word_times_follow_the_script(self, whisper: WhisperTranscriber, talk: Samples) -> None:
        """ "Thanks for, um, for making the time today" is spoken from 2.534 s to 4.994 s."""
        words = whisper.transcribe(talk, Cores(1)).words
        thanks = next(word for word in words if word.text.startswith("Thanks"))
        today = next(word for word in words if word.text.startswith("today"))
        assert thanks.span.start == pytest.approx(2534, abs=250)
        assert today.span.end == pytest.approx(4994, abs=250)

    @pytest.mark.parametrize("kind", ["white", "pink", "hum 50 Hz", "hum 60 Hz"])
    @pytest.mark.parametrize("level", [0.002, 0.05])
    def test_noise_has_no_words(self, whisper: WhisperTranscriber, kind: str, level: float) -> None:
        assert whisper.transcribe(noise(kind, 60, level), Cores(1)).words == ()

    @pytest.mark.parametrize("kind", ["silence", "white", "hum 50 Hz"])
    def test_noise_around_speech_adds_no_words(self, whisper: WhisperTranscriber, talk: Samples, kind: str) -> None:
        quiet = noise(kind, 60, 0.002)
        half = 5200 * PER_MS  # between two sentences
        alone = [word.text for word in whisper.transcribe(talk, Cores(1)).words]
        padded = np.concatenate([quiet, talk[:half], quiet, talk[half:], quiet])
        words = whisper.transcribe(padded, Cores(1)).words
        assert len(words) <= len(alone) + 1  # a word at the cut may be heard as two
        inside = [Span(60_000, 60_000 + 5200), Span(125_200, 125_200 + 1800)]
        assert all(any(word.span.gap(part) <= 400 for part in inside) for word in words)

    @pytest.mark.skipif(not REAL.is_dir(), reason="the recordings of ../shared/data/audio are not here")
    @pytest.mark.parametrize(("clip", "most"), [("trn01", 2), ("trn02", 2)])
    def test_room_tone_has_no_invented_talk(self, whisper: WhisperTranscriber, clip: str, most: int) -> None:
        """Two short listening noises are all that is said in each of these half minutes."""
        soundfile = pytest.importorskip("soundfile")
        samples, _ = soundfile.read(REAL / f"{clip}.wav", dtype="float32")
        assert len(whisper.transcribe(samples, Cores(1)).words) <= most


def noise(kind: str, seconds: float, level: float) -> Samples:
    """Noise of a root mean square of ``level``."""
    n = round(seconds * 16_000)
    rng = np.random.default_rng(7)
    if kind == "silence":
        return silence(seconds)
    if kind.startswith("hum"):
        time = np.arange(n) / 16_000
        frequency = float(kind.split()[1])
        wave = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in (1, 2, 3))
    else:
        wave = rng.normal(size=n)
        if kind == "pink":
            spectrum = np.fft.rfft(wave)
            wave = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), n)
    wave = np.asarray(wave)
    return (wave * level / np.sqrt(np.mean(wave**2))).astype(np.float32)


class TestInventedText:
    def test_a_loop_is_suppressed_and_its_speech_reported(self) -> None:
        transcript = parrot(lambda options, seconds: ("and then he said " * 30, -0.1)).transcribe(
            sound((1000, 5000), length=8000), Cores(1)
        )
        assert transcript.words == ()
        assert [(text.span, text.reason) for text in transcript.suppressed] == [(Span(600, 5400), "repeats itself")]
        assert transcript.vocalizations == (Span(1000, 5000),)

    def test_improbable_text_is_suppressed(self) -> None:
        transcript = parrot(lambda options, seconds: ("thank you for watching", -1.2)).transcribe(
            sound((1000, 2000), length=8000), Cores(1)
        )
        assert transcript.words == ()
        assert transcript.suppressed[0].reason == "improbable"

    def test_a_loop_with_one_prompt_leaves_the_others(self) -> None:
        def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
            return ("so so " * 40, -0.05) if options.prompt else ("I went home", -0.3)

        words = parrot(respond).transcribe(sound((1000, 4000), length=5000), Cores(1)).words
        assert [word.text for word in words] == ["I", "went", "home"]

    @pytest.mark.parametrize(("timed_text", "decodings"), [("it was all there", 2), ("we went home", 3)])
    def test_without_the_prompt_only_what_its_texts_disagree_on(self, timed_text: str, decodings: int) -> None:
        decoded: list[DecodingOptions] = []

        def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
            decoded.append(options)
            return timed_text if options.timed else "it was all there", -0.2

        words = parrot(respond).transcribe(sound((0, 3000), length=3000), Cores(1)).words
        assert [word.text for word in words] == ["it", "was", "all", "there"]
        assert len(decoded) == decodings

    def test_a_chunk_with_hardly_a_word_is_decoded_once_more(self) -> None:
        def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
            last = options.timed and not options.prompt
            return ("it was all there all the time", -0.3) if last else ("it", -0.2)

        words = parrot(respond).transcribe(sound((0, 10_000), length=10_000), Cores(1)).words
        assert len(words) == 7

    @pytest.mark.parametrize(("length", "words"), [(801, ["there", "it", "was"]), (799, ["there"])])
    def test_speech_longer_than_a_word_is_transcribed_once_more(self, length: int, words: list[str]) -> None:
        """The parrot writes a word for the first stretch alone: the second, 1.7 s later, is transcribed by itself."""
        seconds_decoded: list[int] = []

        def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
            seconds_decoded.append(seconds)
            return ("there" if seconds > 1 else "it was", -0.2)

        samples = sound((500, 1500), (3200, 3200 + length), length=6000)
        transcript = parrot(respond, thin_words=0, vad_margin_ms=250).transcribe(samples, Cores(1))
        assert [word.text for word in transcript.words] == words
        assert transcript.vocalizations == (() if len(words) == 3 else (Span(3200, 3200 + length),))
        assert set(seconds_decoded) == ({2, 1} if len(words) == 3 else {2})

    def test_of_a_second_transcription_only_what_was_missed_counts(self) -> None:
        words = [
            Word(Span(start, start + 300), text, 0.9) for start, text in ((700, "so"), (1000, "then"), (2100, "I"))
        ]
        assert [word.text for word in newly_recognized(words, [Span(1000, 2000)], [])] == ["then"]

    @pytest.mark.parametrize(
        ("start", "end", "text", "is_new"),
        [
            (701, 1001, "so", False),  # 1 ms of it was missed: the neighbor
            (701, 1001, "sow", False),  # 1 ms against 299 that were written
            (849, 1149, "sow", False),  # 149 against 151
            (850, 1150, "sow", True),  # 150 against 150
            (960, 1200, "So,", False),  # the same word, 40 ms of it shared
            (1000, 1200, "so", True),  # "so so"
            (1300, 1500, "so", True),
            (1999, 2100, "and", False),  # written 50 ms later
            (1999, 2100, "an", True),  # 1 ms against nothing: nobody wrote it
            (1500, 1500, "uh", True),  # without length
            (999, 999, "uh", False),
            (2000, 2400, "uh", False),  # touches
        ],
    )
    def test_a_neighbor_that_reaches_into_what_was_missed_is_not_written_twice(
        self, start: int, end: int, text: str, is_new: bool
    ) -> None:
        written = [Word(Span(700, 1000), "so", 0.9), Word(Span(2150, 2300), "And", 0.9)]
        assert bool(newly_recognized([Word(Span(start, end), text, 0.9)], [Span(1000, 2000)], written)) == is_new

    def test_text_that_is_rejected_in_the_second_transcription_is_kept_apart(self) -> None:
        """The first chunk holds both stretches and 2 words for 3.5 s; the second holds the missed 2 s alone."""

        def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
            return ("there it", -0.2) if seconds > 3 else ("thank you for watching", -1.2)

        samples = sound((500, 2000), (3200, 5200), length=7000)
        transcript = parrot(respond, thin_words=0, vad_margin_ms=250).transcribe(samples, Cores(1))
        assert [word.text for word in transcript.words] == ["there", "it"]
        assert transcript.suppressed == (Suppressed(Span(2950, 5450), "thank you for watching", "improbable"),)
        assert transcript.vocalizations == (Span(3200, 5200),)

    def test_what_only_describes_a_sound_in_the_second_transcription_is_kept_apart(self) -> None:
        def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
            return ("there it", -0.2) if seconds > 3 else ("(laughs)", -0.2)

        samples = sound((500, 2000), (3200, 5200), length=7000)
        transcript = parrot(respond, thin_words=0, vad_margin_ms=250).transcribe(samples, Cores(1))
        assert [(text.text, text.reason) for text in transcript.suppressed] == [("(laughs)", "not speech")]

    def test_what_is_rejected_twice_is_kept_once(self) -> None:
        transcript = parrot(lambda options, seconds: ("thank you for watching", -1.2)).transcribe(
            sound((1000, 3000), length=8000), Cores(1)
        )
        assert transcript.suppressed == (Suppressed(Span(600, 3400), "thank you for watching", "improbable"),)

    def test_words_far_from_speech_and_descriptions_are_kept_apart(self) -> None:
        words = [
            Word(Span(5000, 5200), "you", 0.4),
            Word(Span(1000, 1200), "yes", 0.9),
            Word(Span(1300, 1400), "[BLANK_AUDIO]", 0.9),
            Word(Span(2250, 2300), "well", 0.9),
        ]
        words_kept, suppressed = gate(words, [Span(900, 2000)], reach=300)
        assert [word.text for word in words_kept] == ["yes", "well"]
        assert suppressed == (
            Suppressed(Span(1300, 1400), "[BLANK_AUDIO]", "not speech"),
            Suppressed(Span(5000, 5200), "you", "outside speech"),
        )

    def test_speech_without_words_is_reported_unless_it_is_short(self) -> None:
        spoken = [Span(0, 500), Span(1000, 1500), Span(2000, 2100)]
        assert without_words(spoken, [Word(Span(400, 600), "so", 0.9)], least=250) == (Span(1000, 1500),)

    def test_a_long_word_shrinks_to_the_speech_it_shares(self) -> None:
        spoken = [Span(0, 1000), Span(3000, 3400)]
        assert narrow(Word(Span(900, 3400), "home", 0.9), spoken).span == Span(3000, 3400)
        assert narrow(Word(Span(900, 1500), "home", 0.9), spoken).span == Span(900, 1500)
        assert narrow(Word(Span(1200, 2900), "home", 0.9), spoken).span == Span(1200, 2900)


class TestTranscript:
    def test_channels_merge_in_order_of_time(self) -> None:
        left = Transcript(
            (Word(Span(0, 100), "so", 0.9), Word(Span(900, 1000), "yes", 0.9)), (), (Span(50, 60),), {"a": 1}
        )
        right = Transcript(
            (Word(Span(400, 500), "um", 0.9),), (Suppressed(Span(0, 1), "x", "y"),), (Span(0, 9),), {"a": 1}
        )
        both = merge_channels([left.by("S1"), right.by("S2")])
        assert [(word.text, word.speaker) for word in both.words] == [("so", "S1"), ("um", "S2"), ("yes", "S1")]
        assert both.vocalizations == (Span(0, 9), Span(50, 60))
        assert len(both.suppressed) == 1

    def test_a_channel_without_speech_takes_no_provenance_away(self) -> None:
        engine = parrot()
        silent, spoken = silence(8), sound((1000, 5000), length=8000)
        for channels in ((silent, spoken), (spoken, silent)):
            both = merge_channels([parrot().transcribe(samples, Cores(1)) for samples in channels])
            assert both.engine == engine.transcribe(spoken, Cores(1)).engine
            assert both.engine["engine"] == "parrot 1"


class TestLoad:
    def test_a_missing_model_is_told_before_any_work(self, tmp_path: Path) -> None:
        elsewhere = DEFAULT.model_copy(update={"models": ModelsSettings(folder=str(tmp_path), catalog="")})
        with pytest.raises(ModelError, match="TR-M01 model whisper-base is not installed"):
            transcriber.load(elsewhere)

    def test_a_folder_that_holds_no_model_is_told_on_first_use(self, tmp_path: Path) -> None:
        (tmp_path / "model.bin").write_bytes(b"")
        chosen = DEFAULT.model_copy(update={"transcription": OPTIONS.model_copy(update={"model": str(tmp_path)})})
        engine = transcriber.load(chosen)
        engine._detect = loud
        with pytest.raises(ModelError, match="TR-M07 .* lacks config.json"):
            engine.transcribe(sound((0, 1000), length=2000), Cores(1))

    @pytest.mark.engines
    def test_a_damaged_model_is_told(self, tmp_path: Path) -> None:
        folder = model_catalog.root(DEFAULT.models) / "whisper-tiny.en"
        if not folder.is_dir():
            pytest.skip("whisper-tiny.en is not installed")
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        (tmp_path / "model.bin").write_bytes(b"not a model")
        chosen = DEFAULT.model_copy(update={"transcription": OPTIONS.model_copy(update={"model": str(tmp_path)})})
        engine = transcriber.load(chosen)
        engine._detect = loud
        with pytest.raises(ModelError, match="TR-M07 .* cannot be loaded"):
            engine.transcribe(sound((0, 1000), length=2000), Cores(1))
