"""The text of a recording: who says what, with which codes, after which gap.

A script has a head of ``key: value`` lines, an empty line, and one line an utterance (one complete thought)::

    I question_open: What do you, um, what do you like about it?
    C +1.0 sustain: Well, it takes the edge off, {Mm-hm.} and I (0.8) I need that.
    C -0.25 change: Right.

``I`` is the interviewer and ``C`` the client. A signed number is the gap in seconds to the speech before it; below zero
the two overlap; without one the gap is drawn. ``{...}`` is a listening noise of the other, spoken at that place, and
``(0.8)`` a pause. The truth is verbatim: `Line.text` is what remains when both marks are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROLES = {"I": "interviewer", "C": "client"}
CODES = {
    "interviewer": (
        "question_open",
        "question_closed",
        "reflection_simple",
        "reflection_complex",
        "information",
        "other",
    ),
    "client": ("change", "sustain", "neutral"),
}
LISTENING = {"interviewer": ("other",), "client": ("neutral",)}
"""The codes of a listening noise, by the role of the listener."""

LINE = re.compile(r"(?P<role>[IC])(?: (?P<gap>[+-]\d+(?:\.\d+)?))? (?P<codes>[a-z_|]+): (?P<text>\S.*)")
PAUSE = re.compile(r"\((\d+(?:\.\d+)?)\)")
NOISE = re.compile(r"\{([^}]+)\}")
SENTENCE = re.compile(r"(?:\{[^}]+\}|[^{.!?]|[.!?](?!\s))+[.!?]?(?:\s*\{[^}]+\})*")


@dataclass(frozen=True)
class Noise:
    """What the listener says, and where: characters into the text of its piece."""

    at: int
    text: str


@dataclass(frozen=True)
class Piece:
    """What is spoken in one breath, at most a sentence. ``pause``: seconds of silence before it, None to draw."""

    text: str
    pause: float | None
    noises: tuple[Noise, ...]


@dataclass(frozen=True)
class Line:
    """One utterance of the script. ``gap``: seconds after the speech before it, negative to overlap, None to draw."""

    role: str
    gap: float | None
    codes: tuple[str, ...]
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return " ".join(piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Voice:
    """A voice of the speech model, its speed (1 is the model's own), and whether its English is British."""

    name: str
    speed: float

    @property
    def british(self) -> bool:
        return self.name.startswith("b")


@dataclass(frozen=True)
class Script:
    """A whole recording before it is spoken; ``sound`` is ``room`` or ``phone``."""

    name: str
    target_behavior: str
    voices: dict[str, Voice]
    sound: str
    seed: int
    lines: tuple[Line, ...]

    @property
    def speakers(self) -> dict[str, str]:
        """``S1`` and ``S2`` by first appearance, for each role."""
        first = self.lines[0].role
        return {role: "S1" if role == first else "S2" for role in ROLES.values()}


def read(path: Path) -> Script:
    """The script in a file; its name is the file's. Raises ValueError naming the line that does not fit the format."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    values = dict(re.split(r":\s*", row, maxsplit=1) for row in head.splitlines() if not row.startswith("#"))
    rows = [(number, row) for number, row in enumerate(body.splitlines(), head.count("\n") + 3) if row.strip()]
    return Script(
        name=path.stem,
        target_behavior=values["target_behavior"],
        voices={role: _voice(values[role]) for role in ROLES.values()},
        sound=values["sound"],
        seed=int(values["seed"]),
        lines=tuple(_line(row, f"{path.name}, line {number}") for number, row in rows),
    )


def _voice(value: str) -> Voice:
    name, speed = value.split()
    return Voice(name, float(speed))


def _line(row: str, where: str) -> Line:
    match = LINE.fullmatch(row)
    if match is None:
        raise ValueError(f"{where}: not 'I|C [+-gap] codes: text': {row}")
    role, codes = ROLES[match["role"]], tuple(match["codes"].split("|"))
    if unfit := set(codes) - set(CODES[role]):
        raise ValueError(f"{where}: no codes of the {role}: {', '.join(sorted(unfit))}")
    gap = float(match["gap"]) if match["gap"] else None
    return Line(role, gap, codes, tuple(_pieces(match["text"])))


def _pieces(text: str) -> Iterator[Piece]:
    """Cut at pauses and sentence ends; a noise stays with the speech before it."""
    spoken, *paused = PAUSE.split(text)
    for pause, stretch in [(None, spoken), *zip(map(float, paused[::2]), paused[1::2], strict=True)]:
        for number, sentence in enumerate(SENTENCE.findall(stretch.strip())):
            before, *rest = NOISE.split(sentence.strip())
            words, noises = before.rstrip(), []
            for noise, after in zip(rest[::2], rest[1::2], strict=True):
                noises.append(Noise(len(words), noise))
                words += after.rstrip()
            yield Piece(words, None if number else pause, tuple(noises))
