"""From sound to words: the contract of a transcriber, what becomes of invented text, the real engine on short clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline import model_catalog, settings
from pipeline.errors import ModelError
from pipeline.settings import ModelsSettings, TranscriptionSettings
from pipeline.speech import transcriber
from pipeline.speech.chunking import PER_MS, Samples, Window, pieces, speech, windows
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import Hypothesis, Manner, best, doubt, manners
from pipeline.speech.transcriber import (
    Suppressed,
    Transcript,
    WhisperTranscriber,
    found,
    gate,
    merged,
    narrowed,
    unclear,
)
from pipeline.speech.whisper import joined
from pipeline.timeline import Span, Word

DEFAULT = settings.load().settings
OPTIONS = DEFAULT.transcription
RECORDING = Path(__file__).parent.parent / "recordings" / "roleplay-alcohol.ogg"
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "audio"


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), dtype=np.float32)


def loud(samples: Samples, _: TranscriptionSettings) -> tuple[Span, ...]:
    """A detector for tests: speech is where samples are not zero."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (samples != 0).astype(int), [0])))) // PER_MS
    return tuple(Span(int(start), int(end)) for start, end in edges.reshape(-1, 2))


def sound(*spans: tuple[int, int], length: int) -> Samples:
    """Silence of ``length`` ms with "speech" in the spans."""
    samples = np.zeros(length * PER_MS, dtype=np.float32)
    for start, end in spans:
        samples[start * PER_MS : end * PER_MS] = 0.1
    return samples


class Parrot:
    """An engine that hears one word a second in every window, or what it is told to hear in a manner."""

    version = {"engine": "parrot 1"}  # noqa: RUF012 - a constant

    def __init__(self, told: Callable[[Manner, int], tuple[str, float]] | None = None) -> None:
        self._told = told or (lambda manner, seconds: (" ".join(f"word{i}" for i in range(seconds)), -0.1))

    def encode(self, sounds: Sequence[Samples]) -> list[int]:
        return [sound.size // 16_000 for sound in sounds]

    def decode(self, encoded: list[int], manner: Manner) -> list[Hypothesis]:
        return [Hypothesis(manner, text, (), log) for text, log in (self._told(manner, length) for length in encoded)]

    def align(self, encoded: list[int], hypotheses: Sequence[Hypothesis]) -> list[tuple[Word, ...]]:
        rows = (enumerate(hypothesis.text.split()) for hypothesis in hypotheses)
        return [tuple(Word(Span(i * 1000, i * 1000 + 300), text, 0.9) for i, text in row) for row in rows]


def parrot(told: Callable[[Manner, int], tuple[str, float]] | None = None, **options: object) -> WhisperTranscriber:
    chosen = OPTIONS.model_copy(update=options)
    return WhisperTranscriber(chosen, lambda workers: Parrot(told), {"model": "parrot"}, loud)


@pytest.fixture(scope="module")
def whisper() -> WhisperTranscriber:
    try:
        return transcriber.load(settings.load().settings)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def talk() -> Samples:
    """Seven seconds of the role-play: three sentences of two people, with an "um"."""
    soundfile = pytest.importorskip("soundfile")
    soxr = pytest.importorskip("soxr")
    samples, rate = soundfile.read(RECORDING, dtype="float32", stop=None)
    samples = samples if samples.ndim == 1 else samples.mean(axis=1)
    return np.asarray(soxr.resample(samples[: 7 * rate], rate, 16_000), dtype=np.float32)


class Contract:
    """What every transcriber keeps to."""

    def test_empty_sound_has_no_words(self, engine: WhisperTranscriber) -> None:
        heard = engine.transcribe(silence(0), Cores(1))
        assert (heard.words, heard.suppressed, heard.vocalizations) == ((), (), ())

    def test_silence_has_no_words(self, engine: WhisperTranscriber) -> None:
        heard = engine.transcribe(silence(60), Cores(1))
        assert (heard.words, heard.suppressed, heard.vocalizations) == ((), (), ())

    def test_words_are_ordered_and_lie_in_the_sound(self, engine: WhisperTranscriber, clip: Samples) -> None:
        words = engine.transcribe(clip, Cores(1)).words
        assert words
        assert [word.span.start for word in words] == sorted(word.span.start for word in words)
        assert all(word.span in Span(0, clip.size // PER_MS) for word in words)
        assert all(0 <= word.probability <= 1 for word in words)
        assert all(word.text == word.text.strip() != "" for word in words)

    def test_is_the_same_on_one_core_as_on_two(self, engine: WhisperTranscriber, clip: Samples) -> None:
        assert engine.transcribe(clip, Cores(1)) == engine.transcribe(clip, Cores(2))

    def test_where_speech_is_told_only_there_words_are_heard(self, engine: WhisperTranscriber, clip: Samples) -> None:
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
        with cores.one():
            pass

    def test_every_option_is_echoed(self, engine: WhisperTranscriber, clip: Samples) -> None:
        told = engine.transcribe(clip, Cores(1)).engine
        assert set(TranscriptionSettings.model_fields) <= set(told)
        assert {"model", "engine"} <= set(told)


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

    def test_hears_what_is_said_with_its_fillers(self, whisper: WhisperTranscriber, talk: Samples) -> None:
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
        made = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in (1, 2, 3))
    else:
        made = rng.normal(size=n)
        if kind == "pink":
            spectrum = np.fft.rfft(made)
            made = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), n)
    made = np.asarray(made)
    return (made * level / np.sqrt(np.mean(made**2))).astype(np.float32)


