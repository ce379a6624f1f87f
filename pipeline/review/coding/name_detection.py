"""Names on a tape: found by spaCy for review, or marked by hand; a masked one nobody but the interviewer gets.

The list is a proposal. What is masked is an event like every correction: the text shows a bar, the sound is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline import model_catalog
from pipeline.errors import ModelError
from pipeline.review.coding.corrections import Utterance, Word
from pipeline.settings import Settings

NAME_KINDS = {"PERSON": "person", "GPE": "place", "LOC": "place", "FAC": "place", "ORG": "organization"}
"""What a name may be of, in spaCy's words and in ours."""

CONTEXT_WORDS = 4
"""Words shown before and after."""


@dataclass(frozen=True)
class DetectedName:
    """A name that may have to be masked, and where it stands."""

    words: tuple[Word, ...]
    kind: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """The name."""
        return " ".join(word.text for word in self.words)

    @property
    def masked(self) -> bool:
        """Whether it is masked already."""
        return all(word.masked for word in self.words)


def detect_names(utterances: Sequence[Utterance], settings: Settings) -> list[DetectedName]:
    """What looks like a name, and every word that is masked, in order of time.

    Without the language model only the masked words are listed: names can be marked by hand all the same.
    """
    texts = [" ".join(word.text for word in said.words) for said in utterances]
    try:
        spans = _name_spans(texts, settings)
    except ModelError:
        spans = [[] for _ in texts]
    found = []
    for said, places in zip(utterances, spans, strict=True):
        taken: set[str] = set()
        for first, last, kind in places:
            found.append(_detected_name(said, first, last, kind))
            taken |= {word.id for word in said.words[first:last]}
        found += [
            _detected_name(said, at, at + 1, "by hand")
            for at, word in enumerate(said.words)
            if word.masked and word.id not in taken
        ]
    return found


def _detected_name(said: Utterance, first: int, last: int, kind: str) -> DetectedName:
    words = said.words
    return DetectedName(
        words[first:last],
        kind,
        " ".join(word.text for word in words[max(0, first - CONTEXT_WORDS) : first]),
        " ".join(word.text for word in words[last : last + CONTEXT_WORDS]),
    )


def _name_spans(texts: Sequence[str], settings: Settings) -> list[list[tuple[int, int, str]]]:
    """First word, word after the last, and kind of each name in each text; words are parted by single blanks."""
    found = []
    for text, document in zip(texts, _language_model(settings).pipe(texts), strict=True):
        starts = [0]
        for word in text.split(" "):
            starts.append(starts[-1] + len(word) + 1)
        places = []
        for entity in document.ents:
            kind = NAME_KINDS.get(entity.label_)
            first = sum(start <= entity.start_char for start in starts) - 1
            last = sum(start < entity.end_char for start in starts)
            if kind and first < last <= len(starts) - 1:
                places.append((first, last, kind))
        found.append(places)
    return found


def _language_model(settings: Settings) -> Any:
    return _load_language_model(str(model_catalog.locate(settings.coding.sentences, settings.models)))


@cache
def _load_language_model(folder: str) -> Any:
    import spacy

    return spacy.load(folder, exclude=["parser", "lemmatizer", "attribute_ruler"])
