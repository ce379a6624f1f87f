"""``python -m tests.benchmarks.languages``: how much speech is taken for another language than it is in.

The bundled role-plays are English, `spanish.ogg` is Spanish, and two are put together of both. For each: the seconds of
speech, those of English that are called foreign, and those of Spanish that are not called Spanish. The thresholds of
`pipeline.speech.spoken_languages` were chosen on scenes of this kind, which flatters the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline import settings
from pipeline.audio import recording
from pipeline.speech import transcriber
from pipeline.speech.cores import Cores
from pipeline.timeline import Span, Word

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
RATE = 16_000


def sound(name: str) -> np.ndarray:
    """A recording's samples, (n,) float32 at 16 kHz."""
    return recording.decode(RECORDINGS / name, settings.load().settings.audio).mono


def scenes() -> Iterator[tuple[str, list[tuple[str, np.ndarray]]]]:
    """Name -> parts: language and samples."""
    english, spanish = sound("roleplay-alcohol.ogg"), sound("spanish.ogg")
    yield "role-play, alcohol", [("en", english)]
    yield "role-play, swapped", [("en", sound("roleplay-swapped.flac"))]
    yield "Spanish", [("es", spanish)]
    yield (
        "English, Spanish, English",
        [("en", english[: 40 * RATE]), ("es", spanish), ("en", english[40 * RATE : 80 * RATE])],
    )
    turns = [(english[at * RATE : (at + 6) * RATE], spanish[at * RATE : (at + 6) * RATE]) for at in (0, 6, 12)]
    yield "turns of 6 s", [part for pair in turns for part in (("en", pair[0]), ("es", pair[1]))]


def wrong(words: tuple[Word, ...], parts: list[tuple[str, np.ndarray]]) -> dict[str, int]:
    """Language -> milliseconds of its words that are called another; a word belongs to the part of its middle."""
    lengths = dict.fromkeys(("en", "es"), 0)
    start = 0
    for language, samples in parts:
        extent = Span(start, start + samples.size * 1000 // RATE)
        lengths[language] += sum(
            word.span.duration for word in words if word.span.middle in extent and word.language != language
        )
        start = extent.end
    return lengths


def main() -> None:
    """Print a line per scene."""
    engine = transcriber.load(settings.load().settings)
    print("scene                       words s   English called foreign s   Spanish missed s")
    for name, parts in scenes():
        words = engine.transcribe(np.concatenate([samples for _, samples in parts]), Cores(2)).words
        lost = wrong(words, parts)
        spoken = sum(word.span.duration for word in words)
        print(f"{name:26} {spoken / 1000:8.1f} {lost['en'] / 1000:26.1f} {lost['es'] / 1000:18.1f}")


if __name__ == "__main__":
    main()
