"""Codebooks: which codes an utterance may carry, how a coder types them, and how they are counted.

A codebook is a TOML file; `parse` takes its text, as this room reads no files (`pipeline.formats.codebooks` does)::

    name = "oars"
    version = "1.0"
    label = "OARS, the four core skills"
    counting = "utterance"

    [[codes]]
    name = "affirmation"
    label = "Affirmation"
    letter = "A"                  # shown in pictures and marks
    key = "a"                     # typed by the coder
    role = "interviewer"
    family = "affirmation"        # what measures group by: question, reflection, ...
    pretags = []                  # the machine's codes that propose this one
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pipeline.errors import CodingError

INTERVIEWER_CODES = (
    "question_open",
    "question_closed",
    "reflection_simple",
    "reflection_complex",
    "information",
    "other",
)
"""What the machine proposes for an interviewer's utterance."""

CLIENT_CODES = ("change", "sustain", "neutral")
"""What the machine proposes for a client's utterance."""

CODES = INTERVIEWER_CODES + CLIENT_CODES
"""Every pre-tag, in the order of the ``p_<code>`` columns."""

Counting = Literal["utterance", "miti-4.2-volley"]
"""Count every coded utterance, or each behavior once a volley and a complex reflection before a simple one."""

CodedRole = Literal["interviewer", "client"]


@dataclass(frozen=True, slots=True)
class Code:
    """One label that an utterance may carry."""

    name: str
    label: str
    letter: str
    key: str
    role: CodedRole
    family: str
    pretags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Codebook:
    """A versioned set of codes with its counting rule; names, letters and keys are each unique."""

    name: str
    version: str
    label: str
    counting: Counting
    codes: tuple[Code, ...]

    def __getitem__(self, name: str) -> Code:
        """The code of that name; KeyError where the book has none."""
        for code in self.codes:
            if code.name == name:
                return code
        raise KeyError(name)

    def of(self, role: str) -> tuple[Code, ...]:
        """The codes that an utterance of this role may carry; none for an unknown role."""
        return tuple(code for code in self.codes if code.role == role)

    def families(self) -> Mapping[str, tuple[str, ...]]:
        """Family -> names of its codes, in the book's order."""
        found: dict[str, tuple[str, ...]] = {}
        for code in self.codes:
            found[code.family] = (*found.get(code.family, ()), code.name)
        return found

    def proposed(self, pretags: Collection[str]) -> tuple[str, ...]:
        """This book's codes that the machine's codes stand for, in the book's order."""
        return tuple(code.name for code in self.codes if set(code.pretags) & set(pretags))


def parse(text: str, origin: str = "codebook") -> Codebook:
    """Read a codebook from the text of its TOML file; ``origin`` names it in messages.

    Raises
    ------
    CodingError: C01 not TOML, C02 a key is missing, unknown or wrong.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CodingError("C01", f"codebook {origin}", f"is not valid TOML ({error})", "mend the line named") from error
    codes = raw.pop("codes", None)
    if not isinstance(codes, list) or not codes:
        raise _wrong(origin, "has no codes", "add a [[codes]] table for each code")
    head = _strings(raw, ("name", "version", "label", "counting"), f"{origin}")
    if head["counting"] not in get_args(Counting):
        raise _wrong(origin, f"has counting {head['counting']!r}", f"use one of {', '.join(get_args(Counting))}")
    book = Codebook(**head, codes=tuple(_code(code, number, origin) for number, code in enumerate(codes, start=1)))
    for what in ("name", "letter", "key"):
        values = [getattr(code, what) for code in book.codes]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise _wrong(origin, f"gives two codes the {what} {twice[0]!r}", f"choose another {what} for one of them")
    return book


def _code(raw: object, number: int, origin: str) -> Code:
    where = f"{origin}, code {number}"
    if not isinstance(raw, dict):
        raise _wrong(where, "is not a table", "write it as a [[codes]] table")
    pretags = raw.pop("pretags", [])
    if not isinstance(pretags, list) or not set(pretags) <= set(CODES):
        raise _wrong(where, f"has pretags {pretags!r}", f"list some of {', '.join(CODES)}")
    fields = _strings(raw, ("name", "label", "letter", "key", "role", "family"), where)
    if "|" in fields["name"]:
        raise _wrong(where, f"has the name {fields['name']!r}", "leave out the '|': it separates codes in tables")
    if fields["role"] not in get_args(CodedRole):
        raise _wrong(where, f"has the role {fields['role']!r}", f"use {' or '.join(get_args(CodedRole))}")
    if len(fields["key"]) != 1 or fields["key"].isspace():
        raise _wrong(where, f"has the key {fields['key']!r}", "use a single character that can be typed")
    return Code(**fields, pretags=tuple(pretags))


def _strings(raw: Mapping[str, object], names: tuple[str, ...], where: str) -> dict[str, Any]:
    for name in sorted(set(raw) - set(names)):
        raise _wrong(where, f"has the unknown key {name!r}", f"use only {', '.join(names)}")
    for name in names:
        value = raw.get(name)
        if not isinstance(value, str) or not value.strip():
            raise _wrong(where, f"has no text for {name!r}", f'add {name} = "..."')
    return dict(raw)


def _wrong(where: str, value: str, remedy: str) -> CodingError:
    return CodingError("C02", f"codebook {where}", value, remedy)
