import json
from typing import Any

import pytest

from pipeline.errors import FormatError
from pipeline.formats import label_studio
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import Mark
from pipeline.timeline import Span
from tests.formats.transcripts import WALK


def export() -> list[dict[str, Any]]:
    """A task as Label Studio exports it: keys that we do not know, a canceled annotation, a user by number."""
    base = {"original_length": 60.5, "from_name": "label", "to_name": "audio", "origin": "manual"}
    value = {"start": 1.2504, "end": 2.5, "channel": 0}
    result = [
        {**base, "id": "wx1", "type": "labels", "value": {**value, "labels": ["C+", "R"]}},
        {
            **base,
            "id": "wx1",
            "type": "textarea",
            "from_name": "said",
            "value": {**value, "text": ["I could", "walk."]},
        },
        {**base, "id": "q", "type": "choices", "value": {"start": 0, "end": 1, "choices": ["OQ"]}},
    ]
    annotation = {
        "id": 3,
        "completed_by": 7,
        "created_at": "2026-11-24T20:15:00.123Z",
        "lead_time": 3.5,
        "result": result,
    }
    canceled = {**annotation, "was_cancelled": True}
    return [
        {
            "id": 1,
            "data": {"audio": "/data/a.wav"},
            "annotations": [annotation, canceled],
            "predictions": [],
            "meta": {},
        }
    ]


def read(tasks: object) -> Any:
    return label_studio.read(Source("session 7.json", json.dumps(tasks).encode()))


def test_reads_what_label_studio_exports() -> None:
    transcript = read(export())
    assert transcript.tape_id == "session 7"
    first, second = transcript.utterances
    at = "2026-11-24T20:15:00.123Z"
    assert (first.id, first.span, first.marks) == ("q", Span(0, 1000), (Mark("OQ", "7", "", at),))
    assert (second.span, second.text) == (Span(1250, 2500), "I could\nwalk.")
    assert second.marks == (Mark("C+", "7", "", at), Mark("R", "7", "", at))


def test_the_task_by_hand() -> None:
    (task,) = json.loads(label_studio.write(WALK))
    assert task["data"] == {"audio": "walk.wav", "tape_id": "walk"}
    (annotation,) = task["annotations"]
    assert (annotation["completed_by"], annotation["layer"]) == ({"email": "ana"}, "coach")
    assert annotation["result"][1] == {
        "id": "u0002",
        "type": "choices",
        "from_name": "codes",
        "to_name": "audio",
        "value": {"start": 1.2, "end": 2.5, "choices": ["change"]},
    }
    assert [each["model_version"] for each in task["predictions"]] == ["transcript", "machine"]


@pytest.mark.parametrize(
    ("mend", "code", "message"),
    [
        (lambda tasks: tasks * 2, "TR-F07", "holds 2 tasks"),
        (lambda tasks: [], "TR-F03", "not a task"),
        (lambda tasks: [{"annotations": []}], "TR-F03", "not a task"),
        (lambda tasks: [tasks[0] | {"annotations": {"a": 1}}], "TR-F03", "no list"),
        (lambda tasks: [tasks[0] | {"annotations": [7]}], "TR-F03", "no list"),
        (lambda tasks: [tasks[0] | {"annotations": [{"result": [{"id": 1}]}]}], "TR-F07", "without start"),
        (
            lambda tasks: [tasks[0] | {"annotations": [{"result": [{"value": {"start": 2, "end": 1}}]}]}],
            "TR-F07",
            "ends before",
        ),
        (
            lambda tasks: [tasks[0] | {"annotations": [{"result": [{"value": {"start": [], "end": 1}}]}]}],
            "TR-F07",
            "for a time",
        ),
        (
            lambda tasks: [tasks[0] | {"annotations": [{"result": [{"value": {"start": 1, "end": 1e999}}]}]}],
            "TR-F03",
            "Infinity",
        ),
    ],
)
def test_a_wrong_task_is_named(mend: Any, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(mend(export()))
    assert caught.value.code == code
    assert message in str(caught.value)
