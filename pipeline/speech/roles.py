"""The speakers' roles: the interviewer is decided from each speaker's words.

Every turn is weighed by its words (interviewers say "sounds like", clients say "my wife"), each speaker by their turns:
wording, questions asked, "you" against "I", talk share, who opens. The speaker with the most weight is the interviewer;
of the others, the one who speaks most is the client, and a third one stays ``unknown``. Of a single voice nothing is
decided, and where the evidence is thin, the probability stays low, whatever the weights say.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline import model_catalog
from pipeline.errors import SpeechError
from pipeline.languages import is_foreign
from pipeline.lexicon import asks, is_backchannel, plains
from pipeline.settings import Settings
from pipeline.timeline import ROLES, UNKNOWN, Role, Turn, Word

FILE = "roles.json"
CUES = ("wording", "evidence", "questions", "address", "talk", "opening")
"""The cues by which a speaker is weighed, in the order of `RoleModel.cues`."""

CLEAREST = 3.0
"""A single turn's log-odds count no more than this: no sentence decides alone. `role_training` measures it."""

LEAST_SHARE = 0.05
"""A speaker with a smaller share of the words is no candidate while another one is."""

THIN = 0.75
"""The highest probability where the evidence is thin: nobody asks a question, or hardly anything is said."""

SURE = 0.9
"""A lower probability is pointed out."""

FEW_WORDS = 60
"""Words of the whole conversation; fewer are thin evidence."""

NO_ENGLISH = "who is the interviewer is decided from English words, and there are none"
"""Why nobody has a role."""

_YOU = frozenset({"you", "your", "you're", "you've", "you'd", "yours", "yourself"})
_I = frozenset({"i", "i'm", "i've", "i'd", "i'll", "my", "me", "mine", "myself"})


@dataclass(frozen=True)
class Roles:
    """The roles of a tape's speakers, the probability of the interviewer, and the reasons.

    ``further``: other speakers who conduct the session, where somebody names several; ``others``: those who are neither
    interviewer nor client. ``interviewer`` is empty where nobody is known to be it, and ``undecided`` says why where
    nothing is decided.
    """

    interviewer: str
    probability: float
    reasons: tuple[str, ...]
    clients: tuple[str, ...]
    further: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    undecided: str = ""

    @classmethod
    def named(cls, roles: Mapping[str, Role], reason: str = "named by you") -> Roles:
        """Return the roles as a human names them, voice by voice."""
        of: dict[str, tuple[str, ...]] = {
            role: tuple(speaker for speaker, named in roles.items() if named == role) for role in ROLES
        }
        first, *further = of["interviewer"] or ("",)
        return cls(first, 1.0, (reason,), of["client"], tuple(further), of["other"])

    @classmethod
    def given(cls, interviewer: str, speakers: Sequence[str]) -> Roles:
        """Return the roles as a human names them: every other speaker is a client."""
        clients = tuple(speaker for speaker in speakers if speaker not in (interviewer, UNKNOWN))
        return cls(interviewer, 1.0, ("named by you",), clients)

    def role(self, speaker: str) -> Role:
        """Return the role of a speaker; ``unknown`` for words without a speaker and for a third speaker."""
        if speaker in ("", UNKNOWN):
            return "unknown"
        if speaker == self.interviewer or speaker in self.further:
            return "interviewer"
        if speaker in self.clients:
            return "client"
        return "other" if speaker in self.others else "unknown"


@dataclass(frozen=True)
class RoleModel:
    """Weights of words and word pairs towards the interviewer, and of the cues.

    ``words``: term -> weight; with ``bias`` they give a turn's log-odds. ``cues``: cue -> weight of a speaker's cue.
    """

    words: Mapping[str, float]
    bias: float
    cues: Mapping[str, float]

    @classmethod
    def read(cls, folder: Path) -> RoleModel:
        """Load the weights in a folder.

        Raises
        ------
        SpeechError: P03 the file is missing or damaged.
        """
        try:
            raw = json.loads((folder / FILE).read_text(encoding="utf-8"))
            model = cls(raw["words"], float(raw["bias"]), {cue: float(raw["cues"][cue]) for cue in CUES})
        except (OSError, ValueError, KeyError, TypeError) as error:
            remedy = "restore the folder, or make it again with `tape-review train`"
            raise SpeechError(
                "P03", f"role model {folder}", f"cannot be read ({type(error).__name__})", remedy
            ) from error
        return model

    def turn_log_odds(self, terms: Sequence[str]) -> float:
        """Return the log-odds that a turn is the interviewer's, within `CLEAREST`."""
        weight = sum(self.words.get(term, 0.0) for term in terms) / math.sqrt(max(1, len(terms)))
        return max(-CLEAREST, min(CLEAREST, weight + self.bias))


@dataclass(frozen=True)
class SpeakerProfile:
    """A speaker's cues, and the counts that the reasons name."""

    speaker: str
    words: int
    questions: int
    cues: Mapping[str, float]


def load(settings: Settings) -> RoleModel:
    """Return the role model that the settings name: a folder in `models/`, or a path.

    Raises
    ------
    ModelError: M02 there is no such folder.
    SpeechError: P03 as `RoleModel.read`.
    """
    return RoleModel.read(model_catalog.trained(settings.diarization.roles))


