"""The opinion of each locked pass on each utterance. To leave an utterance without a code is an opinion, too.

It is one wherever the pass could have coded the utterance: the task asks for codes that the codebook has for this
speaker, a coach listened to this stretch, and the utterance was the same when the pass was locked. What somebody split,
joined or gave to the other speaker later, no earlier pass has left without a code. Nor has a pass that only rated the
tape as a whole. Nobody is asked for codes of a third person, or of an utterance in another language than English: who
codes it by hand means it, and whoever does not may not speak the language.

>>> ada, ben = Opinion("Ada", ("question_open",)), Opinion("Ben", (), scope=frozenset({"reflection_simple"}))
>>> disputed_codes([ada, ben]), sorted(disputed_codes([ada, Opinion("Ben", ())]))
(frozenset(), ['question_open'])
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from pipeline.coding.codebook import Codebook
from pipeline.languages import is_foreign
from pipeline.measures.reliability.sampling import STRETCH_MS
from pipeline.review.authorization import Admitted
from pipeline.review.coding import global_ratings, observer_tasks, passes, transcripts
from pipeline.review.coding.code_events import CodeState
from pipeline.review.coding.corrections import CorrectedUtterance, apply_corrections
from pipeline.tapes import request_trail
from pipeline.tapes.db import records
from pipeline.tapes.db.records import Pass, Person
from pipeline.timeline import OTHER, UNKNOWN

ROLES = ("interviewer", "client")


@dataclass(frozen=True)
class Opinion:
    """One coder's opinion of one utterance: ``codes`` of those in ``scope``; None is the whole codebook.

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
    """Return the codes that some coders give and others, who were asked for them too, do not."""
    given = {code for opinion in opinions for code in opinion.codes}
    return frozenset(
        code for code in given if len({code in opinion.codes for opinion in opinions if opinion.covers(code)}) > 1
    )


def majority_codes(opinions: Sequence[Opinion]) -> tuple[str, ...]:
    """Return the codes given by more than half of those who were asked for them, in the order in which they appear."""
    given = dict.fromkeys(code for opinion in opinions for code in opinion.codes)
    votes = {code: [code in opinion.codes for opinion in opinions if opinion.covers(code)] for code in given}
    return tuple(code for code, code_votes in votes.items() if 2 * sum(code_votes) > len(code_votes))