class TestInventedText:
    def test_a_loop_is_suppressed_and_its_speech_reported(self) -> None:
        heard = parrot(lambda manner, seconds: ("and then he said " * 30, -0.1)).transcribe(
            sound((1000, 5000), length=8000), Cores(1)
        )
        assert heard.words == ()
        assert [(text.span, text.reason) for text in heard.suppressed] == [(Span(600, 5400), "repeats itself")]
        assert heard.vocalizations == (Span(1000, 5000),)

    def test_improbable_text_is_suppressed(self) -> None:
        heard = parrot(lambda manner, seconds: ("thank you for watching", -1.2)).transcribe(
            sound((1000, 2000), length=8000), Cores(1)
        )
        assert heard.words == ()
        assert heard.suppressed[0].reason == "improbable"

    def test_a_loop_in_one_manner_leaves_the_others(self) -> None:
        def told(manner: Manner, seconds: int) -> tuple[str, float]:
            return ("so so " * 40, -0.05) if manner.prompt else ("I went home", -0.3)

        words = parrot(told).transcribe(sound((1000, 4000), length=5000), Cores(1)).words
        assert [word.text for word in words] == ["I", "went", "home"]

    def test_a_window_with_hardly_a_word_is_heard_once_more(self) -> None:
        def told(manner: Manner, seconds: int) -> tuple[str, float]:
            last = manner.timed and not manner.prompt
            return ("it was all there all the time", -0.3) if last else ("it", -0.2)

        words = parrot(told).transcribe(sound((0, 10_000), length=10_000), Cores(1)).words
        assert len(words) == 7

    @pytest.mark.parametrize(("length", "words"), [(801, ["there", "it", "was"]), (799, ["there"])])
    def test_speech_longer_than_a_word_is_heard_once_more(self, length: int, words: list[str]) -> None:
        """The parrot writes a word for the first stretch alone: the second one, 1.7 s later, is heard by itself."""
        hearings: list[int] = []

        def told(manner: Manner, seconds: int) -> tuple[str, float]:
            hearings.append(seconds)
            return ("there" if seconds > 1 else "it was", -0.2)

        samples = sound((500, 1500), (3200, 3200 + length), length=6000)
        heard = parrot(told, thin_words=0, vad_margin_ms=250).transcribe(samples, Cores(1))
        assert [word.text for word in heard.words] == words
        assert heard.vocalizations == (() if len(words) == 3 else (Span(3200, 3200 + length),))
        assert set(hearings) == ({2, 1} if len(words) == 3 else {2})

    def test_of_a_second_hearing_only_what_was_missed_counts(self) -> None:
        words = [
            Word(Span(start, start + 300), text, 0.9) for start, text in ((700, "so"), (1000, "then"), (2100, "I"))
        ]
        assert [word.text for word in found(words, [Span(1000, 2000)], [])] == ["then"]

    @pytest.mark.parametrize(
        ("start", "end", "text", "kept"),
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
        self, start: int, end: int, text: str, kept: bool
    ) -> None:
        written = [Word(Span(700, 1000), "so", 0.9), Word(Span(2150, 2300), "And", 0.9)]
        assert bool(found([Word(Span(start, end), text, 0.9)], [Span(1000, 2000)], written)) == kept

    def test_text_that_is_doubted_in_the_second_hearing_is_kept_apart(self) -> None:
        """The first window holds both stretches and 2 words for 3.5 s; the second holds the missed 2 s alone."""

        def told(manner: Manner, seconds: int) -> tuple[str, float]:
            return ("there it", -0.2) if seconds > 3 else ("thank you for watching", -1.2)

        samples = sound((500, 2000), (3200, 5200), length=7000)
        heard = parrot(told, thin_words=0, vad_margin_ms=250).transcribe(samples, Cores(1))
        assert [word.text for word in heard.words] == ["there", "it"]
        assert heard.suppressed == (Suppressed(Span(2950, 5450), "thank you for watching", "improbable"),)
        assert heard.vocalizations == (Span(3200, 5200),)

    def test_what_only_describes_a_sound_in_the_second_hearing_is_kept_apart(self) -> None:
        def told(manner: Manner, seconds: int) -> tuple[str, float]:
            return ("there it", -0.2) if seconds > 3 else ("(laughs)", -0.2)

        samples = sound((500, 2000), (3200, 5200), length=7000)
        heard = parrot(told, thin_words=0, vad_margin_ms=250).transcribe(samples, Cores(1))
        assert [(text.text, text.reason) for text in heard.suppressed] == [("(laughs)", "not speech")]

    def test_what_is_doubted_twice_is_kept_once(self) -> None:
        heard = parrot(lambda manner, seconds: ("thank you for watching", -1.2)).transcribe(
            sound((1000, 3000), length=8000), Cores(1)
        )
        assert heard.suppressed == (Suppressed(Span(600, 3400), "thank you for watching", "improbable"),)

    def test_words_far_from_speech_and_descriptions_are_kept_apart(self) -> None:
        words = [
            Word(Span(5000, 5200), "you", 0.4),
            Word(Span(1000, 1200), "yes", 0.9),
            Word(Span(1300, 1400), "[BLANK_AUDIO]", 0.9),
            Word(Span(2250, 2300), "well", 0.9),
        ]
        kept, suppressed = gate(words, [Span(900, 2000)], reach=300)
        assert [word.text for word in kept] == ["yes", "well"]
        assert suppressed == (
            Suppressed(Span(1300, 1400), "[BLANK_AUDIO]", "not speech"),
            Suppressed(Span(5000, 5200), "you", "outside speech"),
        )

    def test_speech_without_words_is_reported_unless_it_is_short(self) -> None:
        spoken = [Span(0, 500), Span(1000, 1500), Span(2000, 2100)]
        assert unclear(spoken, [Word(Span(400, 600), "so", 0.9)], least=250) == (Span(1000, 1500),)

    def test_a_long_word_shrinks_to_the_speech_it_shares(self) -> None:
        spoken = [Span(0, 1000), Span(3000, 3400)]
        assert narrowed(Word(Span(900, 3400), "home", 0.9), spoken).span == Span(3000, 3400)
        assert narrowed(Word(Span(900, 1500), "home", 0.9), spoken).span == Span(900, 1500)
        assert narrowed(Word(Span(1200, 2900), "home", 0.9), spoken).span == Span(1200, 2900)


