"""The state of the coding page as JSON: the transcript, the codes, the keys, and nothing of another coder's."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline import languages
from pipeline.coding.codebook import TEXTS, Codebook
from pipeline.review.authorization import Admitted
from pipeline.review.coding import correction_store, masks, notes, observer_tasks, passes, shortcuts, transcripts
from pipeline.review.coding.codebooks import tag_of_code
from pipeline.review.coding.corrections import CorrectedUtterance
from pipeline.review.tapes import retagging
from pipeline.tapes.db.records import Pass


def coding_page_state(admitted: Admitted, coding_pass: Pass, book: Codebook, keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the state of the viewer's own pass, as JSON."""
    task = observer_tasks.find_task(coding_pass.task)
    corrections = transcripts.valid_corrections(admitted)
    utterances = transcripts.with_corrections(admitted, corrections)
    pretags = visible_pretags(admitted, book, task, utterances, passes.hidden_pretags(admitted, coding_pass))
    events = passes.pass_events(admitted, coding_pass)
    own_corrections = correction_store.own_corrections(admitted)
    order = [(row.at, passes.as_event(row).id) for row in events] + [
        (moment, correction["id"]) for moment, correction in own_corrections
    ]
    return {
        "tape": {
            "duration": admitted.tape.duration_ms or max((utterance.end for utterance in utterances), default=0),
            "from_text": admitted.tape.from_text,
        },
        "pass": {
            "id": coding_pass.id,
            "tape": coding_pass.tape_id,
            "locked": coding_pass.locked_at is not None,
            "task": task.name,
            "key": waiting_key(admitted, coding_pass),
        },
        "codes": code_fields(book, task, keys),
        "sheet": sheet_address(coding_pass.tape_id, coding_pass.codebook),
        "bindings": binding_fields(book, keys, admitted.tape.from_text),
        "utterances": [utterance_fields(utterance, pretags.get(utterance.id)) for utterance in utterances],
        "unclear": [
            {"start": vocalization.span.start, "speaker": vocalization.speaker}
            for vocalization in transcripts.vocalizations(admitted)
        ],
        "events": [
            {
                "id": event.id,
                "utterance_id": event.utterance_id,
                "action": event.action,
                "codes": event.codes,
                "undoes": event.undoes,
            }
            for event in map(passes.as_event, events)
        ],
        "corrections": [correction for _, correction in own_corrections],
        "notes": [
            {"id": note.id, "moment": note.moment, "text": note.text}
            for note in notes.shown_notes(admitted)
            if not note.author
        ],
        "masked": sorted(masks.masked_roots(corrections)),
        "sees_names": admitted.is_interviewer,
        "mark": correction_store.count_others_corrections(admitted),
        # What undo takes back is the last of both, as they were made.
        "order": [name for _, name in sorted(order, key=lambda change: change[0])],
    }


def sheet_address(tape_id: str, codebook: str) -> str:
    """Return where a codebook's definitions stand as a sheet to print."""
    return f"/tapes/{tape_id}/definitions?codebook={codebook}"


def waiting_key(admitted: Admitted, coding_pass: Pass) -> str:
    """Return the key, in base64, that encrypts the changes waiting in a coder's browser; it ends with the tape."""
    purpose = f"changes of {admitted.person.id} in pass {coding_pass.id}"
    return base64.b64encode(admitted.home.vault.derive(admitted.tape.id, purpose)).decode()


def binding_fields(book: Codebook, keys: Mapping[str, str], from_text: bool = False) -> list[dict[str, Any]]:
    """Return the key bindings as JSON; without sound, those for it are left out or do something else."""
    return [
        {
            "action": binding.action,
            "label": shortcuts.WITHOUT_SOUND.get(binding.action, binding.label) if from_text else binding.label,
            "presses": binding.presses,
            "shown": binding.shown,
            "repeats": binding.repeats,
        }
        for binding in shortcuts.resolve_bindings(book, keys)
        if not (from_text and binding.action in shortcuts.SOUND)
    ]


def code_fields(book: Codebook, task: observer_tasks.ObserverTask, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the codebook's codes as the page draws them."""
    shown = {binding.action: binding.shown for binding in shortcuts.resolve_bindings(book, keys)}
    fields = []
    for code in book.codes:
        look = tag_of_code(code, book)
        fields.append(
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
                **{name: getattr(code, name) for name in TEXTS},
            }
        )
    return fields


def visible_pretags(
    admitted: Admitted,
    book: Codebook,
    task: observer_tasks.ObserverTask,
    utterances: Iterable[CorrectedUtterance],
    unseen: Iterable[str],
) -> dict[str, dict[str, Any]]:
    """Return utterance -> the pre-tag in this codebook, as far as the task asks for it and the coder may see it.

    A pre-tag for the interviewer is left out where somebody has corrected the speaker to the client, and vice versa.
    """
    wanted, hidden = {code.name: code.role for code in task.codes_in(book)}, set(unseen)
    roles = {utterance.id: utterance.role for utterance in utterances}
    pretags = {}
    current = retagging.suggestions(admitted.session, admitted.home, [admitted.tape.id])
    for row in current.get(admitted.tape.id, ()):
        proposed = [code for code in book.proposed(row.codes) if wanted.get(code, "") == roles.get(row.utterance_id)]
        if proposed and row.utterance_id not in hidden:
            pretags[row.utterance_id] = {
                "codes": proposed,
                "probability": round(row.probability, 2),
                "check": row.needs_check,
            }
    return pretags


def utterance_fields(utterance: CorrectedUtterance, pretag: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return one utterance as JSON."""
    return {
        "id": utterance.id,
        "turn": utterance.turn,
        "role": utterance.role,
        "speaker": utterance.speaker,
        "start": utterance.start,
        "end": utterance.end,
        "edited": utterance.edited,
        "words": [
            {"id": word.id, "text": word.text, "start": word.start, "end": word.end}
            | ({"masked": True} if word.masked else {})
            | ({"roots": word.roots} if word.roots else {})
            for word in utterance.words
        ],
        "pretag": pretag,
        # The name of another language than English: such an utterance has no suggestion.
        "language": languages.name(utterance.language) if languages.is_foreign(utterance.language) else "",
    }
