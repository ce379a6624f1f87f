"""A group as tests need it: interviewer, members, coordinator, coach, people outside, and a tape with its consent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from pipeline.tapes import people
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Consent, Group, Person, Tape


@dataclass(frozen=True)
class SampleGroup:
    """Eight peers of whom one coordinates, a coach, a second group, and people outside."""

    group: Group
    other_group: Group
    interviewer: Person
    member: Person
    coordinator: Person
    coach: Person
    stranger: Person
    administrator: Person
    members: tuple[Person, ...]


def sample_group(session: Session, now: int) -> SampleGroup:
    """Make the group, all in it since `now`."""
    group, other = people.add_group(session, "Thursday group", now), people.add_group(session, "Monday group", now)
    names = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo"]
    peers = [people.add(session, name, f"{name.lower()}@example.org", now) for name in names]
    for number, peer in enumerate(peers):
        people.join(session, group, peer, "coordinator" if number == 2 else "member", now)
    coach = people.add(session, "Kim", "kim@example.org", now)
    people.join(session, group, coach, "coach", now)
    stranger = people.add(session, "Sam", "sam@example.org", now)
    people.join(session, other, stranger, "member", now)
    administrator = people.add(session, "Ola", "ola@example.org", now, is_admin=True)
    return SampleGroup(group, other, peers[0], peers[1], peers[2], coach, stranger, administrator, tuple(peers))


def make_tape(session: Session, sample: SampleGroup, now: int) -> Tape:
    """A tape of the interviewer, in the group."""
    tape = Tape(group_id=sample.group.id, interviewer_id=sample.interviewer.id, created_at=now, state="ready")
    session.add(tape)
    session.flush()
    return tape


def make_consent(session: Session, tape: Tape, now: int, *uses: str, **changes: object) -> Consent:
    """A live consent for the tape's group; changes replace single values."""
    values: dict[str, object] = {
        "tape_id": tape.id,
        "uses": list(uses),
        "group_ids": [tape.group_id],
        "destroy_by": now + 30 * DAY,
        "method": "key, files and rows are deleted",
        "signed_at": now - DAY,
        "signed_form": "written",
        "pseudonym": "Robin",
        "given_at": now,
    }
    consent = Consent(**(values | changes))  # type: ignore[arg-type]
    session.add(consent)
    session.flush()
    return consent
