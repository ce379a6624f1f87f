"""CHAT transcripts, ``.cha`` (MacWhinney, Tools for Analyzing Talk, part 1: the CHAT transcription format)::

    *PAR:   I could walk . 1200_2500        (times between two characters 0x15)
    %cod:   $change

The interviewer is an Investigator, INV, and the client a Participant, PAR; further voices of a role are numbered. CHAT
gives a meaning to most punctuation and wants a terminator at the end: the main line holds the words alone and, where
that changed the text, ``%xtxt`` what was said. Of other programs' files the marks of CHAT are read by their meaning
(`spoken`); a postcode ``[+ ct]`` is a code, and ``%wor`` holds the times of words.

Cannot hold: ids, words with their times, coders, layers and dates of codes; line breaks and tabs are refused. An
utterance without times stands, as a moment, where the one before it ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pipeline.formats import time_origin
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.speaker_roles import role_of
from pipeline.formats.transcript import (
    NO_TIMES,
    CodedTranscript,
    CodedUtterance,
    Mark,
    fill_times,
    ordered_transcript,
    split_codes,
)
from pipeline.timeline import Role, Span, Word

_PARTICIPANTS: dict[Role, tuple[str, str]] = {
    "interviewer": ("INV", "Investigator"),
    "client": ("PAR", "Participant"),
    "other": ("OTH", "Other"),
    "unknown": ("UNK", "Unidentified"),
}
_BULLET = re.compile(r"\x15(\d{1,12})_(\d{1,12})\x15")
_POSTCODE = re.compile(r"\[\+ ([^\[\]]{1,60})\]")
_INTERPOSED = re.compile(r"&\*(\w{1,8}):(\S{1,60})")
_NO_WORDS = "0"

_UNSAID = re.compile(
    r"\[[^\[\]]*\]"  # explanations, replacements, retracings, postcodes
    r"|\(\.+\)|\(\d{0,3}:?\d{1,3}(?:\.\d{0,3})?\)"  # pauses: (.) (1.5)
    r"|[∙•]h+"  # breaths
    r"|&=\S+|&[{}][nl]=\S+|&\*\w{1,8}:\S+"  # events, long features, another's word within the line
    r"|(?<!\S)\+[<^\",+]+(?!\S)"  # linkers: +< +" +^ +, ++
    r"|(?<!\S)0\w\S*"  # words left out: 0is
    r"|(?<!\S)(?:xxx|yyy|www)(?!\S)"  # not understood, or not written down
)
_TERMINATOR = re.compile(r"\+[./!?\"]*([.?!])$|([.?!])$")
_WITHIN = (
    (re.compile(r"&[-+~]?(?:\w+:)?(?=\w)"), ""),  # fillers and pieces: &-um &+wa &uh
    (re.compile(r"@[A-Za-z:&]+"), ""),  # what kind of word: @n @s:deu
    (re.compile(r"(?<=\w)\+(?=\w)|(?<=\w)_(?=\w)"), " "),  # compounds: way+out
    (re.compile(r"(?<=\w):+(?=[\w\s]|$)"), ""),  # lengthened: no:
    (re.compile(r"[()<>^‡„ˈˌ↑↓↗↘→≈≋⌈⌉⌊⌋°∆∇☺]"), ""),  # (be)cause, groups, stress, overlap
)


@dataclass
class _ChatLine:
    """A main line with the tiers that hang on it."""

    utterance: CodedUtterance
    times: tuple[int | None, int | None]
    marks: list[Mark] = field(default_factory=list)


def read(source: Source) -> CodedTranscript:
    """The utterances of a file; without any times, all stand at 0, which is told.

    Raises
    ------
    FormatError: F03 no CHAT, or a line that is none; F06 as `Source.text`; F07 wrong times, or a speaker who
        is no participant.
    """
    lines = list(_lines(source))
    if not any(line == "@Begin" for _, line in lines[:20]) or lines[-1][1] != "@End":
        source.refuse(
            "F03",
            "is not CHAT: it lacks @Begin or @End",
            "write @Begin above and @End below; CLAN's check shows what else is missing",
        )
    name, notes, zeros = source.stem, list[str](), list[int | None]()
    people = _participants(lines)
    spoken_lines: list[_ChatLine] = []
    for number, line in lines:
        where = f"line {number} of"
        tier, _, content = line.partition(":")
        if line.startswith("*"):
            utterance, times = _utterance(source, line, people, where)
            marks = [Mark(code) for cell in _POSTCODE.findall(content) for code in split_codes(percent_decoded(cell))]
            spoken_lines.append(_ChatLine(utterance, times, marks))
            notes += [
                f'Line {number}: "{word}", said by {code} at the same time, was skipped.'
                for code, word in _INTERPOSED.findall(content)
            ]
        elif tier in ("%cod", "%spa") and spoken_lines:
            spoken_lines[-1].marks += _codes(content)
        elif tier == "%xtxt" and spoken_lines:
            spoken_lines[-1].utterance = replace(spoken_lines[-1].utterance, text=content.strip())
        elif tier == "%wor" and spoken_lines:
            last = spoken_lines[-1].utterance
            words = _words(source, content, last.speaker, where)
            spoken_lines[-1].utterance = replace(last, words=words)
            if words and spoken_lines[-1].times == (None, None):
                spoken_lines[-1].times = (words[0].span.start, max(word.span.end for word in words))
        elif line.startswith("%") and spoken_lines:
            continue
        elif tier == "@Comment":
            zeros.append(time_origin.parse(content))
        elif tier == "@Media":
            name = percent_decoded(content.split(",")[0].strip()) or name
        elif not line.startswith("@"):
            source.refuse("F03", f"is not a line of CHAT: {line[:40]!r}", "fix it; CLAN's check shows it, too", where)
    if spoken_lines and all(line.times == (None, None) for line in spoken_lines):
        notes.append(NO_TIMES)
    utterances = (
        replace(line.utterance, span=span, marks=tuple(dict.fromkeys(line.marks)))
        for line, span in zip(spoken_lines, fill_times([line.times for line in spoken_lines]), strict=True)
    )
    return ordered_transcript(name, utterances, notes, zero=next((at for at in zeros if at is not None), None))


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines with those that go on with a tab or blank behind them."""
    number, parts = 0, list[str]()
    for line_number, line in enumerate(re.split(r"\r\n|\r|\n", source.text()), 1):
        if line[:1] in ("\t", " ") and parts:
            parts.append(line)
        elif line.strip():
            if parts:
                yield number, " ".join(part.strip() for part in parts)
            number, parts = line_number, [line]
    yield number, " ".join(part.strip() for part in parts)


