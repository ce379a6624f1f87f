"""ELAN annotation files, ``.eaf`` (Max Planck Institute for Psycholinguistics, EAF 3.0 schema).

Tiers are laid out as in `pipeline.formats.tiers`; those with codes hang on their speaker's tier (symbolic association),
so that ELAN keeps their times, and offer the codes as a controlled vocabulary. Of other programs' tiers, PARTICIPANT
and ANNOTATOR are speaker and coder; what hangs on an utterance, however deep, has that utterance's times.

A property says what times count from; of other programs' files, the TIME_ORIGIN of their sound does, where it is not 0.
Links to sound and video are kept as relative paths: of an absolute one, which says how somebody's machine is laid out,
the name stays, which ELAN looks for beside its file.

Cannot hold: what tiers cannot. Not read: lexica, comments, and what lies in tiers' languages and locales.

pympi reads and writes by path only and parses XML unguarded: it would spread a client's words over temporary files, so
that the tests use it and this module does not.
"""

from __future__ import annotations

import mimetypes
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipeline.formats import tiers, time_origin
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.tier_kinds import RawTier
from pipeline.formats.transcript import CodedTranscript, Media
from pipeline.timeline import Span

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DATE = "1970-01-01T00:00:00Z"  # the schema wants one; the same transcript gives the same file
_TAPE, _ZERO = "tape_id", "zero"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\~]")
_STEPS = 20  # from an annotation to the one with times that it hangs on
_HANGS = "1-1 association with a parent annotation"
_PARTS = "Time alignable annotations within the parent annotation's time interval, gaps are allowed"
_TYPES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("text", "true", {}),
    ("codes", "false", {"CONSTRAINTS": "Symbolic_Association", "CONTROLLED_VOCABULARY_REF": "codes"}),
    ("words", "true", {"CONSTRAINTS": "Included_In"}),
)


