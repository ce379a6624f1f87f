"""Tapes that a page leaves out, as whoever looks is blind to the codes there; and why.

Whether others have coded such a tape is part of what one is blind to: it is told as left out in either case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.review.authorization import all_open, unseen
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Group, Pass, Person, Tape

STILL_CODING = "you are still coding {it}"
NOT_YET_CODED = "you have yet to code {it}"
COACH_RECODING = "the coach is coding {it} again"


def count_left_out(
    database: Session, group: Group, coach: Person, viewing: Person, shown: Collection[str], now: int
) -> dict[str, int]:
    """Reason -> how many of the group's tapes that are not among those shown.

    Tapes that coach or viewer may not see at all are no part of it.
    """
    query = select(Tape).where(Tape.group_id == group.id, Tape.state == "ready").order_by(Tape.created_at, Tape.id)
    others = [tape for tape in database.scalars(query) if tape.id not in shown]
    hidden = all_open(database, coach, others, now)
    open_ = select(Pass.tape_id, Pass.person_id).where(
        *(Pass.tape_id.in_([tape.id for tape in hidden]), Pass.locked_at.is_(None), Pass.layer != "consensus")
    )
    at_work = {(tape_id, person_id) for tape_id, person_id in database.execute(open_)}
    ended = select(Pass.tape_id).where(Pass.layer == "coach", Pass.locked_at.is_not(None))
    coached = set(database.scalars(ended.where(Pass.tape_id.in_([tape.id for tape in hidden]))))
    codable = consent.allows_each(database, viewing, "code", hidden, now)
    blind = unseen(database, viewing.id, [tape for tape, may in zip(hidden, codable, strict=True) if may])
    why: Counter[str] = Counter()
    for tape in hidden:
        if (tape.id, viewing.id) in at_work:
            why[STILL_CODING] += 1
        elif tape.id in blind:
            why[NOT_YET_CODED] += 1
        elif (tape.id, coach.id) in at_work and tape.id in coached:
            why[COACH_RECODING] += 1
    return dict(why)


def exclusion_sentences(left: dict[str, int]) -> list[str]:
    """The reasons as sentences: "1 left out: you are still coding it"."""
    return [f"{number} left out: {why.format(it='it' if number == 1 else 'them')}" for why, number in left.items()]
