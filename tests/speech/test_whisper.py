"""Words from the pieces of Whisper's alignment, and what Whisper listens for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import model_catalog, settings
from pipeline.audio import recording
from pipeline.speech import transcriber
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import DecodingOptions
from pipeline.speech.whisper import Whisper, join_pieces
from pipeline.timeline import Span, Word


def test_parts_and_signs_join_their_words() -> None:
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
    words = join_pieces([{"word": w, "start": s, "end": e, "probability": p} for w, s, e, p in rows])
    assert words == (
        Word(Span(0, 200), "I-", 0.9),
        Word(Span(800, 1400), "well-known,", 0.6),
        Word(Span(2100, 2300), '"Oh."-', 0.7),
    )


def test_nothing_but_signs_is_no_word() -> None:
    assert join_pieces([{"word": " ...", "start": 0.0, "end": 1.0, "probability": 0.5}]) == ()


@pytest.mark.engines
def test_names_and_terms_are_recognized_where_they_are_listed() -> None:
    """A synthetic voice: "... Suboxone since I moved to Presque Isle ... at ten thirty in the morning ... Nguyen"."""
    options = settings.load().settings
    sound = recording.decode(Path(__file__).parent / "cases" / "names-and-terms.ogg", options.audio)
    terms = ("Suboxone", "Presque Isle", "Kowalski", "Nguyen", "Caribou")

    def recognized(listed: tuple[str, ...]) -> str:
        transcript = transcriber.load(settings.with_terms(options, listed)).transcribe(sound.mono, Cores(1))
        return " ".join(word.text for word in transcript.words)

    plain, listening = recognized(()), recognized(terms)
    assert "Suboxone" not in plain
    assert all(term in listening for term in ("Suboxone", "Presque Isle", "Nguyen", "Caribou")), listening
    assert "at 10:30 in the morning" in listening
    assert "20 milligrams" in listening


@pytest.mark.engines
def test_chunks_that_are_selected_are_decoded_as_before_and_a_glance_sees_the_language() -> None:
    options = settings.load().settings
    location = model_catalog.locate(options.transcription.model, options.models)
    engine = Whisper(location, options.transcription.compute, 1, options.engines)
    recordings = Path(__file__).parents[1] / "recordings"
    english, spanish = (
        recording.decode(recordings / name, options.audio).mono[: 8 * 16_000]
        for name in ("roleplay-alcohol.ogg", "spanish.ogg")
    )
    encoded = engine.encode([english, spanish, english])
    plain = DecodingOptions("", timed=False, beam=1)
    texts = [hypothesis.text for hypothesis in engine.decode(encoded, plain)]
    assert [hypothesis.text for hypothesis in engine.decode(engine.select(encoded, [1, 2]), plain)] == texts[1:]
    assert engine.select(encoded, [0, 1, 2]) is encoded
    assert engine.language_at_a_glance(english)["en"] > 0.8
    assert engine.language_at_a_glance(spanish)["es"] > 0.5
