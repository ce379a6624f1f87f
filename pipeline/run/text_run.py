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
from pipeline.coding.codebook import Codebook
from pipeline.errors import SpeechError, TableError
from pipeline.formats import codebook_files, tape_tables, text_language
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.report import render
from pipeline.run import language_notes, results, stage_functions, stage_keys
from pipeline.run.engines import Engines
from pipeline.run.output import PROVENANCE
from pipeline.run.results import Attribution, Measured
from pipeline.run.stage import Stage, StageContext
from pipeline.run.stage_cache import digest
from pipeline.run.stage_keys import RunInputs
from pipeline.run.stage_runner import Observer, StageRunner
from pipeline.settings import Settings
from pipeline.speech import roles, transcript_attribution, turns
from pipeline.speech.cores import Cores
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


def attribute(context: StageContext) -> Attribution:
    """Return who says what in which role, cut into utterances; times are places in the text.

    Raises
    ------
    TableError: T08 turns without a speaker, or a single voice whose role nothing tells.
    """
    written: WrittenTranscript = context.inputs["transcript"]
    require_speakers(written)
    names = {voice: f"S{number}" for number, voice in enumerate(written.voices, 1)}
    spoken_words = [(names[turn.voice], word) for turn in written.turns for word in turn.text.split()]
    languages = text_language.of_words([turn.text for turn in written.turns], context.inputs["language"])
    words = [
        Word(Span(at, at + 1), text, 1.0, speaker, language)
        for at, ((speaker, text), language) in enumerate(zip(spoken_words, languages, strict=True))
    ]
    first_words = {words[at] for at in written.first_words()} if written.has_utterances else None
    spoken = turns.turns(words)
    settled = transcript_attribution.roles(written, names)
    decided = settled or _decided(context, spoken)
    by_words = () if settled or decided.undecided else (_by_words(decided),)
    utterances = segmentation.utterances(spoken, decided, context.engines.sentences(), first_words)
    of_languages = language_notes.of_utterances(utterances, decided, "words")
    return Attribution(spoken, decided, utterances, (NO_SOUND, *by_words, *of_languages))


def tag(context: StageContext, attribution: Attribution) -> pd.DataFrame:
    """Return the utterances with the codes that the machine proposes, as `tape_tables.UTTERANCE_COLUMNS`; no times."""
    table = _untimed(results.utterance_table(context.inputs["tape_id"], attribution))
    tagged = context.engines.tagger.tag(
        table.assign(target_behavior=context.inputs["target_behavior"]), context.progress
    )
    return _untimed(tagged[list(tape_tables.UTTERANCE_COLUMNS)])


def report(context: StageContext, attribution: Attribution, table: pd.DataFrame, measured: Measured) -> TextResults:
    """Return the result files, and the coded table with places in the text."""
    inputs = context.inputs
    book: Codebook = inputs["codebook"]
    provenance = {
        **inputs["provenance"],
        "engines": {},
        "models": inputs["models"],
        "codebook": {"name": book.name, "version": book.version, "counting": book.counting},
        "warnings": list(attribution.notes),
    }
    words = _untimed(results.word_table(inputs["tape_id"], attribution))
    decided = attribution.roles
    shown = render.ReportData(
        tape_id=inputs["tape_id"],
        target_behavior=inputs["target_behavior"],
        source="a transcript",
        start=0,
        end=0,
        table=table,
        measures=measured.figures,
        context=measured.context,
        transitions=measured.transitions,
        trajectory=measured.trajectory,
        codebook=book,
        speakers=tuple(
            render.Speaker(
                name, decided.role(name), decided.probability, decided.reasons if name == decided.interviewer else ()
            )
            for name in dict.fromkeys(turn.speaker for turn in attribution.turns)
        ),
        warnings=tuple(
            render.Note(note) for note in language_notes.of_utterances(attribution.utterances, decided, "words")
        ),
        provenance=provenance,
        no_sound=NO_SOUND,
    )
    files = {
        "utterances.csv": tape_tables.published(table, tape_tables.UTTERANCE_COLUMNS, None),
        "words.csv": tape_tables.published(words, tape_tables.WORD_COLUMNS, None),
        "change_talk.csv": tape_tables.published(measured.context, list(measured.context.columns), None),
        "measures.json": results.as_json(measured.as_dict(provenance["zero"])),
        PROVENANCE: results.as_json(provenance),
        "report.html": render.render(shown).encode(),
    }
    placed = results.utterance_table(inputs["tape_id"], attribution)
    return TextResults(attribution, table.assign(start=placed["start"], end=placed["end"]), files)


STAGES: tuple[Stage[Any], ...] = (
    Stage(
        "attribute",
        "Assigning the words to the voices",
        attribute,
        inputs=("transcript", "language", "model.roles", "model.sentences"),
        packages=("spacy", "py3langid"),
    ),
    Stage(
        "tag",
        "Suggesting codes",
        tag,
        takes=("attribute",),
        inputs=("tape_id", "target_behavior", "model.tagger", "model.adaptation"),
        packages=("onnxruntime", "tokenizers"),
    ),
    Stage(
        "measure",
        "Measuring",
        stage_functions.measure,
        takes=("tag",),
        inputs=("codebook", "settings.measures", "model.tagger", "model.adaptation"),
        packages=("numpy", "pandas", "scipy"),
    ),
    Stage(
        "report",
        "Writing the report",
        report,
        takes=("attribute", "tag", "measure"),
        inputs=("tape_id", "target_behavior", "codebook", "models", "provenance"),
    ),
)
"""The stages of `pipeline.stages.STAGES` that need no sound. They take moments, and none of their results is stored."""


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

    @property
    def language(self) -> str:
        """The language of all words, or "auto"."""
        return self.settings.transcription.language

    @cached_property
    def models(self) -> dict[str, dict[str, str]]:
        """The models that are loaded, with checksums."""
        return {part: model for part, model in self.engines.models("manual").items() if part in _PARTS}

    @property
    def options(self) -> dict[str, Any]:
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
        return digest("text", __version__, self.options, settings, self.versions, self.models, book)

    def finish(self, observer: Observer) -> TextResults:
        """Return the results of all stages.

        Raises
        ------
        TableError: T08 as `attribute`.
        """
        book = codebook_files.read(self.settings.coding.codebook)
        sections = stage_keys.decisive(self.settings)
        inputs = RunInputs(self.written.digest(), self.options, sections, self.models, asdict(book)).named()
        inputs |= {"models": self.models, "provenance": self.key, "language": self.language}
        keys = stage_keys.stage_keys(STAGES, inputs)
        inputs |= {
            "transcript": self.written,
            "language": self.language,
            "codebook": book,
            "settings.measures": self.settings.measures,
            "provenance": self._provenance(sections),
        }
        runner = StageRunner(STAGES, keys, inputs, self.engines, Cores(self.settings.engines.cores), observer)
        tape: TextResults = runner.results(None, ("report",))["report"]
        return tape

    def _provenance(self, sections: Mapping[str, Any]) -> dict[str, Any]:
        """The part of the provenance that is known before the run."""
        return {
            "run": self.key,
            "tape_review": __version__,
            "tape_id": self.tape_id,
            "recording": None,
            "segment": None,
            "zero": f"This tape was {NO_SOUND}.",
            "asked": self.options,
            "settings": sections,
            "languages": {"asked": self.language},
            "versions": self.versions,
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


def _decided(context: StageContext, spoken: Sequence[Turn]) -> Roles:
    try:
        return roles.decide(spoken, context.engines.roles())
    except SpeechError as error:
        raise TableError("T08", "transcript", error.value, error.remedy) from error


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