def _participants(lines: list[tuple[int, str]]) -> dict[str, tuple[str, Role]]:
    """Name and role of each participant: ``PAR Ann Participant`` or, without a name, ``PAR Participant``.

    Where nobody else is the interviewer, one of several Participants is, and who that is stays open; their group in
    ``@ID`` may tell.
    """
    cells = [line.partition(":")[2] for _, line in lines if line.startswith("@Participants:")]
    people: dict[str, tuple[str, str]] = {}
    for person in ",".join(cells).split(","):
        match person.split():
            case [code, *names, kind]:
                people[code] = (percent_decoded(names[0]) if names else code, kind)
    roles = {code: role_of(kind) for code, (_, kind) in people.items()}
    participants = [code for code, (_, kind) in people.items() if kind.lower() == "participant"]
    if len(participants) > 1 and "interviewer" not in roles.values():
        roles |= dict.fromkeys(participants)
    for _, line in lines:
        if line.startswith("@ID:"):
            fields = [cell.strip() for cell in line.partition(":")[2].split("|")]
            if len(fields) > 5 and roles.get(fields[2], "unknown") is None:
                roles[fields[2]] = role_of(fields[5])
    return {code: (name, roles[code] or "unknown") for code, (name, _) in people.items()}


def _utterance(
    source: Source, line: str, people: Mapping[str, tuple[str, Role]], where: str
) -> tuple[CodedUtterance, tuple[int | None, int | None]]:
    """Return the utterance of a main line, and its times as far as it has them."""
    code, colon, text = line[1:].partition(":")
    if not colon or code not in people:
        source.refuse("F07", f"is said by {code[:20]!r}, who is not a participant", "add them to @Participants", where)
    bullets = _BULLET.findall(text)
    span = _span(source, bullets[0][0], bullets[-1][1], where) if bullets else None
    speaker, who = people[code]
    utterance = CodedUtterance("", span or Span(0, 0), speaker, who, spoken(text))
    return utterance, (span.start, span.end) if span else (None, None)


def _span(source: Source, start: str, end: str, where: str) -> Span:
    first, last = source.milliseconds(start, where=where), source.milliseconds(end, where=where)
    if last < first:
        source.refuse("F07", "ends before it starts", "fix its times in CLAN, or remove them", where)
    return Span(first, last)


