"""The codes of a group's tapes as the measures take them: from locked passes, as far as the viewer may see them.

- They are in one codebook, of those that passes used; codes of another codebook are translated into it where it has
  such codes. Nobody is compared on codes that the task or the codebook did not ask for.
- An utterance without a code was left without one by a coder who was asked for it. A coach may code stretches of a tape
  only: a stretch in which the coach gave no code does not count.
- An utterance in another language than English, or of a third person, counts for those who coded it by hand, and for
  nobody else: who does not speak the language, the machine included, has not left it without a code.
- The consensus of a tape that the group discussed is what it settled on, and else the majority's codes.
- Everybody codes the same utterances of the same transcript, so none need to be matched by time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Codebook
from pipeline.formats import codebook_files
from pipeline.languages import is_foreign
from pipeline.measures.reliability.comparisons import Comparison, intra_rater_comparisons
from pipeline.measures.reliability.rating_matrix import MEMBER, CodingScheme, RatingMatrix, build_rating_matrix
from pipeline.review.authorization import all_open, unseen
from pipeline.review.coach.rater_codes import RaterCodes, codes_table, latest_codes, recoded_codes
from pipeline.review.coding import observer_tasks
from pipeline.review.coding.code_events import fold
from pipeline.review.coding.codebooks import read_for_group
from pipeline.review.coding.passes import as_event
from pipeline.review.consensus.consensus import majority_of_passes
from pipeline.review.consensus.votes import listened_utterances
from pipeline.review.tapes import retagging, titles
from pipeline.review.templating import day
from pipeline.tapes import named_roles, request_trail
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import CodeEvent, Group, Pass, Person, Recalibration, Tape, Utterance
from pipeline.tapes.home import Home
from pipeline.timeline import OTHER

GROUP_CODER = "group"
"""The coder under which the group as a whole is charted."""

MACHINE_CODEBOOK = "pretags"
"""The codebook of the machine's suggestions."""


