"""The application's route table, and requests made from it: a test that goes over it covers a new route by that alone.

A parameter or field that nobody has told here what it holds is an error, so that no route is asked in vain.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_origin

from fastapi import FastAPI, UploadFile
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from httpx import Response
from pydantic import BaseModel
from starlette.routing import Mount

from pipeline.review.auth.csrf import streams
from pipeline.review.auth.current_user import needs_sign_in
from pipeline.review.reflection import questions
from tests.review.conftest import PASSWORD, Browser

NOBODY = "0" * 16
"""An id of the right form that nothing has."""

IDS = frozenset(
    {
        "tape_id",
        "pass_id",
        "meeting_id",
        "group_id",
        "person_id",
        "feedback_id",
        "note_id",
        "session_id",
        "codebook_id",
        "calibration_pass_id",
        "certificate_id",
        "passkey_id",
    }
)
"""What an address may name; fields of forms that name such a thing are in `NAMING`."""

NAMING = {
    **{name: name for name in IDS},
    **dict.fromkeys(("facilitator", "time_keeper", "note_taker"), "person_id"),
    "group_ids": "group_id",
}
"""Field -> which id it holds."""

PARTS = {"kind": ("csv", "vtt"), "token": ("x" * 43,), "codebook_name": ("pretags",), "script": ("roleplay-alcohol",)}
"""Other parts of an address."""

QUERIES = {
    "at": ("0",),
    "room": ("false", "true"),
    "next": ("/",),
    "codebook": ("pretags", "miti-4.2"),
    **dict.fromkeys(("state", "code"), ("x",)),
    "family": ("question",),
    "by": ("tapes", "minutes"),
    "coder": ("Ben",),
    "a": ("question_closed",),
    "b": ("question_open",),
    "tape": ("0123456789abcdef",),
    "file": ("1", "2"),
    "start": ("0:00",),
    "end": ("1:00",),
    "after": ("", NOBODY),
    "find": ("x",),
}
"""Query parameters."""

FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        ("name", "group", "note", "text", "notes", "agreements", "pseudonym", "method", "label", "location"), "x"
    ),
    **dict.fromkeys(("target_behavior", "action", "terms"), "x"),
    "email": "x@example.org",
    "people_named": "",
    "method_told": "",
    "was": "",
    "step": "save",
    **dict.fromkeys(("password", "again", "current"), PASSWORD),
    "next": "/",
    "way_on": "/",
    "code": "123456",
    "secret": "A" * 32,
    "answer": "x",
    "role": "member",
    "kind": "strength",
    "destroy_by": "2025-12-31",
    "signed_on": "2025-10-01",
    "signed_form": "written",
    "uses": "group_review",
    "start": "0:00",
    "end": "1:00",
    "speakers": "2",
    "way": "sound",
    "together": "people",
    "terms": "Suboxone",
    "language": "auto",
    "undo": "false",
    "moment": "0:05",
    "seconds": "3",
    "position": "1",
    "who": "S1",
    "track": "1",
    "voice": "0",
    "speaker": ["S1"],
    "speaker_role": ["interviewer"],
    "interviewer": "S1",
    "at": "2030-01-01T18:00",
    "minutes": "60",
    "time_zone": "Europe/Berlin",
    "turns": "yes",
    "task": "all",
    "codebook": "pretags",
    "word": "w00001",
    "on": "1",
}
"""Fields of forms, each with something that is taken."""

BODIES: dict[str, Any] = {
    "ChangeBatch": {"changes": []},
    "KeyRequest": {"action": "play", "key": "p"},
    "LiveRequest": {"codebook": "pretags", "action": "vote", "utterance_id": "u0001", "codes": ["question_open"]},
    "DecisionRequest": {"id": "a1", "codebook": "pretags", "utterance_id": "u0001", "codes": ["question_open"]},
}
"""Bodies in JSON, by the name of their model."""

OWN_READING: dict[str, dict[str, str]] = {
    "/tapes/{tape_id}/first": {
        "step": "save",
        **{question.name: "x" for question in questions.REVIEW},
        **{f"example-{item.name}": "x" for item in questions.APPRAISAL},
        "well": "x",
    },
    "/tapes/{tape_id}/passes/{pass_id}/ratings": {"empathy": "3"},
    "/tapes/{tape_id}/together/ratings": {"codebook": "miti-4.2", "empathy": "3"},
    "/uploads/{tape_id}": {},
}
"""Routes that read the form or the stream themselves, with what they read."""

STREAMED = {
    "/uploads/{tape_id}/form": "recording",
    "/uploads/{tape_id}/scan": "scan",
    "/uploads/{tape_id}/transcript": "transcript",
}
"""Routes that read a file from a form as it comes, the token first, with the field of the file."""


@dataclass(frozen=True)
class Call:
    """One verb of one route."""

    method: str
    path: str
    route: APIRoute

    @property
    def safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    @property
    def streamed(self) -> bool:
        """Whether it reads the token itself."""
        return streams(self.route.endpoint) == "form"

    @property
    def needs_sign_in(self) -> bool:
        """Whether only somebody who is signed in is let to it."""
        return needs_sign_in(self.route)

    @property
    def fields(self) -> list[Any]:
        """The fields that it takes, those of what it depends on included."""
        return _fields(self.route.dependant)

    @property
    def named(self) -> tuple[str, ...]:
        """What its address names."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    def address(self, ids: Mapping[str, str], **parts: str) -> str:
        """Its address with these ids; what is not given nobody has."""
        known = {name: values[0] for name, values in PARTS.items()} | dict.fromkeys(IDS, NOBODY) | dict(ids) | parts
        return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], self.path)

    def addresses(self, ids: Mapping[str, str]) -> Iterator[str]:
        """Its address with every other part and query that there is."""
        kinds = [name for name in self.named if name in PARTS]
        for parts in [{name: value} for name in kinds for value in PARTS[name]] or [{}]:
            address = self.address(ids, **parts)
            queries = {parameter.alias: QUERIES[parameter.alias] for parameter in self.route.dependant.query_params}
            for at in range(max((len(values) for values in queries.values()), default=1)):
                chosen = [f"{name}={values[at % len(values)]}" for name, values in queries.items()]
                yield "?".join([address, "&".join(chosen)] if chosen else [address])

    def form(self, ids: Mapping[str, str], text: str | None = None) -> dict[str, Any]:
        """What it is sent, as the client takes it; ``text`` stands in every field of free text."""
        if self.path in STREAMED:
            return {"data": {}, "files": {STREAMED[self.path]: ("form.pdf", b"%PDF-1.4", "application/pdf")}}
        if self.path in OWN_READING:
            read = OWN_READING[self.path]
            texts = {name: text for name, value in read.items() if text is not None and value == "x"}
            return {"data": read | texts} if read else {"content": b"0123456789"}
        given: dict[str, Any] = {}
        for parameter in self.fields:
            kind = parameter.field_info.annotation
            if inspect.isclass(kind) and issubclass(kind, BaseModel):
                return {"json": BODIES[kind.__name__]}
            if kind is UploadFile:
                return {"files": {parameter.alias: (text or "userConfiguration.xml", b"<a/>", "text/xml")}}
            value = ids.get(NAMING[parameter.alias], NOBODY) if parameter.alias in NAMING else FIELDS[parameter.alias]
            if text is not None and free(parameter.alias, kind):
                value = text
            given[parameter.alias] = [value] if get_origin(kind) is list else value
        return {"data": given}

    def ask(self, browser: Browser, token: str, ids: Mapping[str, str], text: str | None = None) -> Response:
        """Send it."""
        headers = {"X-CSRF-Token": token, "Upload-Offset": "0", "Upload-Length": "10", "accept": "text/html"}
        if self.safe:
            return browser.client.request(self.method, next(self.addresses(ids)), headers={"accept": headers["accept"]})
        sent = self.form(ids, text)
        if self.streamed:
            sent["data"] = {"csrf": token}
        return browser.client.request(self.method, self.address(ids), headers=headers, **sent)


