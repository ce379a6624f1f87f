"""May this person use this tape in this way, now? `allows` decides, and every way to a tape goes through it.

What a client can allow covers what people then do:

    the consent names    who                                             may
    group_review         members of its groups, people it names          play, show, code
    coach_check          coaches of its groups, people it names          play, show, code
    adapt_tagger         members of its groups, the program              adapt_tagger
    any of the three     the interviewer                                 store, process, play, show, code, export
    any of the three     the program                                     store, process

A coordinator is a member. An administrator is nobody special, except that a client must always be heard: interviewer,
administrator and program may withdraw and destroy at any time. Nothing is remembered from one decision to the next: a
withdrawal holds from the next question on. What cannot be taken back is a state, and no clock is asked about it: whose
clock is slow is refused as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import ConsentError
from pipeline.tapes import request_trail
from pipeline.tapes.clock import over_here
from pipeline.tapes.db.records import Consent, Membership, Person, Tape

Use = Literal["store", "process", "play", "show", "code", "export", "adapt_tagger", "withdraw", "destroy"]
"""What someone may want to do with a tape."""

Reason = Literal["allowed", "destroyed", "disabled", "none", "withdrawn", "expired", "use", "audience", "role"]
"""Why a use is allowed or refused."""

_INTERVIEWER: frozenset[Use] = frozenset({"store", "process", "export", "play", "show", "code"})
_PROGRAM: frozenset[Use] = frozenset({"store", "process"})
_ENDING: frozenset[Use] = frozenset({"withdraw", "destroy"})
_AUDIENCE: frozenset[Use] = frozenset({"play", "show", "code", "adapt_tagger"})

_REFUSALS: dict[Reason, tuple[str, str, str]] = {
    "destroyed": ("D01", "is destroyed", "nothing can be done with it anymore"),
    "disabled": ("D02", "is requested by someone whose account is disabled", "ask an administrator"),
    "none": ("D03", "has no consent", "record the client's consent first"),
    "withdrawn": ("D04", "must not be used: the client withdrew the consent", "destroy it"),
    "expired": ("D05", "must not be used: the consent has ended, and the tape should be destroyed", "destroy it"),
    "use": ("D06", "has a consent that does not cover this use", "ask the client for a consent that does"),
    "audience": ("D07", "has a consent that does not name this person or group", "ask the interviewer"),
    "role": ("D08", "must not be used by this person in this way", "ask the interviewer"),
}


@dataclass(frozen=True)
class Decision:
    """Whether a use is allowed, and why or why not."""

    reason: Reason
    use: Use
    tape_id: str

    @property
    def allowed(self) -> bool:
        """Go ahead."""
        return self.reason == "allowed"

    def __bool__(self) -> bool:
        return self.allowed

    def require(self) -> None:
        """Go on only if it is allowed.

        Raises
        ------
        ConsentError: D01 destroyed, D02 disabled, D03 no consent, D04 withdrawn, D05 expired, D06 use not covered,
            D07 person not in the audience, D08 not in this role.
        """
        if self.reason != "allowed":
            code, value, remedy = _REFUSALS[self.reason]
            raise ConsentError(code, f"tape {self.tape_id}", f"{value} ({self.use})", remedy)


def allows(session: Session, person: Person | None, use: Use, tape: Tape, now: int) -> Decision:
    """Decide, from what the database holds at this moment.

    Parameters
    ----------
    session: a session that is open; tape and person may stem from another, only their ids count.
    person: who asks; None is the program itself (worker, timer).
    """
    return allows_each(session, person, use, [tape], now)[0]


def allows_each(
    session: Session, person: Person | None, use: Use, tapes: Sequence[Tape], now: int
) -> tuple[Decision, ...]:
    """The decision on each of several tapes."""
    return tuple(decisions[0] for decisions in _decisions(session, person, (use,), tapes, now))


def allows_all(session: Session, person: Person | None, uses: Sequence[Use], tape: Tape, now: int) -> Decision:
    """The decision on several uses of a tape at once: the first refusal, or that all are allowed."""
    decisions = next(_decisions(session, person, uses, [tape], now))
    return next((decision for decision in decisions if not decision), decisions[-1])


def reachable(session: Session, person: Person | None, use: Use, now: int) -> tuple[Tape, ...]:
    """The tapes that a person may use in a way, newest first."""
    tapes = session.scalars(select(Tape).where(Tape.state != "destroyed").order_by(Tape.created_at.desc())).all()
    decisions = allows_each(session, person, use, tapes, now)
    return tuple(tape for tape, decision in zip(tapes, decisions, strict=True) if decision)


def _decisions(
    session: Session, person: Person | None, uses: Sequence[Use], tapes: Sequence[Tape], now: int
) -> Iterator[list[Decision]]:
    """For each tape the decision on each use."""
    who = _asker(session, person, now)
    ids = [tape.id for tape in tapes]
    states = session.execute(
        select(Tape.id, Tape.state, Tape.withdrawn_at, Tape.interviewer_id).where(Tape.id.in_(ids))
    )
    present = {row.id: row for row in states if row.state != "destroyed" or row.withdrawn_at is not None}
    terms = _terms(session, ids)
    for tape_id in ids:
        tape = present.get(tape_id)
        decided: list[Reason] = ["destroyed"] * len(uses)
        if tape:
            mine, withdrawn = tape.interviewer_id == who.person_id, tape.withdrawn_at is not None
            decided = [_decide(who, use, mine, withdrawn, terms.get(tape_id), now) for use in uses]
            if "expired" in decided:
                request_trail.came_to_expired()
        yield [Decision(reason, use, tape_id) for reason, use in zip(decided, uses, strict=True)]


class _Asker(NamedTuple):
    """Who asks: the program has no id."""

    person_id: str | None
    disabled: bool
    is_admin: bool
    member_of: frozenset[str]
    coach_of: frozenset[str]


class _ConsentTerms(NamedTuple):
    """The latest consent of a tape."""

    uses: frozenset[str]
    groups: frozenset[str]
    people: frozenset[str]
    destroy_by: int


def _decide(
    who: _Asker, use: Use, is_interviewer: bool, withdrawn: bool, terms: _ConsentTerms | None, now: int
) -> Reason:
    if who.disabled:
        return "disabled"
    if use in _ENDING:
        return "allowed" if is_interviewer or who.is_admin or who.person_id is None else "role"
    if withdrawn:
        return "withdrawn"
    if terms is None:
        return "none"
    if over_here(terms.destroy_by) < now:
        return "expired"
    if (use in _INTERVIEWER and is_interviewer) or (use in _PROGRAM and who.person_id is None):
        return "allowed" if terms.uses else "use"
    return _for_audience(who, use, is_interviewer, terms)


def _for_audience(who: _Asker, use: Use, is_interviewer: bool, terms: _ConsentTerms) -> Reason:
    """Others than the interviewer; their part of the consent must cover the use and name them."""
    member = bool(who.member_of & terms.groups)
    coach = bool(who.coach_of & terms.groups)
    named = who.person_id in terms.people and not coach
    if use not in _AUDIENCE:
        return "role" if member or coach or named or who.person_id is None else "audience"
    if use == "adapt_tagger":
        if not (member or is_interviewer or who.person_id is None):
            return "role" if coach or named else "audience"
        return "allowed" if "adapt_tagger" in terms.uses else "use"
    if not (member or coach or named):
        return "role" if who.person_id is None else "audience"
    covered = ((member or named) and "group_review" in terms.uses) or ((coach or named) and "coach_check" in terms.uses)
    return "allowed" if covered else "use"


def _asker(session: Session, person: Person | None, now: int) -> _Asker:
    if person is None:
        return _Asker(None, False, False, frozenset(), frozenset())
    asker = session.execute(select(Person.disabled_at, Person.is_admin).where(Person.id == person.id)).one_or_none()
    if asker is None or asker.disabled_at is not None:
        return _Asker(person.id, True, False, frozenset(), frozenset())
    current = session.execute(
        select(Membership.group_id, Membership.role).where(
            Membership.person_id == person.id,
            Membership.since <= now,
            Membership.until.is_(None),
        )
    ).all()
    members = frozenset(row.group_id for row in current if row.role != "coach")
    coaches = frozenset(row.group_id for row in current if row.role == "coach")
    return _Asker(person.id, False, asker.is_admin, members, coaches)


def _terms(session: Session, tape_ids: Iterable[str]) -> dict[str, _ConsentTerms]:
    """The consent that holds for each tape: the one written last."""
    rows = session.execute(
        select(Consent.tape_id, Consent.uses, Consent.group_ids, Consent.person_ids, Consent.destroy_by)
        .where(Consent.tape_id.in_(list(tape_ids)))
        .order_by(Consent.number)
    )
    return {
        row.tape_id: _ConsentTerms(
            frozenset(row.uses), frozenset(row.group_ids), frozenset(row.person_ids), row.destroy_by
        )
        for row in rows
    }
