"""Small words that steer a conversation: backchannels, fillers, tags and the ways a question opens.

Turns, utterances and volleys have to agree on them, so they are defined here once. All functions compare `plain` forms:
lower case, no punctuation, one spelling for each hum.

>>> is_backchannel(["Mm-hmm.", "Yeah,", "right."])
True
>>> is_backchannel(["Yeah,", "I", "do."])
False
>>> asks(["You", "cut", "down,", "didn't", "you?"])
True
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise


def _comma_separated(text: str) -> frozenset[str]:
    return frozenset(text.split(", "))


HUMS = _comma_separated("mm-hm, uh-huh, mm, hm, ah, oh, aha, huh")
"""Sounds of a listener that are not words."""

ACKNOWLEDGMENTS = _comma_separated(
    "yeah, yes, yep, yup, right, okay, all right, sure, good, great, exactly, true, wow, absolutely, definitely, "
    "i see, of course, got it, that's right, fair enough, uh huh, mm hm"
)
"""Words with which a listener says "go on"; they may also answer, which depends on what came before."""

BACKCHANNELS = HUMS | ACKNOWLEDGMENTS
"""Everything that a listener may say without taking the turn."""

HESITATIONS = _comma_separated("um, uh, hm, mm, ah, oh")
"""Sounds of a speaker that carry no meaning."""

FILLERS = HESITATIONS | _comma_separated("well, like, so, you know, i mean")
"""Words that buy time at the start of an utterance; they belong to the one that follows."""

CONJUNCTIONS = _comma_separated("and, but, so, or, because, cause, then, plus, though, although, anyway, anyways")
"""Words that may link a new utterance to the last."""

TRAILERS = _comma_separated("then, so, well, like, though, although, anyway, anyways, yeah, okay, yes")
"""Words that lead into an utterance or trail behind one; the pause decides."""

RHETORICAL_TAGS = _comma_separated("you know, you know what i mean, you see")
"""Tags that ask nobody anything."""

TAGS = RHETORICAL_TAGS | _comma_separated(
    "right, okay, yeah, huh, eh, correct, is that right, am i right, does that make sense, if that makes sense, "
    "or not, or something, or whatever, and stuff, and all that, i guess, i think, i suppose, though, is that it"
)
"""Phrases that hang on the end of a statement and belong to it; "isn't it" and its kin are recognized by their form."""

TITLES = _comma_separated("dr, mr, mrs, ms, prof, rev, sgt, st, mt, vs, approx, e.g, i.e")
"""Abbreviations that something always follows: "Dr. Nguyen", "St. Louis"."""

ABBREVIATED_UNITS = _comma_separated("mg, mcg, kg, ml, cl, oz, lb, lbs, ft, min, mins, hr, hrs, sec, pm, etc, jr, sr")
"""Abbreviations that may end a sentence: "20 mg. of it", "20 mg. I sleep"."""

_LETTERS = re.compile(r"[a-z](\.[a-z])*")
"""A spelled letter or a dotted abbreviation, its last period left out: "k", "a.m", "u.s"."""

AUXILIARIES = _comma_separated(
    "do, does, did, is, are, was, were, am, have, has, had, can, could, will, would, shall, should, may, might, must, "
    "don't, doesn't, didn't, isn't, aren't, wasn't, weren't, haven't, hasn't, hadn't, can't, couldn't, won't, "
    "wouldn't, shouldn't, ain't"
)
DEMONSTRATIVES = _comma_separated("this, that, these, those")
PRONOUNS = DEMONSTRATIVES | _comma_separated("i, you, he, she, it, we, they, there")
QUESTION_WORDS = _comma_separated("what, what's, how, how's, why, who, who's, where, where's, when, which, whose, whom")

UNFINISHED = _comma_separated(
    "the, a, an, my, your, his, her, its, our, their, to, of, and, but, or, because, if, that's, it's, i'm, you're, "
    "we're, they're, he's, she's, there's, i've, you've, i'd, i'll, i, we, they, he, she, with, for, from, at, into, "
    "very, every, gonna, wanna, gotta, kinda, um, uh, than, as, which, who, what, how, when, where, why, not"
)
"""Words after which hardly any utterance ends."""

DEPENDENT = _comma_separated(
    "if, when, whenever, since, as, while, unless, until, although, though, after, before, once"
)
"""Words whose clause waits for another one."""

PREPOSITIONS = _comma_separated("on, in, at, from, with, by, for, given, during, instead, without, compared")
"""Words whose phrase waits for a clause."""

DETERMINERS = _comma_separated("the, a, an, my, your, his, her, our, their")
"""Words that open a noun phrase."""

QUOTING = _comma_separated(
    "know, knew, wonder, wondering, wondered, ask, asked, asking, say, says, said, saying, like, think, thinking, "
    "thought, tell, told, telling, example"
)
"""Words after which a question is quoted rather than asked."""

EMBEDDING = QUOTING | _comma_separated(
    "see, is, was, are, it's, that's, me, you, about, of, on, at, to, for, with, from, by, into, than, remember, "
    "understand, figure, out, guess, sure, idea, matter, matters, explain, notice, show, realize, depends, depending, "
    "exactly, just, even, no"
)
"""Words after which a question word opens no question of its own ("I know what helps")."""

_SUBJECTS = PRONOUNS | _comma_separated(
    "your, my, his, her, our, their, the, any, anyone, anybody, anything, someone, people"
)
_ASKING_ALONE = _comma_separated("what, how, why")
"""Question words that ask with an auxiliary alone ("what would help"); "which is" goes on with a sentence."""
_QUESTION_STARTS = _comma_separated(
    "how about, how many, how much, how often, how long, how come, how important, how confident, how ready, "
    "how likely, how's that, how's your, how's the, how's it, what about, what if, what else, what kind, what kinds, "
    "what sort, what sorts, what happened, what brought, what made, what got, what led, what exactly, what's that, "
    "what's your, what's the, what's it, what's going, what's this, what's important, what's stopping, what's been, "
    "what's next, why not"
)
_REQUESTS = _comma_separated(
    "tell me, talk to me, help me understand, walk me through, describe, say more, give me an example"
)
"""Imperatives that do a question's work."""

