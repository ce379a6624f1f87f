"""Label Studio tasks, ``.json`` (Label Studio manual, "Export annotations"): a task a tape, a region an utterance.

The labeling interface names its controls ``speaker`` (labels such as ``client S2``), ``text`` (a text area for each
region) and ``codes`` (labels or choices for each region)::

    <View><AudioPlus name="audio" value="$audio"/>
      <Labels name="speaker" toName="audio"><Label value="client S2"/> ... </Labels>
      <Choices name="codes" toName="audio" perRegion="true" choice="multiple"><Choice value="change"/> ... </Choices>
      <TextArea name="text" toName="audio" perRegion="true"/></View>

The machine's codes are predictions, everybody else's annotations; a prediction called ``transcript`` holds every region
with its text. Of other interfaces, labels and choices of any name are codes. Cannot hold: words.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.formats.coded import LAYERS, CodedTranscript, CodedUtterance, Mark, codes, role, transcript
from pipeline.formats.intake import Source
from pipeline.formats.plain import printable
from pipeline.timeline import Span

_TRANSCRIPT = "transcript"
_MACHINE = "machine"
_REGIONS = 200_000


def read(source: Source) -> CodedTranscript:
    """The regions of the one task of a file.

    Raises
    ------
    FormatError: F02 and F03 as `Source.json`, F03 it is no task, F07 a wrong time or several tasks.
    """
    tasks = source.json()
    tasks = tasks if isinstance(tasks, list) else [tasks]
    if len(tasks) > 1:
        source.refuse("F07", f"holds {len(tasks)} tasks", "give the task of one tape")
    if not tasks or not isinstance(tasks[0], dict) or not isinstance(tasks[0].get("data"), dict):
        source.refuse("F03", "is no task of Label Studio", "export the project as JSON")
    found: dict[tuple[str, Span], CodedUtterance] = {}
    marks: dict[tuple[str, Span], list[Mark]] = defaultdict(list)
    for coder, layer, at, result in _passes(source, tasks[0]):
        for region in result:
            key, said = _region(source, region)
            before = found.get(key, said)
            marks[key] += (Mark(mark.code, coder, layer, at) for mark in said.marks)
            found[key] = replace(
                before,
                speaker=said.speaker if said.speaker != "unknown" else before.speaker,
                role=said.role if said.role != "unknown" else before.role,
                text=said.text or before.text,
            )
    data = tasks[0]["data"]
    coded = (replace(said, marks=tuple(marks[key])) for key, said in found.items())
    return transcript(str(data.get("tape_id") or source.stem).strip(), coded)


def _passes(source: Source, task: dict[str, Any]) -> Iterator[tuple[str, str, str, list[dict[str, Any]]]]:
    """Coder, layer, date and regions of each prediction and annotation, the transcript first."""
    for kind in ("predictions", "annotations"):
        for one in _list(source, task.get(kind)):
            if one.get("was_cancelled"):
                continue
            by = one.get("completed_by") if kind == "annotations" else one.get("model_version")
            by = by.get("email") or by.get("id") if isinstance(by, dict) else by
            layer = one.get("layer") if one.get("layer") in LAYERS else _MACHINE if kind == "predictions" else ""
            coder = "" if by is None or by == _TRANSCRIPT else str(by).strip()
            at = str(one.get("created_at") or "").strip()
            yield coder, str(layer), at, _list(source, one.get("result"))


def _list(source: Source, value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _REGIONS or not all(isinstance(one, dict) for one in value):
        source.refuse("F03", "has no list of annotations or regions where one belongs")
    return value


def _region(source: Source, region: dict[str, Any]) -> tuple[tuple[str, Span], CodedUtterance]:
    value = region.get("value")
    if not isinstance(value, dict) or "start" not in value or "end" not in value:
        source.refuse("F07", "has a region without start and end", "label stretches of sound")
    start, end = (source.milliseconds(value[side], per=1000) for side in ("start", "end"))
    name = str(region.get("id") or "").strip()
    if end < start:
        source.refuse("F07", f"has the region {name[:40]!r} that ends before it starts")
    said = CodedUtterance(name, Span(start, end))
    words = [str(one) for kind in ("labels", "choices") for one in _strings(value.get(kind))]
    if region.get("from_name") == "speaker":
        who, _, voice = (words or [""])[0].strip().partition(" ")
        plain = who in ("interviewer", "client", "unknown")
        said = replace(
            said, role=role(who), speaker=(voice.strip() if plain else " ".join((who, voice)).strip()) or "unknown"
        )
    else:
        said = replace(said, marks=tuple(Mark(code) for word in words for code in codes(word)))
    text = "\n".join(str(line) for line in _strings(value.get("text"))).strip()
    return (name, said.span), replace(said, text=text)


def _strings(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def write(said: CodedTranscript) -> bytes:
    """A task with its predictions and annotations.

    Raises
    ------
    FormatError: F08 a text holds control characters.
    """
    passes: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    spoken = []
    for one in said.utterances:
        voice = f"{one.role} {printable(one.speaker, 'speaker')}"
        spoken.append(_result(one, "labels", "speaker", [voice]))
        spoken.append(_result(one, "textarea", "text", [printable(one.text, "text", breaks=True)]))
        given: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for mark in one.given:
            given[mark.layer, mark.coder, mark.at].append(printable(mark.code, "code"))
        for key, found in given.items():
            passes[key].append(_result(one, "choices", "codes", found))
    predictions = [{"model_version": _TRANSCRIPT, "result": spoken}]
    annotations = []
    for (layer, coder, at), result in sorted(passes.items(), key=lambda item: item[0]):
        dated = {"created_at": at} if at else {}
        if layer == _MACHINE:
            predictions.append({"model_version": printable(coder, "coder"), **dated, "result": result})
        else:
            by = {"email": printable(coder, "coder")}
            annotations.append({"completed_by": by, "layer": layer, **dated, "result": result})
    data = {"audio": f"{printable(said.tape_id, 'tape')}.wav", "tape_id": said.tape_id}
    task = {"data": data, "annotations": annotations, "predictions": predictions}
    return (json.dumps([task], indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _result(said: CodedUtterance, kind: str, name: str, value: list[str]) -> dict[str, Any]:
    span = {"start": said.span.start / 1000, "end": said.span.end / 1000}
    key = "text" if kind == "textarea" else kind
    about = {"id": printable(said.id, "utterance"), "type": kind, "from_name": name, "to_name": "audio"}
    return {**about, "value": {**span, key: value}}
