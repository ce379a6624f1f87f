"""Corrections of the transcript: which are permitted, and storing each once."""

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
from pipeline.review.coding.corrections import (
    MASK,
    CorrectedUtterance,
    Correction,
    apply_correction,
    apply_corrections,
)
from pipeline.review.coding.transcript_base import base_of
from pipeline.review.coding.transcripts import PAYLOAD_FIELD
from pipeline.tapes.db import records
from pipeline.tapes.db.records import CodeEvent, Pass

_MAX_WORDS = 200
"""Words, or names, of one change: utterances are split at 40 words (`segmentation.MAX_WORDS`) where they can be."""

ONLY_INTERVIEWER = "only the interviewer can show a masked name"
STALE = "this utterance was changed meanwhile"
MASKS_STAY = "the bar of a masked name cannot change"


def store_corrections(admitted: Admitted, changes: Sequence[ChangeRequest]) -> list[dict[str, str]]:
    """Store the corrections that are new; return those that were refused, each with the reason."""
    session = admitted.session
    ids = [correction_id(admitted, change.id) for change in changes]
    stored_ids = set(session.scalars(select(records.Correction.id).where(records.Correction.id.in_(ids))))
    moment = latest_change_time(admitted)
    transcript = _TranscriptState(transcripts.machine_transcript(admitted), transcripts.correction_history(admitted))
    refused = []
    for name, change in zip(ids, changes, strict=True):
        if name in stored_ids:
            continue
        try:
            validated = _validated(admitted, change, transcript)
        except _RefusedError as refusal:
            refused.append({"id": change.id, "reason": str(refusal)})
            continue
        correction = Correction(
            name, validated.kind, validated.utterance_id, validated.payload, _undone_id(admitted, change)
        )
        if transcript.overtakes(change, correction):
            refused.append({"id": change.id, "reason": STALE, "stale": "true"})
            continue
        stored_ids.add(name)
        moment += 1
        row = _record(admitted, validated, name, moment)
        session.add(row)
        transcript.add(correction, admitted.is_interviewer)
        admitted.record(f"change.{validated.kind}", "transcript")
    return refused


class _RefusedError(Exception):
    """A correction is refused; the message is the reason."""


