"""The codes of a group's tapes, as the measures take them: what the one who looks may see, from passes that ended.

- A pass with a narrower task than the whole codebook says nothing on the codes that it did not ask for: it is left out.
- What a coder gave no code was left without one. A coach may code stretches of a tape only: a stretch in which the
  coach gave no code was not heard.
- The consensus is what counts on a tape that the group talked about: what it settled on, and else what most say.
- Everybody codes the same utterances of the same transcript, so none need to be brought together by time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.formats import codebooks
from pipeline.measures.again import again
from pipeline.measures.comparison import Comparison
from pipeline.measures.panel import Panel, Scheme, panel
from pipeline.review import gate
from pipeline.review.coding.admission import unseen
from pipeline.review.coding.events import fold
from pipeline.review.coding.opinions import heard
from pipeline.review.coding.passes import as_event
from pipeline.review.coding.together import majority
from pipeline.review.pages import day
from pipeline.tapes import consent
from pipeline.tapes.records import CodeEvent, Group, Pass, Person, Pretag, Recalibration, Tape, Utterance

GROUP = "group"
"""The coder under which the group as a whole is charted."""

_COLUMNS = ("tape_id", "utterance_id", "coder", "layer", "codes", "coded_at", "role", "pretag_shown", "start", "end")


@dataclass(frozen=True)
class Gathered:
    """What a group coded.

    ``table`` and ``earlier`` (what a coder said of a tape that he or she coded again later) are as
    `pipeline.formats.codes` gives them, for all tapes that may be drawn from; ``tapes`` are those whose codes may be
    shown; ``names`` gives each person's name among the coders; ``narrow`` counts passes that were left out.
    """

    table: pd.DataFrame
    earlier: pd.DataFrame
    tapes: Mapping[str, Tape]
    titles: Mapping[str, str]
    times: Mapping[tuple[str, str], tuple[int, int]]
    names: Mapping[str, str]
    recalibrated: Mapping[str, tuple[float, ...]]
    narrow: int

    @cached_property
    def scheme(self) -> Scheme:
        """The pre-tags' codebook; other codes are families of their own."""
        return codebooks.scheme(codebooks.read("pretags"))

    @cached_property
    def panel(self) -> Panel:
        """The codes that may be shown."""
        return panel(self._shown(self.table), self.scheme, "missing")

    @cached_property
    def whole(self) -> Panel:
        """All codes, those of tapes that the person has yet to code included: to draw from, and for nothing else."""
        return panel(self.table, self.scheme, "missing")

    @cached_property
    def again(self) -> tuple[Panel, tuple[Comparison, ...]] | None:
        """Coders with themselves, on tapes that they coded again; None where nobody did."""
        return again(self._shown(self.table), self._shown(self.earlier), self.scheme, "missing")

    def _shown(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table["tape_id"].isin(list(self.tapes))].reset_index(drop=True)


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
    whole = {one.id: one for one in ended if one.task == "all"}
    settled = {one.id: one for one in passes if one.tape_id in tapes and one.layer == "consensus"}
    names = _names(
        database, {one.person_id for one in whole.values()} | {row.person_id for row in _events(database, group)}
    )
    said: dict[str, dict[str, Utterance]] = {}
    query = select(Utterance).where(Utterance.tape_id.in_(tapes)).order_by(Utterance.tape_id, Utterance.position)
    for row in database.scalars(query):
        said.setdefault(row.tape_id, {})[row.utterance_id] = row
    events = _code_events(database, [*whole, *settled])
    codings = _codings(whole, names, said, events)
    last = {(each.tape_id, each.layer, each.coder): each for each in codings}
    before = {(each.tape_id, each.layer, each.coder): each for each in codings if each not in last.values()}
    found_codings = [*last.values(), *_consensus(settled.values(), last.values(), events), *_proposed(database, tapes)]
    return Gathered(
        table=_table(found_codings, said),
        earlier=_table(before.values(), said),
        tapes={tape_id: tape for tape_id, tape in tapes.items() if tape_id not in hidden},
        titles={tape_id: f"{gate.title(database, tape)}, {day(tape.created_at)}" for tape_id, tape in tapes.items()},
        times={
            (tape_id, where): (row.start_ms, row.end_ms)
            for tape_id, rows in said.items()
            for where, row in rows.items()
        },
        names=names,
        recalibrated=_recalibrated(database, group, names),
        narrow=sum(one.tape_id not in hidden and one.id not in whole for one in ended),
    )


