"""Sentences on a tape's languages for every page, and a summary for the provenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pipeline import languages
from pipeline.speech.roles import Roles
from pipeline.speech.spoken_languages import LanguageRun
from pipeline.speech.transcriber import Transcript
from pipeline.timeline import Utterance, to_seconds

UNRECOGNIZED_SHARE = 0.2
"""Share of the speech without reliable words from which on an English model is asked whether all of it is English."""


def of_utterances(
    utterances: Sequence[Utterance], roles: Roles, measured: Literal["speech", "words"] = "speech"
) -> list[str]:
    """Return how much of a tape is in another language, and that nobody has a role where no English decides.

    ``measured``: the shares are of time, or of words where there are no times.
    """
    amounts = [
        float(utterance.span.duration if measured == "speech" else len(utterance.words)) for utterance in utterances
    ]
    share_of = languages.shares((utterance.language for utterance in utterances), amounts)
    sentence = languages.share_sentence(share_of, measured)
    # With sound, `role_notes` says so.
    undecided = [f"nobody has a role: {roles.undecided}"] if measured == "words" and roles.undecided else []
    return [sentence, *undecided] if sentence else []


def of_sound(transcript: Transcript) -> list[str]:
    """Return a doubt where a model for English alone has no reliable words for much of the speech."""
    if transcript.multilingual:
        return []
    rejected = sum(passage.span.duration for passage in transcript.suppressed)
    wordless = sum(span.duration for span in transcript.vocalizations)
    spoken = sum(word.span.duration for word in transcript.words)
    if rejected + wordless < UNRECOGNIZED_SHARE * (rejected + wordless + spoken):
        return []
    return [
        f"the model {transcript.engine.get('model', '')} is for English alone, and for much of the speech it has no "
        "reliable words: if another language is spoken, process the tape with a multilingual model such as whisper-base"
    ]


def provenance(transcript: Transcript) -> dict[str, Any]:
    """Return what was detected: for each language seconds of speech and the mean probability, and each foreign run."""
    return {
        "asked": transcript.engine.get("language", languages.AUTO),
        "detected": bool(transcript.languages),
        "speech": {language: _summary(runs) for language, runs in _by_language(transcript.languages).items()},
        "runs": [
            {"start": to_seconds(run.span.start), "end": to_seconds(run.span.end), "language": run.language}
            | {"probability": round(run.probability, 3)}
            for run in transcript.languages
            if languages.is_foreign(run.language)
        ],
    }


def _by_language(runs: Sequence[LanguageRun]) -> dict[str, list[LanguageRun]]:
    grouped: dict[str, list[LanguageRun]] = {}
    for run in runs:
        grouped.setdefault(run.language, []).append(run)
    return grouped


def _summary(runs: Sequence[LanguageRun]) -> dict[str, Any]:
    speech = sum(run.speech for run in runs)
    probability = sum(run.probability * run.speech for run in runs) / max(1, speech)
    return {"seconds": to_seconds(speech), "probability": round(probability, 3)}
