"""Languages: their names, what neighbors share, shares and sentences."""

from __future__ import annotations

import pytest

from pipeline import languages
from pipeline.languages import foreign_stretches, share_sentence, shares


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("es", "es"),
        ("ES", "es"),
        (" Spanish ", "es"),
        ("es-MX", "es"),
        ("pt_BR", "pt"),
        ("haitian creole", "ht"),
        ("yue", "yue"),
    ]
    + [(wrong, None) for wrong in ("", "xx", "Klingon", "e", "english please", "-", "es-", "en--")],
)
def test_a_language_is_named_by_its_code_or_its_english_name(typed: str, code: str | None) -> None:
    assert languages.code(typed) == code


def test_all_languages_of_whisper_have_a_name() -> None:
    assert len(languages.NAMES) == 100
    assert all(name[0].isupper() for name in languages.NAMES.values())
    assert languages.name("es") == "Spanish"


def test_a_clear_stretch_is_foreign_by_itself_and_a_short_one_is_not() -> None:
    """Log odds are at most log 49 = 3.9; there and back cost 1.6."""
    assert foreign_stretches([(0.99, 1.0), (0.01, 1.0), (0.99, 1.0)], 0.8, 0.0) == [False, True, False]
    assert foreign_stretches([(0.99, 1.0), (0.01, 0.4), (0.99, 1.0)], 0.8, 0.0) == [False, False, False]  # 3.9 * 0.4


def test_a_short_or_unsure_stretch_is_taken_for_what_its_neighbors_are() -> None:
    assert foreign_stretches([(0.01, 1.0), (0.6, 1.0), (0.5, 0.1), (0.01, 1.0)], 0.8, 0.0) == [True] * 4
    assert foreign_stretches([(0.99, 1.0), (0.4, 1.0), (0.99, 1.0)], 0.8, 0.0) == [False] * 3


def test_what_says_nothing_is_english() -> None:
    assert foreign_stretches([(0.0, 0.0), (0.5, 1.0)], 0.8, 0.0) == [False, False]
    assert foreign_stretches([], 0.8, 0.0) == []


def test_shares_are_ordered_and_an_unnamed_language_is_english() -> None:
    assert shares(["en", "es", "", "es"], [10, 30, 40, 20]) == {"en": 0.5, "es": 0.5}
    assert shares([], []) == {}
    assert shares(["en"], [0]) == {}


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [
        ({"en": 100}, ""),
        ({"en": 69, "es": 31}, "31% of the speech is Spanish: transcribed, not coded, and in no figure but talk time"),
        (
            {"en": 60, "es": 31, "fr": 9},
            "31% of the speech is Spanish and 9% French: transcribed, not coded, and in no figure but talk time",
        ),
        (
            {"en": 999, "es": 1},
            "less than 1% of the speech is Spanish: transcribed, not coded, and in no figure but talk time",
        ),
        (
            {"es": 100},
            "100% of the speech is Spanish: transcribed, not coded, so there are no figures. "
            "The machine codes English alone",
        ),
        (
            {"en": 1, "es": 999},
            "99% of the speech is Spanish: transcribed, not coded, so there are no figures. "
            "The machine codes English alone",
        ),
    ],
)
def test_how_much_is_in_another_language_is_a_sentence(amounts: dict[str, float], sentence: str) -> None:
    assert share_sentence(shares(amounts, amounts.values())) == sentence


def test_of_a_text_the_words_are_counted() -> None:
    assert (
        share_sentence({"en": 0.69, "es": 0.31}, "words") == "31% of the words are Spanish: not coded, and in no figure"
    )


@pytest.mark.parametrize(("english", "reason"), [(0.05, None), (0.049, "the speech is Spanish, and not coded")])
def test_a_stray_word_of_english_makes_no_session(english: float, reason: str | None) -> None:
    assert languages.no_figures_reason({"es": 1 - english, "en": english}) == reason
    assert languages.no_figures_reason({}) is None
