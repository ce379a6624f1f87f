"""Where one thought ends and the next begins, within the words of a turn.

A transcriber's punctuation is often missing or wrong, so `thoughts` weighs every hint that a thought ends before a
word, and parts the turn where they sum up to `PART`:

=====================  ======  ======================================================================================
hint                   weight  why
=====================  ======  ======================================================================================
sentence mark             1.0  ``.``, ``!`` and ``?``; ``…`` trails off and counts .3
question opens             .6  "So you feel torn | what would help": a reflection and a question are two codes
comma before it           .35  transcribers join the two with one; not where "and" goes on with the same question
clause opens               .4  a subject, or "and" with a noun phrase, once the clause before is complete
pause                  to  .6  .6 for a second
no marks around            .3  the transcriber wrote none here, so the other hints have to do,
and sentence model         .2  such as spaCy's parser; where there are marks, they know better
unfinished                -.8  nobody ends on "the", "my" or "to", nor before saying the same words again
=====================  ======  ======================================================================================

Fillers and conjunctions ("um", "and so") go with the thought that they lead into, tags ("right?", "isn't it?") with the
statement that they hang on; lists stay whole, because none of their items is a clause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

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
    ends_sentence,
    is_backchannel,
    opens_question,
    plain,
    tag_length,
)
from pipeline.timeline import Word

PART = 0.95
"""Hints that sum up to this part two thoughts."""

SENTENCE_MARK = 1.0
TRAILING_OFF = 0.3
QUESTION = 0.6
COMMA_BEFORE_QUESTION = 0.35
CLAUSE = 0.4
PAUSE_OF_A_SECOND = 0.6
NO_MARKS_AROUND = 0.3
SENTENCE_MODEL = 0.2
UNFINISHED_THOUGHT = -0.8

LONG = 40
"""A thought of more words than this is parted at its best place, if hints sum up to `PART_LONG` there."""

PART_LONG = 0.5

TOGETHER = 500
"""A pause in milliseconds after which a word or two stand alone rather than go with their neighbor."""

BREATH = 150
"""A pause in milliseconds that a listener hears."""

STALE = 25
"""Words without a sentence mark after which the transcriber is taken to write none."""

SENTENCE = 3
"""Words that a statement without a subject ("a whole month without a drink") has at least."""

OPENING = 12
"""Words in which a question has to open."""


def thoughts(words: Sequence[Word], starts: Sequence[int]) -> list[tuple[Word, ...]]:
    """The words of one turn, parted into complete thoughts; each word is in exactly one, in its place.

    Parameters
    ----------
    words: of one turn, in order.
    starts: indices of the words at which a language model sees a sentence start.
    """
    speech = _Speech(words, frozenset(starts))
    cuts = [0]
    for at in range(1, len(words)):
        if speech.hints(cuts[-1], at) >= PART:
            cuts.append(at)
    pieces = _without_fragments(speech, cuts)
    return [tuple(words[first:last]) for piece in pieces for first, last in _shortened(speech, *piece)]


class _Speech:
    """The words of one turn, and what hints at the end of a thought before each of them."""

    def __init__(self, words: Sequence[Word], starts: frozenset[int]) -> None:
        self.words = words
        self.texts = [word.text for word in words]
        self.plain = [plain(text) for text in self.texts]
        self.marks = [ends_sentence(text) for text in self.texts]
        self.starts = starts
        self._unmarked = self._without_marks()

    def pause(self, at: int) -> int:
        """Milliseconds of silence before a word."""
        return max(0, self.words[at].span.start - self.words[at - 1].span.end)

    def hints(self, first: int, at: int) -> float:
        """The sum of the hints that a thought, begun at word ``first``, ends before word ``at``."""
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
            + UNFINISHED_THOUGHT * (not mark and self._unfinished(first, at))
        )

    def _lead(self, at: int) -> int:
        """The first word at or after ``at`` that is no filler or conjunction: where the thought proper begins."""
        lead = at
        while lead < len(self.words) - 1 and self.leads(lead):
            lead += 1
        return lead

    def leads(self, at: int) -> bool:
        """Whether a word leads into what follows; a pause behind it tells "what then" from "then what"."""
        word = self.plain[at]
        if word in TRAILERS and 0 < at < len(self.words) - 1 and not self.marks[at - 1]:
            return self.pause(at) >= BREATH or self.pause(at + 1) < BREATH
        return word in FILLERS | CONJUNCTIONS | TRAILERS

    def _unfinished(self, first: int, at: int) -> bool:
        last = self.plain[at - 1]
        lead, begun = self._lead(at), self._lead(first)
        restarted = at - begun > 1 and self.plain[lead : lead + 2] == self.plain[begun : begun + 2]
        return restarted or last in UNFINISHED or last == self.plain[at] or self.texts[at - 1].endswith(("-", "–", "—"))

    def _opening(self, first: int, at: int, lead: int) -> float:
        """The weight of a question or a clause that opens at ``at``, once the thought before is complete."""
        if opens_question(self._sentence(lead)) and not self._embeds(first, at):
            joined = self.texts[at - 1].endswith(",") and not self._linked(at, lead)
            return (QUESTION + COMMA_BEFORE_QUESTION * joined) * self._may_precede_question(first, at)
        following = self.plain[min(lead + 1, len(self.plain) - 1)]
        opens = _opens_clause(self.plain[lead], following) or (
            self._linked(at, lead) and self.plain[lead] in DETERMINERS
        )
        return CLAUSE * (opens and self._complete(first, at))

    def _linked(self, at: int, lead: int) -> bool:
        """Whether a conjunction stands between ``at`` and the first word of the thought proper."""
        return not CONJUNCTIONS.isdisjoint(self.plain[at:lead])

    def _may_precede_question(self, first: int, at: int) -> bool:
        """Whether the words before ``at`` are no mere start of what follows: "on a scale from zero to ten"."""
        start = self.plain[self._lead(first)]
        return self._complete(first, at) or not (start in DEPENDENT | PREPOSITIONS or at - first < SENTENCE)

    def _sentence(self, at: int) -> list[str]:
        """The next words, as far as a question has to open in them: `OPENING` at most, and to the next mark."""
        marked = (place for place in range(at, min(at + OPENING, len(self.words))) if self.marks[place])
        return self.texts[at : next(marked, at + OPENING - 1) + 1]

    def _complete(self, first: int, at: int) -> bool:
        """Whether the words before ``at`` hold a main clause, as far as their subjects tell."""
        lead = self._lead(first)
        clauses = sum(_opens_clause(*pair) for pair in pairwise(self.plain[lead:at]))
        return clauses >= (2 if self.plain[lead] in DEPENDENT else 1) or opens_question(self.texts[lead:at])

    def _embeds(self, first: int, at: int) -> bool:
        """Whether what looks like a question's opening goes on with the clause before it."""
        if self.marks[at - 1]:
            return False
        if self.plain[at] in QUESTION_WORDS:
            return self.plain[at - 1] in EMBEDDING
        if self.plain[at - 1] in QUOTING:
            return True
        if self.pause(at) >= BREATH:
            return False
        before = self.plain[max(first, at - 4) : at]  # "how many drinks | do you"
        asked = [place for place, word in enumerate(before) if word in QUESTION_WORDS]
        return bool(asked) and not any(word in AUXILIARIES for word in before[asked[-1] :])

    def _without_marks(self) -> list[bool]:
        """For each word whether it lies in a stretch that has too few sentence marks to be trusted."""
        unmarked: list[bool] = []
        while len(unmarked) < len(self.words):
            first = len(unmarked)
            last = next((at for at in range(first, len(self.words)) if self.marks[at]), len(self.words))
            unmarked += [last == len(self.words) or last - first > STALE] * (min(last + 1, len(self.words)) - first)
        return unmarked


