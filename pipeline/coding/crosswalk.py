"""Translates the codes of one codebook into another, to compare coders on the codes that both codebooks express.

>>> from pipeline.coding.codebook import Code, Codebook
>>> def code(name, family): return Code(name, name, name[-2], name[-1], "interviewer", family)
>>> kinds = code("question_open", "question"), code("question_closed", "question")
>>> pretags = Codebook("p", "1", "", "utterance", kinds)
>>> miti = Codebook("m", "1", "", "utterance", (code("question", "question"),))
>>> translation(pretags, miti).codes
{'question_open': 'question', 'question_closed': 'question'}
>>> sorted(translation(miti, pretags).codable)  # a question of any kind is no open one
['question']
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pipeline.coding.codebook import Code, Codebook
from pipeline.measures.session.counts import BEHAVIOR_KINDS


@dataclass(frozen=True)
class Translation:
    """``codes``: a code -> its equivalent in the other codebook. ``codable``: the other codebook's codes that the given
    ones express, and the given ones that have no equivalent."""

    codes: Mapping[str, str]
    codable: frozenset[str]

    def of(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Return codes as codes of the other codebook; one without an equivalent stays."""
        return tuple(sorted({self.codes.get(code, code) for code in codes}))


def translation(source: Codebook, target: Codebook, offered: Collection[str] | None = None) -> Translation:
    """Return the translation from one codebook to another.

    A code becomes the one of the same name and meaning, else the only one with its meaning, else the only one for any
    kind of its behavior, if all kinds of it are offered.

    Parameters
    ----------
    offered: the codes of ``source`` that the coder could give; all by default.
    """
    return _translation(source, target, None if offered is None else frozenset(offered))


@functools.lru_cache(maxsize=256)
def _translation(source: Codebook, target: Codebook, offered: frozenset[str] | None) -> Translation:
    """As `translation`: a group's page asks it for every pass of every tape, of the few codebooks that a group uses."""
    given = [code for code in source.codes if offered is None or code.name in offered]
    meanings = {code.meaning for code in given}
    codes = {}
    for code in given:
        match = _match(code, target)
        kinds = BEHAVIOR_KINDS.get(match.meaning or "", ()) if match else ()
        if match and (code.meaning == match.meaning or match.meaning in meanings or meanings.issuperset(kinds)):
            codes[code.name] = match.name
    untranslated = {code.name for code in given if code.name not in codes}
    return Translation(codes, frozenset(codes.values()) | untranslated)


def _match(code: Code, target: Codebook) -> Code | None:
    same = [candidate for candidate in target.codes if (candidate.role, candidate.meaning) == (code.role, code.meaning)]
    named = [candidate for candidate in same if candidate.name == code.name]
    if named or code.meaning is None:
        return named[0] if named else None
    behavior = next((behavior for behavior, kinds in BEHAVIOR_KINDS.items() if code.meaning in kinds), None)
    general = [
        candidate
        for candidate in target.codes
        if behavior and (candidate.role, candidate.meaning) == (code.role, behavior)
    ]
    return next((matches[0] for matches in (same, general) if len(matches) == 1), None)
