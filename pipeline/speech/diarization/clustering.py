"""How alike two voices of one recording are: what its clustering takes from the recording itself.

Embeddings of one person scatter more at a distant microphone than on a telephone, so no fixed distance between two
voices fits all recordings. But the segmentation itself names people who differ: the local speakers of one window. Two
voices count as one while they are nearer to each other than half of the way between such strangers::

    distance    0 ─── one person's own ─────────── half of it ─────────── strangers of one window
                              one voice                │        two voices

The strangers who are most alike decide: a third person who resembles one of two others stays a third voice.
"""

from __future__ import annotations

import numpy as np

LEAST_ALONE = 1.0
"""Seconds that a local speaker talks alone in a window to count in the clustering. pyannote's own are 2, which leaves
out most people who say little. Whoever talks less is given to the nearest voice."""


def least_distance(embeddings: np.ndarray, windows: np.ndarray, least: float) -> float:
    """The distance from which two voices count as different: half of the cosine distance of the nearest strangers.

    Returned as the Euclidean distance of unit vectors, as agglomerative clustering by centroids wants it.

    Parameters
    ----------
    embeddings: of local speakers, (n, d).
    windows: the window of each, (n,); those of one window are different people.
    least: what is returned if that is more, or if no window has two of them.
    """
    directions = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    strangers = np.triu(windows[:, None] == windows, 1)
    nearest = np.min(1 - directions @ directions.T, where=strangers, initial=np.inf)
    # The squared Euclidean distance of unit vectors is twice their cosine distance: half of the latter is its root.
    return max(least, float(np.sqrt(nearest))) if np.isfinite(nearest) else least