def _fields(dependant: Dependant) -> list[Any]:
    return [*dependant.body_params, *(field for each in dependant.dependencies for field in _fields(each))]


def free(name: str, kind: Any) -> bool:
    """Whether a field takes whatever somebody types."""
    return kind is str and name not in NAMING and FIELDS[name] == "x"


def longest(call: Call, name: str) -> int:
    """How many characters a field takes."""
    fields = {field.alias: field.field_info for field in call.fields}
    limits = (
        [constraint.max_length for constraint in fields[name].metadata if hasattr(constraint, "max_length")]
        if name in fields
        else []
    )
    return min(limits, default=4000)


def typed(call: Call) -> tuple[list[str], list[str]]:
    """The fields of a form that people type into: those that take anything, and those that want something certain."""
    if call.path in OWN_READING:
        return [name for name, value in OWN_READING[call.path].items() if value == "x"], []
    texts = [field.alias for field in call.fields if field.field_info.annotation is str]
    texts = [name for name in texts if name not in NAMING]
    return [name for name in texts if free(name, str)], [name for name in texts if not free(name, str)]


def calls(app: FastAPI) -> list[Call]:
    """Every verb of every route of an application."""
    routed = [
        Call(method, route.path, route) for route in _routes(app.routes) for method in sorted(route.methods or ())
    ]
    for call in routed:
        if call.streamed or _may_read_its_body(inspect.unwrap(call.route.endpoint)):
            known = call.safe or call.path in OWN_READING or call.path in STREAMED
            assert known, f"{call.path} reads its body itself: say in OWN_READING or STREAMED what"
    return routed


@cache
def _may_read_its_body(endpoint: Callable[..., Any]) -> bool:
    source = inspect.getsource(endpoint)
    return ".form()" in source or "stream" in source.lower()


def _routes(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from _routes(inner.routes)
        else:
            assert isinstance(route, Mount), f"{route} is a kind of route that no test knows"
            assert route.path == "/static", "only files of ours that everybody may have are mounted"
