"""From the results of a job to a tape that can be reviewed: files into the vault, times and codes into the records.

Everything becomes visible in one transaction, and takes the place of what an earlier job of the tape left. The records
hold no words: these lie in the item ``transcript``, a JSON object::

    {"format": 1,
     "engine": {...},
     "utterances": [{"utterance_id": "u0001", "turn_id": "t0001", "role": "interviewer", "speaker": "S1",
                     "start": 0, "end": 1850, "text": "...", "words": [[0, 240, "So,", 0.93], ...]}, ...],
     "vocalizations": [[12000, 12400, "S2"], ...],
     "suppressed": [[start, end, "text", "reason"], ...]}

with times in milliseconds of the segment. ``mono`` is the segment's sound as FLAC; ``peaks`` are the largest magnitudes
of each 50 ms, a byte each (255 is full scale), channel after channel, after a line that says so in JSON. A tape that is
coded from text has neither, and its times are places: the first word lies from 0 to 1, the second from 1 to 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pipeline.audio.recording import SAMPLE_RATE, Recording, peaks
from pipeline.coding.codebook import CODES
from pipeline.formats import codebook_files
from pipeline.languages import is_foreign
from pipeline.run.output import PROVENANCE
from pipeline.run.results import Attribution, Results
from pipeline.run.text_run import TextResults
from pipeline.tapes.db.records import Item, Job, Pretag, Tape, Transcript, Utterance
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.vault.stage_store import item_row
from pipeline.tapes.vault.vault import StoredItem as Put

MONO, PEAKS, TRANSCRIPT = "mono", "peaks", "transcript"
PEAKS_PER_SECOND = 20
"""Columns of the drawing per second: one of 50 ms is shorter than a syllable."""


@dataclass(frozen=True, eq=False)
class Imported:
    """The part of a job's results that records and vault take; ``duration`` is None where there is no sound."""

    attribution: Attribution
    table: pd.DataFrame
    files: Mapping[str, bytes]
    engine: Mapping[str, Any]
    duration: int | None = None
    ghosts: tuple[str, ...] = ()


def of_recording(job_results: Results, results: Mapping[str, bytes]) -> Imported:
    """From a recording; each of the result files becomes an item of the kind of its name."""
    recording, recognized = job_results.recording, job_results.transcript
    vocalizations = [[stretch.span.start, stretch.span.end, stretch.speaker] for stretch in job_results.vocalizations]
    suppressed = [
        [stretch.span.start, stretch.span.end, stretch.text, stretch.reason] for stretch in recognized.suppressed
    ]
    files = {
        TRANSCRIPT: transcript(
            job_results.table, job_results.attribution, recognized.engine, vocalizations, suppressed
        ),
        MONO: mono(recording),
        PEAKS: drawn(recording),
        **dict(sorted(results.items())),
    }
    ghosts = tuple(job_results.diarization.spurious_speakers)
    return Imported(job_results.attribution, job_results.table, files, recognized.engine, recording.duration, ghosts)


def of_text(job_results: TextResults) -> Imported:
    """From a transcript without sound."""
    files = {
        TRANSCRIPT: transcript(job_results.table, job_results.attribution, {}),
        **dict(sorted(job_results.files.items())),
    }
    return Imported(job_results.attribution, job_results.table, files, {})


def publish(home: Home, job: Job, imported: Imported, now: int) -> None:
    """Make the results of a job those of its tape; nothing changes where the job is not to go on."""
    files = imported.files
    put = [home.vault.put(job.tape_id, kind, content) for kind, content in files.items()]
    with home.database.writing() as session:
        needless = _swap(session, job, imported, put, now)
    for item in needless:
        home.vault.remove(item)


