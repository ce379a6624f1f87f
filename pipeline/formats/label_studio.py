"""Label Studio tasks, ``.json`` (Label Studio manual, "Export annotations"): a task per tape, a region per utterance.

The labeling interface names its controls ``speaker`` (labels such as ``client S2``), ``text`` (a text area for each
region) and ``codes`` (labels or choices for each region)::

    <View><AudioPlus name="audio" value="$audio"/>
      <Labels name="speaker" toName="audio"><Label value="client S2"/> ... </Labels>
      <Choices name="codes" toName="audio" perRegion="true" choice="multiple"><Choice value="change"/> ... </Choices>
      <TextArea name="text" toName="audio" perRegion="true"/></View>

The machine's codes are predictions, everybody else's annotations; a prediction called ``transcript`` holds every region
with its text. Of other interfaces, labels that say a role are speakers, all other labels and choices codes; a region of
a text, whose ``start`` and ``end`` count characters or paragraphs, has no times; what is said of the whole task is told
and kept out. The data's ``zero`` says what times count from. Cannot hold: words.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline.formats import text_codings, time_origin
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.speaker_roles import role_of
from pipeline.formats.transcript import (
    NO_TIMES,
    CodedTranscript,
    CodedUtterance,
    Mark,
    ordered_transcript,
    role_named,
    split_codes,
)
from pipeline.timeline import LAYERS, ROLES, UNKNOWN, Span

_TRANSCRIPT = "transcript"
_MACHINE = "machine"
_REGIONS = 200_000  # of one task: two (speaker and code) for as many utterances as other formats may have
_LABELS = ("labels", "choices", "hypertextlabels", "paragraphlabels")


def fits(value: Any) -> bool:
    """Whether JSON is of Label Studio: a task, or a list of them, in the full or the short form."""
    tasks = value if isinstance(value, list) else [value]
    return bool(tasks) and all(
        isinstance(task, dict) and {"data", "annotations", "annotator"} & set(task) for task in tasks
    )


def read(source: Source) -> CodedTranscript:
    """The regions of the one task of a file.

    Raises
    ------
    FormatError: F02 and F03 as `Source.json`, F03 it is no task, F07 a wrong time or several tasks.
    """
    tasks = source.json()
    tasks = tasks if isinstance(tasks, list) else [tasks]
    if len(tasks) > 1:
        source.refuse(
            "F07",
            f"holds {len(tasks)} tasks",
            "open the task of one tape in Label Studio and export it alone, or keep one in a copy of the file",
        )
    if not tasks or not isinstance(tasks[0], dict) or not isinstance(tasks[0].get("data"), dict):
        source.refuse("F03", "is not a task of Label Studio", "export the project as JSON (not JSON-MIN or CSV)")
    task = tasks[0]
    regions: dict[_Key, CodedUtterance] = {}
    marks: dict[_Key, list[Mark]] = defaultdict(list)
    whole: dict[str, None] = {}
    for coder, layer, at, result in _passes(source, task):
        for region in result:
            if _is_of_task(region):
                whole |= dict.fromkeys(_task_answers(region))
                continue
            key, utterance = _region(source, region, task["data"])
            before = regions.get(key, utterance)
            marks[key] += (Mark(mark.code, coder, layer, at) for mark in utterance.marks)
            regions[key] = replace(
                before,
                speaker=utterance.speaker if utterance.speaker != UNKNOWN else before.speaker,
                role=utterance.role if utterance.role != "unknown" else before.role,
                text=utterance.text or before.text,
            )
    notes = [f"Answers for the whole task are not in the table: {'; '.join(whole)}."] if whole else []
    untimed = [key for key in regions if key.position is not None]
    if untimed and len(untimed) < len(regions):
        source.refuse("F07", "has regions of sound and of text", "delete the regions of one kind in Label Studio")
    if untimed:
        notes.append(NO_TIMES)
        regions = dict(sorted(regions.items(), key=lambda item: item[0].position or (0, 0)))
    data = task["data"]
    in_text = _in_text(regions, marks, data)
    coded = (
        in_text
        if in_text is not None
        else (replace(utterance, marks=tuple(marks[key])) for key, utterance in regions.items())
    )
    coded = list(coded)
    ours = any(prediction.get("model_version") == _TRANSCRIPT for prediction in _list(source, task.get("predictions")))
    named = () if ours else {utterance.speaker for utterance in coded}
    name = str(data.get("tape_id") or source.stem).strip()
    return ordered_transcript(name, coded, notes, zero=time_origin.parse(data.get("zero")), named=named)


@dataclass(frozen=True)
class _Key:
    """A region: its id, its times, and its position in a text where it has none."""

    name: str
    span: Span
    position: tuple[int, int] | None = None
    until: tuple[int, int] | None = None
    target: str = ""


def _in_text(
    regions: dict[_Key, CodedUtterance], marks: dict[_Key, list[Mark]], data: dict[str, Any]
) -> list[CodedUtterance] | None:
    """The whole text or all paragraphs in which regions lie; None where they lie in sound, in HTML or in several."""
    targets = {key.target for key in regions}
    target = data.get(next(iter(targets))) if len(targets) == 1 else None
    keys = [(key, key.position, key.until) for key in regions]
    if isinstance(target, str):
        lines, starts = text_codings.lines_of(target)
        positions = {at: text_codings.position(starts, at[0]) for _, *ends in keys for at in ends if at}
    elif isinstance(target, list) and all(isinstance(cell, dict) for cell in target):
        lines = [(_named(cell), str(cell.get("text") or cell.get("dialogue") or "")) for cell in target]
        positions = {at: at for _, *ends in keys for at in ends if at}
    else:
        return None
    selections = [
        text_codings.Selection(positions[first], positions[last], tuple(marks[key]), key.name)
        for key, first, last in keys
        if first and last
    ]
    return list(text_codings.utterances(lines, selections)) if len(selections) == len(keys) else None


def _is_of_task(region: dict[str, Any]) -> bool:
    value = region.get("value")
    return isinstance(value, dict) and "start" not in value and "end" not in value and len(value) > 0


def _task_answers(region: dict[str, Any]) -> list[str]:
    """Return the answers for a whole task: ``empathy: 4``."""
    values = [cell for each in region["value"].values() for cell in _strings(each)]
    return [f"{str(region.get('from_name') or 'answer')[:40]}: {', '.join(str(cell)[:60] for cell in values)}"]


def _passes(source: Source, task: dict[str, Any]) -> Iterator[tuple[str, str, str, list[dict[str, Any]]]]:
    """Coder, layer, date and regions of each prediction and annotation, the transcript first."""
    for kind in ("predictions", "annotations"):
        for coding in _list(source, task.get(kind)):
            if coding.get("was_cancelled"):
                continue
            by = coding.get("completed_by") if kind == "annotations" else coding.get("model_version")
            by = by.get("email") or by.get("id") if isinstance(by, dict) else by
            layer = coding.get("layer") if coding.get("layer") in LAYERS else _MACHINE if kind == "predictions" else ""
            coder = "" if by is None or by == _TRANSCRIPT else str(by).strip()
            at = str(coding.get("created_at") or "").strip()
            yield coder, str(layer), at, _list(source, coding.get("result"))


def _list(source: Source, value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _REGIONS or not all(isinstance(item, dict) for item in value):
        value = "has no list of annotations or regions where one belongs"
        source.refuse("F03", value, "export the project as JSON (not JSON-MIN or CSV)")
    return value


def _region(source: Source, region: dict[str, Any], data: dict[str, Any]) -> tuple[_Key, CodedUtterance]:
    value = region.get("value")
    if not isinstance(value, dict) or "start" not in value or "end" not in value:
        source.refuse("F07", "has a region without start and end", "label stretches of sound or of text")
    name = str(region.get("id") or "").strip()
    utterance = CodedUtterance(name, Span(0, 0))
    position = _position(source, region, value, data)
    if position is None:
        start, end = (source.milliseconds(value[side], per=1000) for side in ("start", "end"))
        if end < start:
            source.refuse(
                "F07", f"has the region {name[:40]!r} that ends before it starts", "fix or delete it in Label Studio"
            )
        utterance = replace(utterance, span=Span(start, end))
    else:
        utterance = replace(utterance, speaker=_author(value, data))
        utterance = replace(utterance, role=role_named(utterance.speaker))
    labels = [str(label).strip() for kind in _LABELS for label in _strings(value.get(kind))]
    labels += [str(path[-1]).strip() for path in _strings(value.get("taxonomy")) if isinstance(path, list) and path]
    if region.get("from_name") == "speaker":
        who, _, voice = (labels or [""])[0].partition(" ")
        ours = who in ROLES
        named = (voice.strip() if ours else " ".join((who, voice)).strip()) or UNKNOWN
        utterance = replace(utterance, role=role_named(who if ours else named), speaker=named)
    elif region.get("type") not in ("choices", "taxonomy") and len(labels) == 1 and _is_speaker(region, labels[0]):
        utterance = replace(utterance, role=role_named(labels[0]), speaker=labels[0])
    else:
        utterance = replace(utterance, marks=tuple(Mark(code) for label in labels for code in split_codes(label)))
    text = "\n".join(str(line) for line in _strings(value.get("text"))).strip()
    until = _until(region, value) if position is not None else None
    target = str(region.get("to_name", "")) if until else ""
    return _Key(name, utterance.span, position, until, target), replace(utterance, text=text)


def _until(region: dict[str, Any], value: dict[str, Any]) -> tuple[int, int] | None:
    """Where a region of a text ends, as `_position`; None in HTML, whose offsets count no characters of the data."""
    if str(region.get("type", "")).startswith("hypertext") or not str(value["end"]).isdecimal():
        return None
    if str(region.get("type", "")).startswith("paragraph"):
        offset = value.get("endOffset")
        return (int(value["end"]), offset) if isinstance(offset, int) and 0 <= offset < 10**9 else None
    return int(value["end"]), 0


def _position(
    source: Source, region: dict[str, Any], value: dict[str, Any], data: dict[str, Any]
) -> tuple[int, int] | None:
    """Where in a text a region lies, in characters, or in paragraphs and characters; None for a region of sound."""
    kind, target = str(region.get("type", "")), data.get(str(region.get("to_name", "")))
    spoken = value.get("text")
    quoted = isinstance(spoken, str) and isinstance(target, str) and "original_length" not in region
    if kind.startswith(("hypertext", "paragraph")) or quoted:
        cells = (value.get("globalOffsets") or {}, value)
        starts = (cells[0].get("start", value["start"]), value.get("startOffset", 0))
        if all(re.fullmatch(r"\d{1,9}", str(cell)) for cell in starts):
            return int(starts[0]), int(starts[1])
        source.refuse(
            "F07", f"has a region of a text at {str(value['start'])[:40]!r}", "delete the region, and label it again"
        )
    return None


def _author(value: dict[str, Any], data: dict[str, Any]) -> str:
    """Who says the paragraph that a region lies in."""
    for cell in data.values():
        if isinstance(cell, list) and str(value["start"]).isdecimal() and int(value["start"]) < len(cell):
            paragraph = cell[int(value["start"])]
            if isinstance(paragraph, dict):
                return _named(paragraph)
    return UNKNOWN


def _named(paragraph: dict[str, Any]) -> str:
    names = (paragraph.get(key) for key in ("author", "speaker", "name"))
    return next((str(name).strip() for name in names if name), UNKNOWN)


def _is_speaker(region: dict[str, Any], label: str) -> bool:
    return "speaker" in str(region.get("from_name", "")).lower() or role_of(label) is not None


def _strings(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def write(transcript: CodedTranscript) -> bytes:
    """A task with its predictions and annotations.

    Raises
    ------
    FormatError: F08 a text holds control characters.
    """
    passes: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    spoken = []
    for utterance in transcript.utterances:
        voice = f"{utterance.role} {printable(utterance.speaker, 'speaker')}"
        spoken.append(_result(utterance, "labels", "speaker", [voice]))
        spoken.append(_result(utterance, "textarea", "text", [printable(utterance.text, "text", breaks=True)]))
        given: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for mark in utterance.given:
            given[mark.layer, mark.coder, mark.at].append(printable(mark.code, "code"))
        for key, codes_given in given.items():
            passes[key].append(_result(utterance, "choices", "codes", codes_given))
    predictions = [{"model_version": _TRANSCRIPT, "result": spoken}]
    annotations = []
    for (layer, coder, at), result in sorted(passes.items(), key=lambda item: item[0]):
        dated = {"created_at": at} if at else {}
        if layer == _MACHINE:
            predictions.append({"model_version": printable(coder, "coder"), **dated, "result": result})
        else:
            by = {"email": printable(coder, "coder")}
            annotations.append({"completed_by": by, "layer": layer, **dated, "result": result})
    data = {"audio": f"{printable(transcript.tape_id, 'tape')}.wav", "tape_id": transcript.tape_id}
    if transcript.zero is not None:
        data["zero"] = time_origin.sentence(transcript.zero)
    task = {"data": data, "annotations": annotations, "predictions": predictions}
    return (json.dumps([task], indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _result(utterance: CodedUtterance, kind: str, name: str, value: list[str]) -> dict[str, Any]:
    span = {"start": utterance.span.start / 1000, "end": utterance.span.end / 1000}
    key = "text" if kind == "textarea" else kind
    attributes = {"id": printable(utterance.id, "utterance"), "type": kind, "from_name": name, "to_name": "audio"}
    return {**attributes, "value": {**span, key: value}}
