"""What each locked pass says of each utterance. To leave an utterance without a code is an opinion, too.

It is one wherever the pass could have coded the utterance: the task asks for codes that the codebook has for this
speaker, a coach listened to this stretch, and the utterance was the same when the pass was locked. What somebody split,
joined or gave to the other speaker later, no earlier pass has left without a code. Nor has a pass that only rated the
tape as a whole.

>>> ada, ben = Opinion("Ada", ("question_open",)), Opinion("Ben", (), scope=frozenset({"reflection_simple"}))
>>> divided([ada, ben]), sorted(divided([ada, Opinion("Ben", ())]))
(frozenset(), ['question_open'])
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from pipeline.coding.codebook import Codebook
from pipeline.measures.reliability.sampling import STRETCH_MS
from pipeline.review.authorization import Admitted
from pipeline.review.coding import global_ratings, observer_tasks, passes, transcripts
from pipeline.review.coding.code_events import CodeState
from pipeline.review.coding.corrections import Utterance, apply_corrections
from pipeline.tapes.db import records
from pipeline.tapes.db.records import Pass, Person
from pipeline.timeline import UNKNOWN

ROLES = ("interviewer", "client")


@dataclass(frozen=True)
class Opinion:
    """What one coder says of one utterance: ``codes`` of those in ``scope``, which None makes the whole codebook.

    ``task`` names what the coder listened for where that was less than all.
    """

    coder: str
    codes: tuple[str, ...]
    unsure: bool = False
    scope: frozenset[str] | None = None
    task: str = ""

    def covers(self, code: str) -> bool:
        """Whether the coder was asked for this code here."""
        return self.scope is None or code in self.scope


def disputed_codes(opinions: Sequence[Opinion]) -> frozenset[str]:
    """The codes that some coders give and others, who were asked for them too, do not."""
    given = {code for one in opinions for code in one.codes}
    return frozenset(code for code in given if len({code in one.codes for one in opinions if one.covers(code)}) > 1)


def majority_codes(opinions: Sequence[Opinion]) -> tuple[str, ...]:
    """The codes that more than half of those give who were asked for them, in the order in which they were given."""
    given = dict.fromkeys(code for one in opinions for code in one.codes)
    votes = {code: [code in one.codes for one in opinions if one.covers(code)] for code in given}
    return tuple(code for code, said in votes.items() if 2 * sum(said) > len(said))


def listened_utterances(layer: str, coded: Collection[str], starts: Mapping[str, int]) -> frozenset[str]:
    """The utterances that a pass listened to: a coach may code stretches only, a member listens to the whole tape.

    ``coded`` are the utterances with codes, ``starts`` says when each utterance of the tape begins, in ms.
    """
    if layer != "coach":
        return frozenset(starts)
    stretches = {starts[name] // STRETCH_MS for name in coded if name in starts}
    return frozenset(name for name, start in starts.items() if start // STRETCH_MS in stretches)


@dataclass(frozen=True, eq=False)
class _LockedPass:
    """A locked pass: its codes, the utterances that it left without a code if they have none, and what it asked for.

    ``fitting`` are the codes by the speaker's role; ``label`` names the task where it is less than the whole codebook.
    """

    coder: str
    codes: Mapping[str, CodeState]
    heard: frozenset[str]
    asked: frozenset[str]
    fitting: Mapping[str, frozenset[str]]
    label: str

    @classmethod
    def of(
        cls, one: Pass, coder: str, codes: Mapping[str, CodeState], listened: frozenset[str], book: Codebook
    ) -> _LockedPass:
        task = observer_tasks.find_task(one.task)
        asked = task.codes_in(book)
        names = frozenset(code.name for code in asked)
        fitting = {role: frozenset(code.name for code in asked if code.role == role) for role in ROLES}
        label = "" if len(asked) == len(book.codes) else task.label
        return cls(coder, codes, listened, names, fitting | {UNKNOWN: names}, label)


def gather_opinions(
    admitted: Admitted, utterances: Sequence[Utterance], book: Codebook
) -> tuple[tuple[str, ...], dict[str, tuple[Opinion, ...]]]:
    """The coders who locked a pass in a codebook, and utterance -> what they say of it.

    Somebody's later pass stands for the same person's earlier ones, as far as its task goes. Where nobody coded
    anything, nobody left anything without a code.
    """
    query = select(Pass, Person.name).outerjoin(Person, Person.id == Pass.person_id)
    rows = admitted.session.execute(
        query.where(
            *(Pass.tape_id == admitted.tape.id, Pass.layer.in_(("member", "coach"))),
            *(Pass.locked_at.is_not(None), Pass.codebook == book.name),
        ).order_by(Person.name, Pass.started_at, Pass.id)
    ).all()
    unchanged = _unchanged_since(admitted, utterances, [one.locked_at or 0 for one, _ in rows])
    starts = {one.id: one.start for one in utterances}
    codings: dict[str, list[_LockedPass]] = {}
    for one, name in rows:
        codes = passes.pass_codes(admitted, one)
        listened = listened_utterances(one.layer, codes, starts) & unchanged[one.locked_at or 0]
        if not codes and global_ratings.pass_ratings(admitted, one):
            listened = frozenset()  # a pass that only rated the tape
        coding = _LockedPass.of(one, name or "", codes, listened, book)
        codings.setdefault(one.person_id or one.id, []).append(coding)
    coders = tuple(dict.fromkeys(name or "" for _, name in rows))
    if not any(coding.codes for each in codings.values() for coding in each):
        return coders, {}
    return coders, {one.id: tuple(_utterance_opinions(codings.values(), one)) for one in utterances}


def _utterance_opinions(coders: Collection[Sequence[_LockedPass]], utterance: Utterance) -> list[Opinion]:
    found = []
    for codings in coders:
        last: Opinion | None = None
        for coding in codings:
            later = _opinion(coding, utterance)
            last = _combine_passes(later, last) if later and last else later or last
        if last is not None:
            found.append(last)
    return found


def _opinion(coding: _LockedPass, utterance: Utterance) -> Opinion | None:
    fitting = coding.fitting.get(utterance.role, coding.asked)
    state = coding.codes.get(utterance.id)
    if state is None and utterance.id not in coding.heard:
        return None
    codes = tuple(code for code in state.codes if code in coding.asked) if state else ()
    if not codes and not fitting:
        return None
    return Opinion(coding.coder, codes, bool(state and state.unsure), fitting | set(codes), coding.label)


def _combine_passes(later: Opinion, earlier: Opinion) -> Opinion:
    """What a coder says who listened twice."""
    kept = tuple(code for code in earlier.codes if not later.covers(code))
    tasks_ = ", ".join(dict.fromkeys((earlier.task, later.task))) if earlier.task and later.task else ""
    return replace(
        later,
        codes=kept + later.codes,
        unsure=later.unsure or (earlier.unsure and bool(kept)),
        scope=(earlier.scope or frozenset()) | (later.scope or frozenset()),
        task=tasks_,
    )


def _unchanged_since(
    admitted: Admitted, utterances: Sequence[Utterance], moments: Collection[int]
) -> dict[int, frozenset[str]]:
    """Moment -> the utterances that had the same bounds and speaker then as they have now."""
    everyone = frozenset(one.id for one in utterances)
    rows = records.Correction
    at = dict(
        admitted.session.execute(
            select(rows.id, rows.at).where(rows.tape_id == admitted.tape.id, rows.kind.not_in(("text", "mask")))
        ).all()
    )
    found = dict.fromkeys(moments, everyone)
    late = [moment for moment in found if any(made > moment for made in at.values())]
    if not late:
        return found
    spoken, corrections = transcripts.machine_transcript(admitted), transcripts.valid_corrections(admitted)
    for moment in late:
        earlier = [one for one in corrections if at.get(one.id, 0) <= moment]
        then = {_bounds(one) for one in apply_corrections(spoken, earlier)}
        found[moment] = frozenset(one.id for one in utterances if _bounds(one) in then)
    return found


def _bounds(utterance: Utterance) -> tuple[str, int, int, str]:
    return utterance.id, utterance.start, utterance.end, utterance.role
