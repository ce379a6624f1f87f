"""MITI 4.2's four global ratings: how the whole tape sounds, each from 1 to 5, by one coder, and by the group.

Cultivating change talk, softening sustain talk, partnership and empathy (Moyers, Manuel and Ernst, Motivational
Interviewing Treatment Integrity Coding Manual 4.2.1, 2015). The words are our own; the manual has the anchors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from starlette.exceptions import HTTPException

from pipeline.measures.session import miti
from pipeline.measures.session.measures import Measure
from pipeline.review.authorization import Admitted
from pipeline.review.form_answers import ANSWERS
from pipeline.tapes import request_trail
from pipeline.tapes.db.records import Form, Pass, Person

FORM_KIND = "globals.miti-4.2"
GROUP_FORM_KIND = f"{FORM_KIND} together"
"""The kind of the group's settled ratings, before the codebook's name."""


@dataclass(frozen=True)
class GlobalRating:
    """One rating with its ends in words."""

    name: str
    label: str
    low: str
    high: str


RATINGS = (
    GlobalRating(
        "cultivating_change_talk",
        "Cultivating change talk",
        "The client's own reasons for change get no response",
        "The client's own talk for change is drawn out and deepened throughout",
    ),
    GlobalRating(
        "softening_sustain_talk",
        "Softening sustain talk",
        "The conversation keeps returning to reasons not to change",
        "Reasons not to change are acknowledged, and the conversation does not dwell on them",
    ),
    GlobalRating(
        "partnership",
        "Partnership",
        "The interviewer acts as the expert",
        "Both work together, and the client's own expertise counts",
    ),
    GlobalRating(
        "empathy",
        "Empathy",
        "Little interest in the client's view",
        "A deep understanding of the client's view, beyond the words, shows again and again",
    ),
)
"""The four, technical ones first."""

SCALE = range(miti.LOWEST, miti.HIGHEST + 1)
"""The ratings."""


def pass_ratings(admitted: Admitted, coding_pass: Pass) -> dict[str, int]:
    """Return the latest ratings of a pass."""
    return _read(admitted, f"{FORM_KIND} {coding_pass.id}")


def store_pass_ratings(admitted: Admitted, coding_pass: Pass, answers: Mapping[str, int]) -> None:
    """Store a pass's ratings; earlier ones stay as history."""
    _write(admitted, f"{FORM_KIND} {coding_pass.id}", answers)
    admitted.record("ratings.give", coding_pass.id)


def group_ratings(admitted: Admitted, codebook: str) -> dict[str, int]:
    """Return the ratings that the group settled on for a codebook, without those it left open."""
    return _read(admitted, f"{GROUP_FORM_KIND} {codebook}")


def store_group_ratings(admitted: Admitted, codebook: str, answers: Mapping[str, int]) -> None:
    """Store the ratings that the group settles on; coders' own ratings stay, and earlier decisions as history."""
    _write(admitted, f"{GROUP_FORM_KIND} {codebook}", answers)
    admitted.record("ratings.settle", codebook)


@dataclass(frozen=True)
class RatingComparison:
    """The coders' ratings side by side, each coder's as far as given, and what the group settled on."""

    coders: tuple[tuple[str, Mapping[str, int]], ...]
    settled: Mapping[str, int]

    @property
    def rows(self) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
        """Each rating's label with a number from each coder, or None."""
        return tuple(
            (rating.label, tuple(answers.get(rating.name) for _, answers in self.coders)) for rating in RATINGS
        )

    @property
    def scores(self) -> tuple[tuple[str, tuple[Measure, ...]], ...]:
        """The label of the technical and of the relational score, with each coder's."""
        scores_by_coder = [miti.global_scores(answers) for _, answers in self.coders]
        return tuple((column[0].label, column) for column in zip(*scores_by_coder, strict=True))

    @property
    def counted(self) -> dict[str, int]:
        """The ratings that count: what the group settled on, else the number that all raters gave."""
        ratings = dict(self.settled)
        for name in miti.GLOBAL_RATINGS:
            numbers = self.numbers(name)
            if name not in ratings and len(set(numbers)) == 1:
                ratings[name] = numbers[0]
        return ratings

    def numbers(self, name: str) -> list[int]:
        """The coders' numbers for one rating."""
        return [answers[name] for _, answers in self.coders if name in answers]


def compare_ratings(admitted: Admitted, codebook: str) -> RatingComparison:
    """Return the ratings of the locked passes with a codebook; only for somebody who may see the others' codes.

    A person's later ratings replace the earlier ones.
    """
    query = select(Pass, Person.name).join(Person, Person.id == Pass.person_id)
    query = query.where(Pass.tape_id == admitted.tape.id, Pass.locked_at.is_not(None), Pass.codebook == codebook)
    latest: dict[str | None, tuple[str, Mapping[str, int]]] = {}
    for coding_pass, name in admitted.session.execute(query.order_by(Person.name, Pass.started_at, Pass.id)):
        answers = pass_ratings(admitted, coding_pass)
        if answers:
            request_trail.shows_passes([coding_pass.id])
            latest[coding_pass.person_id] = (name, answers)
    return RatingComparison(tuple(latest.values()), group_ratings(admitted, codebook))


def parse_ratings(form: Mapping[str, object]) -> dict[str, int]:
    """Return the ratings of a form, without those left open.

    Raises
    ------
    HTTPException: 422 a rating is not on the scale.
    """
    answers = {}
    for rating in RATINGS:
        value = form.get(rating.name)
        if value is None or value == "":
            continue
        if value not in {str(number) for number in SCALE}:
            raise HTTPException(422, f"{rating.label} is rated from {miti.LOWEST} to {miti.HIGHEST}.")
        answers[rating.name] = int(str(value))
    return answers


def _read(admitted: Admitted, kind: str) -> dict[str, int]:
    row = _latest_form(admitted, kind)
    if row is None:
        return {}
    answers = json.loads(admitted.home.vault.unseal(row.tape_id, row.sealed_answers, ANSWERS))
    return {name: answers[name] for name in miti.GLOBAL_RATINGS if name in answers}


def _write(admitted: Admitted, kind: str, answers: Mapping[str, int]) -> None:
    previous = _latest_form(admitted, kind)
    admitted.session.add(
        Form(
            tape_id=admitted.tape.id,
            person_id=admitted.person.id,
            kind=kind,
            sealed_answers=admitted.home.vault.seal(admitted.tape.id, json.dumps(dict(answers)).encode(), ANSWERS),
            at=max(admitted.now, previous.at + 1 if previous else 0),
        )
    )


def _latest_form(admitted: Admitted, kind: str) -> Form | None:
    query = select(Form).where(Form.tape_id == admitted.tape.id, Form.kind == kind)
    return admitted.session.scalars(query.order_by(Form.at.desc(), Form.id).limit(1)).first()
