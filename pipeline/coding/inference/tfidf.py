"""Words and word pairs as TF-IDF features, with sublinear counts and unit length.

A term weighs more the fewer texts hold it: ``log((1 + texts) / (1 + texts with it)) + 1``, times ``1 + log(count)``.
scikit-learn's `TfidfVectorizer` gives the same values, but orders a text's terms by column, so that sums with the
weights that ship differ in the seventh digit, and probabilities in files with them; the tests hold the two together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Vocabulary:
    """Term -> weight; the order is that of the columns."""

    weights: Mapping[str, float]

    @classmethod
    def of(cls, texts: Sequence[str], min_texts: int) -> Vocabulary:
        """Collect the blank-separated terms that at least ``min_texts`` texts hold, in alphabetical order."""
        texts_with = Counter(term for text in texts for term in set(text.split()))
        frequent = sorted(term for term, number in texts_with.items() if number >= min_texts)
        return cls({term: round(math.log((1 + len(texts)) / (1 + texts_with[term])) + 1, 5) for term in frequent})

    def __call__(self, texts: Sequence[str]) -> csr_matrix:
        """Return TF-IDF values, shape (texts, terms); a text without a known term is all zero.

        >>> Vocabulary({"how": 1.0, "so": 2.0})(["so so", "how so"]).toarray().astype(float).round(2).tolist()
        [[0.0, 1.0], [0.45, 0.89]]
        """
        columns = {term: column for column, term in enumerate(self.weights)}
        values: list[float] = []
        indices: list[int] = []
        ends = [0]
        for text in texts:
            counts = Counter(term for term in text.split() if term in columns)
            weights = [self.weights[term] * (1 + math.log(number)) for term, number in counts.items()]
            length = math.sqrt(sum(value * value for value in weights)) or 1.0
            values += [value / length for value in weights]
            indices += [columns[term] for term in counts]
            ends.append(len(values))
        shape = (len(texts), len(columns))
        return csr_matrix((np.array(values, dtype=np.float32), np.array(indices, dtype=np.int32), ends), shape=shape)
