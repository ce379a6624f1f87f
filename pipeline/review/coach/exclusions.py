"""Tapes that a page leaves out because the viewer is blind to the codes there, with the reasons.

Whether others have coded such a tape is hidden, too: the tape is listed as left out in either case.
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
    """Return reason -> the number of the group's tapes that are not among those shown.

    Tapes that coach or viewer may not see at all are no part of it.
    """
    query = select(Tape).where(Tape.group_id == group.id, Tape.state == "ready").order_by(Tape.created_at, Tape.id)
    others = [tape for tape in database.scalars(query) if tape.id not in shown]
    hidden = all_open(database, coach, others, now)
    open_passes = select(Pass.tape_id, Pass.person_id).where(
        *(Pass.tape_id.in_([tape.id for tape in hidden]), Pass.locked_at.is_(None), Pass.layer != "consensus")
    )
    at_work = {(tape_id, person_id) for tape_id, person_id in database.execute(open_passes)}
    ended = select(Pass.tape_id).where(Pass.layer == "coach", Pass.locked_at.is_not(None))
    coached = set(database.scalars(ended.where(Pass.tape_id.in_([tape.id for tape in hidden]))))
    codable = consent.allows_each(database, viewing, "code", hidden, now)
    blind = unseen(
        database,
        viewing.id,
        [tape for tape, codable_by_viewer in zip(hidden, codable, strict=True) if codable_by_viewer],
    )
    reasons: Counter[str] = Counter()
    for tape in hidden:
        if (tape.id, viewing.id) in at_work:
            reasons[STILL_CODING] += 1
        elif tape.id in blind:
            reasons[NOT_YET_CODED] += 1
        elif (tape.id, coach.id) in at_work and tape.id in coached:
            reasons[COACH_RECODING] += 1
    return dict(reasons)


def exclusion_sentences(left: dict[str, int]) -> list[str]:
    """Return the reasons as sentences: "1 left out: you are still coding it"."""
    return [
        f"{number} left out: {reason.format(it='it' if number == 1 else 'them')}" for reason, number in left.items()
    ]