class TestBest:
    PROMPTED = Manner("um", timed=False, beam=2)
    PLAIN = Manner("", timed=False, beam=1)

    def test_worth_is_words_times_the_fifth_power_of_probability(self) -> None:
        """Ten words at a mean probability of 0.9: 10 * 0.9**5 = 5.9049; plain text counts four fifths of it."""
        log = float(np.log(0.9))
        assert Hypothesis(self.PROMPTED, "a " * 10, (), log).worth == pytest.approx(5.9049)
        assert Hypothesis(self.PLAIN, "a " * 10, (), log).worth == pytest.approx(4.72392)

    def test_prefers_more_words_and_surer_words(self) -> None:
        short = Hypothesis(self.PROMPTED, "um so", (), -0.1)
        long = Hypothesis(self.PLAIN, "so I went to the shop again", (), -0.2)
        guess = Hypothesis(self.PROMPTED, "reading a book about reading a book or two", (), -0.6)
        assert best([short, long, guess], OPTIONS) is long

    @pytest.mark.parametrize(
        ("text", "loops"),
        [
            ("no, no, no, no", False),
            ("I mean, I mean, I mean", False),
            ("I know. I know. I know. I know.", True),
            ("yeah " * 8, True),
            ("we had a- we had a- we had a long problem", False),
        ],
    )
    def test_a_loop_is_longer_than_anybody_repeats(self, text: str, loops: bool) -> None:
        assert Hypothesis(self.PROMPTED, text, (), -0.1).loops is loops

    def test_nothing_is_not_doubted(self) -> None:
        assert doubt(Hypothesis(self.PROMPTED, "", (), -0.5), OPTIONS) is None

    def test_a_beam_of_zero_leaves_a_manner_out(self) -> None:
        assert len(manners(OPTIONS)) == 3
        only = manners(OPTIONS.model_copy(update={"timed_beam": 0, "plain_beam": 0}))
        assert only == [Manner(OPTIONS.prompt, timed=False, beam=OPTIONS.beam)]


