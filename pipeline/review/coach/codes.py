"""The codes of a group's tapes, as the measures take them: what the one who looks may see, from passes that ended.

A pass with a narrower task than the whole codebook says nothing on the codes that it did not ask for: it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.formats import codebooks
from pipeline.measures.panel import Panel, Scheme, panel
from pipeline.review import gate
from pipeline.review.coding.admission import unseen
from pipeline.review.coding.events import fold
from pipeline.review.coding.passes import as_event
from pipeline.review.pages import day
from pipeline.tapes import consent
from pipeline.tapes.records import CodeEvent, Group, Pass, Person, Pretag, Recalibration, Tape, Utterance

GROUP = "group"
"""The coder under which the group as a whole is charted."""

ORDERED = {"reflection": ("reflection_simple", "reflection_complex")}
_COLUMNS = ("tape_id", "utterance_id", "coder", "layer", "codes", "coded_at", "role", "pretag_shown")


@dataclass(frozen=True)
class Gathered:
    """What a group coded.

    ``table`` is as `pipeline.formats.codes` gives it, for all tapes that may be drawn from; ``tapes`` are those whose
    codes may be shown; ``names`` gives each person's name among the coders; ``narrow`` counts passes left out.
    """

    table: pd.DataFrame
    tapes: Mapping[str, Tape]
    titles: Mapping[str, str]
    times: Mapping[tuple[str, str], tuple[int, int]]
    names: Mapping[str, str]
    recalibrated: Mapping[str, tuple[float, ...]]
    narrow: int

    @cached_property
    def panel(self) -> Panel:
        """The codes that may be shown."""
        return self._panel(self.table[self.table["tape_id"].isin(list(self.tapes))])

    @cached_property
    def whole(self) -> Panel:
        """All codes, those of tapes that the person has yet to code included: to draw from, and for nothing else."""
        return self._panel(self.table)

    def _panel(self, table: pd.DataFrame) -> Panel:
        """By the pre-tags' codebook; other codes are families of their own."""
        book = codebooks.read("pretags")
        scheme = Scheme(
            families=book.families(),
            roles={code.name: code.role for code in book.codes},
            ordered=ORDERED,
            labels={code.name: code.label for code in book.codes},
        )
        return panel(table.reset_index(drop=True), scheme)


def gather(database: Session, person: Person, group: Group, now: int, and_by: Person | None = None) -> Gathered:
    """Everything of a group that a person may see, and that somebody else is not still to code.

    Tapes that the person is still coding are left out, and what others coded on those that the person has yet to code
    or to look at is not shown: whoever codes is blind to the others.
    """
    found = database.scalars(
        select(Tape).where(Tape.group_id == group.id, Tape.state == "ready").order_by(Tape.created_at, Tape.id)
    ).all()
    allowed = consent.allows_each(database, person, "show", found, now)
    tapes = {
        tape.id: tape
        for tape, decision in zip(found, allowed, strict=True)
        if decision and gate.is_open(database, person.id, tape)
    }
    passes = database.scalars(select(Pass).where(Pass.tape_id.in_(tapes)).order_by(Pass.started_at, Pass.id)).all()
    for one in passes:
        if one.person_id == person.id and one.locked_at is None and one.layer != "consensus":
            tapes.pop(one.tape_id, None)
    hidden = unseen(database, person.id, list(tapes.values()))
    if and_by is not None:
        codable = consent.allows_each(database, and_by, "code", list(tapes.values()), now)
        theirs = [tape for tape, decision in zip(tapes.values(), codable, strict=True) if decision]
        hidden |= unseen(database, and_by.id, theirs)
    ended = [one for one in passes if one.tape_id in tapes and one.locked_at is not None]
    whole = {one.id: one for one in ended if one.task == "all" or one.layer == "consensus"}
    names = _names(
        database, {one.person_id for one in whole.values()} | {row.person_id for row in _events(database, group)}
    )
    said = {
        (row.tape_id, row.utterance_id): row
        for row in database.scalars(select(Utterance).where(Utterance.tape_id.in_(tapes)))
    }
    rows = [*_coded(database, whole, names, said), *_proposed(database, tapes, said)]
    return Gathered(
        table=pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"coded_at": "Int64", "pretag_shown": "boolean"}),
        tapes={tape_id: tape for tape_id, tape in tapes.items() if tape_id not in hidden},
        titles={tape_id: f"{gate.title(database, tape)}, {day(tape.created_at)}" for tape_id, tape in tapes.items()},
        times={key: (row.start_ms, row.end_ms) for key, row in said.items()},
        names=names,
        recalibrated=_recalibrated(database, group, names),
        narrow=sum(one.tape_id not in hidden and one.id not in whole for one in ended),
    )


