"""CHAT transcripts, ``.cha`` (MacWhinney, Tools for Analyzing Talk, part 1: the CHAT transcription format)::

    *PAR:   I could walk . 1200_2500        (times between two characters 0x15)
    %cod:   $change

The interviewer is an Investigator, INV, and the client a Participant, PAR; further voices of a role are numbered. CHAT
gives a meaning to most punctuation and wants a terminator at the end: the main line holds the words alone and, where
that changed the text, ``%xtxt`` what was said. Of other programs' files the marks of CHAT are taken out of the text.

Cannot hold: ids, words with their times, coders, layers and dates of codes; line breaks and tabs are refused. A file
without any times is refused; an utterance without times stands, as a moment, where the one before it ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipeline.formats.coded import CodedTranscript, CodedUtterance, Mark, codes, role, transcript
from pipeline.formats.intake import Source
from pipeline.formats.plain import packed, printable, unpacked
from pipeline.timeline import Role, Span

_PARTICIPANTS: dict[Role, tuple[str, str]] = {
    "interviewer": ("INV", "Investigator"),
    "client": ("PAR", "Participant"),
    "unknown": ("UNK", "Unidentified"),
}
_ROLES = {"investigator": "interviewer", "clinician": "interviewer", "participant": "client"}
_BULLET = re.compile(r"\x15(\d{1,12})_(\d{1,12})\x15")
_MARKS = re.compile(r"\[[^\[\]]*\]|\(\.+\)|[<>]|&[-+~=*](?:\w+:)?|@[A-Za-z:&]+|[()„‡ˈˌ↑↓≈≋]")
_NO_WORDS = "0"


def read(source: Source) -> CodedTranscript:
    """The utterances of a file.

    Raises
    ------
    FormatError: F03 no CHAT, or a line that is none; F06 as `Source.text`; F07 no times, wrong ones, or a speaker who
        is no participant.
    """
    lines = list(_lines(source))
    if not any(line == "@Begin" for _, line in lines[:20]) or lines[-1][1] != "@End":
        source.refuse("F03", "is no CHAT: it lacks @Begin or @End")
    name, people = source.stem, dict[str, tuple[str, Role]]()
    found: list[CodedUtterance] = []
    marks: list[list[Mark]] = []
    end, timed = 0, False
    for number, line in lines:
        where = f"line {number} of"
        if line.startswith("*"):
            said, end, known = _utterance(source, line, people, end, where)
            timed = timed or known
            found.append(said)
            marks.append([])
        elif line.startswith("%cod:") and found:
            marks[-1] += _codes(line.partition(":")[2])
        elif line.startswith("%xtxt:") and found:
            found[-1] = replace(found[-1], text=line.partition(":")[2].strip())
        elif line.startswith("%") and found:
            continue
        elif line.startswith("@Participants:"):
            people = _people(line.partition(":")[2])
        elif line.startswith("@Media:"):
            name = unpacked(line.partition(":")[2].split(",")[0].strip()) or name
        elif not line.startswith("@"):
            source.refuse("F03", f"is no line of CHAT: {line[:40]!r}", where=where)
    if found and not timed:
        source.refuse("F07", "has no times", "link it to its sound in CLAN, and save it")
    return transcript(name, (replace(said, marks=tuple(given)) for said, given in zip(found, marks, strict=True)))


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines with those that go on with a tab or blank behind them."""
    number, parts = 0, list[str]()
    for place, line in enumerate(re.split(r"\r\n|\r|\n", source.text()), 1):
        if line[:1] in ("\t", " ") and parts:
            parts.append(line)
        elif line.strip():
            if parts:
                yield number, " ".join(part.strip() for part in parts)
            number, parts = place, [line]
    yield number, " ".join(part.strip() for part in parts)


