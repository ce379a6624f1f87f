"""Scenes as people record them: what must be said of each, what must not, and that nothing is lost without a word.

The truth of each scene is known (`tests.run.scenes`). A scene may end with an error, without figures, or with a
warning; none ends with figures and no warning where more than a twentieth of a voice's speech is missing or given to
another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline import settings
from pipeline.errors import TapeReviewError
from pipeline.run.engines import Engines
from pipeline.stages import ProcessRequest, process
from pipeline.timeline import Span
from tests.run import scenes
from tests.run.scenes import Scene

pytestmark = pytest.mark.engines

DEFAULT = settings.load().settings
LOST = 0.05
REACH = 400  # ms around a word that are the word's, too
ALCOHOL, WALKING = "roleplay-alcohol", "session-20-minutes"


class Silent:
    """Watches nothing."""

    def started(self, stage: str) -> None: ...

    def progressed(self, stage: str, fraction: float) -> None: ...

    def finished(self, stage: str, reused: bool) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its error, or its warnings, tables and measures."""

    scene: Scene
    error: str = ""
    warnings: tuple[str, ...] = ()
    utterances: pd.DataFrame | None = None
    words: pd.DataFrame | None = None
    sounds: pd.DataFrame | None = None
    measures: dict[str, Any] | None = None

    @property
    def has_figures(self) -> bool:
        return self.measures is not None and self.measures["withheld"] is None

    @property
    def message(self) -> str:
        return " ".join([self.error, *self.warnings])


def asks() -> list[np.ndarray]:
    return scenes.near(ALCOHOL, "S1")[3:8]


def answers() -> list[np.ndarray]:
    return scenes.near(ALCOHOL, "S2")[3:8]


def third() -> list[np.ndarray]:
    return [part for part in scenes.near(WALKING, "S2") if len(part) > 2 * scenes.RATE][3:8]


def two_people() -> Scene:
    return scenes.dialog(interviewer=asks(), client=answers())


@dataclass(frozen=True)
class Row:
    """A scene, what must be said of it and what must not, and how the command is called."""

    make: Callable[[], Scene]
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    figures: bool | None = None
    """Whether there are figures; None where either is right."""


COUPLE = {"S1": "interviewer", "S2": "client", "S3": "client"}

ROWS = {
    "two people": Row(two_people, never=("withheld", "one more person", "something sounds"), figures=True),
    "silence": Row(lambda: scenes.nobody(np.zeros(20 * scenes.RATE, np.float32)), ("TR-P01",), figures=False),
    "hum": Row(lambda: scenes.nobody(scenes.hum(20)), ("TR-P01",), figures=False),
    "telephone rings": Row(
        lambda: scenes.with_sound(scenes.later(two_people(), 8), scenes.ringing(7), 0),
        never=("withheld", "one more person"),
        figures=True,
    ),
    "music on hold": Row(
        lambda: scenes.with_sound(scenes.later(two_people(), 8), scenes.music(8), 0),
        never=("withheld", "one more person"),
        figures=True,
    ),
    "three people": Row(
        lambda: scenes.dialog(interviewer=asks(), client=answers(), third=third()), ("one more person",)
    ),
    "couple": Row(
        lambda: scenes.dialog(interviewer=asks(), one=answers(), two=third()),
        never=("one more person", "withheld"),
        options=(("speakers", 3), ("roles", COUPLE)),
        figures=True,
    ),
    "one voice only": Row(lambda: scenes.dialog(only=asks()), ("withheld",), figures=False),
    "whispering": Row(
        lambda: scenes.dialog(interviewer=asks(), client=scenes.through(scenes.whispered, answers())),
        never=("no speech was found",),
    ),
    "a telephone's voice beside a near one": Row(
        lambda: scenes.dialog(interviewer=asks(), client=scenes.through(scenes.telephone, answers()))
    ),
    "a quiet voice across the room": Row(
        lambda: scenes.dialog(interviewer=asks(), client=scenes.through(scenes.far, answers())),
        never=("no speech was found",),
    ),
    "two languages": Row(
        lambda: scenes.with_sound(scenes.later(two_people(), 19), scenes.spanish(18), 0), ("Spanish",), figures=True
    ),
}
"""Scene by name."""


