"""``tape-review code``: pre-tag a transcript that exists already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.progress import Progress

from pipeline import languages, settings
from pipeline.cli._shared import interviewer_choice
from pipeline.cli._shared.options import Config, Language, Tiers, language_code, tiers
from pipeline.errors import TableError
from pipeline.formats import speaker_roles, tape_tables, text_language, uncoded
from pipeline.settings import Settings

_MANY = 8
"""Voices that a sentence lists at most."""

_SHOWN = 3
"""Utterances that a message shows at most."""


def code(
    transcript: Annotated[
        Path,
        typer.Argument(
            metavar="TRANSCRIPT",
            help="A spreadsheet, a text or Word file, subtitles, or a file from another program.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the coded table (CSV).")],
    interviewer: Annotated[
        str | None,
        typer.Option("--interviewer", metavar="NAME", help="The interviewer's name in the transcript, such as 'Ann'."),
    ] = None,
    target_behavior: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="The change that the session is about, for tapes whose table names none. Change talk depends on it.",
        ),
    ] = None,
    language: Language = None,
    tier: Tiers = None,
    config: Config = None,
) -> None:
    """Pre-tag the utterances of a transcript.

    It proposes questions, reflections, information, change talk and sustain talk, each with its probability. Machine
    tags are suggestions: check them by hand.

    Rows must be in speaking order. One file may hold several tapes. A spreadsheet (CSV, .xlsx) needs a column of text
    and a column of roles or speakers. In a text or Word file, each turn begins with the speaker's name. If names do not
    show who is the interviewer, the program decides from the words and prints how certain it is.

    Other columns are kept. If the table already has codes, the machine's codes replace them.

    Only English is coded. Utterances in another language are marked in the column `language` and left without codes; if
    the table has that column, with codes or names of languages, it decides.
    """
    from pipeline.coding import tagger

    loaded = settings.with_language(settings.load(files=config or ()).settings, language_code(language))
    reading = uncoded.read(transcript, interviewer, tiers(tier))
    for note in reading.notes:
        typer.echo(note, err=True)
    table = _with_roles(_with_languages(reading.table, loaded.transcription.language), transcript, loaded)
    table = _with_target(table, (target_behavior or "").strip())
    replaced = [column for column in tape_tables.TAG_COLUMNS if column in table]
    if replaced:
        typer.echo(f"The machine's tags replace the columns {', '.join(replaced)} of {transcript.name}.", err=True)
    with Progress(console=Console(stderr=True), transient=True) as display:
        task = display.add_task("Coding", total=1.0)
        coded = tagger.load(loaded).tag(table, lambda done: display.update(task, completed=done))
    tape_tables.write_utterances(coded, out)
    typer.echo(out)


def _with_languages(table: pd.DataFrame, given: str) -> pd.DataFrame:
    """Return the table with the language of each row: its own, else the one that its tape's words are in."""
    named = [languages.code(cell) for cell in table["language"]] if "language" in table else [None] * len(table)
    by_row = pd.Series(named, index=table.index, dtype=object)
    spoken = pd.Series(languages.ENGLISH, index=table.index, dtype=object)
    for tape_id, tape in table.groupby("tape_id", sort=False):
        detected = text_language.of_utterances(tape["text"].tolist(), given)
        named = by_row[tape.index].tolist() if given == languages.AUTO else [None] * len(tape)
        settled = [name or language for name, language in zip(named, detected, strict=True)]
        spoken[tape.index] = pd.Series(settled, index=tape.index, dtype=object)
        words = [float(len(text.split())) for text in tape["text"]]
        sentence = languages.share_sentence(languages.shares(spoken[tape.index], words), "words")
        if sentence:
            where = f"{tape_id}: " if table["tape_id"].nunique() > 1 else ""
            typer.echo(f"Warning: {where}{sentence}.", err=True)
    return table.assign(language=spoken)


def _with_roles(table: pd.DataFrame, path: Path, loaded: Settings) -> pd.DataFrame:
    """The table with a role in each row: its own, or one that the words of its tape decide.

    Raises
    ------
    TableError: T08 nothing tells who is the interviewer.
    """
    table = table.copy()
    for tape_id, tape in table.groupby("tape_id", sort=False):
        if (tape["role"] == "").any():
            table.loc[tape.index, "role"] = _decided(str(tape_id), tape, path, loaded)
    third = table[table["role"].isin(["other", "unknown"]) & ~table["language"].map(languages.is_foreign)]
    if len(third):
        voices = speaker_roles.distinct_speakers(third["speaker"]) if "speaker" in third else []
        named = f" ({', '.join(voices[:_MANY])})" if voices else ""
        rows = "1 row is" if len(third) == 1 else f"{len(third)} rows are"
        typer.echo(f"{rows} neither the interviewer's nor the client's{named}: not coded.", err=True)
    return table


def _with_target(table: pd.DataFrame, target_behavior: str) -> pd.DataFrame:
    """Return the table with the target behavior in the rows of each tape that names none."""
    is_named = table["target_behavior"].str.strip().ne("").groupby(table["tape_id"]).transform("any")
    if not target_behavior and (~is_named & (table["role"] == "client")).any():
        typer.echo(
            "Client talk is coded without the change that the session is about; add --target-behavior, such as"
            " 'drinking less'.",
            err=True,
        )
    return table.assign(target_behavior=table["target_behavior"].where(is_named, target_behavior))


def _decided(tape_id: str, tape: pd.DataFrame, path: Path, loaded: Settings) -> pd.Series:
    voices = tape["speaker"].str.strip() if "speaker" in tape else pd.Series("", index=tape.index)
    speakers, open_ = speaker_roles.distinct_speakers(voices), tape["role"] == ""
    remedy = uncoded.naming(path)
    nobody = tape[open_ & (voices == "")]
    if len(nobody):
        shown = "; ".join(f'"{text[:40]}"' for text in nobody["text"].iloc[:_SHOWN])
        value = f"has {len(nobody)} of {len(tape)} rows without a speaker or a role ({shown})"
        raise TableError("T08", f"transcript {path.name}", value, remedy)
    if len(speakers) < 2:
        value = f"has only one voice, {speakers[0]!r}, and its name does not show a role"
        remedy = f"if the interviewer says all of it, add --interviewer {speakers[0]!r}; else {remedy}"
        raise TableError("T08", f"transcript {path.name}", value, remedy)
    where = f" of {tape_id}" if tape_id != path.stem else ""
    speeches = list(zip(voices, tape["text"], strict=True))
    decided = interviewer_choice.decide_roles(speeches, loaded, where, tape["language"].tolist())
    return tape["role"].where(~open_, voices.map(decided.role))