def _people(cell: str) -> dict[str, tuple[str, Role]]:
    """Name and role of each participant: ``PAR Ann Participant`` or, without a name, ``PAR Participant``."""
    found: dict[str, tuple[str, Role]] = {}
    for person in cell.split(","):
        match person.split():
            case [code, *names, what]:
                known = role(_ROLES.get(what.lower(), what))
                found[code] = (unpacked(names[0]) if names else code, known)
    return found


def _utterance(
    source: Source, line: str, people: Mapping[str, tuple[str, Role]], end: int, where: str
) -> tuple[CodedUtterance, int, bool]:
    code, colon, text = line[1:].partition(":")
    if not colon or code not in people:
        source.refuse("F07", f"is said by {code[:20]!r}, who is no participant", "add them to @Participants", where)
    times = _BULLET.findall(text)
    span = Span(end, end)
    if times:
        first, last = source.milliseconds(times[0][0], where=where), source.milliseconds(times[-1][1], where=where)
        if last < first:
            source.refuse("F07", "ends before it starts", where=where)
        span = Span(first, last)
    speaker, who = people[code]
    return CodedUtterance("", span, speaker, who, _plain(text)), span.end, bool(times)


def _codes(tier: str) -> list[Mark]:
    """The codes of a coding tier, each a word that begins with a dollar sign."""
    words = (word[1:] for word in tier.split() if word.startswith("$"))
    return [Mark(code) for word in words for code in codes(unpacked(word))]


def _plain(line: str) -> str:
    """The text of a main line without the marks of CHAT."""
    text = _BULLET.sub(" ", line).strip()
    end = text[-1:] if text[-1:] in (".", "?", "!") else ""
    text = re.sub(r"\+[./!?\"]*$", "", text[: len(text) - len(end)])
    words = " ".join(_MARKS.sub(" ", text).split()).replace(" ,", ",")
    return "" if words in ("", _NO_WORDS) else words + end


def write(said: CodedTranscript) -> bytes:
    """A CHAT file.

    Raises
    ------
    FormatError: F08 a text holds control characters, a line break or a tab.
    """
    people: dict[tuple[Role, str], str] = {}
    for one in said.utterances:
        if (one.role, one.speaker) not in people:
            code, number = _PARTICIPANTS[one.role][0], sum(who == one.role for who, _ in people)
            people[one.role, one.speaker] = code if not number else f"{code[:2]}{number + 1}"
    tape = packed(said.tape_id)
    about = [
        (code, _name(speaker, code), _PARTICIPANTS[who][1]) for (who, speaker), code in people.items()
    ]  # in order of speaking
    lines = ["@UTF8", "@Begin", "@Languages:\teng"]
    if about:
        lines.append("@Participants:\t" + ", ".join(" ".join(person) for person in about))
    lines += [f"@ID:\teng|tape|{code}|||||{what}|||" for code, _, what in about]
    lines.append(f"@Media:\t{tape}, audio")
    for one in said.utterances:
        text = printable(one.text, "text")
        main = _main(text)
        lines.append(f"*{people[one.role, one.speaker]}:\t{main} \x15{one.span.start}_{one.span.end}\x15")
        given = dict.fromkeys(packed(mark.code) for mark in one.given)
        if given:
            lines.append("%cod:\t" + " ".join(f"${code}" for code in given))
        if _plain(main) != text:
            lines.append(f"%xtxt:\t{text}")
    return ("\n".join([*lines, "@End"]) + "\n").encode()


def _name(speaker: str, code: str) -> str:
    return packed(speaker).replace(",", "%2C") or code


def _main(text: str) -> str:
    """A main line that CLAN takes: words and a terminator."""
    end = text[-1:] if text[-1:] in ("?", "!") else "."
    words = re.sub(r"[^\w\s',-]|_", " ", text).split()
    kept = " ".join(
        word for word in (word.strip("-',") + ("," if word.endswith(",") else "") for word in words) if word != ","
    )
    kept = re.sub(r",", " ,", kept.strip(" ,"))
    return f"{' '.join(kept.split()) or _NO_WORDS} {end}"
