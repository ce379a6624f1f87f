"""Passwords, tokens and codes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from argon2 import PasswordHasher

from pipeline.review.auth import credentials
from pipeline.review.auth.credentials import objection
from tests.review.conftest import PASSWORD


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 12"),
        ("my name is adalovelace", "your name"),
        ("lovelace1815 rules", "your name"),
        ("aaaaaaaaaaaaaaaa", "repeats the same characters"),
        ("passwordpassword", "repeats the same characters"),
        ("iloveyou iloveyou", "repeats the same characters"),
        ("Password2024!", "a common password"),
        ("1q2w3e4r5t6y", "a common password"),
        ("motivational interviewing", "a common password"),
        ("abcdefghijkl", "the alphabet"),
        ("zxcvbnm,./zxc", "keys on a keyboard"),
        (" " * 20, "easy to guess"),
        ("kq8#" * 200, "repeats the same characters"),
    ],
)
def test_easy_passwords_are_refused_with_the_reason(password: str, reason: str) -> None:
    assert reason in objection(password, "Ada Lovelace", "adalovelace@example.org")


@pytest.mark.parametrize(
    "password", [PASSWORD, "nine yellow submarines", "vK2$mq9!Lp4z", "j4hd8fk2l5qp", "ü" + PASSWORD]
)
def test_passwords_that_nobody_guesses_are_taken(password: str) -> None:
    assert objection(password, "Ada Lovelace", "adalovelace@example.org") == ""


def test_passwords_that_many_send_at_once_are_hashed_few_at_a_time() -> None:
    """Each takes 64 MB: forty at once would take what the machine has."""
    together, most, enough = threading.Lock(), [0, 0], threading.Barrier(4)

    class Slow(PasswordHasher):
        def verify(self, stored: str | bytes, password: str | bytes) -> Literal[True]:
            with together:
                most[0] += 1
                most[1] = max(most)
            enough.wait(30)
            with together:
                most[0] -= 1
            return True

    passwords = credentials.Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))
    with ThreadPoolExecutor(12) as threads:
        assert all(threads.map(lambda _: passwords.fits("x", "y"), range(12)))
    assert most == [0, 4]