@dataclass(frozen=True)
class GroupCodes:
    """A group's codes in the codebook ``name``.

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
        """The codebook that the codes are in."""
        return self.books[self.name]

    def in_codebook(self, name: str) -> GroupCodes:
        """Return the same in another of the ``used`` codebooks."""
        return replace(self, name=name)

    @cached_property
    def scheme(self) -> CodingScheme:
        """The codebook, and families of others for which it has no codes."""
        return codebook_files.scheme(self.book, (book for name, book in self.books.items() if name != self.name))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per utterance and coder, as `pipeline.formats.code_table` gives it."""
        return codes_table(latest_codes(self._translated), self.utterances, self.from_text)

    @cached_property
    def earlier_table(self) -> pd.DataFrame:
        """Coders' earlier codes of tapes that they coded again later."""
        return codes_table(recoded_codes(self._translated), self.utterances, self.from_text)

    @cached_property
    def _translated(self) -> list[RaterCodes]:
        return [coding.in_codebook(self.books, self.book) for coding in self.codings]

    @cached_property
    def rating_matrix(self) -> RatingMatrix:
        """The codes that may be shown."""
        return build_rating_matrix(self._shown(self.table), self.scheme, "missing")

    @cached_property
    def recent_rating_matrix(self) -> RatingMatrix:
        """The codes that may be shown, of each coder those since the last recalibration."""
        table = self._shown(self.table)
        begin = table["coder"].map({coder: max(times) for coder, times in self.recalibrated.items() if times})
        earlier = table["layer"].eq(MEMBER) & (table["coded_at"].astype(float) < begin.astype(float))
        return build_rating_matrix(table[~earlier], self.scheme, "missing") if earlier.any() else self.rating_matrix

    @cached_property
    def full_rating_matrix(self) -> RatingMatrix:
        """All codes, including tapes that the person has yet to code: for drawing a sample, and for nothing else."""
        return build_rating_matrix(self.table, self.scheme, "missing")

    @cached_property
    def intra_rater(self) -> tuple[RatingMatrix, tuple[Comparison, ...]] | None:
        """Coders with themselves, on tapes that they coded again; None where nobody did."""
        return intra_rater_comparisons(self._shown(self.table), self._shown(self.earlier_table), self.scheme, "missing")

    def times(self, tape_id: str, utterance_id: str) -> tuple[int, int]:
        """Return the start and end of an utterance, in ms."""
        utterance = self.utterances[tape_id][utterance_id]
        return utterance.start_ms, utterance.end_ms

    @property
    def has_foreign(self) -> bool:
        """Whether a tape that may be shown is not all in English."""
        rows = (row for tape_id in self.tapes for row in self.utterances.get(tape_id, {}).values())
        return any(is_foreign(row.language) for row in rows)

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
    """Return a group's codes that a person may see, without tapes that ``and_by`` has yet to code.

    Tapes that the person is still coding are left out, and others' codes of those that the person has yet to code or to
    look at are not shown: a coder is blind to the others. ``codebook``: the codebook to use, if passes used it.
    """
    ready = select(Tape).where(Tape.group_id == group.id, Tape.state == "ready").order_by(Tape.created_at, Tape.id)
    tapes = {tape.id: tape for tape in all_open(database, person, database.scalars(ready).all(), now)}
    may_see = len(tapes)
    passes = database.scalars(select(Pass).where(Pass.tape_id.in_(tapes)).order_by(Pass.started_at, Pass.id)).all()
    for coding_pass in passes:
        if coding_pass.person_id == person.id and coding_pass.locked_at is None and coding_pass.layer != "consensus":
            tapes.pop(coding_pass.tape_id, None)
    hidden = unseen(database, person.id, list(tapes.values()))
    if and_by is not None:
        codable = consent.allows_each(database, and_by, "code", list(tapes.values()), now)
        theirs = [tape for tape, decision in zip(tapes.values(), codable, strict=True) if decision]
        hidden |= unseen(database, and_by.id, theirs)
    ended = [
        coding_pass for coding_pass in passes if coding_pass.tape_id in tapes and coding_pass.locked_at is not None
    ]
    consensus_passes = [
        coding_pass for coding_pass in passes if coding_pass.tape_id in tapes and coding_pass.layer == "consensus"
    ]
    by_hand = [coding_pass for coding_pass in ended if coding_pass.layer != "consensus"]
    request_trail.shows_passes(coding_pass.id for coding_pass in by_hand)
    names = _coder_names(
        database,
        {coding_pass.person_id for coding_pass in by_hand}
        | {row.person_id for row in _recalibrations(database, group)},
    )
    utterances: dict[str, dict[str, Utterance]] = {}
    query = select(Utterance).where(Utterance.tape_id.in_(tapes)).order_by(Utterance.tape_id, Utterance.position)
    renamed_at = named_roles.last_changes(database, tapes)
    roles = {tape_id: named_roles.confirmed(database, home, tape_id) or {} for tape_id in renamed_at}
    roles_of_run: dict[tuple[str, str], str] = {}
    for row in database.scalars(query).all():
        database.expunge(row)  # the role that holds now is in the correction that names it, and is not written here
        roles_of_run[row.tape_id, row.speaker] = row.role
        row.role = roles.get(row.tape_id, {}).get(row.speaker, row.role)
        utterances.setdefault(row.tape_id, {})[row.utterance_id] = row
    # In which codebook others coded is part of what one is blind to.
    passes_by_codebook = Counter(coding_pass.codebook for coding_pass in by_hand if coding_pass.tape_id not in hidden)
    used = tuple(sorted(passes_by_codebook, key=lambda name: (-passes_by_codebook[name], name))) or (MACHINE_CODEBOOK,)
    coded_in = {*used, *(coding_pass.codebook for coding_pass in (*by_hand, *consensus_passes)), MACHINE_CODEBOOK}
    books = {name: read_for_group(database, home, group.id, name) for name in coded_in}
    events = _code_events(database, [coding_pass.id for coding_pass in (*by_hand, *consensus_passes)])
    codings = _pass_codes(by_hand, books, names, utterances, events)
    codings = [
        _without_other_roles(
            coding,
            utterances.get(coding.tape_id, {}),
            named_roles.confirmed(database, home, coding.tape_id, coding.at) or {},
            roles_of_run,
        )
        if renamed_at.get(coding.tape_id, 0) > (coding.at or 0)
        else coding
        for coding in codings
    ]
    shown_tapes = {tape_id: tape for tape_id, tape in tapes.items() if tape_id not in hidden}
    consensus = _consensus_codes(consensus_passes, books, codings, events, _asked_of_nobody(utterances))
    return GroupCodes(
        name=codebook if codebook in used else used[0],
        used=used,
        books=books,
        codings=(*codings, *consensus, *_machine_codes(database, home, tapes, books[MACHINE_CODEBOOK])),
        utterances=utterances,
        tapes=shown_tapes,
        titles={tape_id: f"{titles.title(database, tape)}, {day(tape.created_at)}" for tape_id, tape in tapes.items()},
        names=names,
        recalibrated=_recalibration_times(database, group, names),
        hidden_tapes=may_see - len(shown_tapes),
        from_text=frozenset(tape_id for tape_id, tape in tapes.items() if tape.from_text),
    )


