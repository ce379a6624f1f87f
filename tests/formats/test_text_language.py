"""The language of written utterances: of whole texts, of turns in between, of words that say nothing."""

from __future__ import annotations

import pytest

from pipeline.formats import text_language

ENGLISH = [
    "So tell me a little about what brings you in today.",
    "Well, my doctor said that I should cut down on the salt.",
    "It sounds like you are worried about your health.",
    "Yeah.",
    "What have you already tried?",
    "I tried to leave it out for a week.",
]
OTHERS = {
    "es": ["Cuénteme un poco qué lo trae por aquí hoy.", "El médico dice que debo comer con menos sal.", "Sí."],
    "de": ["Erzählen Sie mir ein bisschen, was Sie herführt.", "Mein Arzt sagt, ich soll weniger Salz essen.", "Ja."],
    "fr": ["Parlez-moi un peu de ce qui vous amène.", "Mon médecin dit que je dois manger moins de sel.", "Oui."],
    "ru": ["Расскажите немного, что вас сюда привело.", "Врач говорит, что мне нужно есть меньше соли.", "Да."],
    "zh": ["请告诉我今天您为什么来这里。", "医生说我应该少吃盐,因为我的血压太高。", "是的。"],
}


@pytest.mark.parametrize("language", OTHERS)
def test_a_whole_text_is_in_its_language_short_words_too(language: str) -> None:
    assert text_language.of_utterances(OTHERS[language]) == [language] * 3


def test_english_is_english() -> None:
    assert text_language.of_utterances(ENGLISH) == ["en"] * 6


@pytest.mark.parametrize("language", OTHERS)
def test_languages_that_alternate_are_told_apart(language: str) -> None:
    first, second, _ = OTHERS[language]
    texts = [ENGLISH[0], first, ENGLISH[1], second, ENGLISH[2]]
    assert text_language.of_utterances(texts) == ["en", language, "en", language, "en"]


@pytest.mark.parametrize("word", ["Sí, claro.", "Ja.", "OK.", "Bueno.", "Mm-hm.", "(laughs)", "...", ""])
def test_a_word_or_two_within_english_are_no_other_language(word: str) -> None:
    assert text_language.of_utterances([*ENGLISH[:3], word, *ENGLISH[3:]]) == ["en"] * 7


def test_a_tape_of_short_utterances_is_taken_as_one_text() -> None:
    assert text_language.of_utterances(["Sí.", "Claro que sí.", "No lo sé.", "Más o menos."]) == ["es"] * 4
    assert text_language.of_utterances(["Yes.", "Of course.", "I don't know.", "More or less."]) == ["en"] * 4


def test_what_is_given_decides() -> None:
    assert text_language.of_utterances(OTHERS["es"], "en") == ["en"] * 3


def test_the_words_of_a_sentence_are_in_one_language() -> None:
    turns = [f"{ENGLISH[1]} {OTHERS['es'][1]}", ENGLISH[4]]
    numbers = [len(ENGLISH[1].split()), len(OTHERS["es"][1].split()), len(ENGLISH[4].split())]
    assert text_language.of_words(turns) == ["en"] * numbers[0] + ["es"] * numbers[1] + ["en"] * numbers[2]
    assert text_language.of_words([]) == []