@cache
def outcome(name: str, folder: Path) -> Outcome:
    row = ROWS[name]
    scene = row.make()
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "scene.wav", scene.samples, scenes.RATE, subtype="PCM_16")
    request = ProcessRequest((folder / "scene.wav",), "drinking less", **dict(row.options))
    out = folder / "tape"
    try:
        process(request, DEFAULT, out, Silent())
    except TapeReviewError as error:
        return Outcome(scene, str(error))
    return Outcome(
        scene,
        warnings=tuple(json.loads((out / "provenance.json").read_text())["warnings"]),
        utterances=pd.read_csv(out / "utterances.csv"),
        words=pd.read_csv(out / "words.csv"),
        sounds=pd.read_csv(out / "vocalizations.csv"),
        measures=json.loads((out / "measures.json").read_text()),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the scenes, all of which the same engines hear: to load them takes longer than a scene."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("transcriber", "diarizer", "roles", "sentences"):
            patch.setattr(Engines, name, loaded_once(getattr(Engines, name)))
        patch.setattr(Engines, "tagger", property(loaded_once(Engines.tagger.func)))
        yield tmp_path_factory.mktemp("scenes")


def loaded_once(load: Callable[..., Any]) -> Callable[..., Any]:
    """The method of `Engines`, which loads once for all tapes that are worked on alike."""
    engines: dict[str, Any] = {}

    def loaded(self: Engines, *given: Any) -> Any:
        key = repr(given[:3])  # of a diarizer its kind, the number of speakers and the turns; then comes the tape
        if key not in engines:
            engines[key] = load(self, *given)
        return engines[key]

    return loaded


def spans(table: pd.DataFrame) -> list[tuple[str, Span]]:
    return [
        (str(speaker), Span(round(start * 1000), round(end * 1000)))
        for speaker, start, end in table[["speaker", "start", "end"]].itertuples(index=False)
    ]


def lost(outcome: Outcome) -> dict[str, float]:
    """Voice -> share of its speech that nobody is given, or somebody else than the voice's own speaker.

    Each voice's speaker is the one that is given most of it; where two voices have one speaker, only the one that
    speaks more has it. Sounds that are listed without words are not missing.
    """
    assert outcome.words is not None
    assert outcome.sounds is not None
    given, listed = spans(outcome.words), [span for _, span in spans(outcome.sounds)]
    steps = {
        voice: [step for span in speech for step in range(span.start, span.end, 20)]
        for voice, speech in outcome.scene.speech.items()
    }
    heard = {
        voice: [{who for who, span in given if span.start - REACH <= step < span.end + REACH} for step in times]
        for voice, times in steps.items()
    }
    amounts = sorted(
        (
            (sum(speaker in who for who in at), voice, speaker)
            for voice, at in heard.items()
            for speaker in {speaker for who in at for speaker in who}
        ),
        reverse=True,
    )
    speaker_of: dict[str, str] = {}
    for _, voice, speaker in amounts:
        if voice not in speaker_of and speaker not in speaker_of.values():
            speaker_of[voice] = speaker
    return {
        voice: np.mean(
            [
                speaker_of.get(voice) not in who and not any(step in span for span in listed)
                for who, step in zip(heard[voice], times, strict=True)
            ]
        ).item()
        for voice, times in steps.items()
    }


@pytest.mark.parametrize("name", ROWS)
def test_what_must_be_said_is_said_and_nothing_false(name: str, folder: Path) -> None:
    row, ended = ROWS[name], outcome(name, folder / name.replace(" ", "-"))
    assert all(fragment in ended.message for fragment in row.must), ended.message
    assert not [fragment for fragment in row.never if fragment in ended.message], ended.message
    assert row.figures is None or ended.has_figures == row.figures, ended.message


@pytest.mark.parametrize("name", ROWS)
def test_nothing_is_missing_or_given_to_another_without_a_word(name: str, folder: Path) -> None:
    ended = outcome(name, folder / name.replace(" ", "-"))
    if ended.error or not ended.has_figures or ended.warnings:
        return
    assert all(share <= LOST for share in lost(ended).values()), (lost(ended), ended.utterances)


def test_of_two_people_nothing_is_lost(folder: Path) -> None:
    """The measure itself: a plain scene has none, and one that is attributed to one speaker has half."""
    plain = outcome("two people", folder / "two-people")
    assert max(lost(plain).values()) <= LOST
    assert plain.words is not None
    merged = Outcome(plain.scene, words=plain.words.assign(speaker="S1"), sounds=plain.sounds)
    assert max(lost(merged).values()) == 1
