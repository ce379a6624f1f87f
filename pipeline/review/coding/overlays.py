"""Corrections are overlays: the transcript's words stay, and what is shown is worked out from them.

`frontend/src/layout.js` works it out in the same way, so that a correction shows at once and without a connection; a
test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.review.coding.events import live

SWAPPED = {"interviewer": "client", "client": "interviewer"}


@dataclass(frozen=True)
class Word:
    """A word as shown; its times are the recording's."""

    id: str
    text: str
    start: int
    end: int
    masked: bool = False


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


def root(word_id: str) -> str:
    """The word of the recording that a corrected word stands for."""
    return word_id.partition("+")[0]


def corrected(utterances: Sequence[Utterance], corrections: Sequence[Correction]) -> list[Utterance]:
    """The utterances with all corrections that hold; one that no longer fits what others corrected does nothing."""
    shown = list(utterances)
    for one in live(corrections):
        at = next((at for at, said in enumerate(shown) if said.id == one.utterance_id), -1)
        if one.kind == "role":
            roles = one.payload["roles"]
            shown = [replace(said, role=roles.get(said.speaker, said.role)) for said in shown]
        elif one.kind == "mask":
            shown = _masked(shown, frozenset(one.payload["words"]), one.payload["on"])
        elif at < 0:
            continue
        elif one.kind == "speaker":
            shown = _swapped(shown, at)
        elif one.kind == "text":
            shown[at] = _retyped(shown[at], one)
        elif one.kind == "merge":
            shown = _merged(shown, at)
        elif one.kind == "split":
            shown = _split(shown, at, one.payload["word_id"])
    return shown


def _masked(shown: Sequence[Utterance], words: frozenset[str], on: bool) -> list[Utterance]:
    return [
        replace(
            said,
            words=tuple(
                replace(word, masked=on) if word.id in words or root(word.id) in words else word for word in said.words
            ),
        )
        for said in shown
    ]


def _swapped(shown: Sequence[Utterance], start: int) -> list[Utterance]:
    """Interviewer and client change places from here to the end."""
    voice: dict[str, str] = {}
    for said in shown:
        voice.setdefault(said.role, said.speaker)
    found = list(shown[:start])
    for said in shown[start:]:
        role = SWAPPED.get(said.role)
        found.append(replace(said, role=role, speaker=voice.get(role, said.speaker)) if role else said)
    return found


def _retyped(said: Utterance, one: Correction) -> Utterance:
    """Other words in the place of some. As many keep each its time; more or fewer share the time evenly."""
    old, after, texts = list(one.payload["replace"]), one.payload["after"], list(one.payload["with"])
    ids = [word.id for word in said.words]
    wanted = old[0] if old else after
    if wanted is not None and wanted not in ids:
        return said
    first = ids.index(wanted) if old else ids.index(after) + 1 if after is not None else 0
    gone = said.words[first : first + len(old)]
    if [word.id for word in gone] != old or (len(gone) == len(said.words) and not texts):
        return said
    if gone:
        typed = _replaced(gone, texts, one.id)
    else:
        before = said.words[first - 1] if first else None
        time, stem = (before.end, root(before.id)) if before else (said.start, "start")
        typed = [Word(f"{stem}+{one.id[:8]}.{at}", text, time, time) for at, text in enumerate(texts)]
    return replace(said, words=(*said.words[:first], *typed, *said.words[first + len(old) :]), edited=True)


def _replaced(gone: Sequence[Word], texts: Sequence[str], name: str) -> list[Word]:
    if len(texts) == len(gone):
        return [replace(word, text=text) for word, text in zip(gone, texts, strict=True)]
    start, most = gone[0].start, len(texts)
    time = max(word.end for word in gone) - start
    stood = [gone[at * len(gone) // most] for at in range(most)]
    return [
        replace(
            word,
            id=f"{root(word.id)}+{name[:8]}.{at}",
            text=text,
            start=start + time * at // most,
            end=start + time * (at + 1) // most,
        )
        for at, (word, text) in enumerate(zip(stood, texts, strict=True))
    ]


def _merged(shown: Sequence[Utterance], at: int) -> list[Utterance]:
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


def _split(shown: Sequence[Utterance], at: int, word_id: str) -> list[Utterance]:
    """A new utterance from this word on."""
    said = shown[at]
    cut = next((place for place, word in enumerate(said.words) if word.id == word_id), 0)
    if cut == 0:
        return list(shown)
    left, right = said.words[:cut], said.words[cut:]
    first = replace(said, words=left, end=max(word.end for word in left), edited=True)
    second = replace(said, id=f"{said.id.partition('~')[0]}~{word_id}", words=right, start=right[0].start, edited=True)
    return [*shown[:at], first, second, *shown[at + 1 :]]
