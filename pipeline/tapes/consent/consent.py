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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    tuple_,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from pipeline.errors import ConsentError
from pipeline.tapes import request_trail
from pipeline.tapes.clock import over_here
from pipeline.tapes.db.records import (
    Consent,
    ConsentGroup,
    ConsentPerson,
    ConsentUse,
    Membership,
    Person,
    Tape,
    TapeState,
)

T = TypeVar("T")

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


def reachable(
    session: Session,
    person: Person | None,
    use: Use,
    now: int,
    after: tuple[int, str] | None = None,
    most: int | None = None,
    of: ColumnElement[bool] | None = None,
) -> tuple[Tape, ...]:
    """The tapes that a person may use in a way, newest first.

    The database finds the tapes that could be allowed, by its indexes; `allows` decides on each of them.

    Parameters
    ----------
    after: time of submission and id of the tape behind which the list goes on; None begins at the newest.
    most: how many tapes, at most; None are all.
    of: what else must hold for the tapes.
    """
    chosen = _facts(person, now).add_columns(Tape).where(Tape.state != "destroyed")
    chosen = chosen.where(*_candidates(person, use, now), *([] if of is None else [of]))
    chosen = chosen.order_by(Tape.created_at.desc(), Tape.id.desc())
    allowed: list[Tape] = []
    while True:
        page = chosen if after is None else chosen.where(_behind(*after))
        rows = session.execute(page if most is None else page.limit(most)).all()
        allowed += [tape for *facts, tape in rows if _decided(_TapeFacts(*facts), (use,), now)[0]]
        if most is None or len(rows) < most or len(allowed) >= most:
            return tuple(allowed[:most])
        after = (rows[-1][-1].created_at, rows[-1][-1].id)


def newest(column: InstrumentedAttribute[T]) -> ScalarSelect[T]:
    """Return a column of the consent that holds for the `Tape` of a query, the one written last."""
    last = select(column).where(Consent.tape_id == Tape.id).order_by(Consent.number.desc()).limit(1)
    return last.correlate(Tape).scalar_subquery()


def _behind(created_at: int, tape_id: str) -> ColumnElement[bool]:
    """That a tape comes behind another one in the order of `reachable`."""
    return tuple_(Tape.created_at, Tape.id) < tuple_(literal(created_at), literal(tape_id))


def _candidates(person: Person | None, use: Use, now: int) -> Iterator[ColumnElement[bool]]:
    """Yield what holds for each tape that `_decide` can allow; but for a last day that is over, for nearly no other.

    Each tape's consent is the one of `_facts`.
    """
    if person is None or use in _ENDING:
        return  # the program and whoever ends a tape name it; nobody lists such tapes
    mine, named = Tape.interviewer_id == person.id, _is_named(person.id)
    member, coach = (_has_group(person.id, now, is_coach) for is_coach in (False, True))
    in_reach = [select(Tape.id).where(mine)]
    if use in _AUDIENCE:
        in_reach += [
            select(Consent.tape_id).join(ConsentGroup).where(ConsentGroup.group_id.in_(_groups(person.id, now))),
            select(Consent.tape_id).join(ConsentPerson).where(ConsentPerson.person_id == person.id),
        ]
    yield Tape.id.in_(union(*in_reach))
    yield Tape.withdrawn_at.is_(None)
    yield Consent.number.is_not(None)
    if use == "adapt_tagger":
        yield _covers("adapt_tagger") & (mine | member)
    elif use in _AUDIENCE:
        yield mine | _covers("group_review") & (member | named & ~coach) | _covers("coach_check") & (coach | named)


def _covers(use: ConsentUse) -> ColumnElement[bool]:
    """That the consent covers a use: its list in JSON holds this word."""
    return cast(Consent.uses, Text).contains(f'"{use}"', autoescape=True)


def _groups(person_id: str, now: int, *role: ColumnElement[bool]) -> Select[str]:
    """The groups that a person is in now."""
    current = (Membership.since <= now, Membership.until.is_(None))
    return select(Membership.group_id).where(Membership.person_id == person_id, *current, *role)


def _has_group(person_id: str, now: int, is_coach: bool) -> ColumnElement[bool]:
    """That the consent names a group of which a person is a coach, or a member, now."""
    role = Membership.role == "coach" if is_coach else Membership.role != "coach"
    return exists().where(
        ConsentGroup.consent_id == Consent.id, ConsentGroup.group_id.in_(_groups(person_id, now, role))
    )


