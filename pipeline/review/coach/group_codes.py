"""The codes of a group's tapes, as the measures take them: what the one who looks may see, from passes that ended.

- They are in the words of one codebook, of those in which passes were coded; what another codebook says in its own
  words is brought into these, as far as they have some. Nobody is compared on what task or codebook did not ask for.
- What a coder was asked for and gave no code was left without one. A coach may code stretches of a tape only: a stretch
  in which the coach gave no code was not heard.
- The consensus is what counts on a tape that the group talked about: what it settled on, and else what most say.
- Everybody codes the same utterances of the same transcript, so none need to be brought together by time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Codebook
from pipeline.formats import codebook_files
from pipeline.measures.reliability.comparisons import Comparison, intra_rater_comparisons
from pipeline.measures.reliability.rating_matrix import CodingScheme, RatingMatrix, build_rating_matrix
from pipeline.review.authorization import all_open, unseen
from pipeline.review.coach.rater_codes import RaterCodes, codes_table, latest_codes, recoded_codes
from pipeline.review.coding import observer_tasks
from pipeline.review.coding.code_events import fold
from pipeline.review.coding.codebooks import read_for_group
from pipeline.review.coding.passes import as_event
from pipeline.review.consensus.consensus import majority_of_passes
from pipeline.review.consensus.votes import listened_utterances
from pipeline.review.tapes import titles
from pipeline.review.templating import day
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import CodeEvent, Group, Pass, Person, Pretag, Recalibration, Tape, Utterance
from pipeline.tapes.home import Home

GROUP_CODER = "group"
"""The coder under which the group as a whole is charted."""

MACHINE_CODEBOOK = "pretags"
"""The codebook of the machine's suggestions."""


