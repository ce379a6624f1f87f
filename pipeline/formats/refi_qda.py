"""REFI-QDA projects, ``.qdpx`` (Rotterdam Exchange Format Initiative, REFI-QDA Standard 1.5, 2019).

A ZIP archive of ``project.qde``, XML, and ``sources/``. A tape is an audio source with a transcript: synchronization
points tie places in its text to milliseconds, and a selection between two of them is an utterance, named
``u0002 client S2``, with its codings. Users are coders; a user's id is the layer. The source's description says what
times count from. The sound is not in the archive.

Of other programs' projects, selections of the sound have the text that is synchronized with them, and text that nobody
selected stays, without codes. A project with codings of text alone has no times: each selection and each other line is
an utterance, said by whom its line names. Cannot hold: words.
"""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipeline.formats import text_codings, time_origin
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import (
    NO_TIMES,
    CodedTranscript,
    CodedUtterance,
    Mark,
    ordered_transcript,
    role_named,
    split_codes,
)
from pipeline.timeline import LAYERS, UNKNOWN, Span

_PROJECT = "project.qde"
_SOUND, _TEXT = ("AudioSource", "VideoSource"), ("TextSource",)
_NAMESPACE = "urn:QDA-XML:project:1.0"
_IDS = uuid.UUID("6f0cbb0a-3f0e-4c57-9a2e-5a3d6f1d2b11")
_SELECTED = re.compile(r"(\S+) (interviewer|client|other|unknown) (\S*)")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_WHEN = (1980, 1, 1, 0, 0, 0)  # the same transcript gives the same file


@dataclass(frozen=True)
class _Book:
    """Codes and users by their GUIDs."""

    codes: Mapping[str, str]
    users: Mapping[str, tuple[str, str]]


def read(source: Source) -> CodedTranscript:
    """The utterances of the one recording of a project.

    Raises
    ------
    FormatError: F02 to F05 as `Source.members` and `Source.xml`, F03 no project, F07 no coded recording, several, or
        codings that lead nowhere.
    """
    members = source.members()
    project = next((member for name, member in members.items() if name.lower() == _PROJECT), None)
    if project is None:
        source.refuse(
            "F03", f"holds no {_PROJECT}", "export it as a REFI-QDA project (.qdpx), not as a codebook (.qdc)"
        )
    root = project.xml("Project")
    book = _Book(
        {_key(each, "guid"): each.get("name", "") for each in root.iter("Code")},
        {_key(each, "guid"): (each.get("name", ""), each.get("id", "")) for each in root.iter("User")},
    )
    texts = [each for each in root.iter() if each.tag in _TEXT]
    coded_texts = [each for each in texts if each.find(".//Coding") is not None] or texts
    for sources in ([each for each in root.iter() if each.tag in _SOUND], coded_texts):
        read_sources = [(each, list(_utterances(source, each, members, book))) for each in sources]
        used = [(each, utterances) for each, utterances in read_sources if utterances] or read_sources[:1]
        if used:
            break
    if len(used) != 1:
        names = ", ".join(each.get("name", "") for each, _ in used)[:120] or "none"
        what = "recordings with selections" if sources is not coded_texts else "texts with codings"
        remedy = "keep one of them in a copy of the project, and export that"
        if not used:
            remedy = "put a transcript or a coded recording into the project, and export that"
        source.refuse("F07", f"holds {len(used)} {what} ({names})", remedy)
    ((recording, utterances),) = used
    notes = (NO_TIMES,) if recording.tag == "TextSource" else ()
    known = time_origin.parse(recording.findtext("Description"))
    named = {utterance.speaker for utterance in utterances} if notes else ()
    name = recording.get("name", "").strip() or source.stem
    return text_codings.named_in_texts(ordered_transcript(name, utterances, notes, zero=known, named=named))


def _key(element: Element, name: str) -> str:
    """A GUID; programs write the same one in either case."""
    return element.get(name, "").lower()


