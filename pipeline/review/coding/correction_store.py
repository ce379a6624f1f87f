"""Corrections of the transcript: who made them, what they may say, and storing each once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from pipeline.formats import plain_text
from pipeline.review.authorization import Admitted
from pipeline.review.coding import masks, transcripts
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.review.coding.corrections import MASK, Utterance, apply_corrections
from pipeline.review.coding.corrections import Correction as Made
from pipeline.review.coding.transcripts import PAYLOAD_FIELD
from pipeline.tapes.db.records import CodeEvent, Correction, Pass

_MAX_WORDS = 200

ONLY_INTERVIEWER = "only the interviewer can show a masked name"
MASKS_STAY = "the bar of a masked name cannot change"


def store_corrections(admitted: Admitted, changes: Sequence[ChangeRequest]) -> list[dict[str, str]]:
    """Store the corrections that are new; the ones that cannot be, and why."""
    session = admitted.session
    ids = [correction_id(admitted, change.id) for change in changes]
    known = set(session.scalars(select(Correction.id).where(Correction.id.in_(ids))))
    at = latest_change_time(admitted)
    standing = _TranscriptState(transcripts.machine_transcript(admitted), transcripts.correction_history(admitted))
    refused = []
    for name, change in zip(ids, changes, strict=True):
        if name in known:
            continue
        try:
            fitting = _validated(admitted, change, standing)
        except _RefusedError as refusal:
            refused.append({"id": change.id, "reason": str(refusal)})
            continue
        known.add(name)
        at += 1
        row = _record(admitted, fitting, name, at)
        session.add(row)
        made = Made(name, row.kind, row.utterance_id, fitting.payload, row.undoes)
        standing.add(made, admitted.is_interviewer)
        admitted.record(f"change.{fitting.kind}", "transcript")
    return refused


class _RefusedError(Exception):
    """A correction cannot be; the message says why."""


@dataclass
class _TranscriptState:
    """The words of the recording, and all corrections so far, each with whether the interviewer made it."""

    spoken: list[Utterance]
    made: list[tuple[Made, bool]]
    _stands: dict[str, tuple[str, ...]] | None = None

    def add(self, made: Made, by_interviewer: bool) -> None:
        """One more. A mask changes no word: what each stands for is worked out anew after other kinds alone."""
        self.made.append((made, by_interviewer))
        if made.kind != "mask":
            self._stands = None

    def roots(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """What each word stands for as it is shown; or stood for, where somebody else was faster."""
        if not words:
            return []
        if self._stands is None:
            self._stands = {}
            for word in (
                word
                for said in apply_corrections(self.spoken, masks.permitted_corrections(self.made))
                for word in said.words
            ):
                # Names of added words follow from names that pages make up, and two can be alike: both are meant then.
                self._stands[word.id] = self._stands.get(word.id, ()) + word.stands_for
        texts = [one for one, _ in self.made if one.kind == "text" and not one.undoes]
        return [self._stands.get(word) or masks.root_words(word, texts) for word in words]


def _validated(admitted: Admitted, change: ChangeRequest, standing: _TranscriptState) -> ChangeRequest:
    """A change as it is stored.

    Raises
    ------
    _RefusedError: it says what it may not.
    """
    if wrong := _payload_problem(change):
        raise _RefusedError(wrong)
    if change.undoes is not None:
        return _undo(admitted, change, standing)
    if change.kind == "mask":
        return _mask_on_roots(admitted, change, standing)
    return _text_with_masks(admitted, change, standing) if change.kind == "text" else change


def _undo(admitted: Admitted, change: ChangeRequest, standing: _TranscriptState) -> ChangeRequest:
    """What is taken back is one's own; what kind it is follows from it, not from what the page says."""
    undone = next((one for one, _ in standing.made if one.id == correction_id(admitted, change.undoes or "")), None)
    if undone is None:
        raise _RefusedError("there is nothing to undo")
    if undone.kind == "mask" and not admitted.is_interviewer:
        raise _RefusedError(ONLY_INTERVIEWER)
    return change.model_copy(update={"kind": undone.kind, "utterance_id": undone.utterance_id, "payload": {}})


def _mask_on_roots(admitted: Admitted, change: ChangeRequest, standing: _TranscriptState) -> ChangeRequest:
    """A mask is stored on words of the recording; so it outlives what others correct and take back."""
    if not change.payload["on"] and not admitted.is_interviewer:
        raise _RefusedError(ONLY_INTERVIEWER)
    roots = [each for stands_for in standing.roots(change.payload["words"]) for each in stands_for]
    there = {word.id for utterance in standing.spoken for word in utterance.words}
    if not roots or not {each.strip("<>") for each in roots} <= there:
        raise _RefusedError("it does not name a word of this tape")
    return change.model_copy(update={"payload": {"words": list(dict.fromkeys(roots)), "on": change.payload["on"]}})