def _names(database: Session, ids: set[str | None]) -> dict[str, str]:
    """Names that tell people apart: a second Ann is "Ann (2)"."""
    people = database.scalars(select(Person).where(Person.id.in_(ids - {None})).order_by(Person.created_at, Person.id))
    used: dict[str, int] = {}
    names = {}
    for one in people:
        used[one.name] = used.get(one.name, 0) + 1
        names[one.id] = one.name if used[one.name] == 1 else f"{one.name} ({used[one.name]})"
    return names


def _coded(
    database: Session,
    passes: Mapping[str, Pass],
    names: Mapping[str, str],
    said: Mapping[tuple[str, str], Utterance],
) -> list[tuple[object, ...]]:
    """The codes of whole passes; of several by one person the last that ended. What has no code was left without."""
    events: dict[str, list[CodeEvent]] = {}
    query = select(CodeEvent).where(CodeEvent.pass_id.in_(passes)).order_by(CodeEvent.at, CodeEvent.id)
    for event in database.scalars(query):
        events.setdefault(event.pass_id, []).append(event)
    last = {}
    for one in sorted(passes.values(), key=lambda each: each.locked_at or 0):
        coder = "consensus" if one.layer == "consensus" else names.get(one.person_id or "", "?")
        last[one.tape_id, one.layer, coder] = one
    rows = []
    for (tape_id, layer, coder), one in last.items():
        shown = {event.utterance_id: event.pretag_shown for event in events.get(one.id, ())}
        for utterance_id, state in fold(as_event(event) for event in events.get(one.id, ())).items():
            if (tape_id, utterance_id) in said:
                role, codes = said[tape_id, utterance_id].role, "|".join(sorted(state.codes))
                rows.append((tape_id, utterance_id, coder, layer, codes, one.locked_at, role, shown.get(utterance_id)))
    return rows


def _proposed(
    database: Session, tapes: Mapping[str, Tape], said: Mapping[tuple[str, str], Utterance]
) -> list[tuple[object, ...]]:
    rows = []
    for tag in database.scalars(select(Pretag).where(Pretag.tape_id.in_(tapes))):
        if (tag.tape_id, tag.utterance_id) in said:
            role, at = said[tag.tape_id, tag.utterance_id].role, tapes[tag.tape_id].created_at
            codes = "|".join(sorted(tag.codes))
            rows.append((tag.tape_id, tag.utterance_id, "machine", "machine", codes, at, role, None))
    return rows


def _events(database: Session, group: Group) -> list[Recalibration]:
    query = select(Recalibration).where(Recalibration.group_id == group.id).order_by(Recalibration.at)
    return list(database.scalars(query))


def _recalibrated(database: Session, group: Group, names: Mapping[str, str]) -> dict[str, tuple[float, ...]]:
    """Coder -> moments. What was said to several at one moment was said to the group."""
    found: dict[str, list[float]] = {}
    together: dict[int, int] = {}
    for row in _events(database, group):
        found.setdefault(names.get(row.person_id, "?"), []).append(float(row.at))
        together[row.at] = together.get(row.at, 0) + 1
    found[GROUP] = found["consensus"] = [float(at) for at, number in together.items() if number > 1]
    return {coder: tuple(moments) for coder, moments in found.items()}
