"""A year of an invented group: a coach codes every tape, and Ben begins to hear simple reflections as complex ones."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import CodeEvent, Item, Pass, Pretag, Review, Tape, Utterance
from pipeline.timeline import Layer
from tests.review.conftest import Room

UNITS = 60
CODES = ("question_open", "question_closed", "reflection_simple", "reflection_complex", "information")
SAYINGS = (
    "What would you like to be different by this summer?",
    "Did you drink yesterday?",
    "You sleep badly after those evenings.",
    "Part of you is tired of hiding it from the people you love.",
    "Many people sleep better after about two weeks.",
)
"""What is said, by code."""
CHANCES = (0.2, 0.1, 0.35, 0.2, 0.15)


@dataclass(frozen=True)
class Year:
    """The group, its people by name, and its tapes in order of time."""

    room: Room
    group: str
    people: dict[str, str]
    tapes: tuple[str, ...]


def year(room: Room, tapes: int = 14, since: int = 7, uncoded: int = 3) -> Year:
    """Fourteen tapes that all coded, and some that the coach has not coded yet."""
    group = room.group()
    people = {name: room.person(name, group) for name in ("Ada", "Ben", "Eve", "Ida", "Leo")}
    people["Coco"] = room.person("Coco", group, role="coach")
    random, made = np.random.default_rng(4), []
    for number in range(tapes + uncoded):
        tape_id = room.tape(group, people["Ida" if number % 2 else "Leo"])
        made.append(tape_id)
        at = room.clock() - (tapes + uncoded - number) * 18 * DAY
        truth = np.array(CODES)[random.choice(len(CODES), UNITS, p=CHANCES)]
        stored = room.home.vault.put(tape_id, "transcript", json.dumps(_transcript(truth)).encode())
        coders: list[tuple[str, Layer]] = [("Ada", "member"), ("Ben", "member"), ("Eve", "member")]
        with room.home.database.writing() as database:
            database.get_one(Tape, tape_id).created_at = at
            database.add(
                Item(
                    id=stored.id,
                    tape_id=tape_id,
                    kind="transcript",
                    size=stored.size,
                    sha256=stored.sha256,
                    created_at=at,
                )
            )
            database.add(Review(tape_id=tape_id, stage="group", interviewer_done_at=at))
            for position in range(UNITS):
                if position > 3:
                    database.add(_utterance(tape_id, position))
                codes = [str(truth[position])] if random.random() > 0.2 else ["information"]
                database.add(
                    Pretag(
                        tape_id=tape_id,
                        utterance_id=f"u{position}",
                        codes=codes,
                        probability=0.7,
                        needs_check=False,
                        p={},
                    )
                )
            for name, layer in [*coders, *([("Coco", "coach")] if number < tapes else [])]:
                heard = np.where(random.random(UNITS) < 0.04, random.choice(CODES, UNITS), truth)
                if layer == "coach":
                    heard = truth
                if name == "Ben" and number >= since:
                    often = (heard == "reflection_simple") & (random.random(UNITS) < 0.4)
                    heard = np.where(often, "reflection_complex", heard)
                coder_pass = Pass(
                    tape_id=tape_id,
                    person_id=people[name],
                    layer=layer,
                    codebook="pretags",
                    codebook_version="1.0",
                    started_at=at,
                    locked_at=at + DAY,
                )
                database.add(coder_pass)
                database.flush()
                database.add_all(
                    CodeEvent(
                        tape_id=tape_id,
                        pass_id=coder_pass.id,
                        person_id=people[name],
                        utterance_id=f"u{position}",
                        at=at + position,
                        action="set",
                        codes=[str(heard[position])],
                        pretag_shown=position % 5 > 0,
                        client_event_id=f"{coder_pass.id}:{position}",
                    )
                    for position in range(UNITS)
                )
    return Year(room, group, people, tuple(made))


def _transcript(truth: np.ndarray) -> dict[str, object]:
    """What is said, as the vault holds it."""
    utterances = []
    for position, code in enumerate(truth):
        start = 10_000 * position
        words = SAYINGS[CODES.index(str(code))].split()
        utterances.append(
            {
                "utterance_id": f"u{position}",
                "turn_id": f"t{position}",
                "role": "interviewer",
                "speaker": "S1",
                "start": start,
                "end": start + 5_000,
                "words": [[start + 300 * at, start + 300 * (at + 1), word, 0.9] for at, word in enumerate(words)],
            }
        )
    return {"format": 1, "utterances": utterances, "vocalizations": []}


def _utterance(tape_id: str, position: int) -> Utterance:
    return Utterance(
        tape_id=tape_id,
        utterance_id=f"u{position}",
        position=position,
        turn_id=f"t{position}",
        role="interviewer",
        speaker="S1",
        start_ms=10_000 * position,
        end_ms=10_000 * position + 5_000,
    )