def _opens_clause(word: str, following: str) -> bool:
    """Whether a word is a clause's subject: "that is" and "that's", not the object in "when you think of it"."""
    pronoun, *contracted = word.split("'")
    if pronoun not in PRONOUNS or following in DETERMINERS:
        return False
    return bool(contracted) or pronoun not in DEMONSTRATIVES or following in AUXILIARIES


def _without_fragments(speech: _Speech, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Pieces between cuts, where what is no thought of its own has joined a neighbor.

    Fillers join what follows; a word or two and listener noises join what follows or else what precedes, unless a pause
    parts them from it. A question stands alone however short it is.
    """
    pieces: list[tuple[int, int]] = []
    bounds = [*cuts, len(speech.words)]
    first = 0
    for last in bounds[1:]:
        ending = last == len(speech.words)
        size = _weight(speech, first, last)
        if size < 2 and not ending and (size == 0 or speech.pause(last) < TOGETHER):
            continue
        if size < 2 and pieces and (size == 0 or speech.pause(first) < TOGETHER):
            pieces[-1] = (pieces[-1][0], last)
        else:
            pieces.append((first, last))
        first = last
    return pieces


def _weight(speech: _Speech, first: int, last: int) -> int:
    """How many words of a piece say something; a question weighs enough to stand alone."""
    if speech.marks[last - 1] == "?" and not all(speech.leads(at) for at in range(first, last)):
        return 2
    if is_backchannel(speech.texts[first:last]):
        return 1
    return sum(bool(speech.plain[at]) and not speech.leads(at) for at in range(first, last))


def _shortened(speech: _Speech, first: int, last: int) -> Iterator[tuple[int, int]]:
    """A piece, parted at its best places while it is longer than `LONG`."""
    if last - first > LONG:
        best = max(range(first + 5, last - 4), key=lambda at: speech.hints(first, at))
        if speech.hints(first, best) >= PART_LONG:
            yield from _shortened(speech, first, best)
            yield from _shortened(speech, best, last)
            return
    yield first, last