class TestWindows:
    def test_pieces_close_short_pauses_and_share_the_margin(self) -> None:
        speech = [Span(100, 1000), Span(1500, 2000), Span(2600, 3000), Span(9000, 9900)]
        assert pieces(speech, 10_000, pause=600, margin=400) == (Span(0, 2300), Span(2300, 3400), Span(8600, 10_000))

    def test_no_window_is_longer_than_asked_and_no_speech_is_left_out(self) -> None:
        spans = [(start, start + 2300) for start in range(0, 120_000, 2500)]
        samples = sound(*spans, length=121_000)
        spoken = loud(samples, OPTIONS)
        made = windows(spoken, samples, OPTIONS)
        assert max(window.duration for window in made) <= 28_000
        assert sum(window.spoken(spoken) for window in made) == sum(span.duration for span in spoken)

    def test_cuts_at_the_longest_pause_in_reach(self) -> None:
        samples = sound((0, 22_000), (22_150, 24_000), (24_600, 40_000), length=40_000)
        first, second = windows(loud(samples, OPTIONS), samples, OPTIONS)
        assert first.pieces == (Span(0, 24_300),)
        assert second.pieces == (Span(24_300, 40_000),)

    def test_cuts_speech_without_a_pause_where_it_is_softest(self) -> None:
        samples = sound((0, 40_000), length=40_000)
        samples[25_000 * PER_MS : 25_040 * PER_MS] = 0.01
        first, _ = windows(loud(samples, OPTIONS), samples, OPTIONS)
        assert first.pieces[-1].end == pytest.approx(25_020, abs=20)

    def test_leaves_long_pauses_out_and_finds_the_way_back(self) -> None:
        window = Window((Span(1000, 3000), Span(10_000, 12_000)))
        assert window.cut(silence(20)).size == 4000 * PER_MS
        assert window.locate(Span(500, 700)) == Span(1500, 1700)
        assert window.locate(Span(1900, 2600)) == Span(10_000, 10_600)
        assert window.locate(Span(3900, 4500)) == Span(11_900, 12_000)

    @pytest.mark.engines
    def test_detects_speech_and_nothing_else(self, talk: Samples) -> None:
        """The first sentences lie at 0.8 to 2.09 s and 2.534 to 4.994 s."""
        found = speech(np.concatenate([silence(30), talk]), OPTIONS)
        assert found[0].start == pytest.approx(30_800, abs=150)
        assert all(span.duration > 0 for span in found)
        assert found[-1].end <= 37_000


