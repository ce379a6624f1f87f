"""Notes on who is who: sentences for the report, the terminal and the room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.speech.roles import SURE, Roles
from pipeline.timeline import UNKNOWN, Turn, clock

_OF_DECISION = (
    "figures are withheld: ",
    "it is not certain who is the interviewer: ",
    "nobody has a role: ",
    "the words decide who is the interviewer: ",
)
"""How the sentences of this module, and of a text's run, begin that hold no longer once somebody says who is who."""


def is_of_decision(note: str) -> bool:
    """Return whether a note is about how the roles were decided or left open."""
    return note.startswith(_OF_DECISION)


def is_of_roles(note: str) -> bool:
    """Return whether a note is of that, or of a voice without a role, and not of the sound or its voices."""
    return is_of_decision(note) or (note.startswith("voice ") and " speaks, too (" in note)


def notes(decided: Roles, turns: Sequence[Turn], expected: int | None) -> Iterator[str]:
    """Yield what is missing or uncertain in the roles of the turns' voices.

    Parameters
    ----------
    expected: how many people were said to speak; None where nobody said.
    """
    spoken: dict[str, int] = {}
    for turn in turns:
        if turn.speaker != UNKNOWN:
            spoken[turn.speaker] = spoken.get(turn.speaker, 0) + sum(word.span.duration for word in turn.words)
    if decided.undecided:
        yield _withheld(decided.undecided, expected if expected is not None and len(spoken) < expected else None)
        return
    if expected is not None and len(spoken) < expected:
        yield (
            f"{_people(expected)} were expected, but only {_voices(len(spoken))} found: the words of "
            "one person may stand among those of another; listen to the clips of each voice"
        )
    if decided.interviewer and decided.probability < SURE:
        yield (
            f"it is not certain who is the interviewer: voice {decided.interviewer}, with a probability of "
            f"{decided.probability:.0%}; every figure depends on it, so listen, and correct it if it is wrong "
            "(--interviewer, or --roles)"
        )
    for speaker, duration in spoken.items():
        if decided.role(speaker) == "unknown":
            yield (
                f"voice {speaker} speaks, too ({clock(duration)}), and has no role: it has no codes and counts in no "
                f"figure until somebody says who it is (--roles {speaker}=client, or =other)"
            )


def _withheld(reason: str, expected: int | None) -> str:
    expectation = f", where {_people(expected)} were expected" if expected is not None else ""
    return (
        f"figures are withheld: {reason}{expectation}, so nobody knows whose words these are; they have no codes until "
        "somebody says who is who (--roles S1=interviewer, or =client)"
    )


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"


def _voices(number: int) -> str:
    return "1 voice was" if number == 1 else f"{number} voices were"
