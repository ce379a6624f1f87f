"""Codes by other names: what a coach calls ``SR`` is ``reflection_simple`` in a codebook of ours.

A code of another program stands for the code of the codebook that has its name or its label, or whose label has it in
brackets ("Simple reflection (SR)"), in any case; failing that, for the one code that proposes the same pre-tags as
the name in MISC or MITI does: ``CR+`` and ``CR0`` are complex reflections, ``D+`` is change talk. Any other stays.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.coding.codebook import Codebook
from pipeline.formats.cacti_codebook import meaning
from pipeline.formats.transcript import CodedTranscript, Mark
from pipeline.timeline import Role

_BRACKETS = re.compile(r"(.*)\(([^()]*)\)\s*")


def translated(transcript: CodedTranscript, book: Codebook) -> tuple[CodedTranscript, tuple[str, ...]]:
    """The transcript in the codes of a codebook, and the codes that it has none for."""
    names = {code.name.lower(): code.name for code in reversed(book.codes)}
    for code in book.codes:
        match = _BRACKETS.fullmatch(code.label)
        for other in (code.label, *(match.groups() if match else ())):
            names.setdefault(other.strip().lower(), code.name)
    unknown: dict[str, None] = {}
    utterances = []
    for utterance in transcript.utterances:
        marks: dict[Mark, None] = {}
        for mark in utterance.marks:
            name = _name(mark.code, utterance.role, names, book)
            if name is None:
                unknown[mark.code] = None
            marks[replace(mark, code=mark.code if name is None else name)] = None
        utterances.append(replace(utterance, marks=tuple(marks)))
    return replace(transcript, utterances=tuple(utterances)), tuple(unknown)


def _name(code: str, role: Role, names: dict[str, str], book: Codebook) -> str | None:
    if not code or code.lower() in names:
        return names.get(code.lower(), "")
    if role == "interviewer" or role == "client":
        _, pretags = meaning(code, role)
        proposed = [name for name in book.proposed(pretags) if book[name].role == role]
        if len(proposed) == 1:
            return proposed[0]
    return None