@dataclass
class _TranscriptState:
    """The words of the recording, and all corrections so far, each with whether the interviewer made it."""

    recorded: list[CorrectedUtterance]
    corrections: list[tuple[Correction, bool]]
    _roots_by_word: dict[str, tuple[str, ...]] | None = None
    _shown: list[CorrectedUtterance] | None = None

    def add(self, correction: Correction, by_interviewer: bool) -> None:
        """Add a correction. A mask changes no word, so the roots are computed again only after other kinds."""
        self.corrections.append((correction, by_interviewer))
        if correction.kind != "mask":
            self._roots_by_word = self._shown = None

    @property
    def shown(self) -> list[CorrectedUtterance]:
        """The transcript with the corrections so far."""
        if self._shown is None:
            self._shown = apply_corrections(self.recorded, masks.permitted_corrections(self.corrections))
        return self._shown

    def overtakes(self, change: ChangeRequest, correction: Correction) -> bool:
        """Whether others changed meanwhile what a correction is about, so that it has another effect, or none.

        A mask is about words of the recording, and an undo about the person's own correction: neither is overtaken.
        """
        if correction.undoes or correction.kind == "mask":
            return False
        if correction.kind == "text":
            fits = self._has_replaced_words(correction)
        else:
            fits = change.base in (None, base_of(self.shown, change.kind, change.utterance_id, change.payload))
        return not fits or apply_correction(self.shown, correction) == self.shown

    def _has_replaced_words(self, correction: Correction) -> bool:
        """Whether the utterance has the words that a correction of its text replaces, one after the other."""
        words = [word.id for shown in self.shown if shown.id == correction.utterance_id for word in shown.words]
        replaced, after = correction.payload["replace"], correction.payload["after"]
        if not replaced:
            return bool(words) and (after is None or after in words)
        first = words.index(replaced[0]) if replaced[0] in words else 0
        return bool(words[first : first + len(replaced)] == replaced)

    def roots(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the roots of each word as shown; those it had, where somebody else has changed it meanwhile."""
        if not words:
            return []
        if self._roots_by_word is None:
            self._roots_by_word = {}
            for word in (word for utterance in self.shown for word in utterance.words):
                # Names of added words follow from names that pages make up, and two can be alike: both are meant then.
                self._roots_by_word[word.id] = self._roots_by_word.get(word.id, ()) + word.stands_for
        texts = [
            correction for correction, _ in self.corrections if correction.kind == "text" and not correction.undoes
        ]
        return [self._roots_by_word.get(word) or masks.root_words(word, texts) for word in words]


def _validated(admitted: Admitted, change: ChangeRequest, transcript: _TranscriptState) -> ChangeRequest:
    """Return a change as it is stored.

    Raises
    ------
    _RefusedError: the change is not permitted.
    """
    if problem := _payload_problem(change):
        raise _RefusedError(problem)
    if change.undoes is not None:
        return _undo(admitted, change, transcript)
    if change.kind == "mask":
        return _mask_on_roots(admitted, change, transcript)
    return _text_with_masks(admitted, change, transcript) if change.kind == "text" else change


def _undo(admitted: Admitted, change: ChangeRequest, transcript: _TranscriptState) -> ChangeRequest:
    """An undo takes back the person's own correction; its kind comes from that correction, not from the page."""
    undone = next(
        (
            correction
            for correction, _ in transcript.corrections
            if correction.id == correction_id(admitted, change.undoes or "")
        ),
        None,
    )
    if undone is None:
        raise _RefusedError("there is nothing to undo")
    if undone.kind == "mask" and not admitted.is_interviewer:
        raise _RefusedError(ONLY_INTERVIEWER)
    return change.model_copy(update={"kind": undone.kind, "utterance_id": undone.utterance_id, "payload": {}})


def _mask_on_roots(admitted: Admitted, change: ChangeRequest, transcript: _TranscriptState) -> ChangeRequest:
    """A mask is stored on words of the recording, so it outlives others' corrections and undos."""
    if not change.payload["on"] and not admitted.is_interviewer:
        raise _RefusedError(ONLY_INTERVIEWER)
    roots = [root for stands_for in transcript.roots(change.payload["words"]) for root in stands_for]
    recorded_words = {word.id for utterance in transcript.recorded for word in utterance.words}
    if not roots or not {root.strip("<>") for root in roots} <= recorded_words:
        raise _RefusedError("it does not name a word of this tape")
    return change.model_copy(update={"payload": {"words": list(dict.fromkeys(roots)), "on": change.payload["on"]}})


def _text_with_masks(admitted: Admitted, change: ChangeRequest, transcript: _TranscriptState) -> ChangeRequest:
    """Whoever does not see a masked name cannot change it: the name stays where its bar stands."""
    payload = change.payload
    masked = (
        frozenset()
        if admitted.is_interviewer
        else masks.masked_roots(masks.permitted_corrections(transcript.corrections))
    )
    words = payload["replace"] if masked else []
    kept_words = [
        word for word, roots in zip(words, transcript.roots(words), strict=True) if not masked.isdisjoint(roots)
    ]
    bars = [text for text in payload["with"] if MASK[0] in text]
    if len(bars) != len(kept_words) or any(text != MASK for text in bars):
        raise _RefusedError(MASKS_STAY)
    sent = {key: payload[key] for key in ("replace", "after", "with")}
    return change.model_copy(update={"payload": sent | ({"kept": kept_words} if kept_words else {})})


def latest_change_time(admitted: Admitted) -> int:
    """Return the time, in ms, after which the next change is made.

    The person's own codes, everyone's corrections and the ends of passes keep their order.
    """
    session, tape_id = admitted.session, admitted.tape.id
    coded = select(func.max(CodeEvent.at)).where(
        CodeEvent.tape_id == tape_id, CodeEvent.person_id == admitted.person.id
    )
    corrected = select(func.max(records.Correction.at)).where(records.Correction.tape_id == tape_id)
    ended = select(func.max(Pass.locked_at)).where(Pass.tape_id == tape_id)
    return max(*(session.scalar(query) or 0 for query in (coded, corrected, ended)), admitted.now - 1)


def count_others_corrections(admitted: Admitted) -> int:
    """Return how many corrections other people made; when it grows, an open page loads the transcript again."""
    query = select(func.count(records.Correction.id)).where(
        records.Correction.tape_id == admitted.tape.id, records.Correction.person_id != admitted.person.id
    )
    return admitted.session.scalar(query) or 0


def correction_id(admitted: Admitted, name: str) -> str:
    """Return a correction's id; the page's names of two people cannot collide."""
    return f"{name}-{admitted.person.id}"


def _undone_id(admitted: Admitted, change: ChangeRequest) -> str | None:
    return correction_id(admitted, change.undoes) if change.undoes else None


def own_corrections(admitted: Admitted) -> list[tuple[int, dict[str, str | None]]]:
    """Return (time in ms, correction) for the person's own corrections in order of time, under the page's names."""
    query = select(records.Correction).where(
        records.Correction.tape_id == admitted.tape.id,
        records.Correction.person_id == admitted.person.id,
        records.Correction.kind != "role",
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
        for row in admitted.session.scalars(query.order_by(records.Correction.at, records.Correction.id))
    ]


def _payload_problem(change: ChangeRequest) -> str:
    payload = change.payload
    if change.undoes is not None or (change.kind == "speaker" and payload == {"only": True}):
        return ""
    if change.kind in ("speaker", "merge"):
        return "" if not payload else "it is too long"
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
    """Whether it can be shown; a lone surrogate in one word would make the whole transcript unreadable."""
    return isinstance(value, str) and 0 < len(value) <= 200 and plain_text.without_controls(value, "") == value


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 80 and value.isascii() and value.isprintable()


def _names(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= _MAX_WORDS and all(_is_name(value) for value in values)


def _record(admitted: Admitted, change: ChangeRequest, name: str, moment: int) -> records.Correction:
    sealed = admitted.home.vault.seal(admitted.tape.id, json.dumps(change.payload).encode(), PAYLOAD_FIELD)
    return records.Correction(
        id=name,
        tape_id=admitted.tape.id,
        person_id=admitted.person.id,
        at=moment,
        kind=change.kind,  # type: ignore[arg-type]
        utterance_id=change.utterance_id,
        sealed_payload=sealed,
        undoes=_undone_id(admitted, change),
    )