_SPELLINGS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"m+[- ]?h+m+|m+[- ]?h[au]+|mhmm*|m+-m+", "mm-hm"),
        (r"(uh|ah|a)[- ]?huh|uhuh|ahuh", "uh-huh"),
        (r"m+", "mm"),
        (r"h+m+", "hm"),
        (r"aha+", "aha"),
        (r"a+h+", "ah"),
        (r"o+h+", "oh"),
        (r"u+m+|e+r*m+", "um"),
        (r"u+h+|e+r+|e+h+", "uh"),
        (r"ok|okey|o\.k|'?kay|mkay", "okay"),
        (r"alright", "all right"),
        (r"yea+h*|ya+|yah", "yeah"),
        (r"'?cause|'?cuz", "because"),
        (r"whats", "what's"),
    )
)
_EDGES = ' \t\n"`“”‘.,;:!?…()[]-–—*'
_LONGEST_TAG = 5  # words, as in "you know what I mean"


def plain(text: str) -> str:
    """Return a word without case, punctuation or the transcriber's way of spelling a hum; empty where nothing is left.

    >>> [plain(text) for text in ["Mmhmm,", "Don’t!", "O.K.", "UM…"]]
    ['mm-hm', "don't", 'okay', 'um']
    """
    bare = text.lower().replace("’", "'").strip(_EDGES).strip(_EDGES + "'")
    for pattern, spelling in _SPELLINGS:
        if pattern.fullmatch(bare):
            return spelling
    return bare


def plains(texts: Sequence[str]) -> list[str]:
    """Return the `plain` words of a text; what is only punctuation is dropped, "alright" gives two."""
    return [word for text in texts for word in plain(text).split()]


def ends_sentence(text: str) -> str:
    """Return the mark that ends a sentence after a word: ``.``, ``!``, ``?``, ``…`` for a trailing off, or nothing.

    >>> [ends_sentence(text) for text in ["torn.", 'why?"', "Well...", "so,", "I-"]]
    ['.', '?', '…', '', '']
    """
    bare = text.rstrip("\"'”’)] ")
    if bare.endswith(("..", "…")):
        return "…"
    return bare[-1] if bare and bare[-1] in ".!?" else ""


def sentence_marks(texts: Sequence[str]) -> list[str]:
    """Return the mark that ends a sentence after each word, as `ends_sentence`, but none for that of an abbreviation.

    A title never ends a sentence ("Dr. Nguyen"). A unit, a dotted abbreviation or a spelled letter ends one only
    before a word that may begin the next, and letters are spelled on.

    >>> sentence_marks(["Dr.", "May", "at", "9", "a.m.", "gave", "me", "20", "mg.", "I", "sleep."])
    ['', '', '', '', '', '', '', '', '.', '', '.']
    >>> sentence_marks(["It's", "K.", "O.", "W.", "That's", "it."])
    ['', '', '', '.', '', '.']
    """
    followings = [*texts[1:], ""]
    return [
        "" if mark == "." and _abbreviates(text, following) else mark
        for text, following, mark in zip(texts, followings, map(ends_sentence, texts), strict=True)
    ]


