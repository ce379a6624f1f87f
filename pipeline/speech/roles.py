"""Who is the interviewer: decided from what each voice says and how.

Every turn is weighed by its words (interviewers say "sounds like", clients say "my wife"), each voice by its turns:
wording, questions asked, "you" against "I", talk share, who opens. The voice with the most weight is the interviewer;
of the others, the one that speaks most is the client, and a third one stays ``unknown``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline import model_catalog
from pipeline.errors import SpeechError
from pipeline.lexicon import asks, is_backchannel, plains
from pipeline.settings import Settings
from pipeline.timeline import UNKNOWN, Role, Turn

FILE = "roles.json"
CUES = ("wording", "evidence", "questions", "address", "talk", "opening")
"""What a voice is weighed by, in the order of `RoleModel.cues`."""

CLEAREST = 3.0
"""A single turn's log-odds count no more than this: no sentence decides alone."""

LEAST_SHARE = 0.05
"""A voice with a smaller share of the words is no candidate while another one is."""

_YOU = frozenset({"you", "your", "you're", "you've", "you'd", "yours", "yourself"})
_I = frozenset({"i", "i'm", "i've", "i'd", "i'll", "my", "me", "mine", "myself"})


@dataclass(frozen=True)
class Roles:
    """Who is who on a tape, how sure that is, and why.

    ``further``: other voices that conduct the session, where a transcript names several.
    """

    interviewer: str
    probability: float
    reasons: tuple[str, ...]
    clients: tuple[str, ...]
    further: tuple[str, ...] = ()

    @classmethod
    def given(cls, interviewer: str, speakers: Sequence[str]) -> Roles:
        """Roles as a human names them: every other voice is a client's."""
        clients = tuple(speaker for speaker in speakers if speaker not in (interviewer, UNKNOWN))
        return cls(interviewer, 1.0, ("named by you",), clients)

    def role(self, speaker: str) -> Role:
        """The role of a speaker; ``unknown`` for words that no voice claims and for a third voice."""
        if speaker == self.interviewer or speaker in self.further:
            return "interviewer"
        return "client" if speaker in self.clients else "unknown"


@dataclass(frozen=True)
class RoleModel:
    """Weights of words and word pairs towards the interviewer, and of the cues.

    ``words``: term -> weight; with ``bias`` they give a turn's log-odds. ``cues``: cue -> weight of a voice's cue.
    """

    words: Mapping[str, float]
    bias: float
    cues: Mapping[str, float]

    @classmethod
    def read(cls, place: Path) -> RoleModel:
        """Load the weights in a folder.

        Raises
        ------
        SpeechError: P03 the file is missing or damaged.
        """
        try:
            raw = json.loads((place / FILE).read_text(encoding="utf-8"))
            model = cls(raw["words"], float(raw["bias"]), {cue: float(raw["cues"][cue]) for cue in CUES})
        except (OSError, ValueError, KeyError, TypeError) as error:
            remedy = "restore the folder, or make it again with `tape-review train`"
            raise SpeechError(
                "P03", f"role model {place}", f"cannot be read ({type(error).__name__})", remedy
            ) from error
        return model

    def turn(self, terms: Sequence[str]) -> float:
        """Log-odds that a turn is the interviewer's, within `CLEAREST`."""
        weight = sum(self.words.get(term, 0.0) for term in terms) / math.sqrt(max(1, len(terms)))
        return max(-CLEAREST, min(CLEAREST, weight + self.bias))


@dataclass(frozen=True)
class Voice:
    """What a voice has said: its cues, and the numbers that the reasons tell."""

    speaker: str
    words: int
    asked: int
    cues: Mapping[str, float]


def load(settings: Settings) -> RoleModel:
    """The role model that the settings name: a folder in `models/`, or a path.

    Raises
    ------
    ModelError: M02 there is no such folder.
    SpeechError: P03 as `RoleModel.read`.
    """
    return RoleModel.read(model_catalog.trained(settings.diarization.roles))


