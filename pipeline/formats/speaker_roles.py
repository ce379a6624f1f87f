"""Interviewer or client, as a name says it: "Therapist A.", "Counsellor", "T", "Client 12", "Unknown Speaker".

A name is read word by word, in any case and with or without accents; one letter counts only where it is the whole name.
What a name leaves open, other names of the same transcript may settle: beside a client, the only other voice is the
interviewer's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from pipeline.errors import TableError
from pipeline.timeline import Role

INTERVIEWER_WORDS = frozenset(
    {"interviewer", "therapist", "counselor", "counsellor", "clinician", "practitioner", "provider", "psychologist"}
    | {"facilitator", "worker", "nurse", "physician", "doctor", "dr", "coach", "helper", "investigator", "researcher"}
    | {"therapeute", "therapeut", "therapeutin", "terapeuta", "conseiller", "conseillere", "berater", "beraterin"}
    | {"interv", "int", "inv", "ther", "th"}
)
"""Words of a name that say that somebody conducts the session; French, German and Spanish ones without accents."""

CLIENT_WORDS = frozenset(
    {"client", "patient", "consumer", "interviewee", "respondent", "caller", "student", "teen", "adolescent"}
    | {"cliente", "klient", "klientin", "paciente", "patientin", "clt", "cli", "pt", "pat"}
)
"""Words of a name that say that the session is about somebody's change."""

WEAK_CLIENT_WORDS = frozenset({"participant", "subject", "par"})
"""Words that name a client where one person has them, and nothing where several have."""

OTHER_WORDS = frozenset(
    {"observer", "interpreter", "translator", "narrator", "transcriber", "mother", "father", "parent", "partner"}
    | {"wife", "husband", "spouse", "sister", "brother", "son", "daughter", "other"}
)
"""Words that name a third voice, whatever else the name says ("client's mother")."""

NOBODY_WORDS = frozenset({"both", "others", "unidentified", "crosstalk", "everyone"})
"""Words that name several voices, or one that nobody knows."""

_LETTERS: Mapping[str, Role] = {
    **dict.fromkeys("ti", "interviewer"),
    **dict.fromkeys("cpkr", "client"),
}


def plain(name: str) -> str:
    """A name in lower case, without accents: ``"Thérapeute"`` -> ``"therapeute"``."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(letter)
    )


def role_of(name: str) -> Role | None:
    """The role that a name says; ``other`` for a third voice, None where the name leaves it open.

    >>> role_of("Counsellor 2"), role_of("Client's mother"), role_of("Ann"), role_of("T.")
    ('interviewer', 'other', None, 'interviewer')
    """
    words = re.findall(r"[^\W\d_]+", plain(name))
    if not words:
        return None
    if len(words) == 1 and len(words[0]) == 1:
        return _LETTERS.get(words[0])
    if OTHER_WORDS & set(words):
        return "other"
    if NOBODY_WORDS & set(words) or words == ["unknown"]:
        return "unknown"
    leads, changes = (bool(known & set(words)) for known in (INTERVIEWER_WORDS, CLIENT_WORDS | WEAK_CLIENT_WORDS))
    if leads == changes:
        return None
    return "interviewer" if leads else "client"


def by_name(speakers: Sequence[str], known_roles: Mapping[str, Role] | None = None) -> dict[str, Role | None]:
    """The roles of a transcript's voices as far as their names settle them, beside those that the file tells.

    Where an interviewer is named, whoever is no third voice is a client; where all are clients but one, that one is the
    interviewer. One letter counts only where all voices have one ("T" and "C"). A "Participant" among several may be
    anybody.
    """
    roles = {speaker: role_of(speaker) for speaker in speakers}
    lettered = {speaker for speaker in speakers if len(re.findall(r"[^\W\d_]", speaker)) == 1}
    if len(lettered) < len(roles) and len(roles) > 1:
        roles |= dict.fromkeys(lettered)
    roles |= known_roles or {}
    led = "interviewer" in roles.values()
    weak = [
        speaker
        for speaker in speakers
        if roles[speaker] == "client" and speaker not in (known_roles or {}) and _is_weak(speaker)
    ]
    if weak and not led and (len(weak) > 1 or len(roles) == 1):
        roles |= dict.fromkeys(weak)
    undecided = [speaker for speaker, role in roles.items() if role is None]
    if led:
        roles |= dict.fromkeys(undecided, "client")
    elif len(undecided) == 1 and "client" in roles.values():
        roles[undecided[0]] = "interviewer"
    return roles


def with_interviewer(speakers: Sequence[str], interviewer: str, thing: str) -> dict[str, Role]:
    """The roles where somebody has said who conducts the session: all others are clients, third voices aside.

    ``thing`` is what messages are about, such as ``"transcript talk.csv"``.

    Raises
    ------
    TableError: T08 no voice, or more than one, has that name.
    """
    wanted = plain(interviewer).strip()
    matches = [speaker for speaker in speakers if plain(speaker).strip() == wanted]
    matches = matches or [speaker for speaker in speakers if wanted and wanted in plain(speaker)]
    if len(matches) != 1:
        value = f"has no voice {interviewer!r}, or several; its voices are {', '.join(speakers) or 'none'}"
        raise TableError("T08", thing, value, "name one of them")
    others: dict[str, Role] = {
        speaker: "other" if role_of(speaker) == "other" else "client" for speaker in speakers if speaker != matches[0]
    }
    return {speaker: others.get(speaker, "interviewer") for speaker in speakers}


def _third(speaker: str) -> Role | None:
    """The role of who is neither, as the name says it; None of anybody else, and of the placeholder of no name."""
    role = role_of(speaker)
    return role if role in ("other", "unknown") and speaker != "unknown" else None


def distinct_speakers(names: Iterable[str]) -> list[str]:
    """The names that are not empty, each once, in order of their first turn."""
    return [name for name in dict.fromkeys(name.strip() for name in names) if name]


def _is_weak(speaker: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", plain(speaker)))
    return not words & CLIENT_WORDS