@dataclass(frozen=True)
class GroupCodes:
    """What a group coded, in the words of the codebook ``name``.

    ``codings`` are passes in order of time, the machine and the consensus, for all tapes that may be drawn from, and
    ``books`` their codebooks; ``tapes`` are those whose codes may be shown; ``names`` gives each person's name among
    the coders; ``used`` are the codebooks of passes by hand, the one with most of them first; ``hidden_tapes`` counts
    tapes whose codes may not be shown to this person yet; those ``from_text`` have no sound and no times.
    """

    name: str
    used: tuple[str, ...]
    books: Mapping[str, Codebook]
    codings: tuple[RaterCodes, ...]
    utterances: Mapping[str, Mapping[str, Utterance]]
    tapes: Mapping[str, Tape]
    titles: Mapping[str, str]
    names: Mapping[str, str]
    recalibrated: Mapping[str, tuple[float, ...]]
    hidden_tapes: int
    from_text: frozenset[str] = frozenset()

    @property
    def book(self) -> Codebook:
        """The codebook in whose words the codes are."""
        return self.books[self.name]

    def in_codebook(self, name: str) -> GroupCodes:
        """The same in the words of another of the ``used`` codebooks."""
        return replace(self, name=name)

    @cached_property
    def scheme(self) -> CodingScheme:
        """The codebook, and families of others for which it has no words."""
        return codebook_files.scheme(self.book, (book for name, book in self.books.items() if name != self.name))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an utterance and coder, as `pipeline.formats.code_table` gives it."""
        return codes_table(latest_codes(self._translated), self.utterances, self.from_text)

    @cached_property
    def earlier_table(self) -> pd.DataFrame:
        """What a coder said of a tape that he or she coded again later."""
        return codes_table(recoded_codes(self._translated), self.utterances, self.from_text)

    @cached_property
    def _translated(self) -> list[RaterCodes]:
        return [coding.in_codebook(self.books, self.book) for coding in self.codings]

    @cached_property
    def rating_matrix(self) -> RatingMatrix:
        """The codes that may be shown."""
        return build_rating_matrix(self._shown(self.table), self.scheme, "missing")

    @cached_property
    def full_rating_matrix(self) -> RatingMatrix:
        """All codes, those of tapes that the person has yet to code included: to draw from, and for nothing else."""
        return build_rating_matrix(self.table, self.scheme, "missing")

    @cached_property
    def intra_rater(self) -> tuple[RatingMatrix, tuple[Comparison, ...]] | None:
        """Coders with themselves, on tapes that they coded again; None where nobody did."""
        return intra_rater_comparisons(self._shown(self.table), self._shown(self.earlier_table), self.scheme, "missing")

    def times(self, tape_id: str, utterance_id: str) -> tuple[int, int]:
        """When an utterance begins and ends, in ms."""
        utterance = self.utterances[tape_id][utterance_id]
        return utterance.start_ms, utterance.end_ms

    def _shown(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table["tape_id"].isin(list(self.tapes))].reset_index(drop=True)


def gather_group_codes(
    home: Home,
    database: Session,
    person: Person,
    group: Group,
    now: int,
    and_by: Person | None = None,
    codebook: str = "",
) -> GroupCodes:
    """Everything of a group that a person may see, and that somebody else is not still to code.

    Tapes that the person is still coding are left out, and what others coded on those that the person has yet to code
    or to look at is not shown: whoever codes is blind to the others. ``codebook``: in whose words, if passes used it.
    """
    ready = select(Tape).where(Tape.group_id == group.id, Tape.state == "ready").order_by(Tape.created_at, Tape.id)
    tapes = {tape.id: tape for tape in all_open(database, person, database.scalars(ready).all(), now)}
    may_see = len(tapes)
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
    settled = [one for one in passes if one.tape_id in tapes and one.layer == "consensus"]
    by_hand = [one for one in ended if one.layer != "consensus"]
    names = _coder_names(
        database, {one.person_id for one in by_hand} | {row.person_id for row in _recalibrations(database, group)}
    )
    said: dict[str, dict[str, Utterance]] = {}
    query = select(Utterance).where(Utterance.tape_id.in_(tapes)).order_by(Utterance.tape_id, Utterance.position)
    for row in database.scalars(query):
        said.setdefault(row.tape_id, {})[row.utterance_id] = row
    # In which codebook others coded is part of what one is blind to.
    number = Counter(one.codebook for one in by_hand if one.tape_id not in hidden)
    used = tuple(sorted(number, key=lambda name: (-number[name], name))) or (MACHINE_CODEBOOK,)
    coded_in = {*used, *(one.codebook for one in (*by_hand, *settled)), MACHINE_CODEBOOK}
    books = {name: read_for_group(database, home, group.id, name) for name in coded_in}
    events = _code_events(database, [one.id for one in (*by_hand, *settled)])
    codings = _pass_codes(by_hand, books, names, said, events)
    shown = {tape_id: tape for tape_id, tape in tapes.items() if tape_id not in hidden}
    agreed = _consensus_codes(settled, books, codings, events)
    return GroupCodes(
        name=codebook if codebook in used else used[0],
        used=used,
        books=books,
        codings=(*codings, *agreed, *_machine_codes(database, tapes, books[MACHINE_CODEBOOK])),
        utterances=said,
        tapes=shown,
        titles={tape_id: f"{titles.title(database, tape)}, {day(tape.created_at)}" for tape_id, tape in tapes.items()},
        names=names,
        recalibrated=_recalibration_times(database, group, names),
        hidden_tapes=may_see - len(shown),
        from_text=frozenset(tape_id for tape_id, tape in tapes.items() if tape.from_text),
    )


def _code_events(database: Session, passes: Sequence[str]) -> dict[str, list[CodeEvent]]:
    """Pass -> its events in order of time."""
    found: dict[str, list[CodeEvent]] = {}
    query = select(CodeEvent).where(CodeEvent.pass_id.in_(passes)).order_by(CodeEvent.at, CodeEvent.id)
    for event in database.scalars(query):
        found.setdefault(event.pass_id, []).append(event)
    return found


def _pass_codes(
    passes: Iterable[Pass],
    books: Mapping[str, Codebook],
    names: Mapping[str, str],
    said: Mapping[str, Mapping[str, Utterance]],
    events: Mapping[str, list[CodeEvent]],
) -> list[RaterCodes]:
    """The codes of passes, in the order in which these ended."""
    found = []
    for one in sorted(passes, key=lambda each: each.locked_at or 0):
        mine, utterances = events.get(one.id, []), said.get(one.tape_id, {})
        given = {where: state.codes for where, state in fold(as_event(event) for event in mine).items()}
        listened = listened_utterances(one.layer, given, {where: row.start_ms for where, row in utterances.items()})
        codes = {where: given.get(where, ()) for where in utterances if where in listened}
        shown = {event.utterance_id: event.pretag_shown for event in mine}
        coder, book = names.get(one.person_id or "", "?"), books[one.codebook]
        asked = frozenset(code.name for code in observer_tasks.find_task(one.task).codes_in(book))
        whole = len(asked) == len(book.codes)
        found.append(RaterCodes(one.tape_id, one.layer, coder, one.codebook, one.locked_at, codes, asked, whole, shown))
    return found


def _consensus_codes(
    passes: Iterable[Pass],
    books: Mapping[str, Codebook],
    codings: Iterable[RaterCodes],
    events: Mapping[str, list[CodeEvent]],
) -> Iterator[RaterCodes]:
    """What counts on the tapes that the group talked about, as on the page "Together", from passes with a whole task.

    The coach, whom the group is compared with, has no voice in it.
    """
    members: dict[tuple[str, str], dict[str, RaterCodes]] = {}
    for coding in codings:
        if coding.layer == "member" and coding.whole_codebook:
            members.setdefault((coding.tape_id, coding.codebook), {})[coding.coder] = coding
    for one in passes:
        mine = events.get(one.id, [])
        if not mine:
            continue
        voters = members.get((one.tape_id, one.codebook), {}).values()
        codes: dict[str, tuple[str, ...]] = {}
        for where in {where for coding in voters for where in coding.codes}:
            codes[where] = majority_of_passes([coding.codes[where] for coding in voters if where in coding.codes])
        codes |= {where: state.codes for where, state in fold(as_event(event) for event in mine).items()}
        at = max(mine[-1].at, *(coding.at or 0 for coding in voters), 0)
        codable = frozenset(code.name for code in books[one.codebook].codes)
        yield RaterCodes(one.tape_id, "consensus", "consensus", one.codebook, at, codes, codable)


def _machine_codes(database: Session, tapes: Mapping[str, Tape], book: Codebook) -> list[RaterCodes]:
    """The machine's codes."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for tag in database.scalars(select(Pretag).where(Pretag.tape_id.in_(tapes))):
        found.setdefault(tag.tape_id, {})[tag.utterance_id] = tuple(tag.codes)
    codable = frozenset(code.name for code in book.codes)
    return [
        RaterCodes(tape_id, "machine", "machine", MACHINE_CODEBOOK, tapes[tape_id].created_at, codes, codable)
        for tape_id, codes in found.items()
    ]


