"""Sounds without words are shown to the coder, and nothing else is."""

from __future__ import annotations

import pytest

from pipeline.speech.vocalizations import BESIDE, SHORTEST, vocalizations
from pipeline.timeline import UNKNOWN, Span, Vocalization, Word
from tests.speech.test_turns import diarization_of, words_of

TALK = words_of(("S1", 0, "i had stopped for a year and then it all came back"))  # 0 to 4150


def test_a_brief_voice_under_the_others_words_is_unclear() -> None:
    voices = diarization_of((0, 4200, "S1"), (2000, 2600, "S2"))
    assert vocalizations(TALK, (), voices) == (Vocalization(Span(2000, 2600), "S2"),)


def test_what_its_own_word_explains_is_not() -> None:
    voices = diarization_of((0, 4200, "S1"), (2000, 2600, "S2"))
    hum = Word(Span(2600 + BESIDE - 1, 3300), "Mm-hm.", 0.5, "S2")
    assert vocalizations([*TALK, hum], (), voices) == ()
    later = Word(Span(2600 + BESIDE, 3300), "Mm-hm.", 0.5, "S2")
    assert len(vocalizations([*TALK, later], (), voices)) == 1


@pytest.mark.parametrize("end", [2000 + SHORTEST - 1, 2000 + 1501])
def test_too_short_and_too_long_a_voice_is_not(end: int) -> None:
    assert vocalizations(TALK, (), diarization_of((0, 4200, "S1"), (2000, end, "S2"))) == ()


def test_a_brief_voice_on_its_own_is_left_to_the_transcriber() -> None:
    voices = diarization_of((0, 2300, "S1"), (2000, 2700, "S2"), (2700, 4200, "S1"))  # 300 of 700 ms under the other's
    assert vocalizations([], (), voices) == ()


def test_a_voice_alone_where_the_other_s_word_begins_too_early_is_unclear() -> None:
    voices = diarization_of((0, 2000, "S1"), (2000, 2600, "S2"), (2600, 4200, "S1"))
    early = Word(Span(2300, 2900), "She", 0.5, "S1")
    assert vocalizations([early], (), voices) == (Vocalization(Span(2000, 2600), "S2"),)
    assert vocalizations([Word(Span(2301, 2900), "She", 0.5, "S1")], (), voices) == ()


def test_of_two_brief_voices_at_once_the_shorter_is_unclear() -> None:
    voices = diarization_of((2000, 3000, "S1"), (2200, 2600, "S2"))
    assert vocalizations([], (), voices) == (Vocalization(Span(2200, 2600), "S2"),)


def test_speech_without_words_gets_the_voice_that_it_overlaps_most() -> None:
    voices = diarization_of((0, 500, "S1"), (5000, 6000, "S2"))
    sounds = vocalizations([], [Span(400, 600), Span(4900, 5300), Span(9000, 9500)], voices)
    assert [sound.speaker for sound in sounds] == ["S1", "S2", UNKNOWN]


def test_the_same_sound_is_shown_once() -> None:
    voices = diarization_of((0, 4200, "S1"), (2000, 2600, "S2"))
    assert len(vocalizations([], [Span(1900, 2500)], voices)) == 1
