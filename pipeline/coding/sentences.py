"""Finds where a sentence may start, by spaCy's English model: one of the hints that `coding.segmentation` weighs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import model_catalog
from pipeline.errors import ModelError
from pipeline.settings import Settings

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

BATCH = 64
"""Number of texts in a batch."""


class SpacySentenceFinder:
    """Finds where a sentence may start; the model loads at the first call.

    Parameters
    ----------
    folder: spaCy's model folder, as `spacy.load` takes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._language: Language | None = None

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Return for each text the indices after 0 of the words, separated by single blanks, that may start a sentence.

        Raises
        ------
        ModelError: M07 the folder holds no spaCy model that parses.
        """
        if self._language is None:
            self._language = _load(self.folder)
        documents = self._language.pipe(texts, batch_size=BATCH)
        return [_starts(document) for document in documents]


def load(settings: Settings) -> SpacySentenceFinder:
    """Return the sentence finder that the settings name.

    Raises
    ------
    ModelError: M01 the model is not installed, M02 its name is unknown.
    """
    return SpacySentenceFinder(model_catalog.folder(settings.coding.sentences, settings.models))


def _load(folder: Path) -> Language:
    import spacy

    try:
        language = spacy.load(folder, exclude=["ner", "lemmatizer", "attribute_ruler", "tagger"])
    except (OSError, ValueError) as error:
        remedy = "fetch it again with `tape-review models --fetch`"
        raise ModelError("M07", f"language model {folder}", f"cannot be loaded with spaCy ({error})", remedy) from error
    if not {"parser", "senter"} & set(language.pipe_names):
        raise ModelError("M07", f"language model {folder}", "finds no sentences", "name a spaCy model with a parser")
    return language


def _starts(document: Doc) -> list[int]:
    """Return the indices of the words at which sentences start, by counting the blanks before each."""
    words = {document.text.count(" ", 0, sentence.start_char) for sentence in document.sents}
    return sorted(words - {0})
