"""A tape from its text alone: a transcript that somebody wrote, coded and measured without any sound.

There are no times, so there is no talk time, no timeline and nothing to play; the report and the provenance say so. In
between a word's place in the text stands for its time, so that turns and utterances are found as in speech.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline import __version__
from pipeline.coding import segmentation
from pipeline.errors import SpeechError, TableError
from pipeline.formats import codebook_files, tape_tables
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.report import render
from pipeline.run import results, stage_keys
from pipeline.run.engines import Engines
from pipeline.run.output import PROVENANCE
from pipeline.run.progress import Progress
from pipeline.run.results import Attribution, Measured
from pipeline.run.stage_cache import digest
from pipeline.settings import Settings
from pipeline.speech import roles, transcript_attribution, turns
from pipeline.speech.roles import Roles
from pipeline.timeline import Span, Turn, Word

FILES = ("utterances.csv", "words.csv", "change_talk.csv", "measures.json", PROVENANCE, "report.html")
"""The files of a tape without sound; what only sound shows has none."""

NO_SOUND = "coded from a transcript, without the sound: there are no times, no talk time and no timeline"
"""The sentence in every file that people read."""

_PARTS = ("sentences", "roles", "tagger", "adaptation")


@dataclass(frozen=True)
class TextResults:
    """The results of a text: the result files (name -> content), and the coded table, whose ``start`` and ``end`` are
    places in the text here."""

    attribution: Attribution
    table: pd.DataFrame
    files: dict[str, bytes]


@dataclass(frozen=True)
class TextRun:
    """One run on a text; its ``key`` stands for all that decides the results.

    ``versions`` are those of the packages that compute them (`pipeline.run.stage_keys.versions`).
    """

    written: WrittenTranscript
    target_behavior: str
    settings: Settings
    engines: Engines
    versions: Mapping[str, str | None]
    given_id: str | None = None

    @property
    def tape_id(self) -> str:
        """The tape's name in the tables."""
        return self.given_id or f"tape-{self.written.digest()[:8]}"

    @cached_property
    def models(self) -> dict[str, dict[str, str]]:
        """The models that are loaded, with checksums."""
        return {part: model for part, model in self.engines.models("manual").items() if part in _PARTS}

    @property
    def asked(self) -> dict[str, Any]:
        """The options of the run, as the provenance has them."""
        return {
            "target_behavior": self.target_behavior,
            "tape_id": self.tape_id,
            "transcript": self.written.digest(),
        }

    @cached_property
    def key(self) -> str:
        """A digest of all that decides the results."""
        settings = stage_keys.decisive(self.settings)
        book = asdict(codebook_files.read(self.settings.coding.codebook))
        return digest("text", __version__, self.asked, settings, self.versions, self.models, book)

    def attribute(self) -> Attribution:
        """Who says what in which role, cut into utterances; times are places in the text.

        Raises
        ------
        TableError: T08 turns without a speaker, or a single voice whose role nothing tells.
        """
        require_speakers(self.written)
        names = {voice: f"S{number}" for number, voice in enumerate(self.written.voices, 1)}
        spoken_words = [(names[turn.voice], word) for turn in self.written.turns for word in turn.text.split()]
        words = [Word(Span(at, at + 1), text, 1.0, speaker) for at, (speaker, text) in enumerate(spoken_words)]
        first_words = {words[at] for at in self.written.first_words()} if self.written.has_utterances else None
        spoken = turns.turns(words)
        settled = transcript_attribution.roles(self.written, names)
        decided = settled or self._decided(spoken)
        notes = (NO_SOUND,) if settled else (NO_SOUND, _by_words(decided))
        utterances = segmentation.utterances(spoken, decided, self.engines.sentences(), first_words)
        return Attribution(spoken, decided, utterances, notes)

    def finish(self, progress: Mapping[str, Progress]) -> TextResults:
        """The results; ``progress`` has a function for the stages attribute and tag.

        Raises
        ------
        TableError: T08 as `attribute`.
        """
        attribution = self.attribute()
        progress["attribute"](1.0)
        placed = results.utterance_table(self.tape_id, attribution)
        tagged = self.engines.tagger.tag(_untimed(placed).assign(target_behavior=self.target_behavior), progress["tag"])
        table = _untimed(tagged[list(tape_tables.UTTERANCE_COLUMNS)])
        files = self._files(attribution, table)
        return TextResults(attribution, table.assign(start=placed["start"], end=placed["end"]), files)

    def _files(self, attribution: Attribution, table: pd.DataFrame) -> dict[str, bytes]:
        book = codebook_files.read(self.settings.coding.codebook)
        measured = Measured.of(table, book, self.settings.measures, self.engines.tagger.session_effect_sd)
        provenance = self._provenance(book.name, book.version, book.counting, attribution.notes)
        words = _untimed(results.word_table(self.tape_id, attribution))
        context = measured.context
        speakers = dict.fromkeys(turn.speaker for turn in attribution.turns)
        decided = attribution.roles
        shown = render.ReportData(
            tape_id=self.tape_id,
            target_behavior=self.target_behavior,
            source="a transcript",
            start=0,
            end=0,
            table=table,
            measures=measured.figures,
            context=context,
            transitions=measured.transitions,
            trajectory=measured.trajectory,
            codebook=book,
            speakers=tuple(
                render.Speaker(
                    name,
                    decided.role(name),
                    decided.probability,
                    decided.reasons if name == decided.interviewer else (),
                )
                for name in speakers
            ),
            provenance=provenance,
            no_sound=NO_SOUND,
        )
        return {
            "utterances.csv": tape_tables.published(table, tape_tables.UTTERANCE_COLUMNS, None),
            "words.csv": tape_tables.published(words, tape_tables.WORD_COLUMNS, None),
            "change_talk.csv": tape_tables.published(context, list(context.columns), None),
            "measures.json": results.as_json(measured.as_dict(provenance["zero"])),
            PROVENANCE: results.as_json(provenance),
            "report.html": render.render(shown).encode(),
        }

    def _decided(self, spoken: Sequence[Turn]) -> Roles:
        try:
            return roles.decide(spoken, self.engines.roles())
        except SpeechError as error:
            raise TableError("T08", "transcript", error.value, error.remedy) from error

    def _provenance(self, name: str, version: str, counting: str, notes: Sequence[str]) -> dict[str, Any]:
        return {
            "run": self.key,
            "tape_review": __version__,
            "tape_id": self.tape_id,
            "recording": None,
            "segment": None,
            "zero": f"This tape was {NO_SOUND}.",
            "asked": self.asked,
            "settings": stage_keys.decisive(self.settings),
            "versions": self.versions,
            "engines": {},
            "models": self.models,
            "codebook": {"name": name, "version": version, "counting": counting},
            "warnings": list(notes),
        }


