"""Splits turns into utterances, one complete thought each.

A transcriber's punctuation is often missing or wrong, so `split_turn` weighs every hint that an utterance ends before a
word, and splits the turn where they add up to `SPLIT_THRESHOLD`:

=====================  ======  ======================================================================================
hint                   weight  why
=====================  ======  ======================================================================================
sentence mark             1.0  ``.``, ``!`` and ``?``; ``…`` trails off and counts .3
question opens             .6  "So you feel torn | what would help": a reflection and a question are two codes
comma before it           .35  transcribers join the two with one; not where "and" continues the same question
clause opens               .4  a subject, or "and" with a noun phrase, once the clause before is complete
pause                  to  .6  .6 for a second
no marks around            .3  the transcriber wrote none here, so the other hints have to suffice,
and sentence model         .2  such as spaCy's parser; where there are marks, they are more reliable
unfinished                -.8  nobody ends on "the", "my" or "to", or before repeating the same words
=====================  ======  ======================================================================================

Fillers and conjunctions ("um", "and so") belong to the utterance that follows, tags ("right?", "isn't it?") to the
statement before them. Lists stay whole, because none of their items is a clause.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Protocol

from pipeline.languages import is_foreign
from pipeline.lexicon import (
    AUXILIARIES,
    CONJUNCTIONS,
    DEMONSTRATIVES,
    DEPENDENT,
    DETERMINERS,
    EMBEDDING,
    FILLERS,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    QUOTING,
    TRAILERS,
    UNFINISHED,
    is_backchannel,
    opens_question,
    plain,
    sentence_marks,
    tag_length,
)
from pipeline.timeline import Role, Turn, Utterance, Word

# Chosen by hand for the reasons above; ``tests/coding/test_segmentation.py`` holds what they split, and "codes" of
# `make bench` moves with them.
SPLIT_THRESHOLD = 0.95
"""The sum of hints from which on a turn is split."""

# The weights of the table above.
SENTENCE_MARK = 1.0
TRAILING_OFF = 0.3
QUESTION = 0.6
COMMA_BEFORE_QUESTION = 0.35
CLAUSE = 0.4
PAUSE_OF_A_SECOND = 0.6
NO_MARKS_AROUND = 0.3
SENTENCE_MODEL = 0.2
UNFINISHED_UTTERANCE = -0.8

MAX_WORDS = 40
"""An utterance of more words is split at its most likely boundary, if hints add up to `LONG_SPLIT_THRESHOLD` there."""

LONG_SPLIT_THRESHOLD = 0.5
"""A pause of .8 s alone reaches it, a clause with one of .2 s: in so long an utterance a likely boundary is enough."""

FRAGMENT_PAUSE = 500
"""A pause in milliseconds from which on a word or two are an utterance rather than part of their neighbor."""

AUDIBLE_PAUSE = 150
"""The shortest pause in milliseconds that a listener notices."""

MAX_UNMARKED_WORDS = 25
"""Number of words without a sentence mark from which on the transcriber is assumed to write none."""

MIN_STATEMENT_WORDS = 3
"""Least number of words of a statement without a subject ("a whole month without a drink")."""

MAX_OPENING_WORDS = 12
"""Number of words within which a question must open."""


SECOND = 1000
"""A pause in milliseconds at which an utterance in another language ends."""

_FULL_STOPS = frozenset(".!?…。！？؟।")

SentenceFinder = Callable[[list[str]], list[list[int]]]
"""Returns for each text the indices of its words (separated by single blanks) at which a sentence may start."""


class RoleLookup(Protocol):
    """The roles of a tape's speakers."""

    def role(self, speaker: str) -> Role:
        """Return the role of a speaker."""
        ...


def utterances(
    turns: Sequence[Turn],
    roles: RoleLookup,
    find_sentences: SentenceFinder,
    first_words: Collection[Word] | None = None,
) -> tuple[Utterance, ...]:
    """Split turns into utterances, ordered by start; every word is in exactly one.

    Parameters
    ----------
    turns: as `speech.turns.turns` returns them; an utterance refers to its turn by index.
    roles: the role of each speaker.
    find_sentences: a language model's sentence starts; `coding.sentences` has spaCy's.
    first_words: where somebody has split the speech into utterances already, the words at which these begin.
    """
    if first_words is None:
        parts = _split_turns(turns, find_sentences)
    else:
        parts = [_split_before(turn.words, first_words) for turn in turns]
    split = [
        Utterance(number, turn.speaker, roles.role(turn.speaker), words)
        for number, turn in enumerate(turns)
        for words in parts[number]
    ]
    return tuple(sorted(split, key=lambda utterance: (utterance.span.start, utterance.turn)))


