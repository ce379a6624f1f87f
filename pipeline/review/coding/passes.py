"""Passes: starting one, storing what its coder does, locking it.

A change is stored once, however often it is sent: its name, which the page makes up, is unique within the pass. Times
of a pass's changes never repeat, so that their order is theirs.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select
from starlette.exceptions import HTTPException

from pipeline.coding.codebook import Codebook
from pipeline.review.authorization import Admitted, has_seen
from pipeline.review.coding import correction_store, observer_tasks, pretag_hiding, transcripts
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.review.coding.code_events import CodeState, CodingEvent, fold
from pipeline.tapes import pass_views
from pipeline.tapes.db.records import CodeEvent, Membership, Pass, Pretag, Utterance

STALE = "you changed this utterance in another tab meanwhile"


def start_pass(admitted: Admitted, book: Codebook, codebook: str, task: str) -> Pass:
    """Start and return a pass; it is not blind if the person has seen others' codes of this tape."""
    coaches = select(Membership.id).where(
        *(Membership.person_id == admitted.person.id, Membership.group_id == admitted.tape.group_id),
        *(Membership.role == "coach", Membership.until.is_(None)),
    )
    new_pass = Pass(
        tape_id=admitted.tape.id,
        person_id=admitted.person.id,
        layer="coach" if admitted.session.scalars(coaches.limit(1)).first() else "member",
        codebook=codebook,
        codebook_version=book.version,
        task=task,
        blind=not has_seen(admitted),
        seed=secrets.randbelow(2**31),
        started_at=admitted.now,
    )
    admitted.session.add(new_pass)
    admitted.session.flush()
    admitted.record("pass.start", new_pass.id)
    return new_pass


def hidden_pretags(admitted: Admitted, coding_pass: Pass) -> frozenset[str]:
    """Return the utterances whose pre-tag this pass hides; none in the group's own pass, none once it was locked."""
    if coding_pass.locked_at or coding_pass.unlocked_at or coding_pass.layer == "consensus":
        return frozenset()
    ids = admitted.session.scalars(select(Utterance.utterance_id).where(Utterance.tape_id == admitted.tape.id)).all()
    return pretag_hiding.hidden_utterances(coding_pass.seed, ids)


def pass_events(admitted: Admitted, coding_pass: Pass) -> list[CodeEvent]:
    """Return a pass's events in order of time."""
    query = select(CodeEvent).where(CodeEvent.pass_id == coding_pass.id).order_by(CodeEvent.at, CodeEvent.id)
    return list(admitted.session.scalars(query))


def pass_codes(admitted: Admitted, coding_pass: Pass) -> dict[str, CodeState]:
    """Return utterance -> its codes in a pass."""
    return dict(fold(as_event(event) for event in pass_events(admitted, coding_pass)))


def as_event(row: CodeEvent) -> CodingEvent:
    """Return a row as `fold` takes it, under the name that its page gave it."""
    prefix = f"{row.pass_id}:"
    undoes = row.undoes.removeprefix(prefix) if row.undoes else None
    return CodingEvent(row.client_event_id.removeprefix(prefix), row.utterance_id, row.action, tuple(row.codes), undoes)


def store_codes(
    admitted: Admitted, coding_pass: Pass, book: Codebook, changes: Sequence[ChangeRequest]
) -> list[dict[str, str]]:
    """Store the codes that are new; return those that were refused, each with the reason.

    One is ``stale`` where its page did not know the newest change of the utterance: its coder decides between both.
    """
    session = admitted.session
    names = [f"{coding_pass.id}:{change.id}" for change in changes]
    stored_ids = set(session.scalars(select(CodeEvent.client_event_id).where(CodeEvent.client_event_id.in_(names))))
    last_moment = session.scalar(select(func.max(CodeEvent.at)).where(CodeEvent.pass_id == coding_pass.id)) or 0
    moment = max(last_moment, correction_store.latest_change_time(admitted))
    coded = {change.utterance_id for change in changes}
    suggested = select(Pretag.utterance_id).where(Pretag.tape_id == admitted.tape.id, Pretag.utterance_id.in_(coded))
    tagged = set(session.scalars(suggested))
    hidden = hidden_pretags(admitted, coding_pass) if tagged else frozenset()
    codes = {code.name for code in book.codes}
    newest = {event.utterance_id: as_event(event).id for event in pass_events(admitted, coding_pass)}
    refused = []
    for name, change in zip(names, changes, strict=True):
        if name in stored_ids:
            continue
        unknown = [code for code in change.codes if code not in codes]
        if unknown:
            refused.append({"id": change.id, "reason": f"the codebook has no code {unknown[0]}"})
            continue
        if change.base is not None and change.undoes is None and newest.get(change.utterance_id, "") != change.base:
            refused.append({"id": change.id, "reason": STALE, "stale": "true"})
            continue
        stored_ids.add(name)
        newest[change.utterance_id] = change.id
        moment += 1
        pretag_shown = change.utterance_id in tagged and change.utterance_id not in hidden
        session.add(_event_record(admitted, coding_pass, change, name, moment, pretag_shown))
        admitted.record(
            "change.code", coding_pass.id, None if change.audio_ms is None else (change.audio_ms, change.audio_ms)
        )
    return refused


