"""On some utterances of a pass the machine's suggestion is hidden, to measure its influence on coders.

Which ones follows from the pass's seed and the utterance's name alone: it stays the same when others split or join
utterances, and nobody can tell it before the pass begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

SHARE = 0.2
"""Share of the utterances that are coded without a suggestion."""


def hidden_utterances(seed: int, utterance_ids: Collection[str], share: float = SHARE) -> frozenset[str]:
    """Return the utterances of a pass whose suggestion is hidden: exactly the share, rounded, with the lowest draws."""
    count = round(share * len(utterance_ids))
    return frozenset(sorted(utterance_ids, key=lambda name: _draw(seed, name))[:count])


def _draw(seed: int, utterance_id: str) -> bytes:
    return hashlib.sha256(f"{seed} {utterance_id}".encode()).digest()
