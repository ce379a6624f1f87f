"""Sentences about charts and comparisons on the coach's and the members' pages: no more than the data show."""

from __future__ import annotations

import pandas as pd

from pipeline.coding.codebook import Codebook
from pipeline.measures.drift.control_chart import CALIBRATION_TAPES
from pipeline.measures.reliability.comparisons import coders_without_family
from pipeline.measures.reliability.rating_matrix import MACHINE, RatingMatrix

MIN_TAPES = CALIBRATION_TAPES + 1
"""Tapes that a chart needs before it can show anything."""

TOO_FEW = "too few tapes"

FAMILIES = {
    "question": "Questions",
    "reflection": "Reflections",
    "affirmation": "Affirmations",
    "summary": "Summaries",
    "information": "Information",
    "mi_adherent": "MI-adherent",
    "mi_non_adherent": "MI non-adherent",
    "client_talk": "Change and sustain talk",
    "other": "Other",
}


def family_label(name: str) -> str:
    """Return a family of codes in words."""
    return FAMILIES.get(name) or name.replace("_", " ").capitalize()


def family_in_sentence(name: str) -> str:
    """Return a family of codes in words, as within a sentence."""
    words = family_label(name)
    return words if words.startswith("MI") else words[:1].lower() + words[1:]


def unchanged_sentence(table: pd.DataFrame) -> str:
    """Return the sentence for charts without a finding, of a table of `pipeline.measures.drift.drift.detect_drift`."""
    if table.empty:
        return "It is too early for a conclusion."
    watching = int(table["state"].ne(TOO_FEW).sum())
    if not watching:
        return f"Too early: {int(table['tapes'].max())} of {MIN_TAPES} tapes."
    if watching == len(table):
        return "Nobody's coding has changed."
    charts = "the one chart that has" if watching == 1 else f"the {watching} charts that have"
    return f"Nobody's coding has changed in {charts} {MIN_TAPES} tapes or more."


def too_early_phrases(table: pd.DataFrame) -> list[str]:
    """Return who has charts with too few tapes, and the most tapes of them: "Ada, 1 of 6 tapes"."""
    few = table[table["state"] == TOO_FEW].groupby("coder", sort=True)["tapes"].max()
    return [f"{_coder_label(str(coder))}, {tapes} of {MIN_TAPES} tapes" for coder, tapes in few.items()]


FOREIGN = (
    "Speech in another language than English is compared only between those who coded it by hand: nobody else has left "
    "it without a code."
)
"""What pages of agreement say where a tape is not all in English."""


def not_compared_sentences(
    panel: RatingMatrix, book: Codebook, viewer_name: str | None = None, everybody: bool = True
) -> list[str]:
    """Return one sentence per family that some people could not code, with their names.

    Parameters
    ----------
    book: the codebook in which the page shows codes.
    viewer_name: the viewer's name; with ``everybody`` False nobody else is named.
    """
    people = {coder for layer, coder in panel.coders if layer != MACHINE}
    sentences = []
    for name, coders in coders_without_family(panel).items():
        lacking = [coder for coder in coders if coder in people]
        if people and set(lacking) == people:
            reason = "nobody had it as a task" if name in book.families() else f"{book.label} has no codes for it"
            sentences.append(
                f"{family_label(name)}: coded by the machine only. Nobody is compared on it because {reason}."
            )
            continue
        named_coders = lacking if everybody else [coder for coder in lacking if coder == viewer_name]
        if named_coders:
            who = "you" if named_coders == [viewer_name] else ", ".join(_coder_label(coder) for coder in named_coders)
            sentences.append(
                f"Not compared on {family_in_sentence(name)}, because the task or the codebook did not include it: "
                f"{who}."
            )
    return sentences


def _coder_label(coder: str) -> str:
    return f"the {coder}" if coder in ("group", "consensus", "machine") else coder