def own_passes(admitted: Admitted) -> list[Pass]:
    """Return the viewer's own passes on this tape, oldest first."""
    query = select(Pass).where(
        *(Pass.tape_id == admitted.tape.id, Pass.person_id == admitted.person.id),
        Pass.layer.in_(("member", "coach")),
    )
    return list(admitted.session.scalars(query.order_by(Pass.started_at, Pass.id)))


def lock_pass(admitted: Admitted, coding_pass: Pass) -> None:
    """Lock a pass: its codes stay as they are, and its coder may see the others'.

    The time of locking lies after all corrections so far, and before all later ones.
    """
    if coding_pass.locked_at is None:
        coding_pass.locked_at = max(admitted.now, correction_store.latest_change_time(admitted))
        admitted.record("pass.lock", coding_pass.id)


def lock_stays(admitted: Admitted, coding_pass: Pass) -> str:
    """Return why the lock of the own pass cannot be taken back; empty while it can.

    Somebody else has seen its codes or a figure made from them; or its coder has seen others' codes and could copy.
    """
    if pass_views.is_seen(admitted.session, coding_pass):
        return "Somebody else has seen this pass, or a figure made from it. Its lock stays."
    if has_seen(admitted) or pass_views.has_seen_others(admitted.session, admitted.person.id, admitted.tape.id):
        return "You have seen others' codes of this tape. Your lock stays, so that nobody copies."
    return ""


def unlock_pass(admitted: Admitted, coding_pass: Pass) -> None:
    """Take back the lock of the own pass. Its coder has seen every suggestion meanwhile, so none is hidden any more.

    Raises
    ------
    HTTPException: 409 the lock stays.
    """
    if coding_pass.locked_at is None:
        return
    if reason := lock_stays(admitted, coding_pass):
        raise HTTPException(409, reason)
    coding_pass.locked_at, coding_pass.unlocked_at = None, admitted.now
    admitted.record("pass.unlock", coding_pass.id)


def tallies(admitted: Admitted, coding_pass: Pass, book: Codebook) -> list[tuple[str, int]]:
    """Return how often a pass gives each code of its task, in the codebook's order; then unsure ones, and no code."""
    states = pass_codes(admitted, coding_pass)
    shown = [states[utterance.id] for utterance in transcripts.visible_transcript(admitted) if utterance.id in states]
    given = Counter(code for state in shown for code in state.codes)
    task_codes = observer_tasks.find_task(coding_pass.task).codes_in(book)
    rows = [(code.label, given[code.name]) for code in book.codes if code in task_codes or given[code.name]]
    rows.append(("No code", sum(not state.codes and not state.unsure for state in shown)))
    return [*rows, ("Unsure", sum(state.unsure for state in shown))]


def _event_record(
    admitted: Admitted, coding_pass: Pass, change: ChangeRequest, name: str, moment: int, pretag_shown: bool
) -> CodeEvent:
    return CodeEvent(
        tape_id=admitted.tape.id,
        pass_id=coding_pass.id,
        person_id=admitted.person.id,
        utterance_id=change.utterance_id,
        at=moment,
        audio_ms=change.audio_ms,
        action=change.action,
        codes=list(dict.fromkeys(change.codes)),
        pretag_shown=pretag_shown,
        client_event_id=name,
        undoes=f"{coding_pass.id}:{change.undoes}" if change.undoes else None,
    )
