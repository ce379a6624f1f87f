"""Training and evaluation of `roles` on AnnoMI's sessions, with the roles withheld."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import SpeechError
from pipeline.lexicon import plains
from pipeline.speech.roles import CUES, FILE, RoleModel, decide, speaker_profiles, terms
from pipeline.timeline import Span, Turn, Word

FOLDS = "folds.csv"

OPENING_MS = 300_000
"""The part of a session that is evaluated by itself: its first 5 minutes."""

LEAST_UTTERANCES = 20
"""Shorter sessions are learned from and not measured."""

TERMS, RARE = 4000, 5
"""The number of words and pairs that are kept, of those that occur in at least ``RARE`` turns."""

_MARKS = str.maketrans("", "", '.,;:!?…"()[]')


@dataclass(frozen=True)
class Session:
    """A transcript with numbered speakers, and its interviewer."""

    tape_id: str
    fold: int
    turns: tuple[Turn, ...]
    interviewer: str

    def opening(self) -> Session:
        """Return its first 5 minutes."""
        end = self.turns[0].span.start + OPENING_MS
        return Session(
            self.tape_id, self.fold, tuple(turn for turn in self.turns if turn.span.start < end), self.interviewer
        )

    def bare(self) -> Session:
        """Return it without punctuation and case, as some recognizers write."""
        return Session(self.tape_id, self.fold, tuple(_bare(turn) for turn in self.turns), self.interviewer)


def sessions(table: pd.DataFrame) -> tuple[Session, ...]:
    """Return sessions from a table of `pipeline.coding.training.data`; speakers are numbered by first appearance."""
    read = []
    for tape_id, rows in table.groupby("tape_id", sort=False):
        names = {role: f"S{number}" for number, role in enumerate(rows["role"].unique(), start=1)}
        if "interviewer" not in names or len(names) != 2:
            continue
        turns: list[Turn] = []
        for role, text, start in zip(rows["role"], rows["text"], rows["start"], strict=True):
            words = tuple(Word(Span(start, start), word, 1.0, names[role]) for word in text.split())
            if turns and turns[-1].speaker == names[role]:
                turns[-1] = Turn(names[role], turns[-1].words + words)
            elif words:
                turns.append(Turn(names[role], words))
        read.append(Session(str(tape_id), int(rows["fold"].iloc[0]), tuple(turns), names["interviewer"]))
    return tuple(read)


def fit(given: Sequence[Session]) -> RoleModel:
    """Fit word weights to turns, and cue weights to sessions whose folds the word weights did not see."""
    from sklearn.linear_model import LogisticRegression

    differences = []
    for fold in sorted({session.fold for session in given}):
        rest = [session for session in given if session.fold != fold] or list(given)
        words, bias = _fit_words(rest)
        model = RoleModel(words, bias, dict.fromkeys(CUES, 0.0))
        for session in (session for session in given if session.fold == fold):
            for version in versions(session).values():
                cues = {profile.speaker: profile.cues for profile in speaker_profiles(version.turns, model)}
                right = cues.pop(session.interviewer, None)
                differences += [[right[cue] - other[cue] for cue in CUES] for other in cues.values() if right]
    signed = np.array([*differences, *(-np.array(differences))])
    answers = np.repeat([1, 0], len(differences))
    weights = LogisticRegression(C=0.3, fit_intercept=False).fit(signed, answers).coef_[0]
    words, bias = _fit_words(given)
    return RoleModel(words, bias, {cue: round(float(weight), 4) for cue, weight in zip(CUES, weights, strict=True)})


def versions(session: Session) -> Mapping[str, Session]:
    """Return the versions of a session that are evaluated: all of it and its opening, written and bare."""
    opening = session.opening()
    return {
        "session": session,
        "opening": opening,
        "session, bare": session.bare(),
        "opening, bare": opening.bare(),
    }


def cross_fit(given: Sequence[Session]) -> pd.DataFrame:
    """Decide every session with a model that saw none of its fold.

    Returns ``tape_id, fold, utterances`` (turns), ``version, right`` and ``probability`` of the choice.
    """
    rows = []
    for fold in sorted({session.fold for session in given}):
        model = fit([session for session in given if session.fold != fold])
        for session in (session for session in given if session.fold == fold):
            for version, part in versions(session).items():
                roles = decide(part.turns, model)
                right = roles.interviewer == session.interviewer
                rows.append((session.tape_id, fold, len(session.turns), version, right, roles.probability))
    return pd.DataFrame(rows, columns=["tape_id", "fold", "utterances", "version", "right", "probability"])


def accuracy(predictions: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return version -> sessions decided rightly and all, of those with `LEAST_UTTERANCES` or more."""
    long = predictions[predictions["utterances"] >= LEAST_UTTERANCES]
    return {
        str(version): (int(rows["right"].sum()), len(rows)) for version, rows in long.groupby("version", sort=False)
    }


def write(folder: Path, model: RoleModel, folds: pd.DataFrame, metadata: Mapping[str, object]) -> None:
    """Store a model with its metadata and its fold predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**metadata, **asdict(model)}, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")
    folds.to_csv(folder / FOLDS, index=False, float_format="%.4f")


def read_folds(folder: Path) -> pd.DataFrame:
    """Return fold predictions as `cross_fit` returned them.

    Raises
    ------
    SpeechError: P03 they are missing or damaged.
    """
    try:
        return pd.read_csv(folder / FOLDS, dtype={"tape_id": str})
    except (OSError, ValueError) as error:
        remedy = "restore the folder, or make it again with `tape-review train`"
        raise SpeechError("P03", f"role model {folder}", f"has no valid {FOLDS}", remedy) from error


def _fit_words(given: Sequence[Session]) -> tuple[dict[str, float], float]:
    """Logistic regression of a turn's role on its terms, scaled by how many it has."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    turns = [
        (terms(plains([w.text for w in turn.words])), turn.speaker == s.interviewer) for s in given for turn in s.turns
    ]
    counter = CountVectorizer(analyzer=list, binary=True, min_df=RARE)
    counts = counter.fit_transform([turn_terms for turn_terms, _ in turns]).astype(float)
    sizes = np.sqrt([max(1, len(turn_terms)) for turn_terms, _ in turns])
    model = LogisticRegression(C=1.0, solver="liblinear").fit(
        counts.multiply(1 / sizes[:, None]).tocsr(), [right for _, right in turns]
    )
    names, weights = counter.get_feature_names_out(), model.coef_[0]
    strongest = sorted(np.argsort(-np.abs(weights))[:TERMS])
    return {str(names[at]): round(float(weights[at]), 3) for at in strongest}, round(float(model.intercept_[0]), 4)


def _bare(turn: Turn) -> Turn:
    words = [Word(word.span, word.text.lower().translate(_MARKS), 1.0, word.speaker) for word in turn.words]
    return Turn(turn.speaker, tuple(word for word in words if word.text) or turn.words)
