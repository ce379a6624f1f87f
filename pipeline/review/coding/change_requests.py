"""Changes as a page sends them: codes and corrections alike, each under a name that the page made up."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~+.-]{1,80}$")]
Kind = Literal["code", "text", "speaker", "merge", "split", "mask"]


class Change(BaseModel):
    """One change as a page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name
    kind: Kind
    utterance_id: Name
    undoes: Name | None = None
    action: Literal["set", "clear", "unsure"] = "set"
    codes: list[Name] = Field(default_factory=list, max_length=40)
    audio_ms: int | None = Field(default=None, ge=0, le=2**40)
    payload: dict[str, Any] = Field(default_factory=dict)


class Changes(BaseModel):
    """What a page sends at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: list[Change] = Field(max_length=200)