def _coder_names(database: Session, ids: set[str | None]) -> dict[str, str]:
    """Names that tell people apart: a second Ann is "Ann (2)"."""
    people = database.scalars(select(Person).where(Person.id.in_(ids - {None})).order_by(Person.created_at, Person.id))
    used: dict[str, int] = {}
    names = {}
    for one in people:
        used[one.name] = used.get(one.name, 0) + 1
        names[one.id] = one.name if used[one.name] == 1 else f"{one.name} ({used[one.name]})"
    return names


def _recalibrations(database: Session, group: Group) -> list[Recalibration]:
    query = select(Recalibration).where(Recalibration.group_id == group.id).order_by(Recalibration.at)
    return list(database.scalars(query))


def _recalibration_times(database: Session, group: Group, names: Mapping[str, str]) -> dict[str, tuple[float, ...]]:
    """Coder -> moments. What was said to several at one moment was said to the group."""
    found: dict[str, list[float]] = {}
    together: dict[int, int] = {}
    for row in _recalibrations(database, group):
        found.setdefault(names.get(row.person_id, "?"), []).append(float(row.at))
        together[row.at] = together.get(row.at, 0) + 1
    found[GROUP_CODER] = found["consensus"] = [float(at) for at, number in together.items() if number > 1]
    return {coder: tuple(moments) for coder, moments in found.items()}