def _utterances(
    source: Source, recording: Element, members: Mapping[str, Source], book: _Book
) -> Iterator[CodedUtterance]:
    if recording.tag == "TextSource":
        yield from _of_text(source, recording, _text(source, recording, members), book)
        return
    scripts = [(each, _text(source, each, members)) for each in recording if each.tag == "Transcript"]
    pieces = [piece for script, text in scripts for piece in _pieces(source, script, text)]
    taken: list[Span] = []
    for each in recording:
        if each.tag in ("AudioSelection", "VideoSelection"):
            span = _span(source, each.get("begin"), each.get("end"))
            taken.append(span)
            within = [text for piece, text in pieces if 2 * piece.overlap(span) > piece.duration]
            yield CodedUtterance("", span, text=" ".join(within), marks=_marks(source, each, book))
    for script, text in scripts:
        selected = list(_selections(source, script, text, book))
        taken += [utterance.span for utterance in selected]
        yield from selected
    for piece, text in pieces:
        if not any(piece.some.overlap(span.some) for span in taken):  # a moment is one's own, too
            yield CodedUtterance("", piece, text=text)


def _pieces(source: Source, script: Element, text: str) -> list[tuple[Span, str]]:
    """The text between each two synchronization points that follow each other."""
    points = sorted(
        (_position(source, each.get("position")), source.milliseconds(each.get("timeStamp") or ""))
        for each in script
        if each.tag == "SyncPoint"
    )
    return [
        (Span(start, end), piece)
        for (first, start), (last, end) in pairwise(points)
        if end >= start and (piece := text[first:last].strip())
    ]


def _of_text(source: Source, document: Element, text: str, book: _Book) -> Iterator[CodedUtterance]:
    """The selections of a text and the lines that hold none, in the order of the text."""
    lines, starts = text_codings.lines_of(text)
    selections = []
    for each in document:
        if each.tag == "PlainTextSelection":
            first, last = (_position(source, each.get(name)) for name in ("startPosition", "endPosition"))
            begin, end = (text_codings.position(starts, at) for at in (first, max(first, last)))
            selections.append(text_codings.Selection(begin, end, _marks(source, each, book)))
    yield from text_codings.utterances(lines, selections)


def _selections(source: Source, script: Element, text: str, book: _Book) -> Iterator[CodedUtterance]:
    points = {_key(each, "guid"): each for each in script if each.tag == "SyncPoint"}
    for each in script:
        if each.tag != "TranscriptSelection":
            continue
        ends = [points.get(_key(each, name)) for name in ("fromSyncPoint", "toSyncPoint")]
        if ends[0] is None or ends[1] is None:
            source.refuse("F07", "has a selection without synchronization points", "synchronize it with the sound")
        span = _span(source, ends[0].get("timeStamp"), ends[1].get("timeStamp"))
        first, last = (_position(source, end.get("position")) for end in ends if end is not None)
        named = _SELECTED.fullmatch(each.get("name", ""))
        name, who, speaker = named.groups() if named else ("", "unknown", UNKNOWN)
        marks = _marks(source, each, book)
        selected_text = text[first:last].strip()
        yield CodedUtterance(
            percent_decoded(name), span, percent_decoded(speaker), role_named(who), selected_text, marks
        )


def _text(source: Source, script: Element, members: Mapping[str, Source]) -> str:
    path = script.get("plainTextPath", "")
    if not path:
        return script.findtext("PlainTextContent") or ""
    wanted = path.removeprefix("internal://").lower()
    for name, member in members.items():
        if name.lower() in (wanted, f"sources/{wanted}"):
            return member.text()
    source.refuse("F03", f"lacks the text {path[:60]!r}", "export the project with its sources")


def _span(source: Source, start: str | None, end: str | None) -> Span:
    first, last = source.milliseconds(start or ""), source.milliseconds(end or "")
    if last < first:
        source.refuse("F07", "has a selection that ends before it starts", "delete it, and select it again")
    return Span(first, last)


def _position(source: Source, value: str | None) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value or ""):
        source.refuse("F07", f"has the position {str(value)[:20]!r}", "delete the selection there, and select it again")
    return int(value or 0)


