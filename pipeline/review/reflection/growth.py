"""My growth: a member's own measures over tapes, with their intervals; for that member, and those it is shared with.

There is no page that shows several people beside each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.measures.session.measures import HEADLINE_RATIOS
from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.authorization import Admitted
from pipeline.review.coding.current_measures import CurrentMeasures, current_measures
from pipeline.review.context import context_of
from pipeline.review.form_fields import FormId, Id
from pipeline.review.tapes.stored_measures import Figure
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log, people
from pipeline.tapes.db.records import Person, Share, Tape
from pipeline.tapes.home import Home

router = APIRouter()

WIDE, HIGH, EDGE, LEFT = 640, 180, 34, 54
"""The picture's size, its free edge, and where its points begin, in its own units."""


@dataclass(frozen=True)
class Point:
    """One tape's value in a picture: where it lies, and how far its interval reaches (y grows downward).

    ``by_group`` tells whether people's codes gave it or the machine's alone, ``basis`` which of them in words. ``note``
    says so where the tape has no sound, and how much of it is in no figure for its language.
    """

    x: float
    y: float
    top: float
    bottom: float
    day: int
    figure: Figure
    by_group: bool
    basis: str
    note: str = ""


@dataclass(frozen=True)
class MeasureHistory:
    """One measure over tapes; ``missing`` are the days of tapes that have none, and why."""

    name: str
    label: str
    points: tuple[Point, ...]
    most: str
    missing: tuple[tuple[int, str], ...]

    @property
    def by_group(self) -> int:
        """How many of the points stand on people's codes."""
        return sum(point.by_group for point in self.points)


@router.get("/growth")
def mine(request: Request, viewer: SignedIn) -> Response:
    """My own growth, and with whom it is shared."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        person = database.get_one(Person, viewer.person_id)
        lines, shown = _lines(database, room.home, viewer, person.id, now)
        peers = _peers(database, person, now)
        shared = set(database.scalars(select(Share.with_person_id).where(Share.person_id == person.id)))
        sharing = select(Person).join(Share, Share.person_id == Person.id).where(Share.with_person_id == person.id)
        to_me = [owner for owner in database.scalars(sharing) if owner.id in peers]
    _note(room.home, viewer, shown, now)
    return _page(request, lines, None, peers, shared, to_me)


@router.get("/growth/{person_id}")
def shared_with_me(request: Request, viewer: SignedIn, person_id: Id) -> Response:
    """The growth of somebody who shares it with me."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        owner = database.get(Person, person_id)
        query = select(Share.id).where(Share.person_id == person_id, Share.with_person_id == viewer.person_id)
        if owner is None or database.scalar(query.limit(1)) is None:
            raise HTTPException(404)
        if viewer.person_id not in _peers(database, owner, now):  # it was shared within a group that one of them left
            raise HTTPException(404)
        lines, shown = _lines(database, room.home, viewer, person_id, now)
    _note(room.home, viewer, shown, now, person_id)
    return _page(request, lines, owner)


@router.post("/growth/share")
def share(request: Request, viewer: SignedIn, person_id: FormId) -> Response:
    """Share my growth with somebody of my groups."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        person = database.get_one(Person, viewer.person_id)
        if person_id not in _peers(database, person, now):
            raise HTTPException(404)
        database.execute(delete(Share).where(Share.person_id == person.id, Share.with_person_id == person_id))
        database.add(Share(person_id=person.id, with_person_id=person_id, at=now))
        audit_log.record(database, now, person.id, "growth.share", thing=person_id)
    return seeing("/growth", "shared")


@router.post("/growth/unshare")
def unshare(request: Request, viewer: SignedIn, person_id: FormId) -> Response:
    """Share it no more."""
    room = context_of(request)
    with room.home.database.writing() as database:
        database.execute(delete(Share).where(Share.person_id == viewer.person_id, Share.with_person_id == person_id))
        audit_log.record(database, room.clock(), viewer.person_id, "growth.unshare", thing=person_id)
    return seeing("/growth", "saved")


def _page(
    request: Request,
    lines: Sequence[MeasureHistory],
    owner: Person | None = None,
    peers: Mapping[str, str] = MappingProxyType({}),
    shared: Collection[str] = (),
    to_me: Sequence[Person] = (),
) -> Response:
    """The page; ``owner`` None shows the viewer's own lines, with whom they are shared and who shares theirs."""
    return render(
        request,
        "growth.html",
        owner=owner,
        lines=lines,
        peers=peers,
        shared=shared,
        to_me=to_me,
        wide=WIDE,
        high=HIGH,
        left=LEFT,
    )


