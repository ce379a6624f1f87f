"""Words and word pairs as TF-IDF features."""

from __future__ import annotations

import doctest

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.coding.inference import tfidf
from pipeline.coding.inference.tfidf import Vocabulary

TEXTS = ["so how was it ?", "it was it was hard", "how so", "", "never seen", "so so so it is"]


def test_the_example_holds() -> None:
    assert doctest.testmod(tfidf).failed == 0


def test_weights_and_values_are_those_of_scikit_learn() -> None:
    ours = Vocabulary.of(TEXTS, 2)
    theirs = TfidfVectorizer(analyzer=str.split, min_df=2, sublinear_tf=True).fit(TEXTS)
    assert list(ours.weights) == list(theirs.get_feature_names_out()) == ["how", "it", "so", "was"]
    np.testing.assert_array_equal(list(ours.weights.values()), theirs.idf_.round(5))
    theirs.idf_ = np.array(list(ours.weights.values()))
    np.testing.assert_array_equal(ours(TEXTS).toarray(), theirs.transform(TEXTS).toarray().astype(np.float32))