def _code_events(database: Session, passes: Sequence[str]) -> dict[str, list[CodeEvent]]:
    """Return pass -> its events in order of time."""
    events_by_pass: dict[str, list[CodeEvent]] = {}
    query = select(CodeEvent).where(CodeEvent.pass_id.in_(passes)).order_by(CodeEvent.at, CodeEvent.id)
    for event in database.scalars(query):
        events_by_pass.setdefault(event.pass_id, []).append(event)
    return events_by_pass


def _pass_codes(
    passes: Iterable[Pass],
    books: Mapping[str, Codebook],
    names: Mapping[str, str],
    utterances_by_tape: Mapping[str, Mapping[str, Utterance]],
    events: Mapping[str, list[CodeEvent]],
) -> list[RaterCodes]:
    """Return the codes of locked passes, in the order in which they were locked."""
    rater_codes = []
    for coding_pass in sorted(passes, key=lambda ended_pass: ended_pass.locked_at or 0):
        pass_events, utterances = events.get(coding_pass.id, []), utterances_by_tape.get(coding_pass.tape_id, {})
        given = {
            utterance_id: state.codes for utterance_id, state in fold(as_event(event) for event in pass_events).items()
        }
        listened = listened_utterances(
            coding_pass.layer, given, {utterance_id: row.start_ms for utterance_id, row in utterances.items()}
        )
        codes = {utterance_id: given.get(utterance_id, ()) for utterance_id in utterances if utterance_id in listened}
        pretag_shown = {event.utterance_id: event.pretag_shown for event in pass_events}
        coder, book = names.get(coding_pass.person_id or "", "?"), books[coding_pass.codebook]
        task_codes = frozenset(code.name for code in observer_tasks.find_task(coding_pass.task).codes_in(book))
        whole_codebook = len(task_codes) == len(book.codes)
        rater_codes.append(
            RaterCodes(
                coding_pass.tape_id,
                coding_pass.layer,
                coder,
                coding_pass.codebook,
                coding_pass.locked_at,
                codes,
                task_codes,
                whole_codebook,
                pretag_shown,
            )
        )
    return rater_codes


def _without_other_roles(
    coding: RaterCodes,
    utterances: Mapping[str, Utterance],
    roles: Mapping[str, str],
    roles_of_run: Mapping[tuple[str, str], str],
) -> RaterCodes:
    """Return the codes without utterances left uncoded whose voice had another role (``roles``, else the run's) then.

    Nobody was asked for the codes of the role that it has now.
    """

    def is_unchanged(utterance_id: str) -> bool:
        row = utterances[utterance_id]
        return roles.get(row.speaker, roles_of_run[row.tape_id, row.speaker]) == row.role

    codes = {name: codes for name, codes in coding.codes.items() if codes or is_unchanged(name)}
    return replace(coding, codes=codes)