def _marks(source: Source, selection: Element, book: _Book) -> tuple[Mark, ...]:
    marks = []
    for each in (child for child in selection if child.tag == "Coding"):
        coder, layer = book.users.get(_key(each, "creatingUser"), ("", ""))
        for ref in (child for child in each if child.tag == "CodeRef"):
            name = book.codes.get(_key(ref, "targetGUID"))
            if name is None:
                source.refuse(
                    "F07", "has a coding with a code that it does not define", "export the codebook with the project"
                )
            at = each.get("creationDateTime", "")
            marks += [Mark(code, coder.strip(), layer if layer in LAYERS else "", at) for code in split_codes(name)]
    return tuple(marks)


def write(transcript: CodedTranscript) -> bytes:
    """A project with one recording.

    Raises
    ------
    FormatError: F08 a text holds control characters.
    """
    tape = printable(transcript.tape_id, "tape")
    root = Element("Project", xmlns=_NAMESPACE, name=tape, origin="Tape Review")
    marks = [mark for utterance in transcript.utterances for mark in utterance.given]
    users = sorted({(mark.coder, mark.layer) for mark in marks} - {("", "")})
    if users:
        block = SubElement(root, "Users")
        for coder, layer in users:
            attributes = {"guid": _guid("user", coder, layer), "name": printable(coder, "coder")}
            SubElement(block, "User", attributes | ({"id": layer} if layer else {}))
    codes_used = sorted({mark.code for mark in marks})
    if codes_used:
        block = SubElement(SubElement(root, "CodeBook"), "Codes")
        for code in codes_used:
            SubElement(block, "Code", guid=_guid("code", code), name=printable(code, "code"), isCodable="true")
    text = _source(SubElement(root, "Sources"), transcript)
    indent(root)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        project = tostring(root, encoding="utf-8", xml_declaration=True)
        for name, data in ((_PROJECT, project), (f"sources/{_guid('text', tape)}.txt", text.encode())):
            info = zipfile.ZipInfo(name, _WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return file.getvalue()


def _source(sources: Element, transcript: CodedTranscript) -> str:
    """Add the recording with its transcript, whose text comes back."""
    tape = transcript.tape_id
    path = f"relative:///{percent_encoded(tape).replace('/', '%2F')}.wav"
    recording = SubElement(sources, "AudioSource", guid=_guid("audio", tape), name=tape, path=path)
    if transcript.zero is not None:
        SubElement(recording, "Description").text = time_origin.sentence(transcript.zero)
    path = f"internal://{_guid('text', tape)}.txt"
    script = SubElement(recording, "Transcript", guid=_guid("script", tape), name=tape, plainTextPath=path)
    text, selections = "", []
    for utterance in transcript.utterances:
        spoken = printable(utterance.text, "text", breaks=True)
        points = []
        for side, offset, time in (
            ("from", len(text), utterance.span.start),
            ("to", len(text) + len(spoken), utterance.span.end),
        ):
            points.append(_guid(side, tape, utterance.id))
            SubElement(script, "SyncPoint", guid=points[-1], position=str(offset), timeStamp=str(time))
        text += f"{spoken}\n"
        selections.append((utterance, points))
    for utterance, (first, last) in selections:
        name = f"{percent_encoded(utterance.id)} {utterance.role} {percent_encoded(utterance.speaker)}"
        attributes = {
            "guid": _guid("said", tape, utterance.id),
            "name": name,
            "fromSyncPoint": first,
            "toSyncPoint": last,
        }
        selection = SubElement(script, "TranscriptSelection", attributes)
        for number, mark in enumerate(utterance.given):
            attributes = {"guid": _guid("coding", tape, utterance.id, str(number))}
            if (mark.coder, mark.layer) != ("", ""):
                attributes["creatingUser"] = _guid("user", mark.coder, mark.layer)
            if _DATE.fullmatch(mark.at):
                attributes["creationDateTime"] = mark.at
            coding = SubElement(selection, "Coding", attributes)
            SubElement(coding, "CodeRef", targetGUID=_guid("code", mark.code))
    return text


def _guid(*names: str) -> str:
    return str(uuid.uuid5(_IDS, "\n".join(names)))
