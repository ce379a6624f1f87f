"""The files of a run for roles that somebody named after it: tables, measures, report and provenance follow them.

Words, voices and times stay as the run wrote them; codes and measures are those for the new roles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.coding.codebook import Codebook
from pipeline.formats import tape_tables, time_origin
from pipeline.report import render
from pipeline.run import results, text_run
from pipeline.run.output import PROVENANCE
from pipeline.run.results import Measured
from pipeline.speech import role_notes
from pipeline.speech.roles import Roles
from pipeline.timeline import Role, Span, Turn, Vocalization, Word, to_ms

_UTTERANCES, _WORDS, _VOCALIZATIONS = "utterances.csv", "words.csv", "vocalizations.csv"
_BY_HAND = "named by hand"


def files(
    stored: Mapping[str, bytes],
    transcript: Mapping[str, Any],
    roles: Mapping[str, Role],
    table: pd.DataFrame,
    measured: Measured,
    book: Codebook,
    spurious: Sequence[str] = (),
) -> dict[str, bytes]:
    """Return the files that change: name -> content.

    Parameters
    ----------
    stored: the files as the run wrote them (`results.FILES`, or `text_run.FILES`), as far as there are any.
    transcript: the item of the same name (see `pipeline.tapes.intake.importing`).
    roles: voice -> role, for all of them.
    table: the table with the codes for these roles; without sound its times are missing.
    spurious: voices that are perhaps nobody.
    """
    provenance: dict[str, Any] = json.loads(stored[PROVENANCE])
    zero = time_origin.parse(provenance["zero"])
    named = Roles.named(roles, _BY_HAND)
    notes = [*_notes(provenance), *_role_notes(named, transcript, is_timed=zero is not None)]
    provenance |= {"warnings": notes, "named_roles": dict(roles)}
    context = measured.context
    changed = {
        _UTTERANCES: tape_tables.published(table, tape_tables.UTTERANCE_COLUMNS, zero),
        "change_talk.csv": tape_tables.published(context, list(context.columns), zero),
        "measures.json": results.as_json(measured.as_dict(provenance["zero"])),
        PROVENANCE: results.as_json(provenance),
        "report.html": render.render(
            _shown(transcript, named, table, measured, book, spurious, provenance, zero is not None)
        ).encode(),
    }
    for name, columns in ((_WORDS, tape_tables.WORD_COLUMNS), (_VOCALIZATIONS, tape_tables.VOCALIZATION_COLUMNS)):
        if name in stored:
            changed[name] = _with_roles(stored[name], name, columns, named, zero)
    return {name: content for name, content in changed.items() if name in stored}


def _with_roles(content: bytes, name: str, columns: Sequence[str], named: Roles, zero: int | None) -> bytes:
    """Return a table with each row's role of its voice."""
    rows = tape_tables.parsed(content, columns, Path(name))
    return tape_tables.published(rows.assign(role=[named.role(voice) for voice in rows["speaker"]]), columns, zero)


def _notes(provenance: Mapping[str, Any]) -> list[str]:
    """Return the run's warnings without those that spoke of the roles of then."""
    return [note for note in provenance.get("warnings", ()) if not role_notes.is_of_roles(note)]


def _role_notes(named: Roles, transcript: Mapping[str, Any], is_timed: bool) -> list[str]:
    """Return what is still missing in the roles; lengths of speech are known only with sound."""
    turns = [
        Turn(row["speaker"], tuple(Word(Span(start, end), text, p) for start, end, text, p in row["words"]))
        for row in transcript["utterances"]
        if row["words"]
    ]
    return list(role_notes.notes(named, turns, None)) if is_timed else []


def _shown(
    transcript: Mapping[str, Any],
    named: Roles,
    table: pd.DataFrame,
    measured: Measured,
    book: Codebook,
    spurious: Sequence[str],
    provenance: Mapping[str, Any],
    is_timed: bool,
) -> render.ReportData:
    recording, segment = provenance.get("recording"), provenance.get("segment") or {"start": 0, "end": 0}
    source = f"{recording['container']}, {recording['sample_rate'] / 1000:g} kHz" if recording else "a transcript"
    voices = dict.fromkeys(row["speaker"] for row in transcript["utterances"])
    return render.ReportData(
        tape_id=str(provenance["tape_id"]),
        target_behavior=str(table["target_behavior"].iloc[0]) if len(table) else "",
        source=source,
        start=to_ms(float(segment["start"])),
        end=to_ms(float(segment["end"])),
        table=table,
        measures=measured.figures,
        context=measured.context,
        transitions=measured.transitions,
        trajectory=measured.trajectory,
        codebook=book,
        speakers=tuple(
            render.Speaker(voice, named.role(voice), 1.0, named.reasons if named.role(voice) == "interviewer" else ())
            for voice in voices
        ),
        # Voices that are perhaps nobody, and that there is no sound, have a line of their own in the report.
        warnings=tuple(
            render.Note(note)
            for note in provenance["warnings"]
            if note != text_run.NO_SOUND and not any(note.startswith(f"another voice, {name},") for name in spurious)
        ),
        ghosts=tuple(spurious),
        suppressed=tuple(
            render.Passage(Span(start, end), text, reason) for start, end, text, reason in transcript["suppressed"]
        ),
        vocalizations=tuple(
            Vocalization(Span(start, end), speaker) for start, end, speaker in transcript["vocalizations"]
        ),
        provenance=provenance,
        no_sound="" if is_timed else text_run.NO_SOUND,
    )
