"""Masked names: which words of the recording are masked, and where their sound lies.

A mask is on words of the recording, which never change, and so on their times. What others correct, take back or do
again afterwards decides how the words are spelled, never whether they are masked: people other than the interviewer can
only add masks. A word that was added to the transcript stands for a gap between two words (see `overlays.Word`), and
the gap is masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.review.coding.code_events import in_effect
from pipeline.review.coding.corrections import MASK, Correction, Utterance
from pipeline.timeline import Span

_MARGIN_MS = 60  # ms around a masked name: words' times are not exact


def permitted_corrections(changes: Sequence[tuple[Correction, bool]]) -> list[Correction]:
    """The corrections that count, with every mask on words of the recording.

    Parameters
    ----------
    changes: all of a tape in order of time, each with whether the interviewer made it. Only the interviewer shows a
        masked name, or takes a mask back.
    """
    known = {one.id: one for one, _ in changes}
    texts = [one for one, _ in changes if one.kind == "text" and not one.undoes]
    found = []
    for one, by_interviewer in changes:
        if original_correction(one, known).kind != "mask":
            found.append(one)
        elif by_interviewer or (not one.undoes and one.payload["on"]):
            found.append(_on_roots(one, texts) if not one.undoes else one)
    return found


def original_correction(one: Correction, known: Mapping[str, Correction]) -> Correction:
    """What an undo, or an undo of undos, takes back in the end; any other correction is its own origin."""
    seen = set()
    while one.undoes in known and one.id not in seen:
        seen.add(one.id)
        one = known[one.undoes or ""]
    return one


def root_words(word_id: str, texts: Sequence[Correction]) -> tuple[str, ...]:
    """The words of the recording that a word stands for or stood for, by the corrections of text, undone or not."""
    stem, corrected, name = word_id.partition("+")
    if not corrected:
        return (stem,)
    found: dict[str, None] = {}
    for at, one in enumerate(texts):
        if one.id[:8] != name.rpartition(".")[0]:
            continue
        kept = one.payload.get("kept", ())
        named = [word for word in one.payload["replace"] if word not in kept] or [one.payload["after"] or f"<{stem}"]
        stands = [each for word in named for each in root_words(word, texts[:at])]
        if not one.payload["replace"]:
            stands = [f"{each.strip('<>')}>" for each in stands[-1:]]
        found |= dict.fromkeys(stands)
    return tuple(found) or (stem,)


def masked_roots(changes: Sequence[Correction]) -> frozenset[str]:
    """The words of the recording, and gaps between them, that are masked now; ``changes`` come from `rightful`."""
    now: frozenset[str] = frozenset()
    for one in in_effect(changes):
        if one.kind == "mask":
            words = frozenset(one.payload["words"])
            now = now | words if one.payload["on"] else now - words
    return now


def masked_spans(spoken: Sequence[Utterance], roots: frozenset[str]) -> list[Span]:
    """Where the masked words of the recording are heard, and the gaps that are masked, with a margin."""
    words = [word for said in spoken for word in said.words]
    found = [(word.start, word.end) for word in words if word.id in roots]
    for before, after in pairwise(words):
        if f"{before.id}>" in roots or f"<{after.id}" in roots:
            found.append((min(before.end, after.start), max(before.end, after.start)))
    found += [(0, words[0].start)] if words and f"<{words[0].id}" in roots else []
    found += [(words[-1].end, words[-1].end)] if words and f"{words[-1].id}>" in roots else []
    return [Span(max(0, start - _MARGIN_MS), end + _MARGIN_MS) for start, end in sorted(found)]


def mask_names(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances without the masked names."""
    return [
        replace(said, words=tuple(replace(word, text=MASK) if word.masked else word for word in said.words))
        for said in utterances
    ]


def _on_roots(one: Correction, texts: Sequence[Correction]) -> Correction:
    roots = dict.fromkeys(each for word in one.payload["words"] for each in root_words(word, texts))
    return replace(one, payload={"words": list(roots), "on": one.payload["on"]})
