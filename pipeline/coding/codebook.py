"""Codebooks: the codes that an utterance may carry, their keys, and how they are counted.

A codebook is a TOML file; `parse` takes its text, as this room reads no files (`pipeline.formats.codebook_files`
does)::

    name = "oars"
    version = "1.0"
    label = "OARS, the four core skills"
    counting = "utterance"
    globals = []                  # optional: the ratings of MITI 4.2 that coders give (empathy, partnership, ...)
    source = "Miller and ..."     # optional: whose definitions these are

    [[codes]]
    name = "affirmation"
    label = "Affirmation"
    letter = "A"                  # shown in charts and marks
    key = "a"                     # typed by the coder
    role = "interviewer"
    family = "affirmation"        # a group of codes: question, reflection, ...
    pretags = []                  # the machine's codes that propose this one
    measure = "affirmation"       # what it counts as (see `MEASURES`); may be left out where it follows from family,
                                  # pretags or name
    definition = "Says ..."       # optional, as the next three: what the code is, in words for coders
    example = "You kept ..."      # something that has the code
    near_miss = "\\"Great!\\" ..." # something close that has not, and why
    source = "Chapter 6"          # where it is defined
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pipeline.errors import CodingError
from pipeline.measures.session import counts, miti
from pipeline.measures.session.counts import (
    BEHAVIOR_KINDS,
    CHANGE,
    MEANING_ROLES,
    NEUTRAL,
    PRETAG_MEANINGS,
    SUSTAIN,
    CountingRule,
)
from pipeline.measures.session.draws import CODE_ROLES

INTERVIEWER_CODES = (
    "question_open",
    "question_closed",
    "reflection_simple",
    "reflection_complex",
    "information",
    "other",
)
"""Pre-tags of an interviewer's utterance."""

CLIENT_CODES = ("change", "sustain", "neutral")
"""Pre-tags of a client's utterance."""

CODES = INTERVIEWER_CODES + CLIENT_CODES
"""Every pre-tag, in the order of the ``p_<code>`` columns."""

Counting = Literal["utterance", "miti-4.2-volley"]
"""Count every coded utterance, or each behavior once per volley, a complex reflection before a simple one."""

CodedRole = Literal["interviewer", "client"]

MEASURES = {
    "question": counts.QUESTION,
    "open": counts.OPEN,
    "closed": counts.CLOSED,
    "reflection": counts.REFLECTION,
    "simple": counts.SIMPLE,
    "complex": counts.COMPLEX,
    "affirmation": counts.AFFIRMATION,
    "summary": counts.SUMMARY,
    "information": counts.INFORMATION,
    "change": CHANGE,
    "sustain": SUSTAIN,
    "neutral": NEUTRAL,
    "other": counts.OTHER,
}
"""A code's ``measure`` -> its meaning. The measures "question" and "reflection" stand for any kind."""

TEXTS = ("definition", "example", "near_miss", "source")
"""What a codebook may say of a code to its coders."""

_TALK = {"change": CHANGE, "change talk": CHANGE, "sustain": SUSTAIN, "sustain talk": SUSTAIN, "neutral": NEUTRAL}


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
    measure: str = ""
    definition: str = ""
    example: str = ""
    near_miss: str = ""
    source: str = ""

    @property
    def meaning(self) -> str | None:
        """The meaning that the code counts as, one of `counts.MEANING_ROLES`; None where it has none of them.

        Its ``measure`` decides if it has one, otherwise its family and pre-tags. Where these leave the kind of a
        question or a reflection open, the words of its name and label decide.
        """
        if self.measure:
            return MEASURES[self.measure]
        proposed = {PRETAG_MEANINGS[name] for name in self.pretags if MEANING_ROLES[PRETAG_MEANINGS[name]] == self.role}
        if self.role == "client":
            talk = proposed or {_TALK[text] for text in self._texts if text in _TALK}
            return talk.pop() if len(talk) == 1 else None
        behavior = self.family
        if MEANING_ROLES.get(behavior) != self.role:
            behavior = next((name for name, kinds in BEHAVIOR_KINDS.items() if proposed and proposed <= {*kinds}), "")
        if behavior in BEHAVIOR_KINDS:
            words = {word for text in self._texts for word in re.findall("[a-z]+", text)}
            kinds = {*BEHAVIOR_KINDS[behavior]}
            named = proposed & kinds or {kind for kind in kinds if kind.split()[0] in words}
            return named.pop() if len(named) == 1 else behavior
        return behavior or (proposed.pop() if len(proposed) == 1 else None)

    @property
    def _texts(self) -> tuple[str, str]:
        return self.name.replace("_", " ").strip().lower(), self.label.strip().lower()


