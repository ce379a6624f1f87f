"""Corrections are overlays: the transcript's words stay, and what is shown is worked out from them.

`frontend/src/layout.js` works it out in the same way, so that a correction shows at once and without a connection; a
test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.review.coding.code_events import in_effect

OTHER_ROLE = {"interviewer": "client", "client": "interviewer"}

MASK = "▇▇▇"
"""What stands for a masked name."""


@dataclass(frozen=True)
class Word:
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
        """The recording's words, or the gap between two of them, that this word is about."""
        return self.roots or (self.id,)


@dataclass(frozen=True)
class Utterance:
    """An utterance as shown."""

    id: str
    turn: str
    role: str
    speaker: str
    start: int
    end: int
    words: tuple[Word, ...]
    edited: bool = False


@dataclass(frozen=True)
class Correction:
    """One correction; what its payload holds depends on its kind."""

    id: str
    kind: str
    utterance_id: str
    payload: Mapping[str, Any]
    undoes: str | None = None


def root_word_id(word_id: str) -> str:
    """The word of the recording that a corrected word's name begins with."""
    return word_id.partition("+")[0]


def apply_corrections(utterances: Sequence[Utterance], corrections: Sequence[Correction]) -> list[Utterance]:
    """The utterances with all corrections that hold; one that no longer fits what others corrected does nothing.

    A mask is on words of the recording: whatever is shown in their place is masked, whoever corrects it or takes a
    correction back.
    """
    shown = list(utterances)
    masked: frozenset[str] = frozenset()
    for one in in_effect(corrections):
        at = next((at for at, said in enumerate(shown) if said.id == one.utterance_id), -1)
        if one.kind == "role":
            roles = one.payload["roles"]
            shown = [replace(said, role=roles.get(said.speaker, said.role)) for said in shown]
        elif one.kind == "mask":
            words = frozenset(one.payload["words"])
            masked = masked | words if one.payload["on"] else masked - words
        elif at < 0:
            continue
        elif one.kind == "speaker":
            shown = _swap_roles_from(shown, at)
        elif one.kind == "text":
            shown[at] = _replace_words(shown[at], one)
        elif one.kind == "merge":
            shown = _merge_with_previous(shown, at)
        elif one.kind == "split":
            shown = _split_at_word(shown, at, one.payload["word_id"])
    return [_mark_masked(said, masked) for said in shown]


def _mark_masked(said: Utterance, masked: frozenset[str]) -> Utterance:
    """An utterance with its masked words marked; one that stays as it is is not copied, as a tape has many words."""
    is_masked = [not masked.isdisjoint(word.stands_for) for word in said.words]
    if all(word.masked == bar for word, bar in zip(said.words, is_masked, strict=True)):
        return said
    return replace(
        said, words=tuple(replace(word, masked=bar) for word, bar in zip(said.words, is_masked, strict=True))
    )


def _swap_roles_from(shown: Sequence[Utterance], start: int) -> list[Utterance]:
    """Interviewer and client change places from here to the end."""
    voice: dict[str, str] = {}
    for said in shown:
        voice.setdefault(said.role, said.speaker)
    found = list(shown[:start])
    for said in shown[start:]:
        role = OTHER_ROLE.get(said.role)
        found.append(replace(said, role=role, speaker=voice.get(role, said.speaker)) if role else said)
    return found


def _replace_words(said: Utterance, one: Correction) -> Utterance:
    """Other words in the place of some; a masked one that the editor does not see is kept where its bar stands."""
    old, after, texts = list(one.payload["replace"]), one.payload["after"], list(one.payload["with"])
    ids = [word.id for word in said.words]
    wanted = old[0] if old else after
    if wanted is not None and wanted not in ids:
        return said
    first = ids.index(wanted) if old else ids.index(after) + 1 if after is not None else 0
    last = first + len(old)
    if ids[first:last] != old or (len(old) == len(ids) and not texts):
        return said
    kept = list(one.payload.get("kept", ()))
    places = [at for at in range(first, last) if ids[at] in kept]
    bars = [at for at, text in enumerate(texts) if kept and text == MASK]
    if [ids[at] for at in places] != kept or len(bars) != len(kept):
        return said
    typed: list[Word] = []
    at, done = first, 0
    for place, bar in zip([*places, last], [*bars, len(texts)], strict=True):
        typed += _typed_words(said, at, place, texts[done:bar], f"{one.id[:8]}.", done)
        typed += said.words[place : place + 1] if place < last else ()
        at, done = place + 1, bar + 1
    return replace(said, words=(*said.words[:first], *typed, *said.words[last:]), edited=True)


def _typed_words(said: Utterance, first: int, last: int, texts: Sequence[str], name: str, number: int) -> list[Word]:
    """What is typed in the place of a stretch of words.

    As many keep each its time; more or fewer share the time evenly, and each stands for the whole stretch.
    """
    gone = said.words[first:last]
    if len(texts) == len(gone):
        return [replace(word, text=text) for word, text in zip(gone, texts, strict=True)]
    if not gone:
        before, after = (said.words[first - 1] if first else None), said.words[first : first + 1]
        time, stem = (before.end, root_word_id(before.id)) if before else (said.start, "start")
        roots = _gap_between(before, after[0] if after else None)
        return [Word(f"{stem}+{name}{number + at}", text, time, time, roots=roots) for at, text in enumerate(texts)]
    start, most = gone[0].start, len(texts)
    time = max(word.end for word in gone) - start
    roots = tuple(dict.fromkeys(each for word in gone for each in word.stands_for))
    return [
        Word(
            f"{root_word_id(gone[at * len(gone) // most].id)}+{name}{number + at}",
            text,
            start + time * at // most,
            start + time * (at + 1) // most,
            roots=roots,
        )
        for at, text in enumerate(texts)
    ]


def _gap_between(before: Word | None, after: Word | None) -> tuple[str, ...]:
    """What a word stands for that is added between two others."""
    if before is None:
        return (f"<{after.stands_for[0].strip('<>')}",) if after else ()
    both = tuple(each for each in before.stands_for if after and each in after.stands_for)
    return both or (f"{before.stands_for[-1].strip('<>')}>",)


def _merge_with_previous(shown: Sequence[Utterance], at: int) -> list[Utterance]:
    """One utterance with the one before it, where both are the same speaker's."""
    if at == 0 or shown[at - 1].speaker != shown[at].speaker:
        return list(shown)
    before, said = shown[at - 1], shown[at]
    whole = replace(
        before,
        words=(*before.words, *said.words),
        start=min(before.start, said.start),
        end=max(before.end, said.end),
        edited=True,
    )
    return [*shown[: at - 1], whole, *shown[at + 1 :]]


def _split_at_word(shown: Sequence[Utterance], at: int, word_id: str) -> list[Utterance]:
    """A new utterance from this word on."""
    said = shown[at]
    cut = next((place for place, word in enumerate(said.words) if word.id == word_id), 0)
    if cut == 0:
        return list(shown)
    left, right = said.words[:cut], said.words[cut:]
    first = replace(said, words=left, end=max(word.end for word in left), edited=True)
    second = replace(said, id=f"{said.id.partition('~')[0]}~{word_id}", words=right, start=right[0].start, edited=True)
    return [*shown[:at], first, second, *shown[at + 1 :]]
