"""How many utterances of a pass come without a suggestion, and which."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review.coding import pretag_hiding

NAMES = st.sets(st.text("u0123456789", min_size=1, max_size=6), max_size=40)


@pytest.mark.parametrize(
    ("size", "count"),
    [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (7, 1), (8, 2), (10, 2), (12, 2), (13, 3), (100, 20)],
)
def test_a_fifth_is_hidden_rounded(size: int, count: int) -> None:
    names = [f"u{number}" for number in range(size)]
    assert pretag_hiding.SHARE == 0.2
    assert len(pretag_hiding.hidden_utterances(5, names)) == count


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.3, 3), (0.5, 5), (1.0, 10)])
def test_another_share(share: float, count: int) -> None:
    assert len(pretag_hiding.hidden_utterances(5, [f"u{number}" for number in range(10)], share)) == count


@given(NAMES, st.integers(0, 1 << 40))
def test_the_lowest_draws_are_hidden(names: set[str], seed: int) -> None:
    """A draw is the digest of seed and name, so that whoever knows both can check it."""
    draws = {name: hashlib.sha256(f"{seed} {name}".encode()).digest() for name in names}
    hidden = pretag_hiding.hidden_utterances(seed, names, 0.5)
    assert hidden <= names
    assert len(hidden) == round(len(names) / 2)
    assert all(draws[low] < draws[high] for low in hidden for high in names - hidden)