@dataclass(frozen=True)
class Codebook:
    """A versioned set of codes with its counting rule; names, letters and keys are each unique.

    ``globals`` are those of `miti.GLOBAL_RATINGS` that its coders give to a whole tape, ``source`` says whose
    definitions its codes have.
    """

    name: str
    version: str
    label: str
    counting: Counting
    codes: tuple[Code, ...]
    globals: tuple[str, ...] = ()
    source: str = ""

    def __getitem__(self, name: str) -> Code:
        """Return the code of that name; raises KeyError if there is none."""
        for code in self.codes:
            if code.name == name:
                return code
        raise KeyError(name)

    def of(self, role: str) -> tuple[Code, ...]:
        """Return the codes that an utterance of this role may carry; none for an unknown role."""
        return tuple(code for code in self.codes if code.role == role)

    def families(self) -> Mapping[str, tuple[str, ...]]:
        """Return family -> names of its codes, in the codebook's order."""
        families: dict[str, tuple[str, ...]] = {}
        for code in self.codes:
            families[code.family] = (*families.get(code.family, ()), code.name)
        return families

    def proposed(self, pretags: Collection[str]) -> tuple[str, ...]:
        """Return this codebook's codes that the pre-tags propose, in the codebook's order."""
        return tuple(code.name for code in self.codes if set(code.pretags) & set(pretags))

    def meaning(self, *meanings: str) -> tuple[str, ...]:
        """Return the names of this codebook's codes with one of these meanings (see `Code.meaning`)."""
        return tuple(code.name for code in self.codes if code.meaning in meanings)

    @property
    def is_miti(self) -> bool:
        """Whether a pass with this codebook has a MITI summary: it counts as MITI does, or has all its ratings."""
        return self.counting == "miti-4.2-volley" or {*miti.GLOBAL_RATINGS} <= {*self.globals}

    @property
    def adherent(self) -> tuple[str, ...]:
        """The codes of MI-adherent behaviors: seeking collaboration, emphasizing autonomy, affirming."""
        return (*self.families().get("mi_adherent", ()), *self.meaning(counts.AFFIRMATION))

    @property
    def non_adherent(self) -> tuple[str, ...]:
        """The codes of MI-non-adherent behaviors: persuading, confronting."""
        return self.families().get("mi_non_adherent", ())

    def rule(self, by_hand: bool = True) -> CountingRule:
        """Return how this codebook's codes are counted, and which measures it allows.

        With ``by_hand``, people give its codes, beside the pre-tags. Without, only pre-tags count, under their names;
        a code that no pre-tag proposes is then unknown, not zero.
        """
        proposing = {name: [code for code in self.codes if name in code.pretags] for name in CODES}
        names: dict[str, tuple[str, ...]] = {}
        roles: dict[str, str] = dict(CODE_ROLES)
        for code in self.codes if by_hand else ():
            roles[code.name] = code.role
            if code.meaning:
                names[code.meaning] = (*names.get(code.meaning, ()), code.name)
        for name, codes in proposing.items():
            meanings = {code.meaning for code in codes if code.meaning}
            if meanings:
                meaning = PRETAG_MEANINGS[name] if PRETAG_MEANINGS.get(name) in meanings else min(meanings)
                names[meaning] = (*names.get(meaning, ()), *({name} - {*names.get(meaning, ())}))
        counted = (
            [code.name for code in self.codes] if by_hand else [name for code in self.codes for name in code.pretags]
        )
        names[counts.OTHER] = tuple(dict.fromkeys((*names.get(counts.OTHER, ()), "other")))
        machine_talk = not self.meaning(CHANGE, SUSTAIN)
        if machine_talk:
            names |= {PRETAG_MEANINGS[name]: (name,) for name in ("change", "sustain")}
            counted += ["change", "sustain"]
        return CountingRule(
            unit="utterance" if self.counting == "utterance" else "volley",
            codes=tuple(dict.fromkeys(counted)),
            codes_by_meaning=names,
            roles=roles,
            code_of_pretag={name: codes[0].name for name, codes in proposing.items() if by_hand and len(codes) == 1},
            unproposed=frozenset(code.meaning for code in self.codes if code.meaning) - frozenset(names),
            machine_talk=machine_talk,
        )


