"""JSON of speech recognizers: segments, words with times, and voices that change within a segment."""

from __future__ import annotations

import pytest

from pipeline.errors import FormatError
from pipeline.formats import registry, whisper_json
from pipeline.formats.safe_reader import Source
from tests.formats.test_other_programs import PROGRAMS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("whisperx.json", [("What", 0, 400, 0.9), ("brings", 400, 800, 0.8), ("2", 800, 800, 1.0)]),
        ("rev.json", [("What", 100, 400, 0.9), ("now?", 500, 900, 0.8)]),
    ],
)
def test_words_keep_their_times_and_probabilities(name: str, words: list[tuple[str, int, int, float]]) -> None:
    first = registry.read(PROGRAMS / name).utterances[0].words
    read = [(word.text, word.span.start, word.span.end, word.probability) for word in first]
    assert read[: len(words)] == words


def read(value: object) -> list[tuple[str, str, int | None, int | None]]:
    passages = whisper_json.read(Source("t.json", b""), value)
    return [(passage.speaker, passage.text, passage.start, passage.end) for passage in passages]


@pytest.mark.parametrize(
    "value",
    [
        {"segments": [{"start": 0.5, "end": 2, "text": " Hm.", "speaker": "S1"}]},
        [{"start": 0.5, "end": 2, "text": " Hm.", "speaker": "S1"}],
        {"transcription": [{"offsets": {"from": 500, "to": 2000}, "text": "Hm.", "speaker": "S1"}]},
        {"chunks": [{"timestamp": [0.5, 2.0], "text": "Hm.", "speaker": "S1"}]},
        {
            "speakers": [{"id": 0, "name": "S1"}],
            "monologues": [{"speaker": 0, "elements": [{"value": "Hm", "ts": 0.5, "end_ts": 2}, {"value": "."}]}],
        },
    ],
)
def test_each_recognizer_s_shape_says_the_same(value: object) -> None:
    assert whisper_json.fits(value)
    assert read(value) == [("S1", "Hm.", 500, 2000)]


def test_a_segment_is_cut_where_a_word_has_another_speaker() -> None:
    words = [
        {"word": "So?", "start": 0, "end": 1, "speaker": "A"},
        {"word": "Hm", "start": 1, "end": 2, "speaker": "B"},
        {"word": "yes.", "speaker": "B"},
    ]
    assert read({"segments": [{"start": 0, "end": 3, "text": "So? Hm yes.", "words": words}]}) == [
        ("A", "So?", 0, 1000),
        ("B", "Hm yes.", 1000, 3000),
    ]


def test_words_that_are_not_those_of_the_text_do_not_cut_it() -> None:
    words = [{"word": "So?", "speaker": "A"}, {"word": "No.", "speaker": "B"}]
    assert read({"segments": [{"start": 0, "end": 3, "text": "So? Hm.", "words": words}]}) == [("", "So? Hm.", 0, 3000)]


@pytest.mark.parametrize(
    ("segment", "code"),
    [({"start": 0}, "TR-F03"), ("x", "TR-F03"), ({"start": 2, "end": 1, "text": "x"}, "TR-F07")],
)
def test_a_wrong_segment_is_named_by_its_number(segment: object, code: str) -> None:
    with pytest.raises(FormatError, match=rf"{code} segment 2 of t.json"):
        read({"segments": [{"start": 0, "end": 1, "text": "Hm."}, segment]})
