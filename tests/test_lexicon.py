"""The words that steer turns, utterances and volleys."""

import doctest

import pytest

from pipeline import lexicon
from pipeline.lexicon import (
    asks,
    ends_sentence,
    is_backchannel,
    opens_question,
    plain,
    plains,
    sentence_marks,
    tag_length,
)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(lexicon).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mm-hmm.", "mm-hm"),
        ("Mmhmm", "mm-hm"),
        ("mhm,", "mm-hm"),
        ("M-hm", "mm-hm"),
        ("Uh-huh!", "uh-huh"),
        ("Uhuh", "uh-huh"),
        ("Hmmm...", "hm"),
        ("OK", "okay"),
        ("Yeahh", "yeah"),
        ("ummm", "um"),
        ("erm", "um"),
        ("er", "uh"),
        ("“Don’t”", "don't"),
        ("'cause", "because"),
        ("I-", "i"),
        ("—", ""),
        ("", ""),
    ],
)
def test_plain_gives_one_spelling(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize("text", ["hum", "her", "error", "ham", "oath", "umbrella", "a", "yard", "him"])
def test_plain_leaves_ordinary_words_alone(text: str) -> None:
    assert plain(text) == text


def test_plain_is_stable() -> None:
    words = ["Mm-hmm.", "O.K.", "Uh-huh", "alright", "'kay", "whats", "aha", "Ahh"]
    assert [plain(plain(word)) for word in words] == [plain(word) for word in words]


def test_plains_drops_punctuation_and_parts_alright() -> None:
    assert plains(["Alright,", "—", "Sam."]) == ["all", "right", "sam"]


@pytest.mark.parametrize(
    "text",
    [
        "Mm-hmm.",
        "Yeah.",
        "Right, right.",
        "Oh, okay.",
        "I see.",
        "Alright.",
        "Of course.",
        "uh huh",
        "Yeah yeah yeah yeah",
    ],
)
def test_backchannels(text: str) -> None:
    assert is_backchannel(text.split())


@pytest.mark.parametrize(
    "text", ["Yeah, I do.", "No.", "Okay?", "I", "see", "", "—", "Yeah yeah yeah yeah yeah", "Right now.", "Um."]
)
def test_what_is_more_or_less_than_a_backchannel(text: str) -> None:
    assert not is_backchannel(text.split())


@pytest.mark.parametrize(
    ("text", "mark"),
    [("so", ""), ("so.", "."), ("so!", "!"), ("so?”", "?"), ("so…", "…"), ("so...", "…"), ("so,", ""), ("", "")],
)
def test_ends_sentence(text: str, mark: str) -> None:
    assert ends_sentence(text) == mark


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("right?", 1),
        ("right", 1),
        ("right? What then", 1),
        ("right now", 0),
        ("isn't it?", 2),
        ("or don't you?", 3),
        ("you know what I mean? Yeah", 5),
        ("do you drink?", 0),
        ("is that right", 3),
        ("", 0),
    ],
)
def test_tags_end_with_a_mark_or_the_text(text: str, length: int) -> None:
    assert tag_length(text.split()) == length


@pytest.mark.parametrize(
    "text",
    [
        "What brings you here",
        "Okay, so how confident are you",
        "um and would that be all right",
        "how many drinks do you have on a day",
        "what's important to you about that",
        "Tell me more",
        "And why not a lower number",
        "Why?",
        "which of these do you want to start with",
        "is your wife worried",
    ],
)
def test_questions_by_their_opening(text: str) -> None:
    assert opens_question(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "what helps is walking",
        "what I like is the taste",
        "when I was young",
        "which is why I came",
        "how hard it was",
        "why",
        "you do",
        "have a seat",
        "um",
        "",
    ],
)
def test_what_only_looks_like_a_question(text: str) -> None:
    assert not opens_question(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "You stopped. Do you miss it?",
        "You miss it?",
        "do you miss it",
        "you miss it, don't you",
        "So it's hard, right?",
    ],
)
def test_asks(text: str) -> None:
    assert asks(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "Do you miss it? I would.",
        "It's hard, you know?",
        "It's hard.",
        "it's hard, right",
        "You know?",
        "what I miss is the taste",
        "",
    ],
)
def test_does_not_ask(text: str) -> None:
    assert not asks(text.split())


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("I saw Dr. Nguyen at 10:30 a.m. and she gave me 20 mg. of it.", ["it."]),
        ("My name is K. O. W. A. L. S. K. I. and I live in St. Louis.", ["Louis."]),
        ("I take 20 mg. My doctor said so.", ["mg.", "so."]),
        ("It was 9 p.m. We left.", ["p.m.", "left."]),
        ("He is from the U.S. and so am I.", ["I."]),
        ("I drink vitamin K. I like it.", ["K.", "it."]),
        ("No. I said no. Two beers, etc. and more.", ["No.", "no.", "more."]),
        ("It is 2.5 mg, at 10.30 in the morning.", ["morning."]),
    ],
)
def test_a_period_of_an_abbreviation_ends_no_sentence(text: str, ends: list[str]) -> None:
    words = text.split()
    assert [word for word, mark in zip(words, sentence_marks(words), strict=True) if mark] == ends
