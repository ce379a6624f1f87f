"""Secrets: passwords (argon2id), one-time tokens, and codes of an authenticator (TOTP)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn  # type: ignore[import-untyped]

from pipeline.tapes import second_step
from pipeline.tapes.home import Home
from pipeline.tapes.vault.vault import HOME

SHORTEST = 12
"""Characters that a password has at least."""

_AT_ONCE = 4
"""Passwords that are hashed at the same time: each takes 64 MB, and anybody may ask for one."""

_JUDGED, _GOOD = 72, 4
"""Characters that are judged, and the score of zxcvbn (0 to 4) that a password must have: ten billion guesses."""

_OURS = ("tape", "review", "motivational", "interviewing", "interview", "counseling", "therapy", "supervision")
"""Words that come to mind in this room."""

_REASONS = {
    "dictionary": "it is close to a common password or to a single word",
    "repeat": "it repeats the same characters",
    "sequence": "it follows the order of the alphabet or of the digits",
    "spatial": "it follows the order of the keys on a keyboard",
    "regex": "much of it is a year",
    "date": "much of it is a date",
}
"""What makes a password easy, by the pattern that zxcvbn finds in most of it."""

ISSUER = "Tape Review"
_STEP_MS = 30_000  # how long a code of an authenticator app is shown (RFC 6238's default)
_COLUMN = "people.totp_secret"


def token() -> str:
    """A random text that nobody guesses."""
    return secrets.token_urlsafe(32)


def token_hash(text: str) -> str:
    """Return the hash that is stored of a token: enough to recognize it, not enough to use it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Passwords:
    """Hashes and checks passwords, few at a time; an account that is not there costs the same work as one that is."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self._hasher.hash(token())

    def hash(self, password: str) -> str:
        """The stored form of a password."""
        with self._turns:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password is right; never where there is none."""
        try:
            with self._turns:
                self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def is_old(self, stored: str) -> bool:
        """Whether it was hashed with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def objection(password: str, name: str, email: str) -> str:
    """Why a password is too easy, and what to do; empty where it is good."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters. A few unrelated words work well."
    personal_words = [part for part in (*name.lower().split(), email.lower().partition("@")[0]) if len(part) > 3]
    if any(part in password.lower() for part in personal_words):
        return "Do not use your name or e-mail address in it."
    judged = _judged(password, personal_words)
    joined = _judged("".join(password.split()) or password, personal_words)  # blanks hide what repeats itself
    if joined["score"] < _GOOD - 1:
        judged = joined
    if judged["score"] < _GOOD:
        longest = max(judged["sequence"], key=lambda match: len(match["token"]))
        reason = _REASONS.get(longest["pattern"], "it has too few different parts")
        return f"This password is easy to guess: {reason}. Use four or more unrelated words."
    return ""


def _judged(text: str, personal_words: list[str]) -> dict[str, Any]:
    judged: dict[str, Any] = zxcvbn(text[:_JUDGED], user_inputs=[*personal_words, *_OURS])
    return judged


class OneTimeCodes:
    """Checks the codes of authenticators; each code of one secret works once, whichever process it comes to."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def fits(self, person_id: str, secret: str, code: str, now: int) -> bool:
        """Whether the code is that of this half minute, the one before or the one after, and was not used yet."""
        way, digits = pyotp.TOTP(secret), code.replace(" ", "")
        step = now // _STEP_MS
        for at in (step - 1, step, step + 1):
            if secrets.compare_digest(way.at(at * 30).encode(), digits.encode()):
                with self._home.database.writing() as database:
                    return second_step.spend(database, person_id, secret, at)
        return False


def authenticator_secret() -> str:
    """A new secret for an authenticator."""
    return pyotp.random_base32()


def authenticator_link(secret: str, email: str) -> str:
    """Return the address that an authenticator reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def closed(home: Home, secret: str) -> str:
    """An authenticator's secret as it is stored: sealed with the home's key."""
    return base64.b64encode(home.vault.seal(HOME, secret.encode(), _COLUMN)).decode()


def opened(home: Home, stored: str) -> str:
    """An authenticator's secret."""
    return home.vault.unseal(HOME, base64.b64decode(stored), _COLUMN).decode()