def _peers(database: Session, person: Person, now: int) -> dict[str, str]:
    """Who is in a group with somebody, coaches included."""
    return {
        member.person.id: member.person.name
        for group, _ in people.groups_of(database, person, now)
        for member in people.members(database, group, now)
        if member.person.id != person.id
    }


def _note(home: Home, viewer: Viewer, tapes: Sequence[str], now: int, owner_id: str = "") -> None:
    """Tell the audit whose growth was read, and of which tapes. Writers do not wait while it is worked out."""
    with home.database.writing() as database:
        if owner_id:
            audit_log.record(database, now, viewer.person_id, "read", thing=f"growth {owner_id}")
        for tape_id in tapes:
            authorization.read(database, viewer, tape_id, "growth", now)


def _lines(
    database: Session, home: Home, viewer: Viewer, owner_id: str, now: int
) -> tuple[list[MeasureHistory], tuple[str, ...]]:
    """The owner's measures, over those tapes whose measures the viewer may see, and which tapes these are."""
    query = select(Tape).where(Tape.interviewer_id == owner_id, Tape.state == "ready").order_by(Tape.created_at)
    person = database.get_one(Person, viewer.person_id)
    seen = [
        (tape, current_measures(Admitted(database, home, tape, person, now)))
        for tape in authorization.all_open(database, person, database.scalars(query).all(), now)
    ]
    names = dict.fromkeys(
        figure.name for _, measures in seen for figure in measures.figures if figure.name in HEADLINE_RATIOS
    )
    lines = [line for name in names if (line := _line(name, seen)).points]
    return lines, tuple(tape.id for tape, _ in seen)


def _line(name: str, seen: list[tuple[Tape, CurrentMeasures]]) -> MeasureHistory:
    measured = [
        (tape, figure, measures)
        for tape, measures in seen
        for figure in measures.figures
        if figure.name == name and figure.value is not None
    ]
    if not measured:
        return MeasureHistory(name, "", (), "", ())
    highest = max((figure.high or figure.value or 0.0) for _, figure, _ in measured)
    most = 100.0 if measured[0][1].unit == "percent" else max(1.0, highest)
    step = (WIDE - LEFT - EDGE) / max(1, len(measured) - 1)

    def y(value: float) -> float:
        return round(HIGH - EDGE - (HIGH - 2 * EDGE) * min(value, most) / most, 1)

    points = tuple(
        Point(
            round(LEFT + step * at if len(measured) > 1 else WIDE / 2, 1),
            y(figure.value or 0.0),
            y(most if figure.high is None and figure.low is not None else figure.high or figure.value or 0.0),
            y(figure.low if figure.low is not None else figure.value or 0.0),
            tape.created_at,
            figure,
            measures.by_group and not figure.by_machine,
            measures.basis,
            ". ".join(filter(None, (measures.note, measures.languages))),
        )
        for at, (tape, figure, measures) in enumerate(measured)
    )
    top = "100 %" if measured[0][1].unit == "percent" else f"{most:.1f}"
    label = min((figure.label for _, figure, _ in measured), key=len)  # without what is said of some of them alone
    missing = tuple(
        (tape.created_at, figure.undefined)
        for tape, measures in seen
        for figure in measures.figures
        if figure.name == name and figure.value is None
    )
    return MeasureHistory(name, label, points, top, missing)