def _consensus_codes(
    passes: Iterable[Pass],
    books: Mapping[str, Codebook],
    codings: Iterable[RaterCodes],
    events: Mapping[str, list[CodeEvent]],
    asked_of_nobody: Collection[tuple[str, str]],
) -> Iterator[RaterCodes]:
    """Yield the consensus of the tapes that the group discussed, as on "Together", from passes for the whole codebook.

    The coach, with whom the group is compared, has no vote in it. On an utterance that is
    ``asked_of_nobody`` (tape, utterance) only those vote who coded it.
    """
    members: dict[tuple[str, str], dict[str, RaterCodes]] = {}
    for coding in codings:
        if coding.layer == "member" and coding.whole_codebook:
            members.setdefault((coding.tape_id, coding.codebook), {})[coding.coder] = coding
    for consensus_pass in passes:
        pass_events = events.get(consensus_pass.id, [])
        if not pass_events:
            continue
        voters = members.get((consensus_pass.tape_id, consensus_pass.codebook), {}).values()
        codes: dict[str, tuple[str, ...]] = {}
        for utterance_id in {utterance_id for coding in voters for utterance_id in coding.codes}:
            given = [coding.codes[utterance_id] for coding in voters if utterance_id in coding.codes]
            is_asked = (consensus_pass.tape_id, utterance_id) not in asked_of_nobody
            codes[utterance_id] = majority_of_passes([each for each in given if each or is_asked])
        codes |= {
            utterance_id: state.codes for utterance_id, state in fold(as_event(event) for event in pass_events).items()
        }
        moment = max(pass_events[-1].at, *(coding.at or 0 for coding in voters), 0)
        codable = frozenset(code.name for code in books[consensus_pass.codebook].codes)
        yield RaterCodes(
            consensus_pass.tape_id, "consensus", "consensus", consensus_pass.codebook, moment, codes, codable
        )


def _asked_of_nobody(utterances: Mapping[str, Mapping[str, Utterance]]) -> set[tuple[str, str]]:
    """Return the (tape, utterance) in another language than English, or of a third person: who codes it means it."""
    return {
        (tape_id, utterance_id)
        for tape_id, of_tape in utterances.items()
        for utterance_id, row in of_tape.items()
        if is_foreign(row.language) or row.role == OTHER
    }


def _machine_codes(database: Session, home: Home, tapes: Mapping[str, Tape], book: Codebook) -> list[RaterCodes]:
    """Return the machine's codes."""
    codes_by_tape = {
        tape_id: {suggestion.utterance_id: suggestion.codes for suggestion in suggestions}
        for tape_id, suggestions in retagging.suggestions(database, home, tapes).items()
    }
    codable = frozenset(code.name for code in book.codes)
    return [
        RaterCodes(tape_id, "machine", "machine", MACHINE_CODEBOOK, tapes[tape_id].created_at, codes, codable)
        for tape_id, codes in codes_by_tape.items()
    ]


def _coder_names(database: Session, ids: set[str | None]) -> dict[str, str]:
    """Return id -> a name that is unique: a second Ann is "Ann (2)"."""
    people = database.scalars(select(Person).where(Person.id.in_(ids - {None})).order_by(Person.created_at, Person.id))
    used: dict[str, int] = {}
    names = {}
    for person in people:
        used[person.name] = used.get(person.name, 0) + 1
        names[person.id] = person.name if used[person.name] == 1 else f"{person.name} ({used[person.name]})"
    return names


def _recalibrations(database: Session, group: Group) -> list[Recalibration]:
    query = select(Recalibration).where(Recalibration.group_id == group.id).order_by(Recalibration.at)
    return list(database.scalars(query))


def _recalibration_times(database: Session, group: Group, names: Mapping[str, str]) -> dict[str, tuple[float, ...]]:
    """Return coder -> times of recalibration, in ms. One of several people at once is one of the group."""
    times_by_coder: dict[str, list[float]] = {}
    coders_at: dict[int, int] = {}
    for row in _recalibrations(database, group):
        times_by_coder.setdefault(names.get(row.person_id, "?"), []).append(float(row.at))
        coders_at[row.at] = coders_at.get(row.at, 0) + 1
    times_by_coder[GROUP_CODER] = times_by_coder["consensus"] = [
        float(moment) for moment, number in coders_at.items() if number > 1
    ]
    return {coder: tuple(moments) for coder, moments in times_by_coder.items()}