def decide(turns: Sequence[Turn], model: RoleModel) -> Roles:
    """Find the interviewer among the voices of a tape.

    Raises
    ------
    SpeechError: P01 there is no voice.
    """
    found = voices(turns, model)
    if not found:
        raise SpeechError("P01", "recording", "has no words with a known voice", "check that both people can be heard")
    if len(found) == 1:
        alone = ("there is only one voice; name the interviewer with --interviewer if that is wrong",)
        return Roles(found[0].speaker, 0.5, alone, ())
    total = sum(voice.words for voice in found)
    candidates = [voice for voice in found if voice.words >= LEAST_SHARE * total]
    weights = {
        voice.speaker: sum(model.cues[cue] * voice.cues[cue] for cue in CUES)
        for voice in (candidates if len(candidates) > 1 else found)
    }
    interviewer = max(weights, key=lambda speaker: weights[speaker])
    odds = np.exp(np.array(list(weights.values())) - weights[interviewer])
    others = [voice for voice in found if voice.speaker != interviewer]
    client = max(others, key=lambda voice: voice.words)
    chosen = next(voice for voice in found if voice.speaker == interviewer)
    return Roles(interviewer, float(1 / odds.sum()), _reasons(chosen, client, found, model), (client.speaker,))


def voices(turns: Sequence[Turn], model: RoleModel) -> tuple[Voice, ...]:
    """The known voices of a tape in the order of their first turn, with their cues."""
    said: dict[str, list[list[str]]] = {}
    asked: dict[str, int] = {}
    for turn in turns:
        if turn.speaker != UNKNOWN:
            texts = [word.text for word in turn.words]
            said.setdefault(turn.speaker, []).append(plains(texts))
            asked[turn.speaker] = asked.get(turn.speaker, 0) + asks(texts)
    total = sum(len(words) for own in said.values() for words in own)
    opener = _opener(turns)
    return tuple(
        Voice(
            speaker,
            sum(len(words) for words in own),
            asked[speaker],
            _cues(own, asked[speaker], total, speaker == opener, model),
        )
        for speaker, own in said.items()
    )


def terms(words: Sequence[str]) -> list[str]:
    """The distinct words and word pairs of a turn in `plain` form, in order."""
    pairs = (f"{one} {two}" for one, two in pairwise(words))
    return list(dict.fromkeys([*words, *pairs]))


def _cues(own: list[list[str]], asked: int, total: int, opens: bool, model: RoleModel) -> dict[str, float]:
    weights = [model.turn(terms(words)) for words in own]
    spoken = [word for words in own for word in words]
    you, me = (sum(word in group for word in spoken) for group in (_YOU, _I))
    return {
        "wording": float(np.mean(weights)),
        "evidence": sum(weights) / math.sqrt(len(weights)),
        "questions": asked / len(own),
        "address": (you - me) / (you + me + 5),
        "talk": len(spoken) / max(1, total),
        "opening": float(opens),
    }


def _opener(turns: Sequence[Turn]) -> str:
    """Who speaks first, backchannels aside."""
    heard = (turn for turn in turns if turn.speaker != UNKNOWN)
    return next((turn.speaker for turn in heard if not is_backchannel([w.text for w in turn.words])), UNKNOWN)


def _reasons(one: Voice, other: Voice, found: Sequence[Voice], model: RoleModel) -> tuple[str, ...]:
    """What speaks for the choice, strongest first, as sentences with numbers."""
    questions, words = sum(voice.asked for voice in found), sum(voice.words for voice in found)
    told = {
        "wording": "uses the wording of an interviewer",
        "evidence": "uses the wording of an interviewer",
        "questions": f"asks {one.asked} of {questions} questions",
        "address": 'says "you" rather than "I", the other the reverse',
        "talk": f"speaks {one.words / max(1, words):.0%} of the words",
        "opening": "opens the conversation",
    }
    weight = {cue: model.cues[cue] * (one.cues[cue] - other.cues[cue]) for cue in CUES}
    best = sorted((cue for cue in CUES if weight[cue] > 0.1), key=lambda cue: -weight[cue])
    return tuple(dict.fromkeys(told[cue] for cue in best))
