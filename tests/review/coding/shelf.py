"""A tape that is ready for review: invented talk, a tone for a voice, suggestions, and a live consent."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import soundfile

from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Consent, Item, Pretag, Review, Tape, TargetBehavior, Transcript, Utterance
from pipeline.tapes.home import Home

RATE = 16_000
Sound = tuple[int, int, str]
"""Start and end in ms, and the speaker, of a voice without words."""
QUESTIONS = (
    "What would you like to be different by this summer?",
    "How did that go for you last week?",
    "On a scale from zero to ten, how important is it to you?",
)
REFLECTIONS = (
    "So part of you is tired of waking up like that.",
    "You have been carrying this on your own for a while.",
    "It matters to you to be there for your daughter.",
)
CLIENT = (
    ("change", "I really want to stop drinking on weekdays."),
    ("sustain", "But honestly it is the only thing that helps me sleep."),
    ("neutral", "We moved here about three years ago, my sister lives around the corner."),
    ("change", "Maybe I could leave the bottle at the store."),
)


def talk(count: int, minutes: float, seed: int = 1) -> list[dict[str, Any]]:
    """Utterances as the item ``transcript`` holds them, each with the suggestion that a machine might make."""
    draw = random.Random(seed)
    each = int(minutes * 60_000 / count)
    utterances = []
    for number in range(count):
        asks = number % 2 == 0
        if asks:
            code, text = draw.choice(
                [("question_open", draw.choice(QUESTIONS)), ("reflection_complex", draw.choice(REFLECTIONS))]
            )
        else:
            code, text = draw.choice(CLIENT)
        words, start = text.split(), number * each
        step = int(each * 0.9 / len(words))
        utterances.append(
            {
                "utterance_id": f"u{number + 1:04d}",
                "turn_id": f"t{number + 1:04d}",
                "role": "interviewer" if asks else "client",
                "speaker": "S1" if asks else "S2",
                "start": start,
                "end": start + step * len(words),
                "text": text,
                "words": [[start + step * at, start + step * (at + 1), word, 0.9] for at, word in enumerate(words)],
                "code": code,
                "probability": round(draw.uniform(0.4, 0.99), 2),
            }
        )
    return utterances


@cache
def sound(stretches: tuple[tuple[int, int, bool], ...], milliseconds: int) -> tuple[bytes, bytes]:
    """FLAC with a tone for each voice and silence between, and its peaks; (start, end, whether the interviewer)."""
    time = np.arange(milliseconds * RATE // 1000) / RATE
    loud = np.zeros(len(time), np.float32)
    for start, end, asks in stretches:
        low, high = start * RATE // 1000, end * RATE // 1000
        swell = 0.25 + 0.2 * np.sin(2 * np.pi * 3 * time[low:high])
        loud[low:high] = swell * np.sin(2 * np.pi * (140 if asks else 210) * time[low:high])
    flac = BytesIO()
    soundfile.write(flac, loud, RATE, format="FLAC", subtype="PCM_16")
    peaks = np.abs(loud[: len(loud) // 800 * 800].reshape(-1, 800)).max(axis=1)
    head = json.dumps({"per_second": 20, "channels": 1, "length": len(peaks)}).encode()
    return flac.getvalue(), head + b"\n" + (np.clip(peaks, 0, 1) * 255).astype(np.uint8).tobytes()


def put_tape(
    home: Home,
    group_id: str,
    interviewer_id: str,
    now: int,
    count: int = 12,
    minutes: float = 1.0,
    reviewed: bool = True,
    target: str = "drinking less alcohol",
    utterances: list[dict[str, Any]] | None = None,
    unclear: Sequence[Sound] = (),
) -> str:
    """Put a tape into a home; its id."""
    spoken = utterances or talk(count, minutes)
    milliseconds = int(minutes * 60_000)
    stretches = tuple((each["start"], each["end"], each["role"] == "interviewer") for each in spoken)
    flac, drawn = sound(stretches, milliseconds)
    whole = {
        "format": 1,
        "engine": {"name": "invented"},
        "utterances": [{key: spoken[key] for key in spoken if key not in ("code", "probability")} for spoken in spoken],
        "vocalizations": list(unclear),
        "suppressed": [],
    }
    with home.database.writing() as session:
        tape = Tape(
            group_id=group_id,
            interviewer_id=interviewer_id,
            state="ready",
            created_at=now,
            duration_ms=milliseconds,
            codebook="pretags",
        )
        session.add(tape)
    home.vault.create_key(tape.id)
    items = {
        kind: home.vault.put(tape.id, kind, content)
        for kind, content in (
            ("mono", flac),
            ("peaks", drawn),
            ("transcript", json.dumps(whole).encode()),
        )
    }
    with home.database.writing() as session:
        session.add_all(
            Item(id=item.id, tape_id=tape.id, kind=kind, size=item.size, sha256=item.sha256, created_at=now)
            for kind, item in items.items()
        )
        session.flush()
        session.add(Transcript(tape_id=tape.id, item_id=items["transcript"].id, engine="invented", created_at=now))
        session.add_all(_rows(tape.id, spoken))
        session.add(
            TargetBehavior(
                tape_id=tape.id,
                sealed_text=home.vault.seal(tape.id, target.encode(), "target_behaviors.text"),
                at=now,
            )
        )
        session.add(
            Consent(
                tape_id=tape.id,
                uses=["group_review", "coach_check"],
                group_ids=[group_id],
                destroy_by=now + 90 * DAY,
                method="overwrite",
                signed_at=now,
                signed_form="written",
                pseudonym="Robin",
                given_at=now,
            )
        )
        session.add(Review(tape_id=tape.id, stage="coding", interviewer_done_at=now if reviewed else None))
    return tape.id


def _rows(tape_id: str, utterances: list[dict[str, Any]]) -> list[Utterance | Pretag]:
    rows: list[Utterance | Pretag] = []
    for position, utterance in enumerate(utterances):
        rows.append(
            Utterance(
                tape_id=tape_id,
                utterance_id=utterance["utterance_id"],
                position=position,
                turn_id=utterance["turn_id"],
                role=utterance["role"],
                speaker=utterance["speaker"],
                start_ms=utterance["start"],
                end_ms=utterance["end"],
            )
        )
        rows.append(
            Pretag(
                tape_id=tape_id,
                utterance_id=utterance["utterance_id"],
                codes=[utterance["code"]],
                probability=utterance["probability"],
                needs_check=utterance["probability"] < 0.6,
                p={utterance["code"]: utterance["probability"]},
            )
        )
    return rows
