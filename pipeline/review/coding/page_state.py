"""What the coding page is filled with: the transcript, the codes, the keys, and nothing of another coder's."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from pipeline.coding.codebook import Codebook
from pipeline.review.authorization import Admitted
from pipeline.review.coding import correction_store, masks, observer_tasks, passes, shortcuts, transcripts
from pipeline.review.coding.codebooks import tag_of_code
from pipeline.review.coding.corrections import Utterance
from pipeline.tapes.db.records import Pass, Pretag


def coding_page_state(admitted: Admitted, one: Pass, book: Codebook, keys: Mapping[str, str]) -> dict[str, Any]:
    """The state of one's own pass, as JSON."""
    task = observer_tasks.find_task(one.task)
    made = transcripts.valid_corrections(admitted)
    said = transcripts.with_corrections(admitted, made)
    proposed = visible_pretags(admitted, book, task, said, passes.hidden_pretags(admitted, one))
    found = passes.pass_events(admitted, one)
    mended = correction_store.own_corrections(admitted)
    order = [(row.at, passes.as_event(row).id) for row in found] + [(at, each["id"]) for at, each in mended]
    return {
        "tape": {
            "duration": admitted.tape.duration_ms or max((each.end for each in said), default=0),
            "from_text": admitted.tape.from_text,
        },
        "pass": {
            "id": one.id,
            "tape": one.tape_id,
            "locked": one.locked_at is not None,
            "task": task.name,
            "key": waiting_key(admitted, one),
        },
        "codes": code_fields(book, task, keys),
        "bindings": binding_fields(book, keys, admitted.tape.from_text),
        "utterances": [utterance_fields(each, proposed.get(each.id)) for each in said],
        "unclear": [{"start": one.span.start, "speaker": one.speaker} for one in transcripts.vocalizations(admitted)],
        "events": [
            {
                "id": event.id,
                "utterance_id": event.utterance_id,
                "action": event.action,
                "codes": event.codes,
                "undoes": event.undoes,
            }
            for event in map(passes.as_event, found)
        ],
        "corrections": [correction for _, correction in mended],
        "masked": sorted(masks.masked_roots(made)),
        "sees_names": admitted.is_interviewer,
        "mark": correction_store.count_others_corrections(admitted),
        # What undo takes back is the last of both, as they were made.
        "order": [name for _, name in sorted(order, key=lambda each: each[0])],
    }


def waiting_key(admitted: Admitted, one: Pass) -> str:
    """The key, in base64, with which changes that wait in a coder's browser are encrypted; it ends with the tape."""
    purpose = f"changes of {admitted.person.id} in pass {one.id}"
    return base64.b64encode(admitted.home.vault.derive(admitted.tape.id, purpose)).decode()


def binding_fields(book: Codebook, keys: Mapping[str, str], from_text: bool = False) -> list[dict[str, Any]]:
    """What each key does; without sound, those that are about it do nothing or something else."""
    return [
        {
            "action": one.action,
            "label": shortcuts.WITHOUT_SOUND.get(one.action, one.label) if from_text else one.label,
            "presses": one.presses,
            "shown": one.shown,
            "repeats": one.repeats,
        }
        for one in shortcuts.resolve_bindings(book, keys)
        if not (from_text and one.action in shortcuts.SOUND)
    ]


def code_fields(book: Codebook, task: observer_tasks.ObserverTask, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """The codebook's codes as the page draws them."""
    shown = {binding.action: binding.shown for binding in shortcuts.resolve_bindings(book, keys)}
    found = []
    for code in book.codes:
        look = tag_of_code(code, book)
        found.append(
            {
                "name": code.name,
                "label": code.label,
                "letter": look.letter[:2],
                "shape": look.shape,
                "color": look.color,
                "shown": shown[f"code:{code.name}"],
                "role": code.role,
                "family": code.family,
                "task": task.covers(code),
            }
        )
    return found


def visible_pretags(
    admitted: Admitted,
    book: Codebook,
    task: observer_tasks.ObserverTask,
    said: Iterable[Utterance],
    unseen: Iterable[str],
) -> dict[str, dict[str, Any]]:
    """Utterance -> what the machine proposes in this codebook, as far as the task asks for it and it may be seen.

    What it proposes for an interviewer is left out where somebody has said that a client speaks, and the reverse.
    """
    wanted, hidden = {code.name: code.role for code in task.codes_in(book)}, set(unseen)
    roles = {one.id: one.role for one in said}
    found = {}
    for row in admitted.session.scalars(select(Pretag).where(Pretag.tape_id == admitted.tape.id)):
        proposed = [code for code in book.proposed(row.codes) if wanted.get(code, "") == roles.get(row.utterance_id)]
        if proposed and row.utterance_id not in hidden:
            found[row.utterance_id] = {
                "codes": proposed,
                "probability": round(row.probability, 2),
                "check": row.needs_check,
            }
    return found


def utterance_fields(said: Utterance, pretag: Mapping[str, Any] | None) -> dict[str, Any]:
    """One utterance as the page shows it."""
    return {
        "id": said.id,
        "turn": said.turn,
        "role": said.role,
        "speaker": said.speaker,
        "start": said.start,
        "end": said.end,
        "edited": said.edited,
        "words": [
            {"id": word.id, "text": word.text, "start": word.start, "end": word.end}
            | ({"masked": True} if word.masked else {})
            | ({"roots": word.roots} if word.roots else {})
            for word in said.words
        ],
        "pretag": pretag,
    }
