"""Corrections are overlays: the transcript's words stay, and the shown transcript is computed from them.

`frontend/src/layout.js` computes it the same way, so that a correction shows at once and without a connection; a test
holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.review.coding.code_events import in_effect

OTHER_ROLE = {"interviewer": "client", "client": "interviewer"}

MASK = "▇▇▇"
"""The bar shown in place of a masked name."""


@dataclass(frozen=True)
class CorrectedWord:
    """A word as shown; its times are the recording's.

    ``roots``: the recording's words that a corrected word stands for, where it is not one of them itself; a word that
    was added stands for a gap: ``w00005>`` after the fifth word, ``<w00006`` before the sixth.
    """

    id: str
    text: str
    start: int
    end: int
    masked: bool = False
    roots: tuple[str, ...] = ()

    @property
    def stands_for(self) -> tuple[str, ...]:
        """The recording's words, or the gap between two of them, that this word stands for."""
        return self.roots or (self.id,)


@dataclass(frozen=True)
class CorrectedUtterance:
    """An utterance as shown."""

    id: str
    turn: str
    role: str
    speaker: str
    start: int
    end: int
    words: tuple[CorrectedWord, ...]
    edited: bool = False
    language: str = ""


@dataclass(frozen=True)
class Correction:
    """One correction; what its payload holds depends on its kind."""

    id: str
    kind: str
    utterance_id: str
    payload: Mapping[str, Any]
    undoes: str | None = None


def root_word_id(word_id: str) -> str:
    """Return the id of the recording's word that a corrected word's id begins with."""
    return word_id.partition("+")[0]


def apply_corrections(
    utterances: Sequence[CorrectedUtterance], corrections: Sequence[Correction]
) -> list[CorrectedUtterance]:
    """Return the utterances with all corrections in effect; one that no longer fits others' corrections has no effect.

    A mask is on words of the recording: whatever is shown in their place is masked, whoever corrects it or undoes a
    correction.
    """
    shown = list(utterances)
    masked: frozenset[str] = frozenset()
    for correction in in_effect(corrections):
        if correction.kind == "mask":
            words = frozenset(correction.payload["words"])
            masked = masked | words if correction.payload["on"] else masked - words
        else:
            shown = apply_correction(shown, correction)
    return [_mark_masked(utterance, masked) for utterance in shown]


def apply_correction(shown: Sequence[CorrectedUtterance], correction: Correction) -> list[CorrectedUtterance]:
    """Return the utterances with one more correction, which is no mask; they are equal where it has no effect."""
    if correction.kind == "role":
        roles = correction.payload["roles"]
        return [replace(utterance, role=roles.get(utterance.speaker, utterance.role)) for utterance in shown]
    index = next((index for index, utterance in enumerate(shown) if utterance.id == correction.utterance_id), -1)
    if index < 0:
        return list(shown)
    if correction.kind == "speaker":
        return _swap_roles(shown, index, index + 1 if correction.payload.get("only") else len(shown))
    if correction.kind == "text":
        return [*shown[:index], _replace_words(shown[index], correction), *shown[index + 1 :]]
    if correction.kind == "merge":
        return _merge_with_previous(shown, index)
    return _split_at_word(shown, index, correction.payload["word_id"])


def _mark_masked(utterance: CorrectedUtterance, masked: frozenset[str]) -> CorrectedUtterance:
    """Return an utterance with its masked words marked; an unchanged one is not copied, as a tape has many words."""
    is_masked = [not masked.isdisjoint(word.stands_for) for word in utterance.words]
    if all(word.masked == word_is_masked for word, word_is_masked in zip(utterance.words, is_masked, strict=True)):
        return utterance
    return replace(
        utterance,
        words=tuple(
            replace(word, masked=word_is_masked)
            for word, word_is_masked in zip(utterance.words, is_masked, strict=True)
        ),
    )


def _swap_roles(shown: Sequence[CorrectedUtterance], start: int, end: int) -> list[CorrectedUtterance]:
    """Swap the interviewer and the client in utterances ``start`` to before ``end``."""
    speaker_of_role: dict[str, str] = {}
    for utterance in shown:
        speaker_of_role.setdefault(utterance.role, utterance.speaker)
    swapped = list(shown[:start])
    for utterance in shown[start:end]:
        role = OTHER_ROLE.get(utterance.role)
        swapped.append(
            replace(utterance, role=role, speaker=speaker_of_role.get(role, utterance.speaker)) if role else utterance
        )
    return [*swapped, *shown[end:]]