def _swap(session: Session, job: Job, imported: Imported, put: list[Put], now: int) -> list[Any]:
    """Replace what an earlier job left; the items that are not needed any more."""
    tape = session.get(Tape, job.tape_id)
    going_on = job_state.change(session, job.id, ("running",), now, state="done", fraction=1.0, error=None)
    if tape is None or tape.state == "destroyed" or not going_on:
        return list(put)
    kinds = [item.kind for item in put]
    old = list(session.scalars(select(Item).where(Item.tape_id == tape.id, Item.kind.in_(kinds))))
    for table in (Transcript, Utterance, Pretag):
        session.execute(delete(table).where(table.tape_id == tape.id))
    for item in old:
        session.expunge(item)
    session.execute(delete(Item).where(Item.id.in_([item.id for item in old])))
    session.add_all(item_row(item, now) for item in put)
    session.flush()
    whole = next(item.id for item in put if item.kind == TRANSCRIPT)
    engine = json.dumps(imported.engine, sort_keys=True)
    session.add(Transcript(tape_id=tape.id, item_id=whole, engine=engine, created_at=now))
    session.add_all(_utterances(tape.id, imported.table))
    session.add_all(_pretags(tape.id, imported.table))
    decided = imported.attribution.roles
    speakers = {turn.speaker: decided.role(turn.speaker) for turn in imported.attribution.turns}
    session.execute(
        update(Tape)
        .where(Tape.id == tape.id)
        .values(
            state="ready",
            duration_ms=imported.duration,
            codebook=_codebook(imported.files) or tape.codebook,
            speakers={
                "roles": speakers,
                "probability": decided.probability,
                "ghosts": list(imported.ghosts),
            },
        )
    )
    return old


def _codebook(files: Mapping[str, bytes]) -> str | None:
    """The codebook in which the results are measured, where the room has it, so that its pages begin with the same."""
    if PROVENANCE not in files:
        return None
    name: str = json.loads(files[PROVENANCE])["codebook"]["name"]
    return name if name in codebook_files.shipped() else None


def _utterances(tape_id: str, table: pd.DataFrame) -> list[Utterance]:
    columns = ("utterance_id", "turn_id", "role", "speaker", "start", "end", "language")
    return [
        Utterance(
            tape_id=tape_id,
            utterance_id=utterance_id,
            position=position,
            turn_id=turn_id,
            role=role,
            speaker=speaker,
            start_ms=int(start),
            end_ms=int(end),
            language=language,
        )
        for position, (utterance_id, turn_id, role, speaker, start, end, language) in enumerate(
            table[list(columns)].itertuples(index=False, name=None)
        )
    ]


def _pretags(tape_id: str, table: pd.DataFrame) -> list[Pretag]:
    return [
        Pretag(
            tape_id=tape_id,
            utterance_id=row["utterance_id"],
            codes=[code for code in row["codes"].split("|") if code],
            probability=float(row["probability"]),
            needs_check=bool(row["needs_check"]),
            p={code: float(row[f"p_{code}"]) for code in CODES},
        )
        for row in table.to_dict("records")
        if not is_foreign(row["language"])  # the machine suggests nothing for it, not even that it has no code
    ]


def transcript(
    table: pd.DataFrame,
    attribution: Attribution,
    engine: Mapping[str, Any],
    vocalizations: Iterable[list[Any]] = (),
    suppressed: Iterable[list[Any]] = (),
) -> bytes:
    """The words, as the item ``transcript`` holds them."""
    rows = table[["utterance_id", "turn_id", "role", "speaker", "start", "end", "text"]].to_dict("records")
    for row, utterance in zip(rows, attribution.utterances, strict=True):
        row["start"], row["end"] = int(row["start"]), int(row["end"])
        row["language"] = utterance.language
        row["words"] = [[word.span.start, word.span.end, word.text, word.probability] for word in utterance.words]
    whole = {
        "format": 1,
        "engine": engine,
        "utterances": rows,
        "vocalizations": list(vocalizations),
        "suppressed": list(suppressed),
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()


def mono(recording: Recording) -> bytes:
    """The segment's sound as FLAC, one channel, for the player."""
    import soundfile

    file = BytesIO()
    soundfile.write(file, recording.mono, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def drawn(recording: Recording) -> bytes:
    """The item ``peaks``."""
    drawing: np.ndarray = np.clip(peaks(recording.samples, PEAKS_PER_SECOND) * 255, 0, 255).astype(np.uint8)
    head = {"per_second": PEAKS_PER_SECOND, "channels": drawing.shape[0], "length": drawing.shape[1]}
    return json.dumps(head).encode() + b"\n" + drawing.tobytes()
