"""What codes of one codebook say in another: coders can be compared on what both of their codebooks can tell.

>>> from pipeline.coding.codebook import Code, Codebook
>>> def code(name, family): return Code(name, name, name[-2], name[-1], "interviewer", family)
>>> kinds = code("question_open", "question"), code("question_closed", "question")
>>> pretags = Codebook("p", "1", "", "utterance", kinds)
>>> miti = Codebook("m", "1", "", "utterance", (code("question", "question"),))
>>> translation(pretags, miti).codes
{'question_open': 'question', 'question_closed': 'question'}
>>> sorted(translation(miti, pretags).codable)  # a question of either kind is no open one
['question']
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pipeline.coding.codebook import Code, Codebook
from pipeline.measures.session.counts import BEHAVIOR_KINDS


@dataclass(frozen=True)
class Translation:
    """``codes``: a code -> the one that says the same in the other codebook. ``codable``: the other codebook's codes
    that the given ones can tell, and those of the given ones that it has no word for."""

    codes: Mapping[str, str]
    codable: frozenset[str]

    def of(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Codes in the other codebook's words; what it has none for stays."""
        return tuple(sorted({self.codes.get(code, code) for code in codes}))


def translation(source: Codebook, target: Codebook, offered: Collection[str] | None = None) -> Translation:
    """From one codebook to another.

    A code becomes the one of the same name and meaning, else the only one with its meaning, else the only one for its
    behavior of any kind, if all kinds of it are offered.

    Parameters
    ----------
    offered: the codes of ``source`` that a coder was asked for; all without it.
    """
    given = [code for code in source.codes if offered is None or code.name in offered]
    meanings = {code.meaning for code in given}
    codes = {}
    for code in given:
        match = _match(code, target)
        kinds = BEHAVIOR_KINDS.get(match.meaning or "", ()) if match else ()
        if match and (code.meaning == match.meaning or match.meaning in meanings or meanings.issuperset(kinds)):
            codes[code.name] = match.name
    unsaid = {code.name for code in given if code.name not in codes}
    return Translation(codes, frozenset(codes.values()) | unsaid)


def _match(code: Code, target: Codebook) -> Code | None:
    same = [each for each in target.codes if each.role == code.role and each.meaning == code.meaning]
    named = [each for each in same if each.name == code.name]
    if named or code.meaning is None:
        return named[0] if named else None
    behavior = next((behavior for behavior, kinds in BEHAVIOR_KINDS.items() if code.meaning in kinds), None)
    general = [each for each in target.codes if behavior and each.role == code.role and each.meaning == behavior]
    return next((each[0] for each in (same, general) if len(each) == 1), None)
