"""A tape's measures as they lie in the vault, for pages: a value, its interval, and that a machine proposed it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline import languages
from pipeline.measures.session.measures import Measure, headline_measures
from pipeline.report import number_format
from pipeline.review.tapes import voices
from pipeline.tapes import named_roles
from pipeline.tapes.db.records import Item, Tape, Utterance
from pipeline.tapes.home import Home

KIND = "measures.json"

FROM_TEXT = "Coded from text: no sound, no times, no talk time"
"""What every page says of a tape whose transcript was handed in without sound."""

WRONG_ROLES_BASIS = (
    "The machine took the wrong voice for the interviewer's. Measures appear once the tape is coded by hand"
)


@dataclass(frozen=True)
class Figure:
    """One measure in words and numbers; ``value`` None where ``undefined`` says why.

    ``by_machine``: nobody could code by hand what it counts, whoever coded the rest.
    """

    name: str
    label: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    undefined: str
    by_machine: bool = False

    @property
    def text(self) -> str:
        """The value: "1.2", "40%"."""
        return self.undefined if self.value is None else number_format.format_value(self.value, self.unit)

    @property
    def spread(self) -> str:
        """The interval: "0.9 to 1.6"; empty where there is none, and where nothing is in doubt."""
        if self.value is None or self.low == self.high:
            return ""
        return number_format.format_interval(self.low, self.high, self.unit)


def read(database: Session, home: Home, tape: Tape) -> tuple[Figure, ...]:
    """The main measures of a tape; none where it is not processed, or where they are of the wrong voice."""
    measures = machine_measures(database, home, tape)
    return headline_figures(measures) if measures else ()


def machine_measures(database: Session, home: Home, tape: Tape) -> dict[str, Any]:
    """Return the machine's measures for the roles that hold now, as in ``measures.json``; empty where there are none.

    They are those of the roles that somebody named, if these are other than the machine's.
    """
    named = named_roles.named_roles(database, home, tape.id)
    if named is not None and "measures" in named[1]:
        measures: dict[str, Any] = named[1]["measures"]
        return measures
    return stored(database, home, tape) if voices.heard_right(database, home, tape) else {}


def stored(database: Session, home: Home, tape: Tape) -> dict[str, Any]:
    """Return the machine's measures, as in ``measures.json``; empty where the tape is not processed."""
    item = database.scalar(select(Item).where(Item.tape_id == tape.id, Item.kind == KIND).limit(1))
    return json.loads(home.vault.read(item)) if item is not None else {}


def headline_figures(measures: dict[str, Any]) -> tuple[Figure, ...]:
    """The main ones of a tape's measures, given as in ``measures.json``."""
    return tuple(map(_figure, headline_measures(measures)))


def ratios(measures: dict[str, Any]) -> tuple[Figure, ...]:
    """All ratios of a tape's measures, given as in ``measures.json``."""
    return tuple(_figure({"name": name} | ratio) for name, ratio in measures["ratios"].items())


def of(measure: Measure) -> Figure:
    """One measure for a page."""
    return _figure(measure.as_dict())


def language_note(database: Session, tape: Tape, coded: Collection[str] = ()) -> str:
    """Return how much of a tape is in another language and in no figure, in a sentence; "" where all of it counts.

    ``coded``: the utterances that people gave codes, which count whatever their language.
    """
    rows = database.execute(
        select(Utterance.utterance_id, Utterance.language, Utterance.start_ms, Utterance.end_ms).where(
            Utterance.tape_id == tape.id
        )
    ).all()
    spoken = ["" if utterance_id in coded else language for utterance_id, language, _, _ in rows]
    # Without sound a word's place stands for its time: what lies between two is a number of words.
    share_of = languages.shares(spoken, [float(end - start) for *_, start, end in rows])
    return languages.share_sentence(share_of, "words" if tape.from_text else "speech")


def _figure(measure: dict[str, Any]) -> Figure:
    plain = {key: measure[key] for key in ("name", "label", "unit", "value", "low", "high")}
    return Figure(**plain, undefined=measure["undefined"] or "", by_machine=bool(measure.get("note")))
