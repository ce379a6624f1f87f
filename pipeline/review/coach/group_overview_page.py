"""The program's page, for whoever keeps the room: groups only, no person and no tape.

What a group's coach may see of its tapes is what counts; a group without a coach has only its number of tapes.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.measures.drift.group_overview import MIN_PEOPLE, GroupPeriod, fold_small_groups
from pipeline.measures.reliability.rating_matrix import COACH, CONSENSUS, MEMBER, RatingMatrix
from pipeline.review import authorization
from pipeline.review.auth.current_user import Administrator
from pipeline.review.coach.exclusions import count_left_out, exclusion_sentences
from pipeline.review.coach.group_codes import GroupCodes, gather_group_codes
from pipeline.review.context import context_of
from pipeline.review.templating import render
from pipeline.tapes import people
from pipeline.tapes.db.records import Group, Person, Tape
from pipeline.tapes.home import Home

router = APIRouter()


@router.get("/program")
def group_overview_page(request: Request, viewer: Administrator) -> Response:
    """The page."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        viewing = database.get_one(Person, viewer.person_id)
        groups = [
            _group_period(home, database, viewing, group, now)
            for group in database.scalars(select(Group).order_by(Group.name))
        ]
    authorization.note(request, viewer, None, "read", "program")
    rows = fold_small_groups(groups)
    quarters = sorted({quarter for row in rows for quarter in row.quarters})[-8:]
    return render(
        request,
        "coach/group_overview.html",
        rows=rows,
        exclusion_sentences=exclusion_sentences,
        quarters=quarters,
        smallest=MIN_PEOPLE,
    )


def _group_period(home: Home, database: Session, viewing: Person, group: Group, now: int) -> GroupPeriod:
    members = people.members(database, group, now)
    tapes = database.scalar(select(func.count(Tape.id)).where(Tape.group_id == group.id, Tape.state == "ready")) or 0
    coach = next((member.person for member in members if member.role == "coach"), None)
    people_count = sum(member.role != "coach" for member in members)
    if coach is None:
        return GroupPeriod(group.name, people_count, tapes, 0, 0, {})
    gathered = gather_group_codes(home, database, coach, group, now, and_by=viewing)
    left_out = count_left_out(database, group, coach, viewing, gathered.tapes, now)
    return GroupPeriod(
        group.name,
        people_count,
        tapes,
        *count_checked(gathered.rating_matrix),
        _quarterly_agreement(gathered),
        left_out,
    )


def count_checked(panel: RatingMatrix) -> tuple[int, int]:
    """Return how many tapes a coach coded, and on how many days."""
    times = panel.times[panel.rows(COACH)]
    known = ~np.isnan(times)
    return int(known.any(axis=0).sum()), len({int(time // 86_400_000) for time in times[known]})


def _quarterly_agreement(gathered: GroupCodes) -> dict[str, tuple[int, int]]:
    """Return quarter in which the coach coded -> (utterances coded alike, all that both coded in one codebook)."""
    agreement_by_quarter: dict[str, tuple[int, int]] = {}
    for panel in (gathered.in_codebook(name).rating_matrix for name in gathered.used):
        # Only who could give all of the codebook's codes has cells here.
        cells = panel.levels[0].values_of(panel.grid)
        group = panel.rows(CONSENSUS) or panel.rows(MEMBER)
        for coach in panel.rows(COACH):
            for tape, time in enumerate(panel.times[coach]):
                if np.isnan(time):
                    continue
                moment = datetime.fromtimestamp(time / 1000, UTC)
                quarter = f"{moment.year} Q{(moment.month + 2) // 3}"
                for row in group:
                    both = (panel.tape_index == tape) & panel.comparable(coach, row, cells)
                    alike = int((cells[coach, both] == cells[row, both]).sum())
                    earlier = agreement_by_quarter.get(quarter, (0, 0))
                    agreement_by_quarter[quarter] = (earlier[0] + alike, earlier[1] + int(both.sum()))
    return agreement_by_quarter
