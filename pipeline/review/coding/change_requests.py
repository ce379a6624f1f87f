"""Changes as a page sends them: codes and corrections alike, each under an id that the page generates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~+.-]{1,80}$")]
ChangeKind = Literal["code", "text", "speaker", "merge", "split", "mask", "note"]


class ChangeRequest(BaseModel):
    """One change as a page sends it.

    ``base``: the newest change of the utterance's codes that the page knows, empty where it knows none. None: it
    is stored whatever is the newest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    kind: ChangeKind
    utterance_id: Identifier
    undoes: Identifier | None = None
    base: Identifier | Literal[""] | None = None
    action: Literal["set", "clear", "unsure"] = "set"
    codes: list[Identifier] = Field(default_factory=list, max_length=40)
    audio_ms: int | None = Field(default=None, ge=0, le=2**40)
    payload: dict[str, Any] = Field(default_factory=dict)


class ChangeBatch(BaseModel):
    """The changes that a page sends in one request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: list[ChangeRequest] = Field(max_length=200)