def _replace_words(utterance: CorrectedUtterance, correction: Correction) -> CorrectedUtterance:
    """Replace words by others; a masked word that the editor does not see stays where its bar stands."""
    payload = correction.payload
    old, after, texts = list(payload["replace"]), payload["after"], list(payload["with"])
    ids = [word.id for word in utterance.words]
    wanted = old[0] if old else after
    if wanted is not None and wanted not in ids:
        return utterance
    first = ids.index(wanted) if old else ids.index(after) + 1 if after is not None else 0
    last = first + len(old)
    if ids[first:last] != old or (len(old) == len(ids) and not texts):
        return utterance
    kept_ids = list(payload.get("kept", ()))
    kept_indices = [index for index in range(first, last) if ids[index] in kept_ids]
    bars = [index for index, text in enumerate(texts) if kept_ids and text == MASK]
    if [ids[index] for index in kept_indices] != kept_ids or len(bars) != len(kept_ids):
        return utterance
    typed: list[CorrectedWord] = []
    index, used = first, 0
    for kept_index, bar in zip([*kept_indices, last], [*bars, len(texts)], strict=True):
        typed += _typed_words(utterance, index, kept_index, texts[used:bar], f"{correction.id[:8]}.", used)
        typed += utterance.words[kept_index : kept_index + 1] if kept_index < last else ()
        index, used = kept_index + 1, bar + 1
    return replace(utterance, words=(*utterance.words[:first], *typed, *utterance.words[last:]), edited=True)


def _typed_words(
    utterance: CorrectedUtterance, first: int, last: int, texts: Sequence[str], name: str, number: int
) -> list[CorrectedWord]:
    """Return the words typed in place of a stretch of words.

    If their number is the same, each keeps its time. Otherwise they share the time evenly, and each stands for the
    whole stretch.
    """
    replaced = utterance.words[first:last]
    if len(texts) == len(replaced):
        return [replace(word, text=text) for word, text in zip(replaced, texts, strict=True)]
    if not replaced:
        before, after = (utterance.words[first - 1] if first else None), utterance.words[first : first + 1]
        time, stem = (before.end, root_word_id(before.id)) if before else (utterance.start, "start")
        roots = _gap_between(before, after[0] if after else None)
        return [
            CorrectedWord(f"{stem}+{name}{number + index}", text, time, time, roots=roots)
            for index, text in enumerate(texts)
        ]
    start, count = replaced[0].start, len(texts)
    time = max(word.end for word in replaced) - start
    roots = tuple(dict.fromkeys(root for word in replaced for root in word.stands_for))
    return [
        CorrectedWord(
            f"{root_word_id(replaced[index * len(replaced) // count].id)}+{name}{number + index}",
            text,
            start + time * index // count,
            start + time * (index + 1) // count,
            roots=roots,
        )
        for index, text in enumerate(texts)
    ]


def _gap_between(before: CorrectedWord | None, after: CorrectedWord | None) -> tuple[str, ...]:
    """Return the roots of a word that is added between two others."""
    if before is None:
        return (f"<{after.stands_for[0].strip('<>')}",) if after else ()
    shared = tuple(root for root in before.stands_for if after and root in after.stands_for)
    return shared or (f"{before.stands_for[-1].strip('<>')}>",)


def _merge_with_previous(shown: Sequence[CorrectedUtterance], index: int) -> list[CorrectedUtterance]:
    """Merge an utterance with the previous one, if both have the same speaker."""
    if index == 0 or shown[index - 1].speaker != shown[index].speaker:
        return list(shown)
    before, utterance = shown[index - 1], shown[index]
    merged = replace(
        before,
        words=(*before.words, *utterance.words),
        start=min(before.start, utterance.start),
        end=max(before.end, utterance.end),
        edited=True,
    )
    return [*shown[: index - 1], merged, *shown[index + 1 :]]


def _split_at_word(shown: Sequence[CorrectedUtterance], index: int, word_id: str) -> list[CorrectedUtterance]:
    """Split an utterance in two; the second begins with this word."""
    utterance = shown[index]
    cut = next((position for position, word in enumerate(utterance.words) if word.id == word_id), 0)
    if cut == 0:
        return list(shown)
    left, right = utterance.words[:cut], utterance.words[cut:]
    first = replace(utterance, words=left, end=max(word.end for word in left), edited=True)
    second = replace(
        utterance, id=f"{utterance.id.partition('~')[0]}~{word_id}", words=right, start=right[0].start, edited=True
    )
    return [*shown[:index], first, second, *shown[index + 1 :]]
