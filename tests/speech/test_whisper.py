"""Words from the pieces of Whisper's alignment."""

from __future__ import annotations

from pipeline.speech.whisper import join_pieces
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