def read(source: Source) -> CodedTranscript:
    """The transcript of an EAF file.

    Raises
    ------
    FormatError: F02 to F04 as `Source.xml`, F07 a time slot, an annotation or a tier that does not fit together.
    """
    root = source.xml("ANNOTATION_DOCUMENT")
    slots, notes = _slots(source, root)
    vocabularies = {
        each.get("LINGUISTIC_TYPE_ID") for each in root.iter("LINGUISTIC_TYPE") if each.get("CONTROLLED_VOCABULARY_REF")
    }
    aligned: dict[str, Span] = {}
    for each in root.iter("ALIGNABLE_ANNOTATION"):
        start, end = (slots.get(each.get(f"TIME_SLOT_REF{number}", "")) for number in (1, 2))
        if start is None or end is None or end < start:
            value = f"has the annotation {_id(each)!r} with no times, or with its end before its start"
            source.refuse("F07", value, "give it times in ELAN, or delete it")
        aligned[_id(each)] = Span(start, end)
    parents = {_id(each): each.get("ANNOTATION_REF", "") for each in root.iter("REF_ANNOTATION")}
    number = sum(each.tag in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION") for each in root.iter())
    if len(aligned.keys() | parents.keys()) < number:
        source.refuse("F07", "has two annotations with the same id", "open it in ELAN and save it again")
    above = {tier.get("TIER_ID", "").strip(): tier.get("PARENT_REF", "").strip() for tier in root.iter("TIER")}
    raw = [_tier(source, tier, vocabularies, above, aligned, parents) for tier in root.iter("TIER")]
    read_tiers, tier_notes = tiers.read(source, raw)
    properties = {each.get("NAME"): each.text or "" for each in root.iter("PROPERTY")}
    transcript = tiers.join(properties.get(_TAPE, "").strip() or source.stem, read_tiers, (*notes, *tier_notes))
    return replace(transcript, zero=_zero(source, root, properties), media=_media(root))


def _media(root: Element) -> tuple[Media, ...]:
    """The links to sound and video that a file has, each once."""
    media: dict[str, Media] = {}
    for each in root.iter("MEDIA_DESCRIPTOR"):
        path = (each.get("RELATIVE_MEDIA_URL") or each.get("MEDIA_URL") or "").strip()
        if path and _ABSOLUTE.match(path):
            path = "./" + re.split(r"[/\\]", path.partition("?")[0].rstrip("/\\"))[-1]
        if path.strip("./\\"):
            kind = each.get("MIME_TYPE", "").strip() or mimetypes.guess_type(path)[0] or "unknown"
            media.setdefault(path, Media(path, kind))
    return tuple(media.values())


def _zero(source: Source, root: Element, properties: Mapping[str | None, str]) -> int | None:
    """The zero that we wrote or, in a file of ELAN, where in its sound it begins, if that is not at the start."""
    known = time_origin.parse(properties.get(_ZERO))
    if known is not None:
        return known
    origins = (each.get("TIME_ORIGIN", "") for each in root.iter("MEDIA_DESCRIPTOR"))
    return next((source.milliseconds(origin) for origin in origins if origin not in ("", "0")), None)


def _tier(
    source: Source,
    tier: Element,
    vocabularies: set[str | None],
    above: Mapping[str, str],
    aligned: Mapping[str, Span],
    parents: Mapping[str, str],
) -> RawTier:
    annotations = [each for each in tier.iter() if each.tag in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION")]
    name, participant, annotator = (tier.get(key, "").strip() for key in ("TIER_ID", "PARTICIPANT", "ANNOTATOR"))
    return RawTier(
        name,
        tuple(
            (_span(source, _id(each), aligned, parents), each.findtext("ANNOTATION_VALUE") or "")
            for each in annotations
        ),
        _root(name, above),
        participant,
        annotator,
        tier.get("LINGUISTIC_TYPE_REF") in vocabularies,
        any(each.tag == "ALIGNABLE_ANNOTATION" for each in annotations),
    )


def _root(name: str, above: Mapping[str, str]) -> str:
    """The tier at the top that a tier hangs on."""
    for _ in range(_STEPS):
        if not above.get(name):
            break
        name = above[name]
    return name


def _span(source: Source, name: str, aligned: Mapping[str, Span], parents: Mapping[str, str]) -> Span:
    """The times of an annotation or, where it only refers to others, of the one that they lead to."""
    steps = 0
    while name not in aligned:
        if name not in parents or steps == _STEPS:
            value = f"has the annotation {name[:40]!r}, which leads to no times"
            source.refuse("F07", value, "delete it in ELAN, or create it again on an annotation with times")
        steps += 1
        name = parents[name]
    return aligned[name]


def _slots(source: Source, root: Element) -> tuple[dict[str, int], tuple[str, ...]]:
    """Time slots in milliseconds, and a sentence on those before 0.

    Slots without a time are spread evenly between those with one: along the annotations of a tier that follow each
    other, else, where a slot stands in no such chain, in the file's order, as ELAN does.
    """
    times: dict[str, int | None] = {}
    early = 0
    for slot in root.iter("TIME_SLOT"):
        value = slot.get("TIME_VALUE")
        negative = value is not None and re.fullmatch(r"-\d{1,12}", value.strip()) is not None
        early += negative
        times[slot.get("TIME_SLOT_ID", "")] = None if value is None else 0 if negative else source.milliseconds(value)
    chains = [_chain(tier) for tier in root.iter("TIER")]
    for order in (*(run for runs in chains for run in runs), list(times)):
        known = [index for index, name in enumerate(order) if times.get(name) is not None]
        for before, after in pairwise(known):
            first, last = times[order[before]] or 0, times[order[after]] or 0
            for index in range(before + 1, after):
                times[order[index]] = round(first + (last - first) * (index - before) / (after - before))
    slots = "1 time is" if early == 1 else f"{early} times are"
    notes = (f"{slots} before the recording's start: set to 0.",) if early else ()
    return {name: time for name, time in times.items() if time is not None}, notes


def _chain(tier: Element) -> list[list[str]]:
    """The slots of a tier's annotations, a list for each run in which one begins where the one before ends."""
    runs: list[list[str]] = []
    for each in tier.iter("ALIGNABLE_ANNOTATION"):
        start, end = each.get("TIME_SLOT_REF1", ""), each.get("TIME_SLOT_REF2", "")
        if runs and runs[-1][-1] == start:
            runs[-1].append(end)
        else:
            runs.append([start, end])
    return runs


def _id(annotation: Element) -> str:
    return annotation.get("ANNOTATION_ID", "")


def write(transcript: CodedTranscript) -> bytes:
    """An EAF file.

    Raises
    ------
    FormatError: F08 a text or a name holds control characters, or more lies above each other than tiers can hold.
    """
    rows = tiers.split(transcript)
    attributes = {f"{{{_XSI}}}noNamespaceSchemaLocation": _SCHEMA, "AUTHOR": "", "DATE": _DATE}
    root = Element("ANNOTATION_DOCUMENT", attributes, FORMAT="3.0", VERSION="3.0")
    header = SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for media in transcript.media:
        path = printable(media.path, "path")
        link = {"MEDIA_URL": path, "MIME_TYPE": printable(media.kind, "type"), "RELATIVE_MEDIA_URL": path}
        SubElement(
            header, "MEDIA_DESCRIPTOR", link | ({"TIME_ORIGIN": str(transcript.zero)} if transcript.zero else {})
        )
    SubElement(header, "PROPERTY", NAME=_TAPE).text = printable(transcript.tape_id, "tape")
    if transcript.zero is not None:
        SubElement(header, "PROPERTY", NAME=_ZERO).text = time_origin.sentence(transcript.zero)
    order = SubElement(root, "TIME_ORDER")
    number = 0
    annotations: dict[str, dict[Span, str]] = defaultdict(dict)
    times: list[tuple[int, str]] = []
    for row in rows:
        tier = SubElement(root, "TIER", TIER_ID=row.name, LINGUISTIC_TYPE_REF=row.kind)
        tier.set("PARTICIPANT", printable(row.speaker, "speaker"))
        if row.kind != "text":
            tier.set("PARENT_REF", row.host)
        if row.coder:
            tier.set("ANNOTATOR", printable(row.coder, "coder"))
        for span, text in row.labels:
            number += 1
            name, attributes = f"a{number}", {"ANNOTATION_ID": f"a{number}"}
            if row.kind == "codes":
                attributes["ANNOTATION_REF"] = annotations[row.host][span]
            else:
                # Slots are not shared: in ELAN, what shares one moves together.
                annotations[row.name][span] = name
                times += [(span.start, f"ts{number}b"), (span.end, f"ts{number}e")]
                attributes |= {"TIME_SLOT_REF1": f"ts{number}b", "TIME_SLOT_REF2": f"ts{number}e"}
            kind = "REF_ANNOTATION" if row.kind == "codes" else "ALIGNABLE_ANNOTATION"
            each = SubElement(SubElement(tier, "ANNOTATION"), kind, attributes)
            SubElement(each, "ANNOTATION_VALUE").text = printable(text, "text", breaks=True)
    for time, slot in sorted(times):
        SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))
    _types(root, sorted({code for row in rows if row.kind == "codes" for _, code in row.labels}))
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _types(root: Element, codes: list[str]) -> None:
    """Linguistic types, the language of the vocabulary, constraints and the vocabulary, in the schema's order."""
    for name, alignable, more in _TYPES:
        attributes = {"LINGUISTIC_TYPE_ID": name, "TIME_ALIGNABLE": alignable, "GRAPHIC_REFERENCES": "false"}
        SubElement(root, "LINGUISTIC_TYPE", attributes | more)
    definition = "http://cdb.iso.org/lg/CDB-00130975-001"
    SubElement(root, "LANGUAGE", LANG_ID="und", LANG_DEF=definition, LANG_LABEL="undetermined (und)")
    SubElement(root, "CONSTRAINT", STEREOTYPE="Symbolic_Association", DESCRIPTION=_HANGS)
    SubElement(root, "CONSTRAINT", STEREOTYPE="Included_In", DESCRIPTION=_PARTS)
    vocabulary = SubElement(root, "CONTROLLED_VOCABULARY", CV_ID="codes")
    SubElement(vocabulary, "DESCRIPTION", LANG_REF="und")
    for number, code in enumerate(codes):
        entry = SubElement(vocabulary, "CV_ENTRY_ML", CVE_ID=f"cve{number}")
        SubElement(entry, "CVE_VALUE", LANG_REF="und", DESCRIPTION="").text = printable(code, "code")
