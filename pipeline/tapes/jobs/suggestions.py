"""Suggestions of a part of a draft's recording (`run.part_suggestion`): items of the vault, from request to result.

::

    suggestion:wanted ──claim──> suggestion:<worker> ──perform──> suggestion
            ^                            │
            └───────── give back ────────┘    the worker stops, has a job to do, or died

Nothing is lost with one that was begun: the next worker begins anew. The result holds times and counts, never words.
All of it goes when the segment is cut out of the recording.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, delete, select

from pipeline.errors import JobError, VaultError
from pipeline.run import part_suggestion
from pipeline.run.engines import Engines
from pipeline.run.part_suggestion import SuggestedPart
from pipeline.run.progress import Progress
from pipeline.settings import Settings
from pipeline.tapes import audit_log
from pipeline.tapes.clock import Clock
from pipeline.tapes.consent import consent, target_behavior
from pipeline.tapes.db.records import Item, Tape, Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import recording_files
from pipeline.tapes.jobs.recording_files import SUGGESTION
from pipeline.tapes.jobs.steps import COMBINED
from pipeline.tapes.vault.joined_items import JoinedItems
from pipeline.tapes.vault.stage_store import item_row

STEP = "suggest"
"""What an engine process is asked to do for a suggestion."""

_PREFIX = f"{SUGGESTION}:"
_WANTED = f"{_PREFIX}wanted"


@dataclass(frozen=True)
class PartRequest:
    """The lengths of the recording and of the part to suggest, in milliseconds."""

    duration: int
    length: int


@dataclass(frozen=True)
class Suggested:
    """How far a suggestion is; ``part`` is None while there is none, and where there is hardly any talk to suggest."""

    state: Literal["none", "waiting", "working", "done", "failed"]
    part: SuggestedPart | None = None


_REQUEST = TypeAdapter(PartRequest)
_SUGGESTED = TypeAdapter(Suggested)


def of_suggestion() -> ColumnElement[bool]:
    """Whether an item belongs to a suggestion."""
    return Item.kind.startswith(SUGGESTION)


def want(home: Home, tape_id: str, by: str, request: PartRequest, now: int) -> None:
    """Want a suggestion for a draft, in place of an earlier one; one that is wanted or under way already stays."""
    put = home.vault.put(tape_id, _WANTED, _REQUEST.dump_json(request))
    with home.database.writing() as session:
        items = session.scalars(_items(tape_id)).all()
        is_new = not any(item.kind.startswith(_PREFIX) for item in items)
        earlier = list(items) if is_new else []
        session.execute(delete(Item).where(Item.id.in_([item.id for item in earlier])))
        if is_new:
            session.add(item_row(put, now))
            audit_log.record(session, now, by, "part.suggest", tape_id)
    for item in (*earlier, *(() if is_new else (put,))):
        home.vault.remove(item)


def current(home: Home, tape_id: str) -> Suggested:
    """Return how far the suggestion for a draft is."""
    with home.database.reading() as session:
        items = {item.kind: item for item in session.scalars(_items(tape_id))}
    if SUGGESTION in items:
        return _SUGGESTED.validate_json(home.vault.read(items[SUGGESTION]))
    if not items:
        return Suggested("none")
    return Suggested("waiting" if _WANTED in items else "working")


def claim(home: Home, worker: str, now: int) -> str | None:
    """Take the suggestion that is wanted longest, or was left by a dead worker; return its tape, None without any."""
    with home.database.reading() as session:
        workers = set(session.scalars(select(Worker.id))) | {worker}
        query = select(Item).where(Item.kind.startswith(_PREFIX)).order_by(Item.created_at, Item.id)
        free = [item for item in session.scalars(query) if item.kind.removeprefix(_PREFIX) not in workers]
    for item in free:
        with suppress(VaultError):  # of a tape that is being destroyed, or damaged: others do not wait for it
            if _moved(home, item, f"{_PREFIX}{worker}", home.vault.read(item), now):
                return item.tape_id
    return None


def give_back(home: Home, tape_id: str, worker: str, now: int) -> None:
    """Put a suggestion back that a worker does not finish: it is wanted again."""
    if item := _claimed(home, tape_id, worker):
        _moved(home, item, _WANTED, home.vault.read(item), now)


def fail(home: Home, tape_id: str, worker: str, now: int) -> None:
    """Note that a suggestion could not be made; a member may want it again."""
    if item := _claimed(home, tape_id, worker):
        _moved(home, item, SUGGESTION, _SUGGESTED.dump_json(Suggested("failed")), now)


def require(home: Home, tape_id: str, worker: str, now: int) -> None:
    """Require that a suggestion is still to be made by a worker.

    Raises
    ------
    JobError: J01 nobody wants it anymore. ConsentError: the consent has ended.
    """
    with home.database.reading() as session:
        tape = session.get(Tape, tape_id)
        wanted = session.scalar(_items(tape_id, f"{_PREFIX}{worker}").limit(1))
        if tape is None or tape.state != "draft" or wanted is None:
            remedy = "nothing is to be done about it"
            raise JobError("J01", f"suggestion for tape {tape_id}", "is not wanted anymore", remedy)
        consent.allows(session, None, "process", tape, now).require()


def perform(
    home: Home,
    settings: Settings,
    engines: Callable[[Settings], Engines],
    tape_id: str,
    progress: Progress,
    clock: Clock,
) -> None:
    """Make the suggestion that a worker has claimed, and store it; nothing is done where nobody wants it anymore.

    Raises
    ------
    TapeReviewError: A, M and C for what keeps the engines from it, V and K where vault or records cannot be used.
    """
    with home.database.reading() as session:
        items = {item.kind: item for item in session.scalars(select(Item).where(Item.tape_id == tape_id))}
        target = target_behavior.read(session, home.vault, tape_id)
    claimed = next((item for kind, item in items.items() if kind.startswith(_PREFIX) and kind != _WANTED), None)
    if claimed is None:
        return
    request = _REQUEST.validate_json(home.vault.read(claimed))
    whole = [items[COMBINED]] if COMBINED in items else recording_files.whole_files(items.values())[0]
    quick = engines(part_suggestion.fast(settings))
    with home.vault.locks.working(tape_id), JoinedItems(home.vault, whole) as sound:
        part = part_suggestion.suggested_part(sound, request.duration, request.length, target, quick, progress)
    _moved(home, claimed, SUGGESTION, _SUGGESTED.dump_json(Suggested("done", part)), clock())


def _items(tape_id: str, kind: str | None = None) -> Select[Item]:
    return select(Item).where(Item.tape_id == tape_id, of_suggestion() if kind is None else Item.kind == kind)


def _claimed(home: Home, tape_id: str, worker: str) -> Item | None:
    with home.database.reading() as session:
        return session.scalar(_items(tape_id, f"{_PREFIX}{worker}"))


def _moved(home: Home, item: Item, kind: str, content: bytes, now: int) -> bool:
    """Put an item of another kind in the place of one; False where somebody else was faster, or it is gone."""
    put = home.vault.put(item.tape_id, kind, content)
    with home.database.writing() as session:
        is_ours = session.execute(delete(Item).where(Item.id == item.id).returning(Item.id)).first() is not None
        if is_ours:
            session.add(item_row(put, now))
    home.vault.remove(item if is_ours else put)
    return is_ours
