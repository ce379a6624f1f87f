"""Names on a tape: detected by spaCy for review, or marked by hand; only the interviewer gets a masked one.

The list is a proposal. What is masked is an event like every correction: the text shows a bar, the sound is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline import model_catalog
from pipeline.errors import ModelError
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from pipeline.settings import Settings

NAME_KINDS = {"PERSON": "person", "GPE": "place", "LOC": "place", "FAC": "place", "ORG": "organization"}
"""spaCy's entity labels -> kinds of names."""

CONTEXT_WORDS = 4
"""Words shown before and after."""


@dataclass(frozen=True)
class DetectedName:
    """A name that may have to be masked, with the words around it."""

    words: tuple[CorrectedWord, ...]
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


def detect_names(utterances: Sequence[CorrectedUtterance], settings: Settings) -> list[DetectedName]:
    """Return possible names and all masked words, in order of time.

    Without the language model only the masked words are listed: names can be marked by hand all the same.
    """
    texts = [" ".join(word.text for word in utterance.words) for utterance in utterances]
    try:
        spans = _name_spans(texts, settings)
    except ModelError:
        spans = [[] for _ in texts]
    names = []
    for utterance, name_spans in zip(utterances, spans, strict=True):
        detected_ids: set[str] = set()
        for first, last, kind in name_spans:
            names.append(_detected_name(utterance, first, last, kind))
            detected_ids |= {word.id for word in utterance.words[first:last]}
        names += [
            _detected_name(utterance, index, index + 1, "by hand")
            for index, word in enumerate(utterance.words)
            if word.masked and word.id not in detected_ids
        ]
    return names


def _detected_name(utterance: CorrectedUtterance, first: int, last: int, kind: str) -> DetectedName:
    words = utterance.words
    return DetectedName(
        words[first:last],
        kind,
        " ".join(word.text for word in words[max(0, first - CONTEXT_WORDS) : first]),
        " ".join(word.text for word in words[last : last + CONTEXT_WORDS]),
    )


def _name_spans(texts: Sequence[str], settings: Settings) -> list[list[tuple[int, int, str]]]:
    """Return (first word, word after the last, kind) of each name in each text; single blanks part words."""
    spans_by_text = []
    for text, document in zip(texts, _language_model(settings).pipe(texts), strict=True):
        starts = [0]
        for word in text.split(" "):
            starts.append(starts[-1] + len(word) + 1)
        name_spans = []
        for entity in document.ents:
            kind = NAME_KINDS.get(entity.label_)
            first = sum(start <= entity.start_char for start in starts) - 1
            last = sum(start < entity.end_char for start in starts)
            if kind and first < last <= len(starts) - 1:
                name_spans.append((first, last, kind))
        spans_by_text.append(name_spans)
    return spans_by_text


def _language_model(settings: Settings) -> Any:
    return _load_language_model(str(model_catalog.locate(settings.coding.sentences, settings.models)))


@cache
def _load_language_model(folder: str) -> Any:
    import spacy

    return spacy.load(folder, exclude=["parser", "lemmatizer", "attribute_ruler"])