@dataclass(frozen=True, eq=False)
class _Coding:
    """What one coder heard on one tape: utterance -> codes, none where it was left without."""

    tape_id: str
    layer: str
    coder: str
    codebook: str
    at: int | None
    codes: Mapping[str, tuple[str, ...]]
    shown: Mapping[str, bool]


def _code_events(database: Session, passes: Sequence[str]) -> dict[str, list[CodeEvent]]:
    """Pass -> its events in order of time."""
    found: dict[str, list[CodeEvent]] = {}
    query = select(CodeEvent).where(CodeEvent.pass_id.in_(passes)).order_by(CodeEvent.at, CodeEvent.id)
    for event in database.scalars(query):
        found.setdefault(event.pass_id, []).append(event)
    return found


def _codings(
    passes: Mapping[str, Pass],
    names: Mapping[str, str],
    said: Mapping[str, Mapping[str, Utterance]],
    events: Mapping[str, list[CodeEvent]],
) -> list[_Coding]:
    """The codes of whole passes, in the order in which the passes ended."""
    found = []
    for one in sorted(passes.values(), key=lambda each: each.locked_at or 0):
        mine, utterances = events.get(one.id, []), said.get(one.tape_id, {})
        given = {where: state.codes for where, state in fold(as_event(event) for event in mine).items()}
        listened = heard(one.layer, given, {where: row.start_ms for where, row in utterances.items()})
        codes = {where: given.get(where, ()) for where in utterances if where in listened}
        shown = {event.utterance_id: event.pretag_shown for event in mine}
        coder = names.get(one.person_id or "", "?")
        found.append(_Coding(one.tape_id, one.layer, coder, one.codebook, one.locked_at, codes, shown))
    return found


def _consensus(
    passes: Iterable[Pass], codings: Iterable[_Coding], events: Mapping[str, list[CodeEvent]]
) -> Iterator[_Coding]:
    """What counts on the tapes that the group talked about, as on the page "Together", from passes with a whole task.

    The coach, whom the group is compared with, has no voice in it.
    """
    members: dict[tuple[str, str], list[_Coding]] = {}
    for coding in codings:
        if coding.layer == "member":
            members.setdefault((coding.tape_id, coding.codebook), []).append(coding)
    for one in passes:
        mine, voters = events.get(one.id, []), members.get((one.tape_id, one.codebook), [])
        if not mine:
            continue
        codes: dict[str, tuple[str, ...]] = {}
        for where in {where for coding in voters for where in coding.codes}:
            codes[where] = majority([coding.codes[where] for coding in voters if where in coding.codes])
        codes |= {where: state.codes for where, state in fold(as_event(event) for event in mine).items()}
        at = max(mine[-1].at, *(coding.at or 0 for coding in voters), 0)
        yield _Coding(one.tape_id, "consensus", "consensus", one.codebook, at, codes, {})


def _proposed(database: Session, tapes: Mapping[str, Tape]) -> list[_Coding]:
    """The machine's codes."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for tag in database.scalars(select(Pretag).where(Pretag.tape_id.in_(tapes))):
        found.setdefault(tag.tape_id, {})[tag.utterance_id] = tuple(tag.codes)
    return [
        _Coding(tape_id, "machine", "machine", "", tapes[tape_id].created_at, codes, {})
        for tape_id, codes in found.items()
    ]


def _table(codings: Iterable[_Coding], said: Mapping[str, Mapping[str, Utterance]]) -> pd.DataFrame:
    rows = []
    for one in codings:
        for where, codes in one.codes.items():
            row = said.get(one.tape_id, {}).get(where)
            if row is not None:
                head = (one.tape_id, where, one.coder, one.layer, "|".join(sorted(codes)), one.at)
                rows.append((*head, row.role, one.shown.get(where), row.start_ms, row.end_ms))
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"coded_at": "Int64", "pretag_shown": "boolean"})


def _names(database: Session, ids: set[str | None]) -> dict[str, str]:
    """Names that tell people apart: a second Ann is "Ann (2)"."""
    people = database.scalars(select(Person).where(Person.id.in_(ids - {None})).order_by(Person.created_at, Person.id))
    used: dict[str, int] = {}
    names = {}
    for one in people:
        used[one.name] = used.get(one.name, 0) + 1
        names[one.id] = one.name if used[one.name] == 1 else f"{one.name} ({used[one.name]})"
    return names


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