def parse(text: str, origin: str = "codebook") -> Codebook:
    """Parse the text of a codebook's TOML file; ``origin`` names it in error messages.

    Raises
    ------
    CodingError: C01 not TOML, C02 a key is missing, unknown or wrong.
    """
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CodingError("C01", f"codebook {origin}", f"is not valid TOML ({error})", "fix that line") from error
    codes = raw.pop("codes", None)
    if not isinstance(codes, list) or not codes:
        raise _wrong(origin, "has no codes", "add a [[codes]] table for each code")
    rated = raw.pop("globals", [])
    if not isinstance(rated, list) or not {*map(str, rated)} <= {*miti.GLOBAL_RATINGS}:
        raise _wrong(origin, f"has globals {rated!r}", f"list some of {', '.join(miti.GLOBAL_RATINGS)}")
    source = _texts(raw, ("source",), origin)
    head = _strings(raw, ("name", "version", "label", "counting"), f"{origin}")
    if head["counting"] not in get_args(Counting):
        raise _wrong(origin, f"has counting {head['counting']!r}", f"use one of {', '.join(get_args(Counting))}")
    read = tuple(_code(code, number, origin) for number, code in enumerate(codes, start=1))
    book = Codebook(**head, codes=read, globals=tuple(dict.fromkeys(rated)), **source)
    for field in ("name", "letter", "key"):
        values = [getattr(code, field) for code in book.codes]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise _wrong(origin, f"gives two codes the {field} {twice[0]!r}", f"choose another {field} for one of them")
    return book


def _code(raw: object, number: int, origin: str) -> Code:
    where = f"{origin}, code {number}"
    if not isinstance(raw, dict):
        raise _wrong(where, "is not a table", "write it as a [[codes]] table")
    measure = raw.pop("measure", "")
    if not isinstance(measure, str) or (measure and measure not in MEASURES):
        raise _wrong(where, f"has the measure {measure!r}", f"use one of {', '.join(MEASURES)}, or leave it out")
    pretags = raw.pop("pretags", [])
    if not isinstance(pretags, list) or not set(pretags) <= set(CODES):
        raise _wrong(where, f"has pretags {pretags!r}", f"list some of {', '.join(CODES)}")
    texts = _texts(raw, TEXTS, where)
    fields = _strings(raw, ("name", "label", "letter", "key", "role", "family"), where)
    if "|" in fields["name"]:
        raise _wrong(where, f"has the name {fields['name']!r}", "remove the '|', which separates codes in tables")
    if fields["role"] not in get_args(CodedRole):
        raise _wrong(where, f"has the role {fields['role']!r}", f"use {' or '.join(get_args(CodedRole))}")
    if len(fields["key"]) != 1 or fields["key"].isspace():
        raise _wrong(where, f"has the key {fields['key']!r}", "use a single character that you can type")
    code = Code(**fields, pretags=tuple(pretags), measure=measure, **texts)
    if measure and MEANING_ROLES[MEASURES[measure]] != code.role:
        remedy = f"give it the role {MEANING_ROLES[MEASURES[measure]]}, or another measure"
        raise _wrong(where, f"has the measure {measure!r} and the role {code.role!r}", remedy)
    return code


def _texts(raw: dict[str, Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
    """Take the optional texts out of a table; an empty one is none."""
    texts = {name: raw.pop(name) for name in names if name in raw}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise _wrong(where, f"has the {name} {value!r}", f'write {name} = "...", or leave it out')
    return texts


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
