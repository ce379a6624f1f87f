"""MITI 4.2's four global ratings: how the whole tape sounds, each from 1 to 5, by one coder.

Cultivating change talk, softening sustain talk, partnership and empathy (Moyers, Manuel and Ernst, Motivational
Interviewing Treatment Integrity Coding Manual 4.2.1, 2015). The words are our own; the manual has the anchors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from pipeline.review.coding.admission import Admitted
from pipeline.review.reflecting.forms import ANSWERS
from pipeline.tapes.records import Form, Pass, Person

KIND = "globals.miti-4.2"
LOWEST, HIGHEST = 1, 5


@dataclass(frozen=True)
class Rating:
    """One rating with its ends in words."""

    name: str
    label: str
    low: str
    high: str


RATINGS = (
    Rating(
        "cultivating_change_talk",
        "Cultivating change talk",
        "The client's own reasons for change go unheard",
        "What the client says for change is drawn out and deepened throughout",
    ),
    Rating(
        "softening_sustain_talk",
        "Softening sustain talk",
        "The talk keeps turning to why not to change",
        "Reasons to stay as it is are heard, and the talk does not dwell on them",
    ),
    Rating(
        "partnership",
        "Partnership",
        "The interviewer takes the expert's part",
        "Both work on it together, and the client's own expertise counts",
    ),
    Rating(
        "empathy",
        "Empathy",
        "Little interest in how the client sees it",
        "A deep grasp of the client's view, beyond what was said, shows again and again",
    ),
)
"""The four, technical ones first."""


def given(admitted: Admitted, one: Pass) -> dict[str, int]:
    """What was rated last in a pass."""
    row = _last(admitted, one)
    if row is None:
        return {}
    answers = json.loads(admitted.home.vault.unseal(row.tape_id, row.sealed_answers, ANSWERS))
    return {rating.name: answers[rating.name] for rating in RATINGS if rating.name in answers}


def give(admitted: Admitted, one: Pass, answers: Mapping[str, int]) -> None:
    """Keep a pass's ratings; earlier ones stay as history."""
    sealed = admitted.home.vault.seal(admitted.tape.id, json.dumps(dict(answers)).encode(), ANSWERS)
    admitted.session.add(
        Form(
            tape_id=admitted.tape.id,
            person_id=admitted.person.id,
            kind=f"{KIND} {one.id}",
            sealed_answers=sealed,
            at=admitted.now,
        )
    )
    admitted.record("ratings.give", one.id)


@dataclass(frozen=True)
class Compared:
    """The coders' ratings side by side: who rated, and each rating's label with a number from each, or None."""

    coders: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int | None, ...]], ...]


def side_by_side(admitted: Admitted) -> Compared:
    """The ratings of all locked passes; only for somebody who may see the others' codes."""
    query = select(Pass, Person.name).join(Person, Person.id == Pass.person_id)
    query = query.where(Pass.tape_id == admitted.tape.id, Pass.locked_at.is_not(None))
    rows = admitted.session.execute(query.order_by(Person.name, Pass.started_at, Pass.id)).all()
    found = [(name, answers) for one, name in rows if (answers := given(admitted, one))]
    return Compared(
        tuple(name for name, _ in found),
        tuple((one.label, tuple(answers.get(one.name) for _, answers in found)) for one in RATINGS),
    )


def means(answers: Mapping[str, int]) -> dict[str, float]:
    """MITI's two summary scores, where all of their ratings are there: technical and relational."""
    pairs = {
        "technical": ("cultivating_change_talk", "softening_sustain_talk"),
        "relational": ("partnership", "empathy"),
    }
    return {
        name: sum(answers[part] for part in parts) / len(parts)
        for name, parts in pairs.items()
        if all(part in answers for part in parts)
    }


def _last(admitted: Admitted, one: Pass) -> Form | None:
    query = select(Form).where(
        Form.tape_id == admitted.tape.id, Form.person_id == one.person_id, Form.kind == f"{KIND} {one.id}"
    )
    return admitted.session.scalars(query.order_by(Form.at.desc(), Form.id).limit(1)).first()