def _words(source: Source, tier: str, speaker: str, where: str) -> tuple[Word, ...]:
    """The words of a ``%wor`` tier, each before its times."""
    parts = re.split(r"\x15(\d{1,12})_(\d{1,12})\x15", tier)
    words = []
    for text, start, end in zip(parts[0::3], parts[1::3], parts[2::3], strict=False):
        text = spoken(text).rstrip(".?!").strip()
        if text:
            words.append(Word(_span(source, start, end, where), text, 1.0, speaker))
    return tuple(words)


def _codes(tier: str) -> list[Mark]:
    """The codes of a coding tier: words that begin with a dollar sign, or all where none does."""
    words = tier.split()
    marked = [word[1:] for word in words if word.startswith("$")]
    return [Mark(code) for word in marked or words for code in split_codes(percent_decoded(word))]


def spoken(line: str) -> str:
    """Return the words of a main line, without the marks of CHAT.

    Events, pauses, explanations, words left out and those not understood go; pieces of words, fillers, and what was
    taken back stay.

    >>> spoken("&=laughs (be)cause I 0is &-um <I want> [//] I need (1.5) xxx +...")
    'because I um I want I need.'
    """
    text = _BULLET.sub(" ", line).strip()
    text = _POSTCODE.sub(" ", text).strip()
    end = _TERMINATOR.search(text)
    text = _UNSAID.sub(" ", text[: end.start()] if end else text)
    for pattern, instead in _WITHIN:
        text = pattern.sub(instead, text)
    words = re.sub(r"\s+(?=,)", "", " ".join(text.split()))
    return "" if words in ("", _NO_WORDS) else words + ((end[1] or end[2]) if end else "")


def write(transcript: CodedTranscript) -> bytes:
    """A CHAT file.

    Raises
    ------
    FormatError: F08 a text holds control characters, a line break or a tab.
    """
    people: dict[tuple[Role, str], str] = {}
    for utterance in transcript.utterances:
        if (utterance.role, utterance.speaker) not in people:
            code, number = _PARTICIPANTS[utterance.role][0], sum(who == utterance.role for who, _ in people)
            people[utterance.role, utterance.speaker] = code if not number else f"{code[:2]}{number + 1}"
    tape = percent_encoded(transcript.tape_id)
    participants = [
        (code, _name(speaker, code), _PARTICIPANTS[who][1]) for (who, speaker), code in people.items()
    ]  # in order of speaking
    lines = ["@UTF8", "@Begin", "@Languages:\teng"]
    if participants:
        lines.append("@Participants:\t" + ", ".join(" ".join(person) for person in participants))
    alone = all(what != _PARTICIPANTS["interviewer"][1] for _, _, what in participants)
    clients = [code for code, _, what in participants if what == _PARTICIPANTS["client"][1]]
    group = "client" if alone and len(clients) > 1 else ""  # of several Participants one may be the interviewer
    lines += [
        f"@ID:\teng|tape|{code}|||{group if code in clients else ''}||{what}|||" for code, _, what in participants
    ]
    lines.append(f"@Media:\t{tape}, audio")
    if transcript.zero is not None:
        lines.append(f"@Comment:\t{time_origin.sentence(transcript.zero)}")
    for utterance in transcript.utterances:
        text = printable(utterance.text, "text")
        main = _main(text)
        lines.append(
            f"*{people[utterance.role, utterance.speaker]}:\t{main} \x15{utterance.span.start}_{utterance.span.end}\x15"
        )
        given = dict.fromkeys(percent_encoded(mark.code) for mark in utterance.given)
        if given:
            lines.append("%cod:\t" + " ".join(f"${code}" for code in given))
        if spoken(main) != text:
            lines.append(f"%xtxt:\t{text}")
    return ("\n".join([*lines, "@End"]) + "\n").encode()


def _name(speaker: str, code: str) -> str:
    return percent_encoded(speaker).replace(",", "%2C") or code


def _main(text: str) -> str:
    """A main line that CLAN takes: words and a terminator."""
    end = text[-1:] if text[-1:] in ("?", "!") else "."
    words = re.sub(r"[^\w\s',-]|_", " ", text).split()
    main = " ".join(
        word for word in (word.strip("-',") + ("," if word.endswith(",") else "") for word in words) if word != ","
    )
    main = re.sub(r",", " ,", main.strip(" ,"))
    return f"{' '.join(main.split()) or _NO_WORDS} {end}"