class TestJoined:
    def test_parts_and_signs_join_their_words(self) -> None:
        rows = [
            (" I", 0.0, 0.2, 0.9),
            ("-", 0.2, 0.8, 0.5),
            (" well", 0.8, 1.0, 0.8),
            ("-known", 1.0, 1.4, 0.6),
            (",", 1.4, 2.0, 0.9),
            (' "', 2.0, 2.1, 0.9),
            ("Oh", 2.1, 2.3, 0.7),
            ('."', 2.3, 3.0, 0.7),
            (" -", 3.0, 3.2, 0.7),
        ]
        words = joined([{"word": w, "start": s, "end": e, "probability": p} for w, s, e, p in rows])
        assert words == (
            Word(Span(0, 200), "I-", 0.9),
            Word(Span(800, 1400), "well-known,", 0.6),
            Word(Span(2100, 2300), '"Oh."-', 0.7),
        )

    def test_nothing_but_signs_is_no_word(self) -> None:
        assert joined([{"word": " ...", "start": 0.0, "end": 1.0, "probability": 0.5}]) == ()


class TestTranscript:
    def test_channels_merge_in_order_of_time(self) -> None:
        left = Transcript(
            (Word(Span(0, 100), "so", 0.9), Word(Span(900, 1000), "yes", 0.9)), (), (Span(50, 60),), {"a": 1}
        )
        right = Transcript(
            (Word(Span(400, 500), "um", 0.9),), (Suppressed(Span(0, 1), "x", "y"),), (Span(0, 9),), {"a": 1}
        )
        both = merged([left.by("S1"), right.by("S2")])
        assert [(word.text, word.speaker) for word in both.words] == [("so", "S1"), ("um", "S2"), ("yes", "S1")]
        assert both.vocalizations == (Span(0, 9), Span(50, 60))
        assert len(both.suppressed) == 1

    def test_a_channel_without_speech_takes_no_provenance_away(self) -> None:
        engine = parrot()
        silent, spoken = silence(8), sound((1000, 5000), length=8000)
        for channels in ((silent, spoken), (spoken, silent)):
            both = merged([parrot().transcribe(samples, Cores(1)) for samples in channels])
            assert both.engine == engine.transcribe(spoken, Cores(1)).engine
            assert both.engine["engine"] == "parrot 1"


class TestLoad:
    def test_a_missing_model_is_told_before_any_work(self, tmp_path: Path) -> None:
        elsewhere = DEFAULT.model_copy(update={"models": ModelsSettings(folder=str(tmp_path))})
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
        place = model_catalog.root(DEFAULT.models) / "whisper-tiny.en"
        if not place.is_dir():
            pytest.skip("whisper-tiny.en is not installed")
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (tmp_path / name).write_bytes((place / name).read_bytes())
        (tmp_path / "model.bin").write_bytes(b"not a model")
        chosen = DEFAULT.model_copy(update={"transcription": OPTIONS.model_copy(update={"model": str(tmp_path)})})
        engine = transcriber.load(chosen)
        engine._detect = loud
        with pytest.raises(ModelError, match="TR-M07 .* cannot be loaded"):
            engine.transcribe(sound((0, 1000), length=2000), Cores(1))
