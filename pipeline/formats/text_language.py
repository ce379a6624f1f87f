"""Which language each utterance of a text is in; for transcripts, where no sound says it.

The detector is py3langid (BSD licence, 4.5 MB, numpy alone): naive Bayes over byte sequences, 0.6 ms for an utterance.
Of AnnoMI's English utterances it doubts 93 % of those with one or two words, 4 % of those with five to eight and none
of the longer ones. So short utterances have little weight, and neighbors decide together, as they do in sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from pipeline import languages
from pipeline.languages import AUTO, ENGLISH, NAMES
from pipeline.lexicon import ends_sentence

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_NO_WEIGHT, _FULL_WEIGHT = 2, 8
"""Words up to which an utterance says nothing of its language, and from which it has its full weight."""

_CHANGE_COST, _ENGLISH_BONUS = 0.6, 0.5
"""The cost of a change of language, and what speaks for English, in log odds of an utterance of full weight, as
`languages.foreign_stretches` takes them; chosen here on the
texts of its tests."""

_RUN_WEIGHT = 0.4
"""The least weight of all utterances of a foreign run: "sí, claro" within English is none."""


_LEAST_WEIGHT = 1.0
"""A tape whose utterances weigh less together is taken as one text: "Sí." "Claro." "Más o menos." """


def of_utterances(texts: Sequence[str], given: str = AUTO) -> list[str]:
    """Return the language of each utterance of one tape, in order of speech; ``given`` is that of all, or "auto"."""
    if given != AUTO:
        return [given] * len(texts)
    if len(texts) > 1 and sum(map(_weight, texts)) < _LEAST_WEIGHT:
        return of_utterances([" ".join(texts)]) * len(texts)
    probabilities = [_probabilities(text) for text in texts]
    weights = [_weight(text) for text in texts]
    english = [shares.get(ENGLISH, 0.0) for shares in probabilities]
    foreign = languages.foreign_stretches(list(zip(english, weights, strict=True)), _CHANGE_COST, _ENGLISH_BONUS)
    runs = [
        [index for _, index in run] for _, run in groupby(zip(foreign, range(len(texts)), strict=True), itemgetter(0))
    ]
    foreign_runs = [run for run in runs if foreign[run[0]] and sum(weights[index] for index in run) >= _RUN_WEIGHT]
    in_runs = [_probabilities(" ".join(texts[index] for index in run)) for run in foreign_runs]
    on_tape: dict[str, float] = {}
    for run, shares in zip(foreign_runs, in_runs, strict=True):
        for language, share in shares.items():
            on_tape[language] = on_tape.get(language, 0.0) + share * len(run)
    labels = [ENGLISH] * len(texts)
    for run, shares in zip(foreign_runs, in_runs, strict=True):
        others = [language for language in shares if language != ENGLISH]
        likeliest = max(others, key=lambda language: shares[language] * on_tape[language])
        for index in run:
            labels[index] = likeliest
    return labels


def of_words(turns: Sequence[str], given: str = AUTO) -> list[str]:
    """Return the language of each word of all turns, in order: those of a sentence are in one language."""
    sentences: list[list[str]] = []
    for turn in turns:
        begins = True
        for word in turn.split():
            if begins:
                sentences.append([])
            sentences[-1].append(word)
            begins = bool(ends_sentence(word))
    labels = of_utterances([" ".join(sentence) for sentence in sentences], given)
    return [label for label, sentence in zip(labels, sentences, strict=True) for _ in sentence]


def _weight(text: str) -> float:
    """How much an utterance says of its language, from 0 to 1: by its words, or by its letters in other scripts."""
    words = max(len([word for word in text.split() if any(map(str.isalpha, word))]), _foreign_letters(text) // 2)
    return min(1.0, max(0.0, (words - _NO_WEIGHT) / (_FULL_WEIGHT - _NO_WEIGHT)))


def _foreign_letters(text: str) -> int:
    """The number of letters in other scripts than Latin."""
    return sum(letter.isalpha() and ord(letter) > _LAST_LATIN for letter in text)


_LAST_LATIN = 0x24F  # the end of Unicode's block Latin Extended-B


def _probabilities(text: str) -> dict[str, float]:
    return {language: float(share) for language, share in _identifier().rank(text)}


@cache
def _identifier() -> LanguageIdentifier:
    """The detector, for the languages that we have names for; loading it takes a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(set(NAMES) & set(identifier.labels)))
    return identifier
