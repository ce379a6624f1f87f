"""Who said what, and when, where a written transcript comes with the recording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import SpeechError
from pipeline.formats.written_transcript import WrittenTranscript, WrittenTurn
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.transcriber import Transcript
from pipeline.speech.transcript_attribution import PlacedTranscript, placed, speaker_names
from pipeline.timeline import UNKNOWN, Role, Span, Word

SECONDS = ("quince", "lantern", "marble", "thimble", "saffron", "walnut")
"""What is recognized, a word a second: three seconds of S1, three of S2."""


def recognized(*texts: str) -> Transcript:
    words = tuple(Word(Span(1000 * at, 1000 * at + 500), text, 0.9) for at, text in enumerate(texts))
    return Transcript(words, (), (), {})


def diarized(*spans: tuple[int, int, str]) -> Diarization:
    segments = tuple(SpeakerSegment(Span(start, end), speaker) for start, end, speaker in spans)
    return Diarization(segments, segments, (), {})


TWO = diarized((0, 2900, "S1"), (3000, 6000, "S2"))


def brought(*turns: tuple[str, Role | None, str], in_sound: tuple[str, ...] = SECONDS) -> PlacedTranscript:
    written = WrittenTranscript(tuple(WrittenTurn(*turn) for turn in turns))
    return placed(written, recognized(*in_sound), TWO, 6000)


def rows(given: PlacedTranscript) -> list[tuple[str, int, str]]:
    return [(word.text, word.span.start, word.speaker) for word in given.words]


def test_names_become_the_speakers_who_are_heard_at_the_same_times() -> None:
    given = brought(("Robin", "client", "Quince, lantern marble"), ("Ann", "interviewer", "Thimble? Saffron, walnut."))
    assert rows(given) == [
        *(("Quince,", 0, "S1"), ("lantern", 1000, "S1"), ("marble", 2000, "S1")),
        *(("Thimble?", 3000, "S2"), ("Saffron,", 4000, "S2"), ("walnut.", 5000, "S2")),
    ]
    assert given.roles is not None
    assert [given.roles.role(name) for name in ("S1", "S2")] == ["client", "interviewer"]
    assert given.notes == (
        "the words are those of the transcript that came with the recording; 6 of its 6 words here were recognized in "
        "the sound and have its times, the other 0 stand between their neighbors",
    )


def test_the_transcript_says_who_speaks_even_where_another_voice_is_heard() -> None:
    given = brought(("A", None, "quince lantern"), ("B", None, "marble thimble saffron walnut"))
    assert [word.speaker for word in given.words] == ["S1", "S1", "S2", "S2", "S2", "S2"]
    assert given.roles is None


def test_rows_that_somebody_split_begin_where_they_did() -> None:
    turns = (
        WrittenTurn("A", None, "quince lantern"),
        WrittenTurn("A", None, "marble"),
        WrittenTurn("B", None, "thimble"),
    )
    written = WrittenTranscript(turns, has_utterances=True)
    given = placed(written, recognized(*SECONDS), TWO, 6000)
    assert given.first_words == {given.words[0], given.words[2], given.words[3]}
    assert placed(replace(written, has_utterances=False), recognized(*SECONDS), TWO, 6000).first_words is None


def test_words_that_nobody_is_named_for_get_the_voice_that_is_heard() -> None:
    given = brought(("", None, "quince lantern marble thimble saffron walnut"))
    assert [word.speaker for word in given.words] == ["S1"] * 3 + ["S2"] * 3


def test_further_voices_get_further_names() -> None:
    assert speaker_names(["a", "a", "b", "c"], ["S2", "S2", "S2", UNKNOWN], {"S1", "S2"}) == {
        "a": "S2",
        "b": "S3",
        "c": "S4",
    }


def test_several_interviewers_are_all_interviewers() -> None:
    given = brought(
        ("T1", "interviewer", "quince lantern marble"),
        ("T2", "interviewer", "thimble"),
        ("C", "client", "saffron walnut"),
    )
    assert given.roles is not None
    assert {name: given.roles.role(name) for name in ("S1", "S2", "S3")} == {
        "S1": "interviewer",
        "S2": "client",
        "S3": "interviewer",
    }


def test_what_was_not_recognized_is_said() -> None:
    given = brought(
        ("A", None, "quince lantern marble"),
        ("B", None, "nobody said this"),
        ("B", None, "thimble mm-hm saffron walnut"),
    )
    assert given.notes[0].startswith("the words are those of the transcript")
    assert "6 of its 10 words" in given.notes[0]
    assert given.notes[1] == "no word was recognized of what the transcript has at 0:02: listen there"


def test_what_lies_outside_the_part_is_left_out_and_said() -> None:
    before = " ".join(f"before{number}" for number in range(20))
    given = brought(("A", None, before), ("A", None, "quince lantern marble thimble saffron walnut"))
    assert rows(given)[0] == ("quince", 0, "S1")
    assert given.notes[1] == (
        "20 words at the beginning of the transcript were not found in this part of the recording, and are left out"
    )


def test_what_the_transcript_lacks_is_said() -> None:
    in_sound = ("quince", "so", "so", "so", "so", "so", "walnut")
    given = brought(("A", None, "quince walnut"), in_sound=in_sound)
    assert given.notes[1] == "5 recognized words are not in the transcript, at 0:01: listen there"


def test_the_transcript_of_another_session_is_refused() -> None:
    with pytest.raises(SpeechError, match=r"TR-P04 .*0 of its 6 words"):
        brought(("A", None, "one two three four five six"))