def decide(turns: Sequence[Turn], model: RoleModel) -> Roles:
    """Decide who of a tape's speakers is the interviewer.

    The cues are English words, so what is in another language does not decide; where nothing else is there, nobody has
    a role.

    Raises
    ------
    SpeechError: P01 there is no speaker.
    """
    profiles = speaker_profiles(_in_english(turns), model)
    words = Counter({profile.speaker: profile.words for profile in profiles})
    for turn in turns:
        if turn.speaker != UNKNOWN:
            words[turn.speaker] += sum(is_foreign(word.language) for word in turn.words)
    if not words:
        raise SpeechError("P01", "recording", "has no words with a known voice", "check that both people can be heard")
    if not profiles:
        return Roles("", 0.0, (), (), undecided=NO_ENGLISH)
    others = [speaker for speaker, _ in words.most_common() if speaker not in {each.speaker for each in profiles}]
    if len(profiles) == 1 and others:
        return _alone_in_english(profiles[0], others[0], model)
    if len(profiles) == 1:
        return Roles("", 0.0, (), (), undecided="there is only one voice")
    total = sum(profile.words for profile in profiles)
    candidates = [profile for profile in profiles if profile.words >= LEAST_SHARE * total]
    weights = {
        profile.speaker: sum(model.cues[cue] * profile.cues[cue] for cue in CUES)
        for profile in (candidates if len(candidates) > 1 else profiles)
    }
    interviewer = max(weights, key=lambda speaker: weights[speaker])
    odds = np.exp(np.array(list(weights.values())) - weights[interviewer])
    compared = max((each for each in profiles if each.speaker != interviewer), key=lambda profile: profile.words)
    client = max((speaker for speaker in words if speaker != interviewer), key=lambda speaker: words[speaker])
    chosen = next(profile for profile in profiles if profile.speaker == interviewer)
    probability = float(1 / odds.sum())
    if _is_thin(profiles):
        probability = min(probability, THIN)
    return Roles(interviewer, probability, _reasons(chosen, compared, profiles, model), (client,))


def _is_thin(profiles: Sequence[SpeakerProfile]) -> bool:
    """Whether the words say little about who is who, however clear the weights are."""
    return not any(profile.questions for profile in profiles) or sum(each.words for each in profiles) < FEW_WORDS


def _in_english(turns: Sequence[Turn]) -> list[Turn]:
    """The turns without the words in other languages."""
    return [replace(turn, words=english) for turn in turns if (english := _english_words(turn))]


def _english_words(turn: Turn) -> tuple[Word, ...]:
    return tuple(word for word in turn.words if not is_foreign(word.language))


def _alone_in_english(profile: SpeakerProfile, other: str, model: RoleModel) -> Roles:
    """The roles where a single voice speaks English: its wording alone tells which of the two it is."""
    weight = sum(model.cues[cue] * profile.cues[cue] for cue in ("wording", "evidence"))
    probability = 1 / (1 + math.exp(-abs(weight)))
    pair = (profile.speaker, other) if weight >= 0 else (other, profile.speaker)
    return Roles(pair[0], probability, (f"of the voices, {profile.speaker} alone speaks English",), pair[1:])


def speaker_profiles(turns: Sequence[Turn], model: RoleModel) -> tuple[SpeakerProfile, ...]:
    """Return the profiles of a tape's known speakers in the order of their first turn."""
    words_by_turn: dict[str, list[list[str]]] = {}
    questions: dict[str, int] = {}
    for turn in turns:
        if turn.speaker != UNKNOWN:
            texts = [word.text for word in turn.words]
            words_by_turn.setdefault(turn.speaker, []).append(plains(texts))
            questions[turn.speaker] = questions.get(turn.speaker, 0) + asks(texts)
    total = sum(len(words) for turn_words in words_by_turn.values() for words in turn_words)
    opener = _opener(turns)
    return tuple(
        SpeakerProfile(
            speaker,
            sum(len(words) for words in turn_words),
            questions[speaker],
            _cues(turn_words, questions[speaker], total, speaker == opener, model),
        )
        for speaker, turn_words in words_by_turn.items()
    )


def terms(words: Sequence[str]) -> list[str]:
    """Return the distinct words and word pairs of a turn in `plain` form, in order."""
    pairs = (f"{word} {following}" for word, following in pairwise(words))
    return list(dict.fromkeys([*words, *pairs]))


def _cues(turn_words: list[list[str]], questions: int, total: int, opens: bool, model: RoleModel) -> dict[str, float]:
    weights = [model.turn_log_odds(terms(words)) for words in turn_words]
    spoken = [word for words in turn_words for word in words]
    you, me = (sum(word in group for word in spoken) for group in (_YOU, _I))
    return {
        "wording": float(np.mean(weights)),
        "evidence": sum(weights) / math.sqrt(len(weights)),
        "questions": questions / len(turn_words),
        "address": (you - me) / (you + me + 5),
        "talk": len(spoken) / max(1, total),
        "opening": float(opens),
    }


def _opener(turns: Sequence[Turn]) -> str:
    """The speaker who speaks first, backchannels aside."""
    known = (turn for turn in turns if turn.speaker != UNKNOWN)
    return next((turn.speaker for turn in known if not is_backchannel([w.text for w in turn.words])), UNKNOWN)


def _reasons(
    chosen: SpeakerProfile, client: SpeakerProfile, profiles: Sequence[SpeakerProfile], model: RoleModel
) -> tuple[str, ...]:
    """The reasons for the choice, strongest first, as sentences with numbers."""
    questions, words = sum(profile.questions for profile in profiles), sum(profile.words for profile in profiles)
    sentences = {
        "wording": "uses the wording of an interviewer",
        "evidence": "uses the wording of an interviewer",
        "questions": f"asks {chosen.questions} of {questions} questions",
        "address": 'says "you" rather than "I", the other the reverse',
        "talk": f"speaks {chosen.words / max(1, words):.0%} of the words",
        "opening": "opens the conversation",
    }
    weight = {cue: model.cues[cue] * (chosen.cues[cue] - client.cues[cue]) for cue in CUES}
    best = sorted((cue for cue in CUES if weight[cue] > 0.1), key=lambda cue: -weight[cue])
    return tuple(dict.fromkeys(sentences[cue] for cue in best))