def _abbreviates(text: str, following: str) -> bool:
    """Whether the period after a word belongs to the word rather than to a sentence that ends there."""
    word = text.strip("\"'“”‘’()[] ").lower().removesuffix(".")
    if not following:
        return False
    if word in TITLES:
        return True
    if not (word in ABBREVIATED_UNITS or _LETTERS.fullmatch(word)):
        return False
    return following[:1].islower() or bool(_LETTERS.fullmatch(following.lower().rstrip(",.")) and "." in following)


def is_backchannel(texts: Sequence[str], longest: int = 4) -> bool:
    """Return whether words hold nothing but backchannels, at most ``longest`` of them, and ask nothing."""
    words = plains(texts)
    if not words or ends_sentence(texts[-1]) == "?":
        return False
    count, at = 0, 0
    while at < len(words):
        length = 2 if " ".join(words[at : at + 2]) in BACKCHANNELS else 1
        if " ".join(words[at : at + length]) not in BACKCHANNELS:
            return False
        count, at = count + 1, at + length
    return count <= longest


def tag_length(texts: Sequence[str]) -> int:
    """Return how many of the first words are a tag ("right?", "isn't it?", "you know?"); 0 where none is.

    A tag ends with a sentence mark or with the text.

    >>> tag_length(["isn't", "it?", "Hm."]), tag_length(["is", "it", "hard?"]), tag_length(["you", "know", "Sam?"])
    (2, 0, 0)
    """
    words = [plain(text) for text in texts[:_LONGEST_TAG]]
    for length in range(len(words), 0, -1):
        ended = length == len(texts) or ends_sentence(texts[length - 1]) != ""
        if ended and (" ".join(words[:length]) in TAGS or _is_inverted(words[:length])):
            return length
    return 0


def _is_inverted(words: Sequence[str]) -> bool:
    """An auxiliary, a pronoun and no more, perhaps behind a conjunction: "isn't it", "or do you"."""
    pair = words[1:] if words and words[0] in {"or", "and"} else words
    return len(pair) == 2 and pair[0] in AUXILIARIES and pair[1] in PRONOUNS


def opens_question(texts: Sequence[str]) -> bool:
    """Return whether words, after fillers and conjunctions, begin as a question or a request that does its work.

    >>> opens_question("So what would help".split()), opens_question("um do you drink".split())
    (True, True)
    >>> opens_question("what helps is walking".split()), opens_question("you do".split())
    (False, False)
    """
    words = plains(texts)
    while words and words[0] in FILLERS | CONJUNCTIONS | ACKNOWLEDGMENTS:
        words = words[1:]
    if not words:
        return False
    if any(words[: request.count(" ") + 1] == request.split() for request in _REQUESTS):
        return True
    if len(words) == 1:
        return words[0] in QUESTION_WORDS and ends_sentence(texts[-1]) == "?"
    if words[0] in AUXILIARIES:
        return words[1] in _SUBJECTS
    if words[0] not in QUESTION_WORDS or words[1] in _SUBJECTS:  # "what I like is the taste"
        return False
    if " ".join(words[:2]) in _QUESTION_STARTS or (words[0] in _ASKING_ALONE and words[1] in AUXILIARIES):
        return True
    if words[0] == "what" and words[1].endswith("s"):
        return not {"is", "was"} & set(words[2:5])
    return any(word in AUXILIARIES and following in _SUBJECTS for word, following in pairwise(words[1:7]))


def asks(texts: Sequence[str]) -> bool:
    """Return whether a stretch of talk ends in a question: by its mark, by a tag, or by how its last sentence opens."""
    if not texts:
        return False
    start = max((at for at in range(1, len(texts)) if ends_sentence(texts[at - 1]) in {".", "!", "?"}), default=0)
    last = texts[start:]
    for length in range(1, min(_LONGEST_TAG, len(last)) + 1):
        if tag_length(last[-length:]) == length:
            tag = plains(last[-length:])
            if " ".join(tag) in RHETORICAL_TAGS:
                return False
            if _is_inverted(tag) and length < len(last):
                return True
    return ends_sentence(last[-1]) == "?" or (not ends_sentence(last[-1]) and opens_question(last))