def _split_turns(turns: Sequence[Turn], find_sentences: SentenceFinder) -> list[list[tuple[Word, ...]]]:
    """Split each turn; no utterance is in two languages. The hints are for English, others are split at their marks."""
    stretches = [
        (number, language, tuple(words))
        for number, turn in enumerate(turns)
        for language, words in groupby(turn.words, lambda word: word.language)
    ]
    in_english = [words for _, language, words in stretches if not is_foreign(language)]
    starts = iter(find_sentences([" ".join(word.text for word in words) for words in in_english]))
    parts: list[list[tuple[Word, ...]]] = [[] for _ in turns]
    for number, language, words in stretches:
        parts[number] += _split_at_marks(words) if is_foreign(language) else split_turn(words, next(starts))
    return parts


def _split_at_marks(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """Split words of another language after each sentence mark, and at pauses of a second."""
    cuts = [
        at
        for at in range(1, len(words))
        if words[at - 1].text.rstrip("\"'”’»)] ")[-1:] in _FULL_STOPS
        or words[at].span.start - words[at - 1].span.end >= SECOND
    ]
    return [tuple(words[start:end]) for start, end in pairwise([0, *cuts, len(words)])]


def _split_before(words: Sequence[Word], first_words: Collection[Word]) -> list[tuple[Word, ...]]:
    """Split the words of one turn before each of the first words."""
    cuts = [0, *(at for at in range(1, len(words)) if words[at] in first_words), len(words)]
    return [tuple(words[start:end]) for start, end in pairwise(cuts)]


def split_turn(words: Sequence[Word], starts: Sequence[int]) -> list[tuple[Word, ...]]:
    """Split the words of one turn into utterances; each word is in exactly one, and their order is kept.

    Parameters
    ----------
    words: the words of one turn, in order.
    starts: indices of the words at which a sentence starts by a language model.
    """
    hints = _TurnHints(words, frozenset(starts))
    cuts = [0]
    for at in range(1, len(words)):
        if hints.total(cuts[-1], at) >= SPLIT_THRESHOLD:
            cuts.append(at)
    pieces = _merge_fragments(hints, cuts)
    return [tuple(words[first:last]) for piece in pieces for first, last in _split_long(hints, *piece)]


class _TurnHints:
    """The words of one turn, and the hints before each of them that an utterance ends there."""

    def __init__(self, words: Sequence[Word], starts: frozenset[int]) -> None:
        self.words = words
        self.texts = [word.text for word in words]
        self.plain = [plain(text) for text in self.texts]
        self.marks = sentence_marks(self.texts)
        self.starts = starts
        self._unmarked = self._without_marks()

    def pause(self, at: int) -> int:
        """Return the silence before a word, in ms."""
        return max(0, self.words[at].span.start - self.words[at - 1].span.end)

    def total(self, first: int, at: int) -> float:
        """Return the sum of the hints that an utterance that began at word ``first`` ends before word ``at``."""
        if tag_length(self.texts[at:]) or (self.leads(at - 1) and not self.marks[at - 1]):
            return 0.0
        lead = self._lead(at)
        gaps = range(at, lead + 1)
        mark = {"": 0.0, "…": TRAILING_OFF}.get(self.marks[at - 1], SENTENCE_MARK)
        return (
            mark
            + self._opening(first, at, lead)
            + PAUSE_OF_A_SECOND * min(max(map(self.pause, gaps)), 1000) / 1000
            + self._unmarked[at - 1] * (NO_MARKS_AROUND + SENTENCE_MODEL * any(gap in self.starts for gap in gaps))
            + UNFINISHED_UTTERANCE * (not mark and self._unfinished(first, at))
        )

    def _lead(self, at: int) -> int:
        """Return the first word at or after ``at`` that is no filler or conjunction."""
        lead = at
        while lead < len(self.words) - 1 and self.leads(lead):
            lead += 1
        return lead

    def leads(self, at: int) -> bool:
        """Whether a word belongs to what follows; a pause after it distinguishes "what then" from "then what"."""
        word = self.plain[at]
        if word in TRAILERS and 0 < at < len(self.words) - 1 and not self.marks[at - 1]:
            return self.pause(at) >= AUDIBLE_PAUSE or self.pause(at + 1) < AUDIBLE_PAUSE
        return word in FILLERS | CONJUNCTIONS | TRAILERS

    def _unfinished(self, first: int, at: int) -> bool:
        last = self.plain[at - 1]
        lead, begun = self._lead(at), self._lead(first)
        restarted = at - begun > 1 and self.plain[lead : lead + 2] == self.plain[begun : begun + 2]
        return restarted or last in UNFINISHED or last == self.plain[at] or self.texts[at - 1].endswith(("-", "–", "—"))

    def _opening(self, first: int, at: int, lead: int) -> float:
        """Return the weight of a question or clause that opens at ``at``, if the utterance before it is complete."""
        if opens_question(self._sentence(lead)) and not self._embeds(first, at):
            joined = self.texts[at - 1].endswith(",") and not self._linked(at, lead)
            return (QUESTION + COMMA_BEFORE_QUESTION * joined) * self._may_precede_question(first, at)
        following = self.plain[min(lead + 1, len(self.plain) - 1)]
        opens = _opens_clause(self.plain[lead], following) or (
            self._linked(at, lead) and self.plain[lead] in DETERMINERS
        )
        return CLAUSE * (opens and self._complete(first, at))

    def _linked(self, at: int, lead: int) -> bool:
        """Whether a conjunction stands between ``at`` and the first word of the utterance proper."""
        return not CONJUNCTIONS.isdisjoint(self.plain[at:lead])

    def _may_precede_question(self, first: int, at: int) -> bool:
        """Whether the words before ``at`` are more than a start such as "on a scale from zero to ten"."""
        start = self.plain[self._lead(first)]
        return self._complete(first, at) or not (start in DEPENDENT | PREPOSITIONS or at - first < MIN_STATEMENT_WORDS)

    def _sentence(self, at: int) -> list[str]:
        """Return the words in which a question must open: to the next mark, and at most `MAX_OPENING_WORDS`."""
        marked = (index for index in range(at, min(at + MAX_OPENING_WORDS, len(self.words))) if self.marks[index])
        return self.texts[at : next(marked, at + MAX_OPENING_WORDS - 1) + 1]

    def _complete(self, first: int, at: int) -> bool:
        """Whether the words before ``at`` contain a main clause, judged by their subjects."""
        lead = self._lead(first)
        clauses = sum(_opens_clause(*pair) for pair in pairwise(self.plain[lead:at]))
        return clauses >= (2 if self.plain[lead] in DEPENDENT else 1) or opens_question(self.texts[lead:at])

    def _embeds(self, first: int, at: int) -> bool:
        """Whether what looks like the opening of a question continues the clause before it."""
        if self.marks[at - 1]:
            return False
        if self.plain[at] in QUESTION_WORDS:
            return self.plain[at - 1] in EMBEDDING
        if self.plain[at - 1] in QUOTING:
            return True
        if self.pause(at) >= AUDIBLE_PAUSE:
            return False
        before = self.plain[max(first, at - 4) : at]  # "how many drinks | do you"
        question_words = [index for index, word in enumerate(before) if word in QUESTION_WORDS]
        return bool(question_words) and not any(word in AUXILIARIES for word in before[question_words[-1] :])

    def _without_marks(self) -> list[bool]:
        """For each word, whether it lies in a stretch with too few sentence marks to rely on them."""
        unmarked: list[bool] = []
        while len(unmarked) < len(self.words):
            first = len(unmarked)
            last = next((at for at in range(first, len(self.words)) if self.marks[at]), len(self.words))
            unmarked += [last == len(self.words) or last - first > MAX_UNMARKED_WORDS] * (
                min(last + 1, len(self.words)) - first
            )
        return unmarked


def _opens_clause(word: str, following: str) -> bool:
    """Whether a word is a clause's subject: "that is" and "that's", not the object in "when you think of it"."""
    pronoun, *contracted = word.split("'")
    if pronoun not in PRONOUNS or following in DETERMINERS:
        return False
    return bool(contracted) or pronoun not in DEMONSTRATIVES or following in AUXILIARIES


def _merge_fragments(hints: _TurnHints, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first word of each piece between cuts and one beyond its last, with fragments merged into a neighbor.

    Fillers join what follows. A word or two and backchannels join what follows or else what precedes, unless a pause
    separates them from it. A question is never merged, however short it is.
    """
    pieces: list[tuple[int, int]] = []
    bounds = [*cuts, len(hints.words)]
    first = 0
    for last in bounds[1:]:
        ending = last == len(hints.words)
        size = _weight(hints, first, last)
        if size < 2 and not ending and (size == 0 or hints.pause(last) < FRAGMENT_PAUSE):
            continue
        if size < 2 and pieces and (size == 0 or hints.pause(first) < FRAGMENT_PAUSE):
            pieces[-1] = (pieces[-1][0], last)
        else:
            pieces.append((first, last))
        first = last
    return pieces


def _weight(hints: _TurnHints, first: int, last: int) -> int:
    """Return the number of content words of a piece, and at least 2 for a question, so that it is never merged."""
    if hints.marks[last - 1] == "?" and not all(hints.leads(at) for at in range(first, last)):
        return 2
    if is_backchannel(hints.texts[first:last]):
        return 1
    return sum(bool(hints.plain[at]) and not hints.leads(at) for at in range(first, last))


def _split_long(hints: _TurnHints, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield a piece, split at its most likely boundaries while it is longer than `MAX_WORDS`."""
    if last - first > MAX_WORDS:
        best = max(range(first + 5, last - 4), key=lambda at: hints.total(first, at))
        if hints.total(first, best) >= LONG_SPLIT_THRESHOLD:
            yield from _split_long(hints, first, best)
            yield from _split_long(hints, best, last)
            return
    yield first, last
