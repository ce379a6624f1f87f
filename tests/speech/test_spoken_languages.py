"""Which language is spoken where: stretches, runs, trials; and a transcriber that follows them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.speech import spoken_languages
from pipeline.speech.chunking import Samples
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import DecodingOptions
from pipeline.speech.spoken_languages import LanguageRun, Trial
from pipeline.timeline import Span
from tests.speech.parrot import parrot, sound

EN, ES = {"en": 0.98, "es": 0.02}, {"en": 0.01, "es": 0.9, "gl": 0.09}


def stretches(*shares: dict[str, float], length: int = 2000) -> list[tuple[Span, dict[str, float]]]:
    return [(Span(number * length, (number + 1) * length), share) for number, share in enumerate(shares)]


def test_runs_follow_the_language() -> None:
    runs = spoken_languages.runs(stretches(EN, ES, ES, EN))
    assert [(run.language, run.span, run.speech) for run in runs] == [
        ("en", Span(0, 2000), 2000),
        ("es", Span(2000, 6000), 4000),
        ("en", Span(6000, 8000), 2000),
    ]
    assert runs[1].probability == pytest.approx(0.9)


def test_one_word_in_another_language_is_no_run() -> None:
    assert [run.language for run in spoken_languages.runs(stretches(EN, ES, EN, length=1000))] == ["en"]


def test_a_run_by_itself_is_believed_if_its_text_is_likelier_in_its_language() -> None:
    assert Trial({"en": 0.02, "es": 0.7}, 0.1).language({"es": 1.0}) == "es"
    # An accent: log(.678 / .019) = 3.6, less 6 * .82.
    assert Trial({"en": 0.019, "ca": 0.678}, -0.82).language({"ca": 1.0}) == "en"
    assert Trial({"en": 0.02, "es": 0.7}, -math.inf).language({"es": 1.0}) == "en"
    assert Trial({"en": 0.02, "haw": 0.2}, 0.5).language({"haw": 1.0}) == "en"  # noise: no language is likely
    assert Trial({}, 0.0).language({}) == "en"


def test_relatives_take_the_language_of_the_tape() -> None:
    runs = [LanguageRun(Span(at, at + 1000), "es", 0.9, 1000) for at in (0, 5000)]
    middle = LanguageRun(Span(1000, 5000), "en", 0.9, 1000)
    trials = {runs[0]: Trial({"es": 0.95, "gl": 0.04}, 0.3), runs[1]: Trial({"es": 0.4, "gl": 0.45}, 0.3)}
    settled = spoken_languages.settled([runs[0], middle, runs[1]], trials)
    assert [run.language for run in settled] == ["es", "en", "es"]


def test_a_run_that_is_english_by_itself_joins_its_neighbors() -> None:
    runs = spoken_languages.runs(stretches(EN, ES, EN))
    settled = spoken_languages.settled(runs, {runs[1]: Trial({"en": 0.9, "es": 0.1}, -0.5)})
    assert [(run.language, run.span) for run in settled] == [("en", Span(0, 6000))]


def test_the_same_words_in_both_languages_are_english() -> None:
    assert spoken_languages.is_same_text("By six my head is just", "By 6 my head is just...")
    assert not spoken_languages.is_same_text("Tell me what brings you", "Cuénteme qué lo trae")
    assert not spoken_languages.is_same_text("", "")


def session(*languages: str) -> Samples:
    """Turns of 6 s with a second between them."""
    length = 7000 * len(languages)
    turns = [
        sound((7000 * number, 7000 * number + 6000), length=length, language=language)
        for number, language in enumerate(languages)
    ]
    return np.sum(turns, axis=0, dtype=np.float32)


def test_an_interpreters_session_is_transcribed_turn_by_turn_in_its_language() -> None:
    asked: list[DecodingOptions] = []

    def respond(options: DecodingOptions, seconds: int) -> tuple[str, float]:
        asked.append(options)
        word = {"en": "hello", "es": "hola"}[options.language] if options.language in ("en", "es") else "?"
        return " ".join([word] * min(seconds, 3)), -0.2

    transcript = parrot(respond).transcribe(session("en", "es", "en", "es"), Cores(1))
    assert [run.language for run in transcript.languages] == ["en", "es", "en", "es"]
    assert {(word.text, word.language) for word in transcript.words} == {("hello", "en"), ("hola", "es")}
    # A word of the parrot may begin in the margin of 400 ms.
    assert all(((word.span.start + 400) // 7000 % 2 == 1) == (word.language == "es") for word in transcript.words)
    assert all(options.prompt == "" for options in asked if options.language != "en")


def test_english_alone_is_decoded_as_ever() -> None:
    spoken = session("en", "en", "en")
    detected, given = (parrot(language=language).transcribe(spoken, Cores(1)) for language in ("auto", "en"))
    assert detected.words == given.words
    assert [run.language for run in detected.languages] == ["en"]
    assert given.languages == ()


def test_the_language_that_is_given_is_not_detected() -> None:
    transcript = parrot(language="fr").transcribe(session("en", "es"), Cores(1))
    assert {word.language for word in transcript.words} == {"fr"}
    assert transcript.languages == ()


def test_an_english_model_detects_nothing_and_refuses_another_language() -> None:
    spoken = session("en", "es")
    transcript = parrot(multilingual=False).transcribe(spoken, Cores(1))
    assert not transcript.multilingual
    assert {word.language for word in transcript.words} == {"en"}
    with pytest.raises(ModelError, match="TR-M11 .* is for English alone and cannot transcribe Spanish"):
        parrot(multilingual=False, language="es").transcribe(spoken, Cores(1))
