"""Changes as a page sends them: codes and corrections alike, each under an id that the page generates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~+.-]{1,80}$")]
ChangeKind = Literal["code", "text", "speaker", "merge", "split", "mask", "note"]


class TranscriptBase(BaseModel):
    """The part of the transcript that a change rests on.

    ``words``: the ids of the words of each utterance that is split, merged or swapped alone, in order. ``roles``:
    the roles that are swapped, as runs: the first utterance of each run, and the run's role. Splits and merges within
    a run leave it as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: tuple[tuple[Identifier, ...], ...]
    roles: tuple[tuple[Identifier, Identifier], ...]


class ChangeRequest(BaseModel):
    """One change as a page sends it.

    ``base`` is what the page showed. For codes, the newest change of the utterance's codes, empty where there was none;
    for a split, a merge or a swap of the speakers, the part of the transcript that it changes. None: it is stored if
    it has an effect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    kind: ChangeKind
    utterance_id: Identifier
    undoes: Identifier | None = None
    base: Identifier | Literal[""] | TranscriptBase | None = None
    action: Literal["set", "clear", "unsure"] = "set"
    codes: list[Identifier] = Field(default_factory=list, max_length=40)
    audio_ms: int | None = Field(default=None, ge=0, le=2**40)
    payload: dict[str, Any] = Field(default_factory=dict)


class ChangeBatch(BaseModel):
    """The changes that a page sends in one request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: list[ChangeRequest] = Field(max_length=200)
