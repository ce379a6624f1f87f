"""Masked names: the masked words of the recording, and their time spans.

A mask is on words of the recording, which never change, and so on their times. What others correct, take back or do
again afterwards decides how the words are spelled, never whether they are masked: people other than the interviewer can
only add masks. A word that was added to the transcript stands for a gap between two words (see
`corrections.CorrectedWord`), and the gap is masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.review.coding.code_events import in_effect
from pipeline.review.coding.corrections import MASK, CorrectedUtterance, Correction
from pipeline.timeline import Span

_MARGIN_MS = 60  # ms around a masked name: words' times are not exact


def permitted_corrections(changes: Sequence[tuple[Correction, bool]]) -> list[Correction]:
    """Return the permitted corrections, with every mask on words of the recording.

    Parameters
    ----------
    changes: all of a tape in order of time, each with whether the interviewer made it. Only the interviewer shows a
        masked name, or takes a mask back.
    """
    known = {correction.id: correction for correction, _ in changes}
    texts = [correction for correction, _ in changes if correction.kind == "text" and not correction.undoes]
    permitted = []
    for correction, by_interviewer in changes:
        if original_correction(correction, known).kind != "mask":
            permitted.append(correction)
        elif by_interviewer or (not correction.undoes and correction.payload["on"]):
            permitted.append(_on_roots(correction, texts) if not correction.undoes else correction)
    return permitted


def original_correction(correction: Correction, known: Mapping[str, Correction]) -> Correction:
    """Return the correction that an undo, or an undo of undos, refers to; any other correction is its own."""
    seen = set()
    while correction.undoes in known and correction.id not in seen:
        seen.add(correction.id)
        correction = known[correction.undoes or ""]
    return correction


def root_words(word_id: str, texts: Sequence[Correction]) -> tuple[str, ...]:
    """Return the recording's words that a word stands or stood for, by the corrections of text, undone or not."""
    stem, corrected, name = word_id.partition("+")
    if not corrected:
        return (stem,)
    roots: dict[str, None] = {}
    for index, correction in enumerate(texts):
        if correction.id[:8] != name.rpartition(".")[0]:
            continue
        kept_words = correction.payload.get("kept", ())
        named = [word for word in correction.payload["replace"] if word not in kept_words] or [
            correction.payload["after"] or f"<{stem}"
        ]
        words = [root for word in named for root in root_words(word, texts[:index])]
        if not correction.payload["replace"]:
            words = [f"{root.strip('<>')}>" for root in words[-1:]]
        roots |= dict.fromkeys(words)
    return tuple(roots) or (stem,)


def masked_roots(changes: Sequence[Correction]) -> frozenset[str]:
    """Return the recording's words, and gaps between them, that are masked; ``changes`` come from `rightful`."""
    masked: frozenset[str] = frozenset()
    for correction in in_effect(changes):
        if correction.kind == "mask":
            words = frozenset(correction.payload["words"])
            masked = masked | words if correction.payload["on"] else masked - words
    return masked


def masked_spans(spoken: Sequence[CorrectedUtterance], roots: frozenset[str]) -> list[Span]:
    """Return the spans of the masked words and gaps of the recording, in ms, with a margin."""
    words = [word for utterance in spoken for word in utterance.words]
    ranges = [(word.start, word.end) for word in words if word.id in roots]
    for before, after in pairwise(words):
        if f"{before.id}>" in roots or f"<{after.id}" in roots:
            ranges.append((min(before.end, after.start), max(before.end, after.start)))
    ranges += [(0, words[0].start)] if words and f"<{words[0].id}" in roots else []
    ranges += [(words[-1].end, words[-1].end)] if words and f"{words[-1].id}>" in roots else []
    return [Span(max(0, start - _MARGIN_MS), end + _MARGIN_MS) for start, end in sorted(ranges)]


def mask_names(utterances: Sequence[CorrectedUtterance]) -> list[CorrectedUtterance]:
    """Return the utterances with a bar in place of each masked name."""
    return [
        replace(utterance, words=tuple(replace(word, text=MASK) if word.masked else word for word in utterance.words))
        for utterance in utterances
    ]


def _on_roots(correction: Correction, texts: Sequence[Correction]) -> Correction:
    roots = dict.fromkeys(root for word in correction.payload["words"] for root in root_words(word, texts))
    return replace(correction, payload={"words": list(roots), "on": correction.payload["on"]})
