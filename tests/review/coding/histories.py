"""Random histories of codes and corrections, drawn by Hypothesis or by a seed."""

from __future__ import annotations

import random
from typing import Any

from pipeline.review.coding.code_events import CodingEvent
from pipeline.review.coding.corrections import MASK, CorrectedUtterance, CorrectedWord, Correction

CODES = ("question", "reflection_simple", "reflection_complex", "affirmation")


def events(draw: random.Random, count: int) -> list[CodingEvent]:
    history: list[CodingEvent] = []
    for number in range(count):
        name = f"e{number}"
        if history and draw.random() < 0.35:
            undone = draw.choice(history)
            history.append(CodingEvent(name, undone.utterance_id, undone.action, undone.codes, undone.id))
            continue
        action = draw.choice(["set", "set", "clear", "unsure"])
        codes = tuple(code for code in CODES if draw.random() < 0.4) if action != "clear" else ()
        history.append(CodingEvent(name, f"u{draw.randrange(4)}", action, codes))
    return history


def transcript(draw: random.Random, count: int = 6) -> list[CorrectedUtterance]:
    """Utterances of two speakers that take turns, a few words each."""
    utterances, time, number = [], 0, 0
    for position in range(count):
        words = []
        for _ in range(draw.randint(1, 5)):
            number += 1
            length = draw.randint(80, 600)
            words.append(
                CorrectedWord(f"w{number:05d}", draw.choice(["so", "um", "you", "want", "it"]), time, time + length)
            )
            time += length + draw.randint(0, 200)
        role, speaker = draw.choice([("interviewer", "S1"), ("client", "S2")])
        utterances.append(
            CorrectedUtterance(
                f"u{position}", f"t{position}", role, speaker, words[0].start, words[-1].end, tuple(words)
            )
        )
    return utterances


def corrections(draw: random.Random, utterances: list[CorrectedUtterance], count: int) -> list[Correction]:
    """Corrections of every kind, some of which do not fit: others were faster, or took something back."""
    history: list[Correction] = []
    words = [word for utterance in utterances for word in utterance.words]
    for number in range(count):
        name, utterance, word = f"c{number:02d}abcdef", draw.choice(utterances), draw.choice(words)
        if history and draw.random() < 0.25:
            undone = draw.choice(history)
            history.append(Correction(name, undone.kind, undone.utterance_id, undone.payload, undone.id))
            continue
        kind = draw.choice(["text", "text", "speaker", "merge", "split", "role", "mask"])
        payload: dict[str, Any] = {}
        if kind == "text":
            first = draw.randrange(len(utterance.words))
            gone = utterance.words[first : first + draw.randint(0, 3)]
            payload = {
                "replace": [each.id for each in gone],
                "after": utterance.words[first - 1].id if first else None,
                "with": [f"x{number}.{at}" for at in range(draw.randint(0 if gone else 1, 4))],
            }
            if gone and draw.random() < 0.3:  # by somebody who does not see one of the words
                kept = draw.choice(gone).id
                payload |= {"kept": [kept], "with": [*payload["with"], MASK, *payload["with"][:1]]}
        elif kind == "split":
            payload = {"word_id": draw.choice(utterance.words).id}
        elif kind == "role":
            payload = {"roles": {"S1": "client", "S2": "interviewer"}}
        elif kind == "mask":
            payload = {"words": [word.id], "on": draw.random() < 0.7}
        history.append(Correction(name, kind, utterance.id, payload))
    return history