def require_speakers(written: WrittenTranscript) -> None:
    """Refuse a transcript that does not tell who speaks: without the sound nothing else does.

    Raises
    ------
    TableError: T08 turns without a speaker, or a single voice whose role nothing tells.
    """
    if written.nameless:
        value = f"has {written.nameless} of {len(written.turns)} turns without a speaker"
        raise TableError("T08", "transcript", value, "begin each turn with who speaks, or bring the sound, too")
    voices = written.voices
    if len(voices) < 2 and "interviewer" not in voices.values():
        value = f"has the one voice {next(iter(voices), '')!r}, whose role nothing tells"
        raise TableError("T08", "transcript", value, "say who speaks in each turn, or name the interviewer")


def _by_words(decided: Roles) -> str:
    """How sure the roles are that nobody named."""
    reasons = f", as this voice {', '.join(decided.reasons)}" if decided.reasons else ""
    return (
        f"the words decide who is the interviewer: {decided.interviewer}, with a probability of "
        f"{decided.probability:.2f}{reasons}; voices are numbered in the order in which they begin to speak "
        "(--interviewer NAME corrects it)"
    )


def _untimed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with no time in any row."""
    nothing = pd.array([pd.NA] * len(table), dtype="Int64")
    return table.assign(start=nothing, end=nothing)