def listened_utterances(layer: str, coded: Collection[str], starts: Mapping[str, int]) -> frozenset[str]:
    """Return the utterances that a pass covers: a coach may code stretches only, a member the whole tape.

    ``coded`` are the utterances with codes, ``starts`` the start of each utterance of the tape, in ms.
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
    listened: frozenset[str]
    task_codes: frozenset[str]
    fitting: Mapping[str, frozenset[str]]
    label: str

    @classmethod
    def of(
        cls, coding_pass: Pass, coder: str, codes: Mapping[str, CodeState], listened: frozenset[str], book: Codebook
    ) -> _LockedPass:
        task = observer_tasks.find_task(coding_pass.task)
        task_codes = task.codes_in(book)
        names = frozenset(code.name for code in task_codes)
        fitting = {role: frozenset(code.name for code in task_codes if code.role == role) for role in ROLES}
        label = "" if len(task_codes) == len(book.codes) else task.label
        return cls(coder, codes, listened, names, fitting | {UNKNOWN: names, OTHER: frozenset()}, label)


def gather_opinions(
    admitted: Admitted, utterances: Sequence[CorrectedUtterance], book: Codebook
) -> tuple[tuple[str, ...], dict[str, tuple[Opinion, ...]]]:
    """Return the coders who locked a pass in a codebook, and utterance -> their opinions.

    A person's later pass replaces the earlier ones, as far as its task goes. Where nobody coded anything, nobody left
    anything without a code.
    """
    query = select(Pass, Person.name).outerjoin(Person, Person.id == Pass.person_id)
    rows = admitted.session.execute(
        query.where(
            *(Pass.tape_id == admitted.tape.id, Pass.layer.in_(("member", "coach"))),
            *(Pass.locked_at.is_not(None), Pass.codebook == book.name),
        ).order_by(Person.name, Pass.started_at, Pass.id)
    ).all()
    request_trail.shows_passes(coding_pass.id for coding_pass, _ in rows)
    unchanged = _unchanged_since(admitted, utterances, [coding_pass.locked_at or 0 for coding_pass, _ in rows])
    starts = {utterance.id: utterance.start for utterance in utterances}
    codings: dict[str, list[_LockedPass]] = {}
    for coding_pass, name in rows:
        codes = passes.pass_codes(admitted, coding_pass)
        listened = listened_utterances(coding_pass.layer, codes, starts) & unchanged[coding_pass.locked_at or 0]
        if not codes and global_ratings.pass_ratings(admitted, coding_pass):
            listened = frozenset()  # a pass that only rated the tape
        coding = _LockedPass.of(coding_pass, name or "", codes, listened, book)
        codings.setdefault(coding_pass.person_id or coding_pass.id, []).append(coding)
    coders = tuple(dict.fromkeys(name or "" for _, name in rows))
    if not any(coding.codes for passes_of_coder in codings.values() for coding in passes_of_coder):
        return coders, {}
    return coders, {utterance.id: tuple(_utterance_opinions(codings.values(), utterance)) for utterance in utterances}


def _utterance_opinions(coders: Collection[Sequence[_LockedPass]], utterance: CorrectedUtterance) -> list[Opinion]:
    opinions = []
    for codings in coders:
        combined: Opinion | None = None
        for coding in codings:
            later = _opinion(coding, utterance)
            combined = _combine_passes(later, combined) if later and combined else later or combined
        if combined is not None:
            opinions.append(combined)
    return opinions


def _opinion(locked_pass: _LockedPass, utterance: CorrectedUtterance) -> Opinion | None:
    fitting = locked_pass.fitting.get(utterance.role, locked_pass.task_codes)
    state = locked_pass.codes.get(utterance.id)
    if state is None and utterance.id not in locked_pass.listened:
        return None
    codes = tuple(code for code in state.codes if code in locked_pass.task_codes) if state else ()
    unsure = bool(state and state.unsure)
    if not codes and (not fitting or (is_foreign(utterance.language) and not unsure)):
        return None
    if not codes and is_foreign(utterance.language):
        fitting = frozenset()  # shown, to talk about, and no vote against others' codes
    return Opinion(locked_pass.coder, codes, unsure, fitting | set(codes), locked_pass.label)


def _combine_passes(later: Opinion, earlier: Opinion) -> Opinion:
    """Return the opinion of a coder with two passes."""
    kept_codes = tuple(code for code in earlier.codes if not later.covers(code))
    tasks = ", ".join(dict.fromkeys((earlier.task, later.task))) if earlier.task and later.task else ""
    return replace(
        later,
        codes=kept_codes + later.codes,
        unsure=later.unsure or (earlier.unsure and bool(kept_codes)),
        scope=(earlier.scope or frozenset()) | (later.scope or frozenset()),
        task=tasks,
    )


def _unchanged_since(
    admitted: Admitted, utterances: Sequence[CorrectedUtterance], moments: Collection[int]
) -> dict[int, frozenset[str]]:
    """Return time (ms) -> the utterances that had the same bounds and speaker then as they have now."""
    all_ids = frozenset(utterance.id for utterance in utterances)
    rows = records.Correction
    corrected_at = dict(
        admitted.session.execute(
            select(rows.id, rows.at).where(rows.tape_id == admitted.tape.id, rows.kind.not_in(("text", "mask")))
        ).all()
    )
    unchanged = dict.fromkeys(moments, all_ids)
    with_later_corrections = [moment for moment in unchanged if any(time > moment for time in corrected_at.values())]
    if not with_later_corrections:
        return unchanged
    original, corrections = transcripts.machine_transcript(admitted), transcripts.valid_corrections(admitted)
    for moment in with_later_corrections:
        earlier = [correction for correction in corrections if corrected_at.get(correction.id, 0) <= moment]
        bounds_then = {_bounds(utterance) for utterance in apply_corrections(original, earlier)}
        unchanged[moment] = frozenset(utterance.id for utterance in utterances if _bounds(utterance) in bounds_then)
    return unchanged


def _bounds(utterance: CorrectedUtterance) -> tuple[str, int, int, str]:
    return utterance.id, utterance.start, utterance.end, utterance.role
