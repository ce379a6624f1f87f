"""Who may do what with a tape: every role, every state of the consent, every use, in a table written by hand."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pipeline.tapes import people
from pipeline.tapes.clock import DAY, SECOND
from pipeline.tapes.consent.consent import Use
from pipeline.tapes.db.records import Person, Tape
from tests.tapes.group import make_consent, make_tape, sample_group

LETTERS: dict[str, Use] = {
    "s": "store",
    "p": "process",
    "l": "play",
    "h": "show",
    "c": "code",
    "x": "export",
    "a": "adapt_tagger",
    "w": "withdraw",
    "d": "destroy",
}

# What is allowed, a letter a use. Consents: G group review, C coach's check, A adapting the tagger; `none`: no consent,
# `gone`: withdrawn, `past`: ended, `later`: given by a clock that is a day ahead, `dead`: the tape is destroyed,
# `away`: G, C and A, but for the other group, `renewed`: withdrawn, then G written down none the less, `narrowed`: G, C
# and A, then A only, by a clock that had been set back.
TABLE = """
role              none G        C        A         GC       GA        CA        GCA       gone past later     dead away      renewed narrowed
interviewer       wd   splhcxwd splhcxwd splhcxawd splhcxwd splhcxawd splhcxawd splhcxawd wd   wd   splhcxawd -    splhcxawd wd      splhcxawd
member            -    lhc      -        a         lhc      lhca      a         lhca      -    -    lhca      -    -         -       a
coordinator       -    lhc      -        a         lhc      lhca      a         lhca      -    -    lhca      -    -         -       a
coach             -    -        lhc      -         lhc      -         lhc       lhc       -    -    lhc       -    -         -       -
named             -    lhc      lhc      -         lhc      lhc       lhc       lhc       -    -    lhc       -    lhc       -       -
named_coach       -    -        lhc      -         lhc      -         lhc       lhc       -    -    lhc       -    lhc       -       -
stranger          -    -        -        -         -        -         -         -         -    -    -         -    lhca      -       -
administrator     wd   wd       wd       wd        wd       wd        wd        wd        wd   wd   wd        -    wd        wd      wd
admin_member      wd   lhcwd    wd       awd       lhcwd    lhcawd    awd       lhcawd    wd   wd   lhcawd    -    wd        wd      awd
disabled_member   -    -        -        -         -        -         -         -         -    -    -         -    -         -       -
disabled_interviewer -    -        -        -         -        -         -         -         -    -    -         -    -         -       -
former_member     -    -        -        -         -        -         -         -         -    -    -         -    -         -       -
coming_member     -    -        -        -         -        -         -         -         -    -    -         -    -         -       -
program           wd   spwd     spwd     spawd     spwd     spawd     spawd     spawd     wd   wd   spawd     -    spawd     wd      spawd
"""  # noqa: E501
STATES, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
EXPECTED = {(role, state): cell for role, *cells in ROWS for state, cell in zip(STATES[1:], cells, strict=True)}


class Scene:
    """Everyone of the table, and a tape for each of its states."""

    def __init__(self, session: Session, now: int) -> None:
        sample = sample_group(session, now - 10 * DAY)
        spare = iter(sample.members[3:])
        self.sample = sample
        self.people: dict[str, Person | None] = {
            "interviewer": sample.interviewer,
            "member": sample.member,
            "coordinator": sample.coordinator,
            "coach": sample.coach,
            "stranger": sample.stranger,
            "administrator": sample.administrator,
            "program": None,
            "disabled_member": next(spare),
            "former_member": next(spare),
            "disabled_interviewer": next(spare),
        }
        for role in ("named", "named_coach", "admin_member", "coming_member"):
            person = people.add(session, role, f"{role}@example.org", now, is_admin=role == "admin_member")
            self.people[role] = person
            if role in {"named_coach", "admin_member"}:
                people.join(session, sample.group, person, "coach" if role == "named_coach" else "member", now - DAY)
        people.join(session, sample.group, self.person("coming_member"), "member", now + DAY)
        people.leave(session, sample.group, self.person("former_member"), now - SECOND)
        for role in ("disabled_member", "disabled_interviewer"):
            people.disable(session, self.person(role), now - SECOND)
        self.named = [self.person(role).id for role in ("named", "named_coach", "disabled_member")]
        self.tapes = {state: self._tape(session, state, sample.interviewer, now) for state in STATES[1:]}
        disabled = self.person("disabled_interviewer")
        self.others = {state: self._tape(session, state, disabled, now) for state in STATES[1:]}

    def person(self, role: str) -> Person:
        person_id = self.people[role]
        assert person_id is not None
        return person_id

    def tape(self, role: str, state: str) -> Tape:
        return (self.others if role == "disabled_interviewer" else self.tapes)[state]

    def _tape(self, session: Session, state: str, interviewer: Person, now: int) -> Tape:
        tape = make_tape(session, self.sample, now - 5 * DAY)
        tape.interviewer_id = interviewer.id
        words = {"G": "group_review", "C": "coach_check", "A": "adapt_tagger"}
        everything = tuple(words.values())

        def give(*uses: str, at: int = now - 4 * DAY, **changes: object) -> None:
            make_consent(session, tape, at, *uses, **({"person_ids": self.named} | changes))

        if state == "gone":
            give(*everything)
            tape.withdrawn_at = now
        elif state == "past":
            give(*everything, destroy_by=now - 1)
        elif state == "later":
            give(*everything, at=now + DAY)
        elif state == "dead":
            give(*everything)
            tape.state = "destroyed"
        elif state == "away":
            give(*everything, group_ids=[self.sample.other_group.id])
        elif state == "renewed":
            give(*everything)
            tape.withdrawn_at = now - 3 * DAY
            give("group_review", at=now - 2 * DAY)
        elif state == "narrowed":
            give(*everything)
            give("adapt_tagger", at=now - 6 * DAY)
        elif state != "none":
            give(*(words[letter] for letter in state))
        return tape
