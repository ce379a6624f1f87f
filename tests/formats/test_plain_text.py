"""Text that formats can hold, and names as one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable, without_controls


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x85", "\u2028", "\ud800", "\uffff", "\r"])
def test_what_no_format_can_hold_is_refused_with_the_character(character: str) -> None:
    with pytest.raises(FormatError, match="TR-F08") as caught:
        printable(f"a{character}b", "text", breaks=True)
    assert repr(character) in str(caught.value)


def test_breaks_are_held_only_where_a_format_asks_for_them() -> None:
    assert printable("a\n\tb", "text", breaks=True) == "a\n\tb"
    with pytest.raises(FormatError):
        printable("a\tb", "text")


def test_what_a_page_cannot_hold_is_replaced_and_breaks_stay() -> None:
    assert without_controls("a\x00b\n\tc\ud800") == "a\ufffdb\n\tc\ufffd"
    assert without_controls("a\x07b", "") == "ab"


def test_a_name_becomes_one_word_without_dots_or_colons() -> None:
    assert percent_encoded("a b.c:d") == "a%20b%2Ec%3Ad"
    assert percent_decoded("100%") == "100%"
    assert percent_decoded("%ff") == "%ff"


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_every_name_comes_back(name: str) -> None:
    word = percent_encoded(name)
    assert percent_decoded(word) == name
    assert not set(word) & set(" .:#\n")
