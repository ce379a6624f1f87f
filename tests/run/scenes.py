"""Scenes as people record them, made from the bundled role-plays, sines and noise; each with who speaks when.

All are mono at 16 kHz and the same on every machine: sentences are cut out of a role-play by its truth and laid on a
clock of their own, near or far, through a telephone or whispered; what else is heard is added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

from pipeline.timeline import Span
from tests.recordings import room

RATE = room.RATE
FOLDER = Path(__file__).parents[1] / "recordings"
GAP = 500  # ms between sentences

Samples = np.ndarray
Effect = Callable[[Samples], Samples]


@dataclass(frozen=True)
class Scene:
    """``samples`` at 16 kHz, and voice -> where it speaks."""

    samples: Samples
    speech: dict[str, tuple[Span, ...]]


@cache
def sentences(play: str, speaker: str, longest: int = 6_000) -> tuple[Samples, ...]:
    """The sentences of a role-play's speaker that nobody else speaks in, in order; a second at least."""
    sound, rate = soundfile.read(next(FOLDER.glob(f"{play}.[of]*")), dtype="float32")
    lines = [line.split() for line in (FOLDER / f"{play}.rttm").read_text().splitlines()]
    spans = [
        (Span(round(float(line[3]) * 1000), round((float(line[3]) + float(line[4])) * 1000)), line[7]) for line in lines
    ]
    alone = [
        span
        for span, who in spans
        if who == speaker
        and 1_000 <= span.duration <= longest
        and not any(span.overlap(other) for other, another in spans if another != who)
    ]
    parts = [sound[span.start * rate // 1000 : span.end * rate // 1000] for span in alone]
    return tuple(_without_breath(room.resample(part, rate, RATE)) for part in parts)


def _without_breath(part: Samples) -> Samples:
    """The sentence up to its last loud frame: one of the voices breathes for up to a second, which nobody can hear."""
    frames = part[: len(part) // 160 * 160].reshape(-1, 160)
    power = np.mean(frames**2, axis=1)
    return part[: (int(np.flatnonzero(power > power.max() / 1000)[-1]) + 2) * 160]


def near(play: str, speaker: str, level: float = room.SPEECH_LEVEL) -> list[Samples]:
    """A speaker's sentences at one level."""
    return [room.level(part, level) for part in sentences(play, speaker)]


def through(effect: Effect, parts: Sequence[Samples]) -> list[Samples]:
    """The same sentences as something else carries them."""
    return [effect(part).astype(np.float32) for part in parts]


def telephone(part: Samples) -> Samples:
    """A voice out of a telephone's loudspeaker: its band alone, and softer."""
    narrow = room.on_phone(part)
    return 0.25 * room.resample(narrow, room.PHONE_RATE, RATE)


def far(part: Samples) -> Samples:
    """A voice across the room: reverberant, and 22 dB softer."""
    return 0.08 * room.in_room(room.in_room(part, np.random.default_rng(1)), np.random.default_rng(2))


def whispered(part: Samples) -> Samples:
    """The same mouth without vocal cords: noise through the spectrum of each 20 ms."""
    frame, order, noise = 320, 16, np.random.default_rng(3).standard_normal(len(part))
    result = np.zeros(len(part) + frame)
    window = np.hanning(2 * frame)
    for start in range(0, len(part) - 2 * frame, frame):
        piece = part[start : start + 2 * frame] * window
        power = np.correlate(piece, piece, "full")[2 * frame - 1 : 2 * frame + order]
        if power[0] < 1e-6:
            continue
        power[0] *= 1.001
        filters = np.linalg.solve(power[np.abs(np.subtract.outer(range(order), range(order)))], power[1 : order + 1])
        excited = signal.lfilter([1], np.concatenate(([1], -filters)), noise[start : start + 2 * frame])
        gain = np.sqrt(power[0] / max(1e-9, float(excited @ excited)))
        result[start : start + 2 * frame] += gain * excited * window
    return room.level(result[: len(part)].astype(np.float32), -32.0)


def dialog(**voices: Sequence[Samples]) -> Scene:
    """The voices in turn, a sentence each, until one has no more."""
    clock, placed = GAP, []
    speech: dict[str, list[Span]] = {name: [] for name in voices}
    for turn in zip(*voices.values(), strict=False):
        for name, part in zip(voices, turn, strict=True):
            span = Span(clock, clock + len(part) * 1000 // RATE)
            placed.append((span, part))
            speech[name].append(span)
            clock = span.end + GAP
    samples = np.zeros(clock * RATE // 1000 + RATE, np.float32)
    for span, part in placed:
        samples[span.start * RATE // 1000 :][: len(part)] += part
    return Scene(
        samples + room.hiss(len(samples), room.ROOM_NOISE - 6, np.random.default_rng(4)),
        {name: tuple(spans) for name, spans in speech.items()},
    )


def with_sound(scene: Scene, sound: Samples, start: float) -> Scene:
    """The scene with another sound from a second on."""
    samples = scene.samples.copy()
    room_left = samples[round(start * RATE) :][: len(sound)]
    room_left += sound[: len(room_left)]
    return Scene(samples, scene.speech)


def later(scene: Scene, seconds: int) -> Scene:
    """The scene after so many seconds of room noise."""
    lead = room.hiss(seconds * RATE, room.ROOM_NOISE - 6, np.random.default_rng(5))
    moved = {name: tuple(span.shift(seconds * 1000) for span in spans) for name, spans in scene.speech.items()}
    return Scene(np.concatenate([lead, scene.samples]), moved)


def ringing(seconds: float) -> Samples:
    """A telephone: two tones that warble, a second on and a second off."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 480 * time)
    return (0.1 * tone * (np.sin(2 * np.pi * 20 * time) > 0) * (time % 2 < 1)).astype(np.float32)


def music(seconds: float) -> Samples:
    """What waiting lines play: a broken chord on a plucked sound, over and over."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.zeros(len(time))
    for note, hertz in enumerate((262, 330, 392, 523, 392, 330) * (1 + int(seconds / 1.8))):
        since = time - 0.3 * note
        tone = sum(np.sin(2 * np.pi * hertz * harmonic * since) / harmonic for harmonic in (1, 2, 3, 4))
        sound += np.where(since >= 0, tone * np.exp(-4 * np.maximum(since, 0)), 0)
    return (0.05 * sound).astype(np.float32)


def spanish(seconds: int) -> Samples:
    """A counselor and a client in Spanish, from the recording's beginning on."""
    sound, rate = soundfile.read(FOLDER / "spanish.ogg", dtype="float32", stop=seconds * RATE)
    part: Samples = room.resample(sound, rate, RATE)
    return part


def hum(seconds: float) -> Samples:
    """The mains, with overtones."""
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(0.05 / overtone * np.sin(2 * np.pi * 50 * overtone * time) for overtone in (1, 2, 3, 5)).astype(
        np.float32
    )


def nobody(sound: Samples) -> Scene:
    """A sound without any voice, in a room."""
    return Scene(sound + room.hiss(len(sound), room.ROOM_NOISE, np.random.default_rng(6)), {})