def _is_named(person_id: str) -> ColumnElement[bool]:
    """That the consent names a person."""
    return exists().where(ConsentPerson.consent_id == Consent.id, ConsentPerson.person_id == person_id)


class _TapeFacts(NamedTuple):
    """A tape, its consent that was written last, and whoever asks, as `_decide` needs them; the program has no id.

    ``uses`` and ``destroy_by`` are None where the tape has no consent. ``member``, ``coach`` and ``named`` say how the
    consent names whoever asks.
    """

    tape_id: str
    state: TapeState
    withdrawn_at: int | None
    interviewer_id: str
    uses: Sequence[str] | None
    destroy_by: int | None
    asker_id: str | None
    disabled: bool
    is_admin: bool
    member: bool
    coach: bool
    named: bool

    @property
    def is_interviewer(self) -> bool:
        """Whether it is the own tape of whoever asks."""
        return self.interviewer_id == self.asker_id


def _facts(person: Person | None, now: int) -> Select[Any]:
    """The `_TapeFacts` of each tape: one statement, however many tapes."""
    each, same_tape = aliased(Consent), Consent.tape_id == Tape.id
    last = select(func.max(each.number)).where(each.tape_id == Tape.id).correlate(Tape).scalar_subquery()
    no, person_id = literal(False), person.id if person else ""
    asker = (
        (literal(person_id), Person.id.is_(None) | Person.disabled_at.is_not(None), func.coalesce(Person.is_admin, no))
        if person
        else (null(), no, no)
    )
    audience = (
        (_has_group(person_id, now, False), _has_group(person_id, now, True), _is_named(person_id))
        if person
        else (no, no, no)
    )
    facts = select(
        *(Tape.id, Tape.state, Tape.withdrawn_at, Tape.interviewer_id, Consent.uses, Consent.destroy_by),
        *(*asker, *audience),
    )
    facts = facts.select_from(Tape).outerjoin(Consent, same_tape & (Consent.number == last))
    return facts.outerjoin(Person, Person.id == person_id)


def _decisions(
    session: Session, person: Person | None, uses: Sequence[Use], tapes: Sequence[Tape], now: int
) -> Iterator[list[Decision]]:
    """For each tape the decision on each use."""
    ids = [tape.id for tape in tapes]
    rows = session.execute(_facts(person, now).where(Tape.id.in_(ids))) if ids else ()
    present = {row[0]: _TapeFacts(*row) for row in rows}
    for tape_id in ids:
        facts = present.get(tape_id)
        yield (_decided(facts, uses, now) if facts else [Decision("destroyed", use, tape_id) for use in uses])


def _decided(facts: _TapeFacts, uses: Sequence[Use], now: int) -> list[Decision]:
    reasons: list[Reason] = [_decide(facts, use, now) for use in uses]
    if "expired" in reasons:
        request_trail.came_to_expired()
    return [Decision(reason, use, facts.tape_id) for reason, use in zip(reasons, uses, strict=True)]


def _decide(facts: _TapeFacts, use: Use, now: int) -> Reason:
    withdrawn = facts.withdrawn_at is not None
    if facts.state == "destroyed" and not withdrawn:
        return "destroyed"
    if facts.disabled:
        return "disabled"
    if use in _ENDING:
        return "allowed" if facts.is_interviewer or facts.is_admin or facts.asker_id is None else "role"
    if withdrawn:
        return "withdrawn"
    if facts.uses is None or facts.destroy_by is None:
        return "none"
    if over_here(facts.destroy_by) < now:
        return "expired"
    if (use in _INTERVIEWER and facts.is_interviewer) or (use in _PROGRAM and facts.asker_id is None):
        return "allowed" if facts.uses else "use"
    return _for_audience(facts, use, facts.uses)


def _for_audience(facts: _TapeFacts, use: Use, covered: Sequence[str]) -> Reason:
    """Others than the interviewer; their part of the consent must cover the use and name them."""
    member, coach = facts.member, facts.coach
    named = facts.named and not coach
    if use not in _AUDIENCE:
        return "role" if member or coach or named or facts.asker_id is None else "audience"
    if use == "adapt_tagger":
        if not (member or facts.is_interviewer or facts.asker_id is None):
            return "role" if coach or named else "audience"
        return "allowed" if "adapt_tagger" in covered else "use"
    if not (member or coach or named):
        return "role" if facts.asker_id is None else "audience"
    may = ((member or named) and "group_review" in covered) or ((coach or named) and "coach_check" in covered)
    return "allowed" if may else "use"