def _text_with_masks(admitted: Admitted, change: ChangeRequest, standing: _TranscriptState) -> ChangeRequest:
    """Whoever does not see a masked name cannot change it either: it is kept where its bar stands."""
    payload = change.payload
    masked = frozenset() if admitted.is_interviewer else masks.masked_roots(masks.permitted_corrections(standing.made))
    words = payload["replace"] if masked else []
    kept = [word for word, roots in zip(words, standing.roots(words), strict=True) if not masked.isdisjoint(roots)]
    bars = [text for text in payload["with"] if MASK[0] in text]
    if len(bars) != len(kept) or any(text != MASK for text in bars):
        raise _RefusedError(MASKS_STAY)
    sent = {key: payload[key] for key in ("replace", "after", "with")}
    return change.model_copy(update={"payload": sent | ({"kept": kept} if kept else {})})


def latest_change_time(admitted: Admitted) -> int:
    """After which moment the next change is made.

    One's own codes, everyone's corrections and the ends of passes keep their order.
    """
    session, tape_id = admitted.session, admitted.tape.id
    coded = select(func.max(CodeEvent.at)).where(
        CodeEvent.tape_id == tape_id, CodeEvent.person_id == admitted.person.id
    )
    mended = select(func.max(Correction.at)).where(Correction.tape_id == tape_id)
    ended = select(func.max(Pass.locked_at)).where(Pass.tape_id == tape_id)
    return max(*(session.scalar(query) or 0 for query in (coded, mended, ended)), admitted.now - 1)


def count_others_corrections(admitted: Admitted) -> int:
    """How many corrections other people made: where it grows, a page that is open asks anew what is said."""
    query = select(func.count(Correction.id)).where(
        Correction.tape_id == admitted.tape.id, Correction.person_id != admitted.person.id
    )
    return admitted.session.scalar(query) or 0


def correction_id(admitted: Admitted, name: str) -> str:
    """A correction's id: one's own names cannot meet another's."""
    return f"{name}-{admitted.person.id}"


def own_corrections(admitted: Admitted) -> list[tuple[int, dict[str, str | None]]]:
    """One's own corrections in order of time, under the names that the page gave them, and when each was made."""
    query = select(Correction).where(
        Correction.tape_id == admitted.tape.id, Correction.person_id == admitted.person.id, Correction.kind != "role"
    )
    end = f"-{admitted.person.id}"
    return [
        (
            row.at,
            {
                "id": row.id.removesuffix(end),
                "kind": row.kind,
                "utterance_id": row.utterance_id,
                "undoes": row.undoes.removesuffix(end) if row.undoes else None,
            },
        )
        for row in admitted.session.scalars(query.order_by(Correction.at, Correction.id))
    ]


def _payload_problem(change: ChangeRequest) -> str:
    payload = change.payload
    if change.undoes is not None or change.kind in ("speaker", "merge"):
        return "" if not payload or change.undoes is not None else "it is too long"
    if change.kind == "split":
        return "" if set(payload) == {"word_id"} and _is_name(payload["word_id"]) else "it does not name a word"
    if change.kind == "mask":
        fits = set(payload) == {"words", "on"} and _names(payload["words"]) and isinstance(payload["on"], bool)
        return "" if fits else "it does not name words"
    texts = payload.get("with")
    fits = set(payload) - {"kept"} == {"replace", "after", "with"} and _names(payload["replace"])
    fits = fits and (payload["after"] is None or _is_name(payload["after"]))
    fits = fits and isinstance(texts, list) and len(texts) <= _MAX_WORDS
    return "" if fits and all(map(_is_text, texts or ())) else "no words"


def _is_text(value: Any) -> bool:
    """Whether it can be shown: half a character in one word would keep everybody from the whole transcript."""
    return isinstance(value, str) and 0 < len(value) <= 200 and plain_text.without_controls(value, "") == value


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 80 and value.isascii() and value.isprintable()


def _names(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= _MAX_WORDS and all(_is_name(value) for value in values)


def _record(admitted: Admitted, change: ChangeRequest, name: str, at: int) -> Correction:
    sealed = admitted.home.vault.seal(admitted.tape.id, json.dumps(change.payload).encode(), PAYLOAD_FIELD)
    return Correction(
        id=name,
        tape_id=admitted.tape.id,
        person_id=admitted.person.id,
        at=at,
        kind=change.kind,  # type: ignore[arg-type]
        utterance_id=change.utterance_id,
        sealed_payload=sealed,
        undoes=correction_id(admitted, change.undoes) if change.undoes else None,
    )
